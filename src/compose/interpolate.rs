//! Interpolation: the variables in a value, such as `${NAME:-default}`, and what takes their place.
//!
//! The rules are those of the Compose Specification's chapter on interpolation, and where it is silent, of Docker
//! Compose (the `template` package of its library compose-go): a dollar sign that starts neither a name nor a brace
//! stands for itself, and braces are counted, so that a default may be `{"a": {}}`.

use super::Budget;

/// How deep defaults may be nested in each other.
const DEPTH: usize = 20;

/// What a variable looks like, for errors.
const HINT: &str = "a variable is ${NAME}, $NAME, or $$ for a dollar sign";

/// Replaces the variables of a text. An error says what is wrong, in words that fit after the place of the text.
///
/// | notation | what takes its place |
/// |---|---|
/// | `$NAME`, `${NAME}` | the value, nothing if it is unset |
/// | `${NAME:-default}`, `${NAME-default}` | the value, or the default if it is unset (with `:`, or empty) |
/// | `${NAME:?message}`, `${NAME?message}` | the value, or an error if it is unset (with `:`, or empty) |
/// | `${NAME:+other}`, `${NAME+other}` | the other text if it is set (with `:`, and not empty), or nothing |
/// | `$$` | a dollar sign |
///
/// `lookup` is asked for a name when its value decides something: a default is not read before it is needed. `unset` is
/// told the name of each unset variable that nothing took the place of: those that Compose warns of. What variables bring
/// is taken from a budget. A variable whose value is itself, `${NAME}`, is left to somebody else, and so is what stands
/// behind its name.
pub fn interpolate(
    text: &str,
    budget: &Budget,
    lookup: &mut dyn FnMut(&str) -> Option<String>,
    unset: &mut dyn FnMut(&str),
) -> Result<String, String> {
    Variables { budget, lookup, unset }.expand(text, 0)
}

struct Variables<'a> {
    budget: &'a Budget,
    lookup: &'a mut dyn FnMut(&str) -> Option<String>,
    unset: &'a mut dyn FnMut(&str),
}

impl Variables<'_> {
    fn expand(&mut self, text: &str, depth: usize) -> Result<String, String> {
        if depth > DEPTH {
            return Err(format!("more than {DEPTH} variables are nested in each other"));
        }
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            expanded.push_str(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                expanded.push('$');
                rest = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let (inner, after) = split_brace(after)?;
                expanded.push_str(&self.braced(inner, depth)?);
                rest = after;
            } else {
                let (name, after) = split_name(rest);
                if name.is_empty() {
                    expanded.push('$');
                } else {
                    expanded.push_str(&self.plain(name)?);
                }
                rest = after;
            }
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    fn plain(&mut self, name: &str) -> Result<String, String> {
        Ok(self.value(name)?.unwrap_or_else(|| {
            (self.unset)(name);
            String::new()
        }))
    }

    /// The value of a variable, which costs its length whatever becomes of it.
    fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        let value = (self.lookup)(name);
        let length = value.as_ref().map_or(0, String::len);
        self.budget.take(0, length).map_err(|problem| problem.to_string())?;
        Ok(value)
    }

    /// What stands between the braces: a name, or a name, an operator and its word.
    fn braced(&mut self, inner: &str, depth: usize) -> Result<String, String> {
        let (name, rest) = split_name(inner);
        if name.is_empty() {
            return Err(unexpected(inner, rest, "expected the name of a variable"));
        }
        if rest.is_empty() {
            return self.plain(name);
        }
        let (or_empty, rest) = rest.strip_prefix(':').map_or((false, rest), |rest| (true, rest));
        let mut word = rest.chars();
        let operator = word.next();
        let word = word.as_str();
        if !matches!(operator, Some('-' | '?' | '+')) {
            return Err(unexpected(inner, rest, "expected } or one of :- - :? ? :+ +"));
        }
        let value = self.value(name)?;
        if value.as_deref().and_then(|value| value.strip_prefix("${")?.strip_suffix('}')) == Some(name) {
            return Ok(format!("${{{inner}}}"));
        }
        let state = if value.is_some() { "is empty" } else { "is not set" };
        match (operator, value.filter(|value| !or_empty || !value.is_empty())) {
            (Some('+'), Some(_)) => self.expand(word, depth + 1),
            (Some('+'), None) => Ok(String::new()),
            (_, Some(value)) => Ok(value),
            (Some('?'), None) => {
                let message = self.expand(word, depth + 1)?;
                let colon = if message.is_empty() { "" } else { ": " };
                Err(format!("the variable {name} is required, but it {state}{colon}{message}"))
            }
            (_, None) => self.expand(word, depth + 1),
        }
    }
}

