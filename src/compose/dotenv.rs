//! Files of variables, `.env` and `env_file`, as Docker Compose reads them (the `dotenv` package of its library
//! compose-go; for `format: raw`, the `kvfile` package of Docker's command line).
//!
//! A value may be a secret: an error names the line and the key, and no more of the file.

use std::collections::HashMap;

use super::{Budget, interpolate};

/// Keys, each with its value, or without one if it is taken over from where the pairs are used.
pub type Pairs = Vec<(String, Option<String>)>;

/// Reads a file of variables: its pairs in the order of the file, a key more than once if it is there more than once.
/// A key without a value has none: it is taken over from where the file is used. An error is the number of a line,
/// from 1, and what is wrong there.
///
/// | in the file | is |
/// |---|---|
/// | `KEY=VALUE`, `KEY: VALUE`, `export KEY=VALUE` | a pair; blanks around the value are dropped |
/// | `KEY` | a key that is taken over |
/// | `# …`, `KEY=VALUE # …`, `KEY="VALUE" # …` | a comment; behind a value without quotes, a space stands before it |
/// | `KEY='…'` | the text as it is, over several lines if need be; only `\'` is a quote |
/// | `KEY="…"` | likewise, but with `\n`, `\t`, `\"`, `\$` and the other escapes of a shell's `echo` |
///
/// A value that is not in single quotes is [interpolated](super::interpolate). A variable is sought in `lookup` first
/// and then in the file above the line.
/// What variables bring is taken from a budget.
pub fn dotenv(
    text: &str,
    budget: &Budget,
    lookup: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Pairs, (usize, String)> {
    dotenv_noting(text, budget, lookup, &mut |_| ())
}

/// Like [`dotenv`], and tells `unset` the name of each unset variable that nothing took the place of.
pub fn dotenv_noting(
    text: &str,
    budget: &Budget,
    lookup: &mut dyn FnMut(&str) -> Option<String>,
    unset: &mut dyn FnMut(&str),
) -> Result<Pairs, (usize, String)> {
    let mut reader = Reader { rest: without_mark(text), line: 1 };
    let mut pairs = Vec::new();
    let mut above: HashMap<String, String> = HashMap::new();
    while reader.finds_statement() {
        let line = reader.line;
        let (key, has_value) = reader.key().map_err(|words| (line, words))?;
        let value = if has_value {
            let value = match reader.value(&key).map_err(|words| (line, words))? {
                Value::Literal(text) => text,
                Value::Template(text) => {
                    let mut lookup = |name: &str| lookup(name).or_else(|| above.get(name).cloned());
                    // Why is not said: the words may hold a part of the value.
                    let value = interpolate(&text, budget, &mut lookup, unset);
                    value.map_err(|_| (line, if budget.is_spent() { TOO_LONG.to_owned() } else { malformed(&key) }))?
                }
            };
            above.insert(key.clone(), value.clone());
            Some(value)
        } else {
            None
        };
        budget.take(1, 0).map_err(|_| (line, TOO_LONG.to_owned()))?;
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// Reads a file of variables in the format `raw`: each line is `KEY=VALUE` with the value as it is, quotes, dollar
/// signs and blanks included, or `KEY`, or blank, or a comment. Results and errors are those of [`dotenv`].
pub fn raw(text: &str, budget: &Budget) -> Result<Pairs, (usize, String)> {
    let mut pairs = Vec::new();
    for (line, text) in (1..).zip(without_mark(text).lines()) {
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value)));
        if key.is_empty() {
            return Err((line, NAMELESS.to_owned()));
        }
        if key.contains([' ', '\t']) {
            return Err((line, "expected KEY=VALUE: a name has no blanks".to_owned()));
        }
        budget.take(1, 0).map_err(|_| (line, TOO_LONG.to_owned()))?;
        pairs.push((key.to_owned(), value.map(str::to_owned)));
    }
    Ok(pairs)
}

const TOO_LONG: &str = "too large: the values of the pod's files are more than anybody writes, or too long together";
const NAMELESS: &str = "expected KEY=VALUE: the name is missing";

