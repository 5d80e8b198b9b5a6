//! References to variables in a text that stays as it is written: found, hidden while the text is taken apart, and put
//! back.

use std::ops::Range;

use crate::compose::interpolate::split_name;

/// The characters that stand for references: private ones, which no text has.
const FIRST: u32 = 0xF_0000;
const MOST: u32 = 0xFFFD;

/// A reference to a variable.
struct Reference<'a> {
    name: &'a str,
    otherwise: Otherwise<'a>,
    /// Whether a variable that is empty counts as one that is not set.
    or_empty: bool,
}

/// What becomes of a reference to a variable that is not set.
enum Otherwise<'a> {
    /// Nothing takes its place.
    Nothing,
    /// `-`: this text does.
    Default(&'a str),
    /// `?`: it is an error that says so.
    Refused(&'a str),
}

impl<'a> Reference<'a> {
    /// Reads what follows a dollar sign, and gives what is left. Of `$$` there is no reference.
    fn read(rest: &'a str) -> Result<(Option<Self>, &'a str), String> {
        if let Some(after) = rest.strip_prefix('$') {
            return Ok((None, after));
        }
        let plain = |name| Some(Self { name, otherwise: Otherwise::Nothing, or_empty: false });
        let Some(inner) = rest.strip_prefix('{') else {
            return match split_name(rest) {
                ("", _) => Err("a dollar sign stands before what is no variable: it is written $$".to_owned()),
                (name, after) => Ok((plain(name), after)),
            };
        };
        let (name, _) = split_name(inner);
        let Some((inner, after)) = inner.split_once('}') else {
            return Err(format!("'${{{name}' is not closed: a dollar sign is written $$"));
        };
        if name.is_empty() {
            return Err("'${' begins a variable, and no name follows: a dollar sign is written $$".to_owned());
        }
        let operator = &inner[name.len()..];
        let (or_empty, word) = operator.strip_prefix(':').map_or((false, operator), |word| (true, word));
        let otherwise = match word.split_at_checked(1) {
            None if operator.is_empty() => return Ok((plain(name), after)),
            Some(("-", word)) => Otherwise::Default(word),
            Some(("?", word)) => Otherwise::Refused(word),
            _ => {
                return Err(format!(
                    "'${{{name}' is followed by what is none of :- - :? ?, which is all that Docker knows"
                ));
            }
        };
        Ok((Some(Self { name, otherwise, or_empty }), after))
    }
}

/// Where a text has `$NAME`, `${NAME…}` and, as escapes, `$$`. An error says what is wrong with it: a dollar sign that
/// begins none of them is Docker's error. The first `}` closes a reference, as for Docker: none stands in another.
pub(super) fn references(text: &str) -> Result<Vec<Range<usize>>, String> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(dollar) = text[from..].find('$').map(|at| from + at) {
        let (_, left) = Reference::read(&text[dollar + 1..])?;
        from = text.len() - left.len();
        found.push(dollar..from);
    }
    Ok(found)
}

/// A text with what its references stand for; a default is taken as it is written. The first operator counts: Docker finds
/// the default `b` in `${X:?a-b}`, too, which nobody can have meant. `unset` is told the variables in whose
/// place there is nothing. An error names the first variable that is required and missing, or is that of `lookup`.
pub(super) fn replaced(
    text: &str,
    lookup: &dyn Fn(&str) -> Result<Option<String>, String>,
    unset: &mut dyn FnMut(&str),
) -> Result<String, String> {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        replaced.push_str(before);
        let (reference, left) = Reference::read(after)?;
        rest = left;
        let Some(Reference { name, otherwise, or_empty }) = reference else {
            replaced.push('$');
            continue;
        };
        let value = lookup(name)?;
        let state = if value.is_some() { "is empty" } else { "is not set" };
        match (value.filter(|value| !or_empty || !value.is_empty()), otherwise) {
            (Some(value), _) => replaced.push_str(&value),
            (None, Otherwise::Nothing) => unset(name),
            (None, Otherwise::Default(word)) => replaced.push_str(word),
            (None, Otherwise::Refused(why)) => {
                let colon = if why.is_empty() { "" } else { ": " };
                return Err(format!("the variable {name} is required, but it {state}{colon}{why}"));
            }
        }
    }
    replaced.push_str(rest);
    Ok(replaced)
}

