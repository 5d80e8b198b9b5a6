//! A tree → YAML text, as Go's yaml.v2 writes it: items stand in the column of their key, long lines stay whole, a text
//! of many lines is a block.
//!
//! A text is quoted whenever some reader would take it for something else: those of YAML 1.1 (`yes`, `022`, `22:22`), of
//! YAML 1.2 (`0o7`), and Go's, which are between the two. Where yaml.v2 quotes, it is with the same quotes.

use super::{Kind, Node};

/// How far what is in a value stands to the right of it, also in the header of a block.
const INDENT: usize = 2;
/// A longer key, in bytes, stands alone behind a `?`: readers look for the `:` of a key only so far.
const LONGEST_KEY: usize = 128;

/// The YAML text of a tree. It ends with a line break.
pub fn write(node: &Node) -> String {
    let mut writer = Writer { text: String::new() };
    if is_scalar(node) {
        writer.scalar(node, INDENT);
    } else {
        writer.collection(node, 0);
    }
    writer.text
}

/// Whether it is written on the line of its key or `-`, at least its first line.
fn is_scalar(node: &Node) -> bool {
    match &node.kind {
        Kind::List(items) => items.is_empty(),
        Kind::Map(entries) => entries.is_empty(),
        _ => true,
    }
}

/// Columns are those of the indentation, from 0 on.
struct Writer {
    text: String,
}

impl Writer {
    /// A list or a mapping that begins where the text ends, which is in that column.
    fn collection(&mut self, node: &Node, column: usize) {
        match &node.kind {
            Kind::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.indent(if number == 0 { 0 } else { column });
                    self.text.push('-');
                    self.item(item, column);
                }
            }
            Kind::Map(entries) => {
                for (number, (key, value)) in entries.iter().enumerate() {
                    self.indent(if number == 0 { 0 } else { column });
                    self.entry(key, value, column);
                }
            }
            _ => self.scalar(node, column),
        }
    }

    /// What stands behind a `-` in that column, or behind the `:` of a key that stands alone.
    fn item(&mut self, node: &Node, column: usize) {
        self.text.push(' ');
        let column = column + INDENT;
        if is_scalar(node) { self.scalar(node, column) } else { self.collection(node, column) }
    }

    fn entry(&mut self, key: &str, value: &Node, column: usize) {
        let style = Style::of(key);
        if style == Style::Block || key.len() > LONGEST_KEY {
            self.text.push_str("? ");
            self.string(key, style, column + INDENT);
            self.indent(column);
            self.text.push(':');
            return self.item(value, column);
        }
        self.line(key, style);
        self.text.push(':');
        if is_scalar(value) {
            self.text.push(' ');
            return self.scalar(value, column + INDENT);
        }
        let column = if let Kind::List(_) = value.kind { column } else { column + INDENT };
        self.text.push('\n');
        self.indent(column);
        self.collection(value, column);
    }

    /// A value that fits behind its key; a block has its lines in that column.
    fn scalar(&mut self, node: &Node, column: usize) {
        match &node.kind {
            Kind::Text(text) => return self.string(text, Style::of(text), column),
            Kind::Number(text) => self.text.push_str(text),
            Kind::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Kind::Null => self.text.push_str("null"),
            Kind::List(_) => self.text.push_str("[]"),
            Kind::Map(_) => self.text.push_str("{}"),
        }
        self.text.push('\n');
    }

    /// A text, and the end of its line.
    fn string(&mut self, text: &str, style: Style, column: usize) {
        if style == Style::Block {
            return self.block(text, column);
        }
        self.line(text, style);
        self.text.push('\n');
    }

    /// A text on one line.
    fn line(&mut self, text: &str, style: Style) {
        match style {
            Style::Single => {
                self.text.push('\'');
                self.text.push_str(&text.replace('\'', "''"));
                self.text.push('\'');
            }
            Style::Double => {
                self.text.push('"');
                text.chars().for_each(|c| self.escaped(c));
                self.text.push('"');
            }
            Style::Plain | Style::Block => self.text.push_str(text),
        }
    }

    /// A character between double quotes.
    fn escaped(&mut self, c: char) {
        let short = match c {
            '"' | '\\' => c,
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            c if !is_escaped(c) => return self.text.push(c),
            c => {
                let code = match u32::from(c) {
                    code @ ..=0xff => format!("\\x{code:02X}"),
                    code @ ..=0xffff => format!("\\u{code:04X}"),
                    code => format!("\\U{code:08X}"),
                };
                return self.text.push_str(&code);
            }
        };
        self.text.extend(['\\', short]);
    }

    /// A text as it is, line by line in that column.
    fn block(&mut self, text: &str, column: usize) {
        self.text.push('|');
        if text.starts_with([' ', '\n']) {
            // A reader can't see where the lines begin.
            self.text.push_str(&INDENT.to_string());
        }
        match text.strip_suffix('\n') {
            None => self.text.push('-'),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.text.push('+'),
            Some(_) => {}
        }
        self.text.push('\n');
        for line in text.split_inclusive('\n') {
            self.indent(if line == "\n" { 0 } else { column });
            self.text.push_str(line);
        }
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn indent(&mut self, column: usize) {
        self.text.extend(std::iter::repeat_n(' ', column));
    }
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As it is.
    Plain,
    /// Between `'`, in which nothing is special.
    Single,
    /// Between `"`, in which `\` begins what cannot stand there as it is.
    Double,
    /// Behind a `|`, line by line.
    Block,
}

