//! A format with its verbs, as Go's fmt.Sprintf reads it.

use super::super::Value;
use super::layout::Flags;
use super::verb::Printer;

/// The largest width or precision out of an argument.
const WIDTH_LIMIT: u64 = 1_000_000;

/// A format on its way through its arguments.
pub(super) struct Format<'a> {
    text: &'a str,
    /// Where the rest begins, in bytes.
    at: usize,
    /// Where the last `]` is, so that no one looks for another one again and again.
    last_bracket: usize,
    arguments: &'a [Value],
    /// The argument whose turn it is.
    next: usize,
    /// Whether any argument was asked for by its index: no one tells then which are left over.
    indexed: bool,
    /// Whether an index has just been read: what it is for has to follow.
    after_index: bool,
    /// Whether the indexes of the verb are right so far.
    indexes_are_right: bool,
}

impl<'a> Format<'a> {
    /// All of a format.
    pub(super) fn new(text: &'a str, arguments: &'a [Value]) -> Self {
        let last_bracket = text.rfind(']').unwrap_or(0);
        let (indexed, after_index, indexes_are_right) = (false, false, true);
        Self { text, at: 0, last_bracket, arguments, next: 0, indexed, after_index, indexes_are_right }
    }

    /// Prints it, and complains of what is wrong with it in Go's words.
    pub(super) fn print(mut self, printer: &mut Printer) {
        while let Some(length) = self.rest().find('%') {
            printer.out.push(&self.rest()[..length]);
            self.at += length + 1;
            if printer.out.is_full() {
                return;
            }
            self.verb(printer);
        }
        printer.out.push(self.rest());
        self.print_left_over(printer);
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes a character where it is next.
    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Reads and prints all of a verb but its `%`.
    fn verb(&mut self, printer: &mut Printer) {
        self.indexes_are_right = true;
        self.after_index = false;
        printer.flags = Flags::default();
        self.flags(&mut printer.flags);
        self.index();
        self.width(printer);
        self.precision(printer);
        if !self.after_index {
            self.index();
        }
        let Some(verb) = self.rest().chars().next() else { return printer.out.push("%!(NOVERB)") };
        self.at += verb.len_utf8();
        match self.arguments.get(self.next) {
            _ if verb == '%' => printer.out.push("%"),
            _ if !self.indexes_are_right => printer.out.push(&format!("%!{verb}(BADINDEX)")),
            None => printer.out.push(&format!("%!{verb}(MISSING)")),
            Some(argument) => {
                if verb == 'v' {
                    printer.flags.take_style();
                }
                printer.argument(argument, verb);
                self.next += 1;
            }
        }
    }

    fn flags(&mut self, flags: &mut Flags) {
        while let Some(c) = self.peek() {
            match c {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = !flags.minus,
                b'+' => flags.plus = true,
                b'-' => flags.pad_right(),
                b' ' => flags.space = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    fn width(&mut self, printer: &mut Printer) {
        if self.take(b'*') {
            let width = self.number_of_argument();
            match width {
                Some(width) => printer.flags.width = usize::try_from(width.unsigned_abs()).ok(),
                None => printer.out.push("%!(BADWIDTH)"),
            }
            if width.is_some_and(i64::is_negative) {
                printer.flags.pad_right();
            }
            self.after_index = false;
        } else {
            printer.flags.width = self.number();
            if self.after_index && printer.flags.width.is_some() {
                self.indexes_are_right = false;
            }
        }
    }

    fn precision(&mut self, printer: &mut Printer) {
        // A point at the very end is a verb.
        if self.rest().len() < 2 || !self.take(b'.') {
            return;
        }
        if self.after_index {
            self.indexes_are_right = false;
        }
        self.index();
        if self.take(b'*') {
            printer.flags.precision = self.number_of_argument().and_then(|digits| usize::try_from(digits).ok());
            if printer.flags.precision.is_none() {
                printer.out.push("%!(BADPREC)");
            }
            self.after_index = false;
        } else {
            printer.flags.precision = Some(self.number().unwrap_or(0));
        }
    }

    /// Reads digits. Where they are far too many, nothing of the format is left.
    fn number(&mut self) -> Option<usize> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = small_number(&self.rest()[..digits]);
        self.at += if number.is_err() { self.rest().len() } else { digits };
        number.unwrap_or(None)
    }

    /// Reads an index such as `[3]`, and makes it that argument's turn.
    fn index(&mut self) {
        self.after_index = self.peek() == Some(b'[');
        if !self.after_index {
            return;
        }
        self.indexed = true;
        let Some(length) = self.index_length() else {
            self.at += 1;
            self.indexes_are_right = false;
            self.after_index = false;
            return;
        };
        let number = &self.rest()[1..length];
        self.at += length + 1;
        let all_digits = number.bytes().all(|c| c.is_ascii_digit());
        let number = if all_digits { small_number(number).ok().flatten() } else { None };
        self.after_index = number.is_some();
        match number.and_then(|number| number.checked_sub(1)).filter(|index| *index < self.arguments.len()) {
            Some(index) => self.next = index,
            None => self.indexes_are_right = false,
        }
    }

    /// How many bytes of an index stand before its last one, if it has an end.
    fn index_length(&self) -> Option<usize> {
        if self.at < self.last_bracket && self.rest().len() >= "[1]".len() { self.rest().find(']') } else { None }
    }

    /// A width or a precision out of the argument whose turn it is.
    fn number_of_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        let number = match argument.target() {
            Value::Int(number) | Value::Duration(number) => *number,
            Value::Uint(number) => i64::try_from(*number).ok()?,
            _ => return None,
        };
        (number.unsigned_abs() <= WIDTH_LIMIT).then_some(number)
    }

    /// Says which arguments no verb has asked for.
    fn print_left_over(&self, printer: &mut Printer) {
        let Some(left_over) = self.arguments.get(self.next..).filter(|rest| !self.indexed && !rest.is_empty()) else {
            return;
        };
        printer.flags = Flags::default();
        printer.out.push("%!(EXTRA ");
        for (position, argument) in left_over.iter().enumerate() {
            if position > 0 {
                printer.out.push(", ");
            }
            if !matches!(argument, Value::Missing | Value::Nil) {
                printer.argument(argument, 'T');
                printer.out.push("=");
            }
            printer.argument(argument, 'v');
        }
        printer.out.push(")");
    }
}

/// A number that no width, precision or index has.
struct TooLarge;

/// Reads digits as Go does, which looks at the limit before it takes another one; none where there are none.
fn small_number(digits: &str) -> Result<Option<usize>, TooLarge> {
    let mut number = None;
    for digit in digits.bytes() {
        let before = number.unwrap_or(0);
        if before > 1_000_000 {
            return Err(TooLarge);
        }
        number = Some(before * 10 + usize::from(digit - b'0'));
    }
    Ok(number)
}
