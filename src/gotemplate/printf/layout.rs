//! How fmt lays a text out: the flags between `%` and the verb, the padding, and what is made of it all.

/// The longest text that is made, in bytes. What would be longer is cut, one byte or a little more above it, so that it
/// still shows that it was too long.
pub(super) const OUTPUT_LIMIT: usize = super::super::limits::OUTPUT;

/// What stands between `%` and the verb.
#[derive(Debug, Default, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "Go's flags are as many")]
pub(super) struct Flags {
    /// `-`: pad on the right.
    pub minus: bool,
    /// `+`: always a sign; `%+q` in ASCII only.
    pub plus: bool,
    /// `#`: another form, such as a leading `0x`.
    pub sharp: bool,
    /// A blank: room for the sign; blanks between bytes in hexadecimal.
    pub space: bool,
    /// `0`: pad with zeros, on the left only.
    pub zero: bool,
    /// The least number of characters.
    pub width: Option<usize>,
    /// What follows the point: of numbers the least digits, of texts the most characters.
    pub precision: Option<usize>,
    /// How `%v` prints.
    pub style: Style,
}

/// How much `%v` tells.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `%v`
    #[default]
    Plain,
    /// `%+v`: the names of fields too.
    Named,
    /// `%#v`: as Go's source.
    Source,
}

impl Flags {
    /// Pads on the right, where zeros are not allowed.
    pub(super) fn pad_right(&mut self) {
        self.minus = true;
        self.zero = false;
    }

    /// Before `%v` the flags `+` and `#` mean a style, and nothing else.
    pub(super) fn take_style(&mut self) {
        self.style = match (self.sharp, self.plus) {
            (true, _) => Style::Source,
            (false, true) => Style::Named,
            (false, false) => Style::Plain,
        };
        self.sharp = false;
        self.plus = false;
    }

    /// The text as far as the precision lets it be, which counts characters.
    pub(super) fn cut<'a>(&self, text: &'a str) -> &'a str {
        let end = self.precision.and_then(|most| text.char_indices().nth(most));
        end.map_or(text, |(end, _)| &text[..end])
    }
}

/// The text that is made, up to [`OUTPUT_LIMIT`].
#[derive(Debug, Default)]
pub(super) struct Output(String);

impl Output {
    /// Whether more is made than is allowed; nothing more is added then.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() > OUTPUT_LIMIT
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: &str) {
        let room = (OUTPUT_LIMIT + 1).saturating_sub(self.0.len());
        self.0.push_str(&text[..text.ceil_char_boundary(room)]);
    }

    /// Adds an ASCII character so many times.
    fn fill(&mut self, filler: &str, count: usize) {
        let room = (OUTPUT_LIMIT + 1).saturating_sub(self.0.len());
        self.0.push_str(&filler.repeat(count.min(room)));
    }

    /// Adds a text, padded as the flags say.
    pub(super) fn pad(&mut self, text: &str, flags: &Flags) {
        let Some(width) = flags.width else { return self.push(text) };
        let missing = width.saturating_sub(text.chars().count());
        let filler = if flags.zero { "0" } else { " " };
        if flags.minus {
            self.push(text);
            self.fill(filler, missing);
        } else {
            self.fill(filler, missing);
            self.push(text);
        }
    }

    /// Adds a number, padded as the flags say: zeros go between sign and digits.
    pub(super) fn pad_number(&mut self, sign: &str, digits: &str, flags: &Flags) {
        if flags.zero && !sign.is_empty() {
            self.push(sign);
            let width = flags.width.map(|width| width.saturating_sub(sign.len()));
            self.pad(digits, &Flags { width, ..*flags });
        } else {
            self.pad(&format!("{sign}{digits}"), flags);
        }
    }

    /// The text; longer than [`OUTPUT_LIMIT`] where it would have been.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}