/// The text without the byte order mark that some editors write in front.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn malformed(key: &str) -> String {
    format!(
        "the value of {key} has a variable that is malformed, or required and not set: a dollar sign is written $$, \
         and in single quotes a text is taken as it is"
    )
}

/// A blank within a line.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\n'
}

enum Value {
    Literal(String),
    Template(String),
}

/// What is not read yet, and the number of its first line.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }

    fn take_until(&mut self, end: impl Fn(char) -> bool) -> &'a str {
        self.take(self.rest.find(end).unwrap_or(self.rest.len()))
    }

    /// Goes on to what is no blank line and no comment.
    fn finds_statement(&mut self) -> bool {
        loop {
            self.take_until(|c| !c.is_whitespace());
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            self.take_until(|c| c == '\n');
        }
    }

    /// A key, and whether a value follows.
    fn key(&mut self) -> Result<(String, bool), String> {
        if self.rest.strip_prefix("export").is_some_and(|rest| rest.starts_with(is_blank)) {
            self.take("export".len());
            self.take_until(|c| !is_blank(c));
        }
        let key = self.take_until(|c| matches!(c, '=' | ':' | '\n')).trim_end();
        if key.is_empty() {
            return Err(NAMELESS.to_owned());
        }
        // The key is not shown: it may be a line of a value whose quotes are missing.
        if !key.chars().all(|c| c.is_alphanumeric() || "_.-[]".contains(c)) {
            return Err("expected KEY=VALUE: a name has letters, digits and _ . - [ ] only, and a value of several \
                        lines stands in quotes"
                .to_owned());
        }
        let has_value = self.rest.starts_with(['=', ':']);
        if has_value {
            self.take(1);
            self.take_until(|c| !is_blank(c));
        }
        Ok((key.to_owned(), has_value))
    }

    fn value(&mut self, key: &str) -> Result<Value, String> {
        if let Some(quote @ (b'"' | b'\'')) = self.rest.bytes().next() {
            return self.quoted(quote, key);
        }
        let line = self.take_until(|c| c == '\n');
        let value = line.split_once(" #").map_or(line, |(value, _)| value);
        Ok(Value::Template(value.trim_end().to_owned()))
    }

    fn quoted(&mut self, quote: u8, key: &str) -> Result<Value, String> {
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let closes = !escaped && byte == quote;
            escaped = !escaped && byte == b'\\';
            closes
        });
        let Some(end) = end else {
            return Err(format!("the value of {key} starts with a quote that is not closed"));
        };
        let text = &self.take(end + 2)[1..=end];
        if self.rest.starts_with(|c: char| !c.is_whitespace() && c != '#') {
            return Err(format!(
                "the value of {key} goes on after its closing quote: a quote in it is written with a \\ before it"
            ));
        }
        Ok(match quote {
            b'"' => Value::Template(unescape(text)),
            _ => Value::Literal(text.replace("\\'", "'")),
        })
    }
}

/// Replaces the escapes of a text in double quotes, for interpolation next: `\$` becomes `$$`. What is no escape stays.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some((c, after)) = octal(rest) {
            plain.push(c);
            rest = after;
            continue;
        }
        let mut chars = rest.chars();
        match chars.next() {
            Some('a') => plain.push('\u{7}'),
            Some('b') => plain.push('\u{8}'),
            Some('f') => plain.push('\u{c}'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('v') => plain.push('\u{b}'),
            Some('$') => plain.push_str("$$"),
            Some(c @ ('"' | '\\')) => plain.push(c),
            other => {
                plain.push('\\');
                plain.extend(other);
            }
        }
        rest = chars.as_str();
    }
    plain.push_str(rest);
    plain
}