/// Splits what follows `${` at the brace that closes it.
pub(super) fn split_brace(text: &str) -> Result<(&str, &str), String> {
    let mut open = 1usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok((&text[..at], &text[at + 1..]));
        }
    }
    Err(format!("'${{{}' is not closed: {HINT}", split_name(text).0))
}

/// Splits off a name in front, `[A-Za-z_][A-Za-z0-9_]*`. It is empty if there is none.
pub(super) fn split_name(text: &str) -> (&str, &str) {
    let word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let end = match text.bytes().next() {
        Some(first) if !first.is_ascii_digit() => text.bytes().position(|byte| !word(byte)).unwrap_or(text.len()),
        _ => 0,
    };
    text.split_at(end)
}

/// No more of the text is shown than its name and one character: the rest may be a secret default.
fn unexpected(inner: &str, rest: &str, expected: &str) -> String {
    let before = &inner[..inner.len() - rest.len()];
    let found = rest.chars().next().unwrap_or('}').escape_debug();
    format!("'${{{before}' is followed by '{found}', {expected}: {HINT}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All variables that are set.
    fn value(name: &str) -> Option<String> {
        let value = match name {
            "SET" => "value",
            "EMPTY" => "",
            "DOLLAR" => "$SET",
            "KEPT" => "${KEPT}",
            "_a1" => "low",
            _ => return None,
        };
        Some(value.to_owned())
    }

    /// What takes the place of the text, and the names that `unset` was told.
    fn expand(text: &str) -> (Result<String, String>, Vec<String>) {
        let mut unset = Vec::new();
        let result = interpolate(text, &Budget::default(), &mut value, &mut |name| unset.push(name.to_owned()));
        (result, unset)
    }

    /// The names that `lookup` is asked for.
    fn asked(text: &str) -> Vec<String> {
        let mut names = Vec::new();
        let mut lookup = |name: &str| {
            names.push(name.to_owned());
            value(name)
        };
        drop(interpolate(text, &Budget::default(), &mut lookup, &mut |_| ()));
        names
    }

    #[test]
    fn every_notation_as_compose_reads_it() {
        for (text, expected) in [
            ("", ""),
            ("plain {text} }{", "plain {text} }{"),
            // Plain variables.
            ("$SET", "value"),
            ("${SET}", "value"),
            ("a${SET}b$SET-c", "avaluebvalue-c"),
            ("$SET$SET", "valuevalue"),
            ("$_a1 ${_a1}", "low low"),
            ("$SETx", ""),
            ("${SET}x", "valuex"),
            ("$EMPTY|${EMPTY}|$UNSET|${UNSET}", "|||"),
            // What a variable brings is not read again.
            ("$DOLLAR ${DOLLAR} ${DOLLAR:-x} ${UNSET:-$DOLLAR}", "$SET $SET $SET $SET"),
            // What is left to somebody else.
            ("$KEPT ${KEPT} ${KEPT:-$SET} ${KEPT?}", "${KEPT} ${KEPT} ${KEPT:-$SET} ${KEPT?}"),
            // The dollar sign.
            ("$$", "$"),
            ("$$SET $${SET} $$$SET $$$$SET", "$SET ${SET} $value $$SET"),
            ("$", "$"),
            ("a$ b$", "a$ b$"),
            ("$1 $(x) $} $- $:$é", "$1 $(x) $} $- $:$é"),
            ("^REGEX$|^a$", "^REGEX$|^a$"),
            // Defaults.
            ("${SET:-x}${SET-x}", "valuevalue"),
            ("${EMPTY:-x}|${EMPTY-x}", "x|"),
            ("${UNSET:-x}|${UNSET-x}", "x|x"),
            ("${UNSET:-}|${UNSET-}", "|"),
            ("${UNSET:--}|${UNSET--}|${UNSET-:-}", "-|-|:-"),
            ("${UNSET:-a:-b?c+d}", "a:-b?c+d"),
            ("${EMPTY:-/non:-alphanumeric}", "/non:-alphanumeric"),
            ("${UNSET:-two\nlines}", "two\nlines"),
            ("${UNSET:- a b }", " a b "),
            ("${UNSET:-é→}", "é→"),
            // Required.
            ("${SET:?no}${SET?no}|${EMPTY?no}", "valuevalue|"),
            ("${SET:?}${SET?}", "valuevalue"),
            // Alternatives.
            ("${SET:+x}${SET+x}", "xx"),
            ("${EMPTY:+x}|${EMPTY+x}", "|x"),
            ("${UNSET:+x}|${UNSET+x}", "|"),
            ("${SET:+}|${SET+}", "|"),
            ("${SET:+-x}", "-x"),
            // Nested.
            ("${UNSET:-$SET}|${UNSET-${SET}}|${UNSET:-${UNSET:-x}}", "value|value|x"),
            ("${UNSET:-${UNSET:-${SET}}} ${SET}", "value value"),
            ("${UNSET-${SET} ${SET}}", "value value"),
            ("${SET:+${UNSET:-a}${SET}b}", "avalueb"),
            ("${UNSET:-$$SET}|${UNSET:-$${SET}}|${UNSET:-$}|${UNSET:-a$ b}", "$SET|${SET}|$|a$ b"),
            // Braces are counted.
            (r#"${UNSET:-{"a":{"b":1}}}"#, r#"{"a":{"b":1}}"#),
            (r#"${SET:-{"a":{"b":1}}}!"#, "value!"),
            ("${UNSET:-{}}|${UNSET:-{{.Name}}}|${SET:-{{.Name}}}", "{}|{{.Name}}|value"),
            ("${UNSET:-}}", "}"),
        ] {
            assert_eq!(expand(text).0.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        for (text, expected) in [
            ("${", "'${' is not closed: "),
            ("a ${SET", "'${SET' is not closed: "),
            ("${SET:-x", "'${SET' is not closed: "),
            ("${SET:-{}", "'${SET' is not closed: "),
            ("${UNSET:-${SET}", "'${UNSET' is not closed: "),
            ("${}", "'${' is followed by '}', expected the name of a variable: "),
            ("${ SET}", "'${' is followed by ' ', expected the name"),
            ("${1}", "'${' is followed by '1', expected the name"),
            ("${é}", "'${' is followed by 'é', expected the name"),
            ("${-x}", "'${' is followed by '-', expected the name"),
            ("${$SET}", "'${' is followed by '$', expected the name"),
            ("${SET }", "'${SET' is followed by ' ', expected } or one of :- - :? ? :+ +: "),
            ("${SET!}", "'${SET' is followed by '!', expected }"),
            ("${SETé}", "'${SET' is followed by 'é', expected }"),
            ("${SET\n}", "'${SET' is followed by '\\n', expected }"),
            ("${SET:}", "'${SET:' is followed by '}', expected }"),
            ("${SET:=x}", "'${SET:' is followed by '=', expected }"),
            ("${SET::-x}", "'${SET:' is followed by ':', expected }"),
            ("${SET/a/b}", "'${SET' is followed by '/', expected }"),
            ("${UNSET:-${SET!}}", "'${SET' is followed by '!', expected }"),
        ] {
            let error = expand(text).0.expect_err(text);
            assert!(error.starts_with(expected), "{text}: {error}");
            assert!(error.ends_with(HINT), "{text}: {error}");
        }
    }

    #[test]
    fn an_error_shows_no_default() {
        for text in ["${A=hunter2}", "${A:-hunter2", "${A hunter2}", "${A:-${hunter2", "${A:-${B/hunter2}}"] {
            let error = expand(text).0.expect_err(text);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_missing_variable_that_is_required_is_an_error_with_its_message() {
        for (text, expected) in [
            ("${UNSET:?say who}", "the variable UNSET is required, but it is not set: say who"),
            ("${UNSET?say who}", "the variable UNSET is required, but it is not set: say who"),
            ("${EMPTY:?say who}", "the variable EMPTY is required, but it is empty: say who"),
            ("${UNSET:?}", "the variable UNSET is required, but it is not set"),
            ("${UNSET?a-b:-c}", "the variable UNSET is required, but it is not set: a-b:-c"),
            ("${UNSET:?see ${SET}}", "the variable UNSET is required, but it is not set: see value"),
            ("${ALSO:-${UNSET:?inner}}", "the variable UNSET is required, but it is not set: inner"),
        ] {
            assert_eq!(expand(text).0, Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_variable_is_asked_for_when_its_value_decides_something() {
        for (text, expected) in [
            ("$$SET $${SET} $1", &[][..]),
            ("$A ${B} $A", &["A", "B", "A"]),
            ("${SET:-$A}${SET-$A}${SET:?$A}${SET?$A}", &["SET", "SET", "SET", "SET"]),
            ("${UNSET:+$A}${UNSET+$A}${EMPTY:+$A}", &["UNSET", "UNSET", "EMPTY"]),
            ("${UNSET:-$A}", &["UNSET", "A"]),
            ("${SET+$A}", &["SET", "A"]),
            ("${UNSET?$A}$B", &["UNSET", "A"]),
            // What is not needed need not even be right.
            ("${SET:-${}}${UNSET:+${}}", &["SET", "UNSET"]),
        ] {
            assert_eq!(asked(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unset_variable_is_told_if_nothing_takes_its_place() {
        for (text, expected) in [
            ("$SET ${EMPTY} $$UNSET", &[][..]),
            ("$A ${B} $A", &["A", "B", "A"]),
            ("${A:-x}${A-}${A:+x}${A+x}", &[]),
            ("${A:-$B}", &["B"]),
            ("${SET:-$B}", &[]),
        ] {
            assert_eq!(expand(text).1, expected, "{text}");
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |levels: usize| format!("{}x{}", "${UNSET:-".repeat(levels), "}".repeat(levels));
        assert_eq!(expand(&nested(DEPTH)).0.as_deref(), Ok("x"));
        let error = expand(&nested(DEPTH + 1)).0.expect_err("too deep");
        assert_eq!(error, "more than 20 variables are nested in each other");
        assert_eq!(expand(&nested(100_000)).0, Err(error));
        assert_eq!(expand(&nested(100_000).replace("UNSET", "SET")).0.as_deref(), Ok("value"), "none of it is needed");
    }

    #[test]
    fn a_long_text_takes_no_long_time() {
        let many = 100_000;
        assert_eq!(expand(&"${SET:-x}".repeat(many)).0.map(|text| text.len()), Ok(5 * many));
        assert!(expand(&"${SET:-".repeat(many)).0.is_err());
        assert_eq!(expand(&"$".repeat(2 * many)).0.map(|text| text.len()), Ok(many));
        let wide = format!("{}{}{}", "${UNSET:-".repeat(DEPTH), "$SET{}".repeat(many), "}".repeat(DEPTH));
        assert_eq!(expand(&wide).0.map(|text| text.len()), Ok(7 * many));
    }

    /// All texts of up to six of these characters: no panic, and doubled dollar signs give the text back.
    #[test]
    fn any_text_is_taken_or_refused() {
        const LETTERS: [char; 8] = ['$', '{', '}', 'A', ':', '-', '?', 'é'];
        let mut texts = vec![String::new()];
        for _ in 0..6 {
            texts = texts.iter().flat_map(|text| LETTERS.map(|letter| format!("{text}{letter}"))).collect();
            for text in &texts {
                let result = expand(text).0;
                assert!(result.is_ok() || text.contains("${"), "{text}: {result:?}");
                assert_eq!(expand(&text.replace('$', "$$")).0.as_ref(), Ok(text));
            }
        }
    }
}