impl Style {
    /// The one that yaml.v2 takes, or a safer one.
    fn of(text: &str) -> Self {
        let has_breaks = text.contains('\n');
        if text.contains(is_escaped) || (has_breaks && (text.contains(" \n") || text.ends_with(' '))) {
            Self::Double
        } else if has_breaks {
            Self::Block
        } else if is_word(text) || is_number(text) || is_date(text) {
            Self::Double
        } else if text.starts_with(' ') || text.ends_with(' ') || has_indicators(text) {
            Self::Single
        } else {
            Self::Plain
        }
    }
}

/// Whether a character is written as an escape: YAML's line breaks but `\n`, and what yaml.v2 takes for not printable.
fn is_escaped(c: char) -> bool {
    !matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether a reader takes it for null, a boolean, a merge key or YAML 1.1's `=`.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 13] = ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "="];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a reader takes it for a number: decimal, binary, octal, hexadecimal or in sixties, with `_` anywhere.
fn is_number(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return false;
    }
    let text = text.replace('_', "").to_ascii_lowercase();
    let text = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let in_radix =
        |prefix, radix| text.strip_prefix(prefix).is_some_and(|digits| digits.chars().all(|c| c.is_digit(radix)));
    let is_decimal = text.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.parse::<f64>().is_ok();
    matches!(text, ".inf" | ".nan")
        || is_decimal
        || in_radix("0b", 2)
        || in_radix("0o", 8)
        || in_radix("0x", 16)
        || is_in_sixties(text)
}

fn is_made_of(digits: &str, radix: u32) -> bool {
    !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix))
}

/// Whether it is `22:22`, or `1:59:59.5`.
fn is_in_sixties(text: &str) -> bool {
    let whole = match text.split_once('.') {
        Some((_, fraction)) if !fraction.is_empty() && !is_made_of(fraction, 10) => return false,
        Some((whole, _)) => whole,
        None => text,
    };
    let Some((first, rest)) = whole.split_once(':') else { return false };
    let is_below_sixty =
        |part: &str| part.len() <= 2 && is_made_of(part, 10) && part.parse().is_ok_and(|part: u8| part < 60);
    is_made_of(first, 10) && rest.split(':').all(is_below_sixty)
}

/// Whether it is a date, or a date and a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = || parts.next().unwrap_or_default();
    let (year, month, rest) = (part(), part(), part());
    let (day, time) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    let is_time = || {
        time.starts_with(['t', 'T', ' '])
            && time.trim_start_matches(['t', 'T', ' ']).starts_with(|c: char| c.is_ascii_digit())
    };
    year.len() == 4
        && [year, month, day].iter().all(|part| is_made_of(part, 10))
        && month.len() <= 2
        && day.len() <= 2
        && (time.is_empty() || is_time())
}

/// Whether its characters mean something to a reader.
fn has_indicators(text: &str) -> bool {
    let is_alone = |first| text.strip_prefix(first).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    text.starts_with("---")
        || text.starts_with("...")
        || text.starts_with(['#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`'])
        || is_alone('-')
        || is_alone('?')
        || text.contains(": ")
        || text.ends_with(':')
        || text.contains(" #")
}

