//! A command line → its words, by the rules of Docker's command line (Google's `shlex` package): quotes, the backslash,
//! and a comment that begins a word. Of a shell's other signs, such as `;` or `|`, none means anything.

/// Splits a line. `loose` is asked of every character that no quotes are around, and the answer says whether one of them
/// is: such a line cannot be split yet.
pub(super) fn words(line: &str, loose: impl Fn(char) -> bool) -> Result<Option<Vec<String>>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => drop(rest.find(|c| *c == '\n')),
            '\\' => word.get_or_insert_default().push(rest.next().ok_or("nothing follows its last '\\'")?),
            '\'' | '"' => quoted(&mut rest, c, word.get_or_insert_default())?,
            c if loose(c) => return Ok(None),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(Some(words))
}

/// Reads on to the closing quote. In double quotes a backslash takes the next character as it is.
fn quoted(rest: &mut impl Iterator<Item = char>, quote: char, word: &mut String) -> Result<(), String> {
    loop {
        match rest.next() {
            None => return Err("a quote is not closed".to_owned()),
            Some(c) if c == quote => return Ok(()),
            Some('\\') if quote == '"' => word.push(rest.next().ok_or("a quote is not closed")?),
            Some(c) => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<String>, String> {
        words(line, |_| false).map(|words| words.expect("nothing is loose"))
    }

    #[test]
    fn a_line_is_split_as_docker_splits_it() {
        for (line, expected) in [
            (
                "run --name \"two words\" 'single $x' back\\ slash",
                vec!["run", "--name", "two words", "single $x", "back slash"],
            ),
            ("\"esc \\\"q\\\" \\n\" 'a\\b'", vec!["esc \"q\" n", "a\\b"]),
            ("plain#hash #comment 'x\nnext", vec!["plain#hash", "next"]),
            ("a;b | c && d > e", vec!["a;b", "|", "c", "&&", "d", ">", "e"]),
            ("'' \"\"", vec!["", ""]),
            ("one\ntwo\n", vec!["one", "two"]),
            ("  ", vec![]),
        ] {
            assert_eq!(split(line), Ok(expected.into_iter().map(str::to_owned).collect()), "{line}");
        }
        for line in ["echo \"unbalanced", "it's", "a\\", "\"a\\"] {
            assert!(split(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_line_with_something_loose_is_not_split() {
        let split = |line| words(line, |c| c == '%');
        assert_eq!(split("run '%' \"%\" \\%"), Ok(Some(vec!["run".into(), "%".into(), "%".into(), "%".into()])));
        assert_eq!(split("run %"), Ok(None));
    }
}