/// A zero and three octal digits in front, `0123`: the character of that number.
fn octal(text: &str) -> Option<(char, &str)> {
    let digits = text.strip_prefix('0')?.get(..3)?;
    let number = u8::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+'))?;
    Some((char::from(number), &text[4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All variables that are set outside of the file.
    fn outside(name: &str) -> Option<String> {
        (name == "OUT").then(|| "side".to_owned())
    }

    fn read(text: &str) -> Result<Pairs, (usize, String)> {
        dotenv(text, &Budget::default(), &mut outside)
    }

    fn pairs(pairs: &[(&str, Option<&str>)]) -> Pairs {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn a_line_as_compose_reads_it() {
        for (text, key, value) in [
            ("A=b", "A", "b"),
            ("A = b ", "A", "b"),
            (" \tA=b\t ", "A", "b"),
            ("A=", "A", ""),
            ("A=a b  c", "A", "a b  c"),
            ("A=x=y=", "A", "x=y="),
            ("A=1:B", "A", "1:B"),
            ("A=http://h:1/?a=b&c#d", "A", "http://h:1/?a=b&c#d"),
            ("A=b\\nc\\", "A", "b\\nc\\"),
            ("A=b\"c'", "A", "b\"c'"),
            ("A=é→", "A", "é→"),
            // Keys.
            ("A: b", "A", "b"),
            ("A:b", "A", "b"),
            ("A: b=c", "A", "b=c"),
            ("A:", "A", ""),
            ("a.b-c_1[2]=d", "a.b-c_1[2]", "d"),
            ("árvíz=ű", "árvíz", "ű"),
            ("1=2", "1", "2"),
            ("export A=b", "A", "b"),
            ("  export \t A=b", "A", "b"),
            ("export exportA=b", "exportA", "b"),
            ("exportA=b", "exportA", "b"),
            ("export_A =b", "export_A", "b"),
            ("export=b", "export", "b"),
            // Comments.
            ("A=b # c", "A", "b"),
            ("A=b #c", "A", "b"),
            ("A=b #", "A", "b"),
            ("A=b  # c # d", "A", "b"),
            ("A=b#c", "A", "b#c"),
            ("A=b\t# c", "A", "b\t# c"),
            ("A=#b", "A", "#b"),
            ("A=  # b", "A", "# b"),
            ("A=\"b#c\"#d", "A", "b#c"),
            ("A=\"b # c\" # d", "A", "b # c"),
            ("A='b # c' # d", "A", "b # c"),
            // Single quotes.
            ("A='b'", "A", "b"),
            ("A: 'b'", "A", "b"),
            ("A=' b '  ", "A", " b "),
            ("A=''", "A", ""),
            ("A='$OUT ${OUT} $$ ${'", "A", "$OUT ${OUT} $$ ${"),
            ("A='\\n\\t\\\\ \\\" \\$'", "A", "\\n\\t\\\\ \\\" \\$"),
            ("A='it\\'s'", "A", "it's"),
            ("A='a\\\\'", "A", "a\\\\"),
            ("A='\"'", "A", "\""),
            ("A='a\nb\n c'", "A", "a\nb\n c"),
            // Double quotes.
            ("A=\"b\"", "A", "b"),
            ("A=\" b \"  ", "A", " b "),
            ("A=\"\"", "A", ""),
            ("A=\"'\"", "A", "'"),
            ("A=\"a\nb\r\n c\"", "A", "a\nb\r\n c"),
            ("A=\"\\\"b\\\"\"", "A", "\"b\""),
            ("A=\"\\a\\b\\f\\n\\r\\t\\v|\\\\|\"", "A", "\u{7}\u{8}\u{c}\n\r\t\u{b}|\\|"),
            ("A=\"\\\\n\\\\\"", "A", "\\n\\"),
            ("A=\"\\x07\\u12e4\\c\\ \\é\\'\"", "A", "\\x07\\u12e4\\c\\ \\é\\'"),
            ("A=\"\\0123\\01234\\0377\\0012\"", "A", "SS4ÿ\n"),
            ("A=\"\\0\\012\\0400\\0128\\0+12\\01é\"", "A", "\\0\\012\\0400\\0128\\0+12\\01é"),
            ("A=\"\\$OUT \\${OUT} \\\\$OUT $$OUT\"", "A", "$OUT ${OUT} \\side $OUT"),
            // Variables.
            ("A=$OUT-${OUT}", "A", "side-side"),
            ("A=\"$OUT-${OUT}\"", "A", "side-side"),
            ("A=${NO:-a b} # c", "A", "a b"),
            ("A=${NO:-#b}", "A", "#b"),
            ("A=a\\$OUT", "A", "a\\side"),
            ("A=x$NO", "A", "x"),
            ("A=pa$$word$", "A", "pa$word$"),
            ("A=$A", "A", ""),
        ] {
            for text in [text.to_owned(), format!("{text}\n"), format!("\u{feff}\n# x\n{text}\r\n\r\n")] {
                assert_eq!(read(&text), Ok(pairs(&[(key, Some(value))])), "{text:?}");
            }
        }
    }

    #[test]
    fn a_key_alone_is_taken_over() {
        for text in ["A", "A\n", " A \n", "A\r\n", "export A", "# A=x\nA\n# A=x\n"] {
            assert_eq!(read(text), Ok(pairs(&[("A", None)])), "{text:?}");
        }
        assert_eq!(read("OUT\nexport\nB=$OUT"), Ok(pairs(&[("OUT", None), ("export", None), ("B", Some("side"))])));
    }

    #[test]
    fn a_file_without_pairs_has_none() {
        for text in ["", "\n", "\r\n", " \t ", "\u{feff}", "# A=b", "\t # A=b\r\n#\n\n"] {
            assert_eq!(read(text), Ok(Vec::new()), "{text:?}");
            assert_eq!(raw(text, &Budget::default()), Ok(Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn the_pairs_keep_their_order() {
        let text = "B=1\nA=\nC='2\n3' # x\nA: 4\n\nD\nexport E=\"5\" F=6\n";
        let expected = [
            ("B", Some("1")),
            ("A", Some("")),
            ("C", Some("2\n3")),
            ("A", Some("4")),
            ("D", None),
            ("E", Some("5")),
            ("F", Some("6")),
        ];
        assert_eq!(read(text), Ok(pairs(&expected)));
    }

    #[test]
    fn a_variable_is_sought_outside_and_then_above() {
        let text = "X=$A\nA=1\nB=$A${A}\nA=2\nC=\"$A\"\nOUT=in\nD=$OUT\nE=${A:+set}\nF='3'\nG=$F";
        let expected = [
            ("X", Some("")),
            ("A", Some("1")),
            ("B", Some("11")),
            ("A", Some("2")),
            ("C", Some("2")),
            ("OUT", Some("in")),
            ("D", Some("side")),
            ("E", Some("set")),
            ("F", Some("3")),
            ("G", Some("3")),
        ];
        assert_eq!(read(text), Ok(pairs(&expected)));
    }

    #[test]
    fn unset_variables_are_told() {
        let mut unset = Vec::new();
        let text = "A=$X\nX=1\nB=$X$OUT\nC=\"${Y}\"\nD=${Y:-z}\nE='$Z'\nF";
        dotenv_noting(text, &Budget::default(), &mut outside, &mut |name| unset.push(name.to_owned())).expect("a file");
        assert_eq!(unset, ["X", "Y"]);
    }

    #[test]
    fn what_is_no_pair_is_refused_with_its_line() {
        for (text, line, expected) in [
            ("=b", 1, "expected KEY=VALUE: the name is missing"),
            ("\n\n: b", 3, "expected KEY=VALUE: the name is missing"),
            ("export =b", 1, "expected KEY=VALUE: the name is missing"),
            ("A=1\nB C=2", 2, "expected KEY=VALUE: a name has letters"),
            ("A=1\r\nB\tC=2", 2, "expected KEY=VALUE: a name has letters"),
            ("A # c", 1, "expected KEY=VALUE: a name has letters"),
            ("a$b", 1, "expected KEY=VALUE: a name has letters"),
            ("%!(EXTRA string)=foo", 1, "expected KEY=VALUE: a name has letters"),
            ("A='1\n2'\n# x\n\nB=-----BEGIN\nab+/\n", 6, "expected KEY=VALUE: a name has letters"),
            ("\nA=\"", 2, "the value of A starts with a quote that is not closed"),
            ("A=\"b\\\"\n\nC=d", 1, "the value of A starts with a quote that is not closed"),
            ("A='b\"", 1, "the value of A starts with a quote that is not closed"),
            ("A='b\\'", 1, "the value of A starts with a quote that is not closed"),
            ("A='it's'", 1, "the value of A goes on after its closing quote: "),
            ("A=\"1\"B=2", 1, "the value of A goes on after its closing quote: "),
            ("A='1\n\n'2", 1, "the value of A goes on after its closing quote: "),
            ("A='x'\n\nB=${", 3, "the value of B has a variable that is malformed"),
            ("A=\"\n${x y}\"", 1, "the value of A has a variable that is malformed"),
            ("A=${NO:?why}", 1, "the value of A has a variable that is malformed, or required and not set: "),
        ] {
            let (number, words) = read(text).expect_err(text);
            assert!(number == line && words.starts_with(expected), "{text:?}: {number}: {words}");
        }
    }

    #[test]
    fn an_error_shows_nothing_of_a_value() {
        for text in [
            "A='hunter2",
            "A=\"hunter2",
            "A='it's hunter2'",
            "A='x'hunter2",
            "A=hunter2${",
            "A=${hunter2",
            "A=${hunter2!}",
            "A=${B:?hunter2}",
            "A=\"${hunter2:?}\"",
            "A=-BEGIN-\nhunter2+/=",
            "hunter2 hunter2",
            "=hunter2",
        ] {
            let (_, words) = read(text).expect_err(text);
            assert!(!words.contains("hunter2"), "{text:?}: {words}");
        }
        for text in ["=hunter2", "hunter2 hunter2", "hunter2 =hunter2"] {
            let (_, words) = raw(text, &Budget::default()).expect_err(text);
            assert!(!words.contains("hunter2"), "{text:?}: {words}");
        }
    }

    #[test]
    fn raw_values_are_taken_as_they_are() {
        let text = "\u{feff}# x\r\n\n \tA= 'b' # c \r\nB=\"$X\\n\nC=\nD\n1.é%=x=y\nA=2\u{2003}\nE=a\rb";
        let expected = [
            ("A", Some(" 'b' # c ")),
            ("B", Some("\"$X\\n")),
            ("C", Some("")),
            ("D", None),
            ("1.é%", Some("x=y")),
            ("A", Some("2\u{2003}")),
            ("E", Some("a\rb")),
        ];
        assert_eq!(raw(text, &Budget::default()), Ok(pairs(&expected)));
        for (text, line) in [("\n=b", 2), ("A=1\r\n#\nB =2", 3), ("A\tB", 1), ("export A=b", 1), ("A ", 1)] {
            assert_eq!(raw(text, &Budget::default()).expect_err(text).0, line, "{text:?}");
        }
    }

    #[test]
    fn a_long_file_takes_no_long_time() {
        let many = 50_000;
        let count = |text: &str| read(text).map(|pairs| pairs.len());
        assert_eq!(count(&"A=\"$OUT\\n\" # x\n\n".repeat(many)), Ok(many));
        assert_eq!(count(&format!("A='{}'", "x\n\\'".repeat(many))), Ok(1));
        assert!(count(&"A='\\'".repeat(many)).is_err());
        assert_eq!(count(&"#\n".repeat(many)), Ok(0));
    }

    /// All texts of up to five of these characters: no panic, and lines within the text.
    #[test]
    fn any_text_is_taken_or_refused() {
        const LETTERS: [char; 8] = ['A', '=', '\n', '"', '\\', '0', '#', 'é'];
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            texts = texts.iter().flat_map(|text| LETTERS.map(|letter| format!("{text}{letter}"))).collect();
            for text in &texts {
                let lines = text.matches('\n').count() + 1;
                for text in [text.clone(), format!("A=\"{text}")] {
                    for result in [read(&text), raw(&text, &Budget::default())] {
                        assert!(result.map_or_else(|(line, _)| line, |_| 1) <= lines, "{text:?}");
                    }
                }
            }
        }
    }
}