#[cfg(test)]
mod tests {
    use super::super::yaml::valid;
    use super::*;

    fn list(items: Vec<Node>) -> Node {
        Node::made(Kind::List(items))
    }

    fn map(entries: Vec<(&str, Node)>) -> Node {
        Node::made(Kind::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
    }

    /// Values and keys alone, without their places.
    fn bare(node: &Node) -> Node {
        Node::made(match &node.kind {
            Kind::List(items) => Kind::List(items.iter().map(bare).collect()),
            Kind::Map(entries) => Kind::Map(entries.iter().map(|(key, value)| (key.clone(), bare(value))).collect()),
            kind => kind.clone(),
        })
    }

    /// Texts, and how they are written.
    const QUOTED: &[(&str, &str)] = &[
        ("serve", "serve"),
        ("--port", "--port"),
        ("node.role == worker", "node.role == worker"),
        (r#"say "hi" \ back"#, r#"say "hi" \ back"#),
        ("it's", "it's"),
        ("a:b#c,d[e]{f}", "a:b#c,d[e]{f}"),
        ("1.2.3.4", "1.2.3.4"),
        ("8080:80", "8080:80"),
        ("1m30s", "1m30s"),
        (".", "."),
        ("+", "+"),
        ("_1", "_1"),
        ("-x", "-x"),
        ("?x", "?x"),
        (":x", ":x"),
        ("2018-06", "2018-06"),
        ("2018-06-01-a", "2018-06-01-a"),
        ("2018-06-012", "2018-06-012"),
        ("inf", "inf"),
        ("été\u{a0}", "été\u{a0}"),
        // Words.
        ("", r#""""#),
        ("~", r#""~""#),
        ("null", r#""null""#),
        ("NULL", r#""NULL""#),
        ("yes", r#""yes""#),
        ("No", r#""No""#),
        ("on", r#""on""#),
        ("OFF", r#""OFF""#),
        ("y", r#""y""#),
        ("N", r#""N""#),
        ("true", r#""true""#),
        ("False", r#""False""#),
        ("<<", r#""<<""#),
        ("=", r#""=""#),
        // Numbers.
        ("8080", r#""8080""#),
        ("-1", r#""-1""#),
        ("+1", r#""+1""#),
        ("+_1", r#""+_1""#),
        ("0777", r#""0777""#),
        ("08", r#""08""#),
        ("0o7", r#""0o7""#),
        ("0b1", r#""0b1""#),
        ("-0b1", r#""-0b1""#),
        ("0x1F", r#""0x1F""#),
        ("0b_", r#""0b_""#),
        ("1_000", r#""1_000""#),
        ("1_", r#""1_""#),
        ("1.10", r#""1.10""#),
        (".5", r#"".5""#),
        ("5.", r#""5.""#),
        ("1e3", r#""1e3""#),
        ("1e999", r#""1e999""#),
        (".inf", r#"".inf""#),
        ("-.INF", r#""-.INF""#),
        (".NaN", r#"".NaN""#),
        ("22:22", r#""22:22""#),
        ("1:30.5", r#""1:30.5""#),
        ("1:59:59", r#""1:59:59""#),
        ("1:60", "1:60"),
        ("1:2.x", "1:2.x"),
        ("-1:30", r#""-1:30""#),
        // Dates.
        ("2018-06-01", r#""2018-06-01""#),
        ("2018-6-1", r#""2018-6-1""#),
        ("2018-06-01T10:00:00Z", r#""2018-06-01T10:00:00Z""#),
        ("2018-06-01 10:00:00", r#""2018-06-01 10:00:00""#),
        ("2018-06-01 x", "2018-06-01 x"),
        // Special characters.
        ("a: b", "'a: b'"),
        ("a:", "'a:'"),
        ("a #b", "'a #b'"),
        ("#a", "'#a'"),
        ("- a", "'- a'"),
        ("-", "'-'"),
        ("? a", "'? a'"),
        (":", "':'"),
        ("'", "''''"),
        ("'it's'", "'''it''s'''"),
        ("\"a\"", "'\"a\"'"),
        ("{{ x }}", "'{{ x }}'"),
        ("[a]", "'[a]'"),
        ("]", "']'"),
        ("}", "'}'"),
        (",", "','"),
        ("*a", "'*a'"),
        ("&a", "'&a'"),
        ("!a", "'!a'"),
        ("|", "'|'"),
        (">", "'>'"),
        ("%a", "'%a'"),
        ("@a", "'@a'"),
        ("`a", "'`a'"),
        ("---", "'---'"),
        ("...a", "'...a'"),
        (" a", "' a'"),
        ("a ", "'a '"),
        (" ", "' '"),
        // What no line has.
        ("\t", r#""\t""#),
        ("a\tb\"\\", r#""a\tb\"\\""#),
        ("a\rb", r#""a\rb""#),
        ("\0\u{7}\u{8}\u{b}\u{c}\u{1b}", r#""\0\a\b\v\f\e""#),
        ("\u{1}\u{7f}\u{9f}", r#""\x01\x7F\x9F""#),
        ("\u{85}\u{2028}\u{2029}", r#""\N\L\P""#),
        ("\u{feff}", r#""\uFEFF""#),
        ("\u{ffff}", r#""\uFFFF""#),
        ("😀", r#""\U0001F600""#),
    ];

    #[test]
    fn texts_are_quoted_as_yaml_v2_does_and_wherever_a_reader_would_err() {
        for (text, expected) in QUOTED {
            assert_eq!(write(&(*text).into()), format!("{expected}\n"), "{text:?}");
            let key = map(vec![(*text, Node::made(Kind::Null))]);
            assert_eq!(write(&key), format!("{expected}: null\n"), "the key {text:?}");
        }
    }

    #[test]
    fn a_text_of_many_lines_is_a_block_where_that_is_safe() {
        for (text, expected) in [
            ("a\nb", "|-\n  a\n  b\n"),
            ("a: #\n---\n", "|\n  a: #\n  ---\n"),
            ("a\n\n\n", "|+\n  a\n\n\n"),
            ("a\n\n  b\n", "|\n  a\n\n    b\n"),
            (" a\nb", "|2-\n   a\n  b\n"),
            ("\na\n", "|2\n\n  a\n"),
            ("\n", "|2+\n\n"),
            ("a \nb", "\"a \\nb\"\n"),
            ("a\nb ", "\"a\\nb \"\n"),
            ("a\n \nb", "\"a\\n \\nb\"\n"),
            ("a\n\tb", "\"a\\n\\tb\"\n"),
            ("a\r\nb", "\"a\\r\\nb\"\n"),
            ("a\n😀", "\"a\\n\\U0001F600\"\n"),
        ] {
            assert_eq!(write(&text.into()), expected, "{text:?}");
        }
    }

    #[test]
    fn collections_stand_as_yaml_v2_puts_them() {
        let tree = map(vec![
            ("list", list(vec!["a".into(), map(vec![("b", "c\nd\n".into()), ("e", list(vec!["f".into()]))])])),
            ("lists", list(vec![list(vec![list(vec!["a".into()]), " b\n".into()]), list(vec![]), map(vec![])])),
            ("map", map(vec![("n", map(vec![("o", map(vec![]))]))])),
            ("none", Node::made(Kind::Null)),
            ("number", Node::made(Kind::Number("1.50".to_owned()))),
            ("truth", Node::made(Kind::Bool(true))),
        ]);
        let expected = "list:\n- a\n- b: |\n    c\n    d\n  e:\n  - f\nlists:\n- - - a\n  - |2\n     b\n- []\n- {}\nmap:\n  \"n\":\n    \
                        o: {}\nnone: null\nnumber: 1.50\ntruth: true\n";
        assert_eq!(write(&tree), expected);
        assert_eq!(write(&list(vec![])), "[]\n");
        assert_eq!(write(&map(vec![])), "{}\n");
    }

    #[test]
    fn a_key_that_readers_would_not_find_the_end_of_stands_alone() {
        let key = "k".repeat(LONGEST_KEY);
        assert_eq!(write(&map(vec![(&key, "a".into())])), format!("{key}: a\n"));
        let key = key + "k";
        let value = || map(vec![("a", list(vec!["b".into()])), ("c", Node::made(Kind::Null))]);
        assert_eq!(write(&map(vec![(&key, value())])), format!("? {key}\n: a:\n  - b\n  c: null\n"));
        let tree = map(vec![("k\nk", list(vec!["a".into()])), ("x", map(vec![("l\n", "a\nb".into())]))]);
        assert_eq!(write(&tree), "? |-\n  k\n  k\n: - a\nx:\n  ? |\n    l\n  : |-\n    a\n    b\n");
    }

    #[test]
    fn long_lines_stay_whole() {
        let text = "word ".repeat(1000) + "end";
        assert_eq!(write(&text.as_str().into()), format!("{text}\n"));
        let text = "'".to_owned() + &text;
        assert_eq!(write(&text.as_str().into()), format!("''{text}'\n"));
    }

    /// Random trees, the same ones each time.
    struct Trees(u64);

    impl Trees {
        const PIECES: [&str; 52] = [
            "a", "b", "é", "0", "1", "7", "_", ".", "-", "+", "e", "x", "o", ":", " ", "\n", "\t", "\r", "#", "'",
            "\"", "\\", ",", "[", "]", "{", "}", "&", "*", "!", "|", ">", "%", "@", "`", "?", "=", "~", "<<", "---",
            "...", "yes", "null", ": ", " #", "\n\n", "  ", "\u{a0}", "\u{85}", "\u{2028}", "\u{feff}", "😀",
        ];

        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % limit as u64).expect("below a usize")
        }

        fn text(&mut self) -> String {
            let length = [1, 2, 3, 5, 8, 60][self.below(6)];
            (0..self.below(length + 1)).map(|_| Self::PIECES[self.below(Self::PIECES.len())]).collect()
        }

        fn tree(&mut self, depth: usize) -> Node {
            Node::made(match self.below(if depth == 0 { 6 } else { 12 }) {
                0 => Kind::Null,
                1 => Kind::Bool(self.below(2) == 0),
                2 => Kind::Number(["0", "-1", "2.50", "0x1F", "1e3"][self.below(5)].to_owned()),
                3..6 => Kind::Text(self.text()),
                6..9 => Kind::List((0..self.below(4)).map(|_| self.tree(depth - 1)).collect()),
                _ => {
                    let keys: std::collections::BTreeSet<String> = (0..self.below(4)).map(|_| self.text()).collect();
                    Kind::Map(keys.into_iter().map(|key| (key, self.tree(depth - 1))).collect())
                }
            })
        }
    }

    /// Whether libyaml has read the same tree.
    fn is_same(node: &Node, read: &serde_yaml::Value) -> bool {
        match &node.kind {
            Kind::Null => read.is_null(),
            Kind::Bool(value) => read.as_bool() == Some(*value),
            Kind::Number(_) => read.is_number(),
            Kind::Text(text) => read.as_str() == Some(text),
            Kind::List(items) => read.as_sequence().is_some_and(|read| {
                items.len() == read.len() && items.iter().zip(read).all(|(item, read)| is_same(item, read))
            }),
            Kind::Map(entries) => read.as_mapping().is_some_and(|read| {
                entries.len() == read.len()
                    && entries
                        .iter()
                        .all(|(key, value)| read.get(key.as_str()).is_some_and(|read| is_same(value, read)))
            }),
        }
    }

    #[test]
    fn what_is_written_reads_as_the_same_tree() {
        let mut trees = Trees(0x9E37_79B9_7F4A_7C15);
        for number in 0..4000 {
            let tree = trees.tree(number % 5);
            let text = write(&tree);
            let source = super::super::Source::default();
            let read = super::super::parse(&source, &text, &super::super::Budget::default());
            assert_eq!(read.as_ref().map(bare), Ok(tree.clone()), "tree {number}: {text}");
            let read = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("tree {number}: {error}: {text}"));
            assert!(is_same(&tree, &read), "tree {number}, libyaml: {text}");
        }
    }

    #[test]
    fn a_written_text_stands_the_same_when_it_is_written_again() {
        let text = "b: 0x1F\na:\n- ~x\n- \"y\": |\n    a\n    b\n";
        assert_eq!(write(&valid(text)), text);
    }

    #[test]
    fn a_large_and_a_deep_tree_are_written() {
        let items: Vec<Node> = (0..100_000).map(|number| format!("{number}\nb").as_str().into()).collect();
        assert_eq!(write(&list(items)).lines().count(), 300_000);
        let deep = (0..100).fold(Node::from("x"), |node, _| map(vec![("k", node)]));
        assert_eq!(write(&deep).lines().last(), Some(&*(" ".repeat(198) + "k: x")));
    }
}