/// A text that begins with a reference to a variable with a default: what stands before the default, it, and the rest.
pub(super) fn default_in_front(text: &str) -> Option<(&str, &str, &str)> {
    let (Some(Reference { otherwise: Otherwise::Default(word), .. }), left) =
        Reference::read(text.strip_prefix('$')?).ok()?
    else {
        return None;
    };
    let end = text.len() - left.len() - 1;
    Some((&text[..end - word.len()], word, &text[end..]))
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
            ("${A:-${B:-c}}d", vec!["${A:-${B:-c}"]),
            ("$$$_a1", vec!["$$", "$_a1"]),
        ] {
            let found = references(text).expect(text);
            assert_eq!(found.into_iter().map(|range| &text[range]).collect::<Vec<_>>(), expected, "{text}");
        }
        for text in
            ["$", "a$(b)", "${A", "${}", "${1}", "$1", "$-", "${A!}", "${A b}", "${A:}", "${A:=b}", "${A:+b}", "${Aé}"]
        {
            assert!(references(text).is_err(), "{text}");
        }
    }

    #[test]
    fn references_are_replaced_as_docker_replaces_them() {
        let value = |name: &str| match name {
            "SET" => Some("x".to_owned()),
            "EMPTY" => Some(String::new()),
            "DOLLAR" => Some("$SET".to_owned()),
            _ => None,
        };
        let replace = |text: &str| {
            let mut unset = Vec::new();
            replaced(text, &|name| Ok(value(name)), &mut |name| unset.push(name.to_owned()))
                .map(|text| (text, unset.join(" ")))
        };
        for (text, expected, unset) in [
            ("plain", "plain", ""),
            ("$SET-${SET}y$DOLLAR$$SET", "x-xy$SET$SET", ""),
            ("${EMPTY-d}|${EMPTY:-d}|${NO-}|${NO:-d:-e?}|${SET:-d}", "|d||d:-e?|x", ""),
            ("${SET?no}${EMPTY?no}", "x", ""),
            ("$NO${NO2}${EMPTY}", "", "NO NO2"),
            // One does not stand in another.
            ("${NO:-${SET}}", "${SET}", ""),
            ("${SET:-${NO}}", "x}", ""),
            ("${NO:-$SET}|${NO:-$$}", "$SET|$$", ""),
            (r#"${NO:-{"a": {}}}"#, r#"{"a": {}}"#, ""),
        ] {
            assert_eq!(replace(text), Ok((expected.to_owned(), unset.to_owned())), "{text}");
        }
        for (text, why) in [
            ("${NO?say}", "the variable NO is required, but it is not set: say"),
            ("${EMPTY:?}", "the variable EMPTY is required, but it is empty"),
        ] {
            assert_eq!(replace(text), Err(why.to_owned()));
        }
    }

    #[test]
    fn a_default_in_front_is_found() {
        for (text, expected) in [
            ("${A:-./b}:/c", Some(("${A:-", "./b", "}:/c"))),
            ("${A-b}", Some(("${A-", "b", "}"))),
            ("${A}/b", None),
            ("x${A:-b}", None),
            ("$$", None),
            ("", None),
        ] {
            assert_eq!(default_in_front(text), expected, "{text}");
        }
    }

    #[test]
    fn an_error_shows_no_default() {
        for text in ["${A:-hunter2", "${A hunter2}", "${A:=hunter2}"] {
            assert!(!references(text).expect_err(text).contains("hunter2"), "{text}");
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
