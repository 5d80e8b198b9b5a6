//! References to variables in a text that stays as it is written: found, hidden while the text is taken apart, and put
//! back.

use std::ops::Range;

use crate::compose::interpolate::{split_brace, split_name};

/// The characters that stand for references: private ones, which no text has.
const FIRST: u32 = 0xF_0000;
const MOST: u32 = 0xFFFD;

/// Where a text has `$NAME`, `${NAME…}` and, as escapes, `$$`. An error says what is wrong with it: a dollar sign that
/// begins none of them is Docker's error.
pub(super) fn references(text: &str) -> Result<Vec<Range<usize>>, String> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(dollar) = text[from..].find('$').map(|at| from + at) {
        let rest = &text[dollar + 1..];
        let left = if let Some(after) = rest.strip_prefix('$') {
            after
        } else if let Some(inner) = rest.strip_prefix('{') {
            let (inner, after) = split_brace(inner)?;
            if split_name(inner).0.is_empty() {
                return Err("'${' begins a variable, and no name follows: a dollar sign is written $$".to_owned());
            }
            after
        } else {
            let (name, after) = split_name(rest);
            if name.is_empty() {
                return Err("a dollar sign stands before what is no variable: it is written $$".to_owned());
            }
            after
        };
        from = text.len() - left.len();
        found.push(dollar..from);
    }
    Ok(found)
}

/// A text whose references are hidden: each is one character, of which no syntax knows.
#[derive(Debug)]
pub(super) struct Hidden {
    /// The text with them.
    pub(super) text: String,
    references: Vec<String>,
}

impl Hidden {
    /// Hides the references of a text, and its escapes.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut hidden = Self { text: String::with_capacity(text.len()), references: Vec::new() };
        let found = references(text)?;
        if !found.is_empty() && (text.contains(is_hidden) || found.len() > MOST as usize) {
            return Err("it has references and characters of Unicode's last private areas".to_owned());
        }
        let mut from = 0;
        for (range, code) in found.into_iter().zip(FIRST..) {
            hidden.text.push_str(&text[from..range.start]);
            hidden.text.extend(char::from_u32(code));
            from = range.end;
            hidden.references.push(text[range].to_owned());
        }
        hidden.text.push_str(&text[from..]);
        Ok(hidden)
    }

    /// A text in which nothing is a reference.
    pub(super) fn plain(text: String) -> Self {
        Self { text, references: Vec::new() }
    }

    /// Hides what is well written; a text that is not has no references.
    pub(super) fn tried(text: String) -> Self {
        Self::new(&text).unwrap_or_else(|_| Self::plain(text))
    }

    /// A part of the text, its references put back.
    pub(super) fn shown(&self, part: &str) -> String {
        let mut shown = String::with_capacity(part.len());
        for c in part.chars() {
            match self.reference(c) {
                Some(reference) => shown.push_str(reference),
                None => shown.push(c),
            }
        }
        shown
    }

    /// Whether a character stands for a variable, not for an escaped dollar sign.
    pub(super) fn is_variable(&self, c: char) -> bool {
        self.reference(c).is_some_and(|reference| reference != "$$")
    }

    fn reference(&self, c: char) -> Option<&String> {
        self.references.get(u32::from(c).checked_sub(FIRST)? as usize)
    }
}

fn is_hidden(c: char) -> bool {
    u32::from(c) >= FIRST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_with_their_defaults() {
        for (text, expected) in [
            ("plain", vec![]),
            ("$A-${B}", vec!["$A", "${B}"]),
            ("$$A $${B}", vec!["$$", "$$"]),
            ("${A:-${B:-c}}d", vec!["${A:-${B:-c}}"]),
            ("$$$_a1", vec!["$$", "$_a1"]),
        ] {
            let found = references(text).expect(text);
            assert_eq!(found.into_iter().map(|range| &text[range]).collect::<Vec<_>>(), expected, "{text}");
        }
        for text in ["$", "a$(b)", "${A", "${}", "${1}", "$1", "$-"] {
            assert!(references(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_hidden_can_be_taken_apart_and_put_back() {
        let hidden = Hidden::new("a-${X:-b:c}:/$$d:ro").expect("references");
        let parts: Vec<_> = hidden.text.split(':').map(|part| hidden.shown(part)).collect();
        assert_eq!(parts, ["a-${X:-b:c}", "/$$d", "ro"]);
        let variables = hidden.text.chars().filter(|c| hidden.is_variable(*c)).count();
        assert_eq!(variables, 1);
    }

    #[test]
    fn a_private_character_is_not_taken_for_a_reference() {
        let text = "\u{F0000} plain";
        assert_eq!(Hidden::new(text).map(|hidden| hidden.shown(text)), Ok(text.to_owned()));
        assert!(Hidden::new("\u{F0000} $A").is_err());
    }
}
