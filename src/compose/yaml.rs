//! YAML text → a tree of values. The only file that knows the YAML crate.
//!
//! The crate tells events and their places; the tree is ours: aliases are followed, and merge keys resolved.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::place::Source;
use super::value::{join, whole_number};
use super::{Budget, Error, Kind, Node, Problem};

/// A longer text is not a pod's.
const LARGEST: usize = 4 << 20;
/// Values in values, more than anybody writes.
const DEEPEST: usize = 100;

/// Reads one YAML document. Anchors are followed, merge keys resolved, tags but `!!str` ignored.
pub fn parse(source: &Source, text: &str, budget: &Budget) -> Result<Node, Error> {
    document(source, text, budget, false, Words { booleans: false, old: None })
}

/// Likewise, but `yes`, `no`, `on`, `off`, `y` and `n` are booleans, as they are in YAML 1.1.
#[cfg(feature = "template")]
pub fn parse_1_1(source: &Source, text: &str, budget: &Budget) -> Result<Node, Error> {
    document(source, text, budget, false, Words { booleans: true, old: None })
}

/// Reads the first YAML document, whatever stands behind its end. Below the key `old` it is YAML 1.1, as of [`parse_1_1`].
#[cfg(feature = "template")]
pub(super) fn parse_first(source: &Source, text: &str, budget: &Budget, old: &'static str) -> Result<Node, Error> {
    document(source, text, budget, true, Words { booleans: false, old: Some(old) })
}

/// What words such as `yes` are.
#[derive(Debug, Clone, Copy)]
struct Words {
    /// Booleans, and not texts.
    booleans: bool,
    /// Booleans below this key.
    old: Option<&'static str>,
}

fn document(source: &Source, text: &str, budget: &Budget, first: bool, words: Words) -> Result<Node, Error> {
    let source = Arc::new(source.clone());
    if text.len() > LARGEST {
        return Err(Error::new(&source.place(1, 1), "", Problem::TooLarge("it is longer than 4 MiB")));
    }
    let raw = Reader { source: &source, text, end: end_of(text), anchors: HashMap::new(), first }.read()?;
    let tree = Tree { source: &source, budget };
    tree.node(String::new(), &raw, None, words)
}

/// A valid document of a test.
#[cfg(test)]
pub(crate) fn valid(text: &str) -> Node {
    parse(&Source::default(), text, &Budget::default()).expect("valid")
}

/// A node as the events tell it.
#[derive(Debug)]
struct Raw {
    line: usize,
    column: usize,
    /// How deep values stand in it, also through aliases.
    depth: usize,
    kind: RawKind,
}

#[derive(Debug)]
enum RawKind {
    Scalar { text: String, style: ScalarStyle, is_text: bool },
    List(Vec<Rc<Raw>>),
    Map(Vec<(Rc<Raw>, Rc<Raw>)>),
}

/// A collection whose end has not come yet.
struct Open {
    raw: Raw,
    anchor: usize,
    /// The key whose value comes next.
    key: Option<Rc<Raw>>,
}

/// Events → raw nodes, aliases shared.
struct Reader<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    /// The line and the column where the text ends.
    end: (usize, usize),
    anchors: HashMap<usize, Rc<Raw>>,
    /// Whether the first document is all that is read.
    first: bool,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Rc<Raw>, Error> {
        let mut open: Vec<Open> = Vec::new();
        let mut root: Option<Rc<Raw>> = None;
        for event in Parser::new_from_str(self.text) {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            let (line, column) = self.inside(span.start.line().max(1), span.start.col() + 1);
            if let Event::Scalar(_, _, _, Some(tag))
            | Event::SequenceStart(_, Some(tag))
            | Event::MappingStart(_, Some(tag)) = &event
                && let "reset" | "override" = tag.suffix.as_str()
            {
                let why = format!("podlike does not read '!{}': what is not wanted must be left out", tag.suffix);
                return Err(self.problem(line, column, Problem::Refused(why)));
            }
            if self.first && matches!(event, Event::DocumentEnd) {
                break;
            }
            let begin = |kind, anchor| Open { raw: Raw { line, column, depth: 0, kind }, anchor, key: None };
            let complete = match event {
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(self.problem(line, column, Problem::SecondDocument));
                }
                Event::SequenceStart(anchor, _) => {
                    open.push(begin(RawKind::List(Vec::new()), anchor));
                    None
                }
                Event::MappingStart(anchor, _) => {
                    open.push(begin(RawKind::Map(Vec::new()), anchor));
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop().map(|Open { raw, anchor, .. }| self.remember(Rc::new(raw), anchor))
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let is_text = tag.is_some_and(|tag: std::borrow::Cow<'_, Tag>| tag.suffix == "str");
                    let kind = RawKind::Scalar { text: text.into_owned(), style, is_text };
                    Some(self.remember(Rc::new(Raw { line, column, depth: 0, kind }), anchor))
                }
                Event::Alias(anchor) => match self.anchors.get(&anchor) {
                    Some(raw) => Some(Rc::clone(raw)),
                    None => return Err(self.problem(line, column, Problem::AliasOfItself)),
                },
                _ => None,
            };
            if open.len() + complete.as_ref().map_or(0, |complete| complete.depth) > DEEPEST {
                return Err(self.problem(line, column, Problem::TooLarge("it is nested deeper than 100 levels")));
            }
            let Some(complete) = complete else { continue };
            if let Some(Open { raw, .. }) = open.last_mut() {
                raw.depth = raw.depth.max(complete.depth + 1);
            }
            match open.last_mut() {
                None => root = Some(complete),
                Some(Open { raw: Raw { kind: RawKind::List(items), .. }, .. }) => items.push(complete),
                Some(Open { raw: Raw { kind: RawKind::Map(entries), .. }, key, .. }) => match key.take() {
                    None => *key = Some(complete),
                    Some(key) => entries.push((key, complete)),
                },
                Some(Open { raw: Raw { kind: RawKind::Scalar { .. }, .. }, .. }) => {}
            }
        }
        let nothing = RawKind::Scalar { text: String::new(), style: ScalarStyle::Plain, is_text: false };
        Ok(root.unwrap_or_else(|| Rc::new(Raw { line: 1, column: 1, depth: 0, kind: nothing })))
    }

    fn remember(&mut self, raw: Rc<Raw>, anchor: usize) -> Rc<Raw> {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&raw));
        }
        raw
    }

    fn problem(&self, line: usize, column: usize, problem: Problem) -> Error {
        Error::new(&self.source.place(line, column), "", problem)
    }

    /// A text that is not YAML. Some mistakes the parser notices late, and in words that are not theirs.
    fn syntax(&self, error: &ScanError) -> Error {
        let text = one_break(self.text);
        let lines: Vec<&str> = text.lines().collect();
        let (last, column) = (error.marker().line().max(1), error.marker().col());
        let problem = |line: usize, column: usize, words: &str, hint| {
            self.problem(line + 1, column + 1, Problem::Syntax { words: words.to_owned(), hint })
        };
        let indent = |line: usize| lines[line].len() - lines[line].trim_start_matches(' ').len();
        // A tab ends what the line before began, or makes the next one wrong.
        let mut near = last.saturating_sub(2)..lines.len().min(last + 1);
        if let Some(tab) = near.find(|line| lines[*line][indent(*line)..].starts_with('\t')) {
            return problem(tab, indent(tab), "the line is indented with a tab", Some("YAML takes only spaces"));
        }
        let above = (0..lines.len().min(last - 1)).rfind(|line| !lines[*line].trim().is_empty());
        if let Some(line) = above.filter(|_| error.info().starts_with("simple key expect")) {
            let words = "the line is no key with its ':', and no part of a value";
            return problem(line, indent(line), words, Some("a blank follows the ':' behind a key"));
        }
        let before: String = lines.get(last - 1).into_iter().flat_map(|line| line.chars()).take(column).collect();
        let (line, column) = self.inside(last, column + 1);
        problem(line - 1, column - 1, error.info(), hint(error.info(), &before))
    }

    /// The parser counts the end of a text as a line of its own; people see the last one that is there.
    fn inside(&self, line: usize, column: usize) -> (usize, usize) {
        if line <= self.end.0 { (line, column) } else { self.end }
    }
}

/// The text with one kind of line break: to YAML, `\r` alone is one too.
fn one_break(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The line and the column where a text ends.
fn end_of(text: &str) -> (usize, usize) {
    let text = one_break(text);
    let last = text.rsplit('\n').next().map_or(0, |line| line.chars().count());
    (text.split('\n').count(), last + 1)
}

/// What to do about the parser's complaint, which comes behind what is `before` on its line.
fn hint(words: &str, before: &str) -> Option<&'static str> {
    const HINTS: [(&str, &str); 16] = [
        ("mapping values are not allowed", "the keys of one mapping stand in one column"),
        ("illegal placement of ':'", "a '[' or '{' before it is not closed"),
        ("trailing content", "a quote within quotes is written '' in single ones, and \\\" in double ones"),
        ("block sequence entries", "a list begins on a line of its own"),
        ("escape", "in double quotes a '\\' is written '\\\\', in single ones it stays as it is"),
        ("anchor or alias", "quote a value that starts with '&' or '*'"),
        ("block collection", "the '-' of one list stand in one column"),
        ("unexpected character", "quote a value that starts with @, %, ` or another special character"),
        ("unknown anchor", "quote a value that starts with '*', or define the anchor with '&' before"),
        ("quoted scalar", "a quote is not closed"),
        ("invalid indentation", "a '[' or '{' before it is not closed"),
        ("tab", "YAML is indented with spaces"),
        ("flow mapping", "a '{' is not closed, or a ',' is missing"),
        ("flow sequence", "a '[' is not closed, or a ',' is missing"),
        ("block mapping", "keys of one mapping stand in one column"),
        ("recursion limit", "it is nested too deep"),
    ];
    if words.contains("mapping values") && before.contains(": ") {
        return Some("quote the value, it has ': ' in it");
    }
    HINTS.into_iter().find(|(part, _)| words.contains(part)).map(|(_, hint)| hint)
}

/// Raw nodes → nodes with paths.
struct Tree<'a> {
    source: &'a Arc<Source>,
    budget: &'a Budget,
}

impl Tree<'_> {
    fn node(&self, at: String, raw: &Raw, key: Option<&Raw>, words: Words) -> Result<Node, Error> {
        // The events tell where a block has its first letter; its text begins with the blank lines before.
        let blank = match &raw.kind {
            RawKind::Scalar { text, style: ScalarStyle::Literal, .. } => text.find(|c| c != '\n').unwrap_or(0),
            _ => 0,
        };
        let place = self.source.place(raw.line.saturating_sub(blank), raw.column);
        let length = if let RawKind::Scalar { text, .. } = &raw.kind { text.len() } else { 0 };
        self.budget.take(1, at.len() + length).map_err(|problem| Error::new(&place, &at, problem))?;
        let mut block = false;
        let kind = match &raw.kind {
            RawKind::Scalar { text, style, is_text } => {
                block = *style == ScalarStyle::Literal;
                let plain = *style == ScalarStyle::Plain && !is_text;
                if plain { scalar(text, words) } else { Kind::Text(text.clone()) }
            }
            RawKind::List(items) => Kind::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| self.node(format!("{at}[{i}]"), item, None, words))
                    .collect::<Result<_, _>>()?,
            ),
            RawKind::Map(entries) => Kind::Map(self.mapping(&at, entries, words)?),
        };
        let key = key.map_or_else(|| place.clone(), |key| self.source.place(key.line, key.column));
        Ok(Node { at, place, key, block, kind })
    }

    /// The entries of a mapping: its own first, then what its merge keys add, the earlier winning.
    fn mapping(&self, at: &str, entries: &[(Rc<Raw>, Rc<Raw>)], words: Words) -> Result<Vec<(String, Node)>, Error> {
        let mut own: Vec<(String, Node)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut merged: Vec<Node> = Vec::new();
        for (key, value) in entries {
            let place = self.source.place(key.line, key.column);
            let RawKind::Scalar { text: name, style, is_text } = &key.kind else {
                return Err(Error::new(&place, at, Problem::KeyIsNoText));
            };
            if name == "<<" && *style == ScalarStyle::Plain && !is_text {
                // What is merged has the path of where it arrives.
                match self.node(at.to_owned(), value, Some(key), words)? {
                    Node { kind: Kind::List(items), .. } => merged.extend(items),
                    single => merged.push(single),
                }
                continue;
            }
            if let Some(first) = known.insert(name.clone(), key.line) {
                let first = self.source.place(first, 1).line;
                return Err(Error::new(&place, at, Problem::DuplicateKey { key: name.clone(), first }));
            }
            let words = Words { booleans: words.booleans || words.old == Some(name.as_str()), ..words };
            own.push((name.clone(), self.node(join(at, name), value, Some(key), words)?));
        }
        for source in merged {
            let Kind::Map(entries) = source.kind else {
                return Err(source.expected("keys to merge with '<<'"));
            };
            for (name, mut value) in entries {
                if known.insert(name.clone(), 0).is_none() {
                    value.move_to(join(at, &name));
                    own.push((name, value));
                }
            }
        }
        Ok(own)
    }
}

/// The type of a plain scalar: YAML 1.2's, and what YAML 1.1 writes as a number.
fn scalar(text: &str, words: Words) -> Kind {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if words.booleans => Kind::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if words.booleans => Kind::Bool(false),
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ if is_number(text) => Kind::Number(text.to_owned()),
        _ => Kind::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let starts = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    starts && (whole_number(text).is_some() || text.parse::<f64>().is_ok_and(f64::is_finite))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn parse(text: &str) -> Result<Node, Error> {
        super::parse(&Source::default(), text, &Budget::default())
    }

    #[test]
    fn nodes_know_their_path_and_place() {
        let root = parse("a:\n  b: [x, {c: 1}]\n").expect("valid");
        let list = root.get("a").and_then(|a| a.get("b")).expect("b");
        assert_eq!((list.at.as_str(), list.place.line, list.place.column), ("a.b", 2, 6));
        assert_eq!((list.key.line, list.key.column), (2, 3));
        let number = list.list().expect("list")[1].get("c").expect("c");
        assert_eq!((number.at.as_str(), &number.kind), ("a.b[1].c", &Kind::Number("1".into())));
    }

    #[test]
    fn a_value_that_came_through_an_alias_or_a_merge_stands_where_it_was_written() {
        let root = parse("x: &x {a: {b: 1}}\ny: *x\nz:\n  <<: *x\n  c: 2\n").expect("valid");
        for (path, key) in [("y.a.b", "y"), ("z.a.b", "z")] {
            let value = root.get(key).and_then(|it| it.get("a")?.get("b")).expect(path);
            assert_eq!((value.at.as_str(), value.place.line, value.place.column), (path, 1, 15));
        }
    }

    #[test]
    fn chained_merge_keys_leave_nothing_behind() {
        let root = parse("x: &x {a: 1, b: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: [*y], c: 3}\n").expect("valid");
        let z: Vec<_> = root
            .get("z")
            .expect("z")
            .map()
            .expect("map")
            .iter()
            .map(|(key, value)| (key.as_str(), value.text().expect("text")))
            .collect();
        assert_eq!(z, [("c", "3".into()), ("b", "2".into()), ("a", "1".into())]);
    }

    #[test]
    fn a_quoted_merge_key_is_a_key() {
        let root = parse("x: &x {a: 1}\ny: {'<<': *x}\nz: {!!str <<: *x}\n").expect("valid");
        for key in ["y", "z"] {
            let keys: Vec<_> = root.get(key).expect(key).map().expect("map").iter().map(|(key, _)| key).collect();
            assert_eq!(keys, ["<<"], "{key}");
        }
    }

    #[test]
    fn numbers_stay_as_they_are_written() {
        for text in ["1.10", "1e3", "0755", "0x1F", "1_000", "12345678901234567890", "-1", "+5", "22:22", "1.2.3"] {
            assert_eq!(parse(text).expect("valid").text().as_deref(), Ok(text));
        }
        for (text, value) in
            [("0440", 0o440), ("'0440'", 0o440), ("0o17", 15), ("0x1f", 31), ("1_000", 1000), ("-5", -5)]
        {
            assert_eq!(parse(text).expect("valid").integer(), Ok(value), "{text}");
        }
        for text in ["08", "1.5", "x", "0x", "_1", "1e3", "--1", "9223372036854775808"] {
            assert!(parse(text).expect("valid").integer().is_err(), "{text}");
        }
        assert_eq!(parse("'5'").expect("valid").kind, Kind::Text("5".into()));
        assert_eq!(parse("!!str 5").expect("valid").kind, Kind::Text("5".into()));
    }

    #[test]
    fn a_whole_number_may_be_binary() {
        for (text, value) in [("0b101", 5), ("-0b11", -3), ("0b1_0", 2)] {
            let node = parse(text).expect("valid");
            assert_eq!((node.integer(), &node.kind), (Ok(value), &Kind::Number(text.to_owned())), "{text}");
        }
        for text in ["0b", "0b2"] {
            let node = parse(text).expect("valid");
            assert_eq!((node.integer().is_err(), &node.kind), (true, &Kind::Text(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_number_without_an_end_is_a_text() {
        for text in ["1e999", "-1e999"] {
            let node = parse(text).expect("valid");
            assert_eq!((node.number().is_err(), &node.kind), (true, &Kind::Text(text.to_owned())), "{text}");
        }
        assert_eq!(parse("1e99").expect("valid").kind, Kind::Number("1e99".to_owned()));
    }

    #[test]
    fn what_several_merges_give_has_the_path_of_where_it_arrives_and_the_place_where_it_was_written() {
        let root = parse("a: &a {k: 1}\nb: &b\n  k: 2\n  l: [x, {m: 3}]\nz:\n  y: {<<: [*a, *b]}\n").expect("valid");
        let merged = root.get("z").and_then(|z| z.get("y")).expect("y");
        let list = merged.get("l").expect("l");
        let item = &list.list().expect("a list")[1];
        let found = [merged.get("k"), Some(list), Some(item), item.get("m")].map(|node| {
            let Node { at, place, key, .. } = node.expect("merged");
            (at.as_str(), (place.line, place.column), (key.line, key.column))
        });
        let expected = [
            ("z.y.k", (1, 11), (1, 8)),
            ("z.y.l", (4, 6), (4, 3)),
            ("z.y.l[1]", (4, 10), (4, 10)),
            ("z.y.l[1].m", (4, 14), (4, 11)),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_tab_is_pointed_at() {
        let error = parse("image: x\n\tcommand: y\n").expect_err("a tab");
        let expected = "line 2, column 1: not valid YAML: the line is indented with a tab (YAML takes only spaces)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_tab_within_a_text_is_not_blamed_for_what_is_wrong_elsewhere() {
        let error = parse("conf: |\n  server {\n  \tlisten 80;\n  }\n\nuser: a: b\n").expect_err("a colon");
        assert!(error.to_string().ends_with("(quote the value, it has ': ' in it)"), "{error}");
    }

    #[test]
    fn places_are_in_the_text() {
        for (text, line, column) in [("a: '", 1, 4), ("a: [\n", 2, 1), ("a: 1\rb\r- c", 2, 1), ("a:\r\n\tb", 2, 1)] {
            let place = parse(text).expect_err("not valid").place;
            assert_eq!((place.line, place.column), (line, column), "{text:?}");
        }
        let nothing = parse("---").expect("valid").place;
        assert_eq!((nothing.line, nothing.column), (1, 4));
    }

    #[test]
    fn a_block_of_blank_lines_has_a_place() {
        for (text, line) in [("a: |2+\n\n\n\n", 1), ("a: |2+\n\n\n\nb: 1\n", 5), ("a: |\n\n\n  x\n", 2)] {
            assert_eq!(parse(text).expect("valid").get("a").map(|a| a.place.line), Some(line), "{text:?}");
        }
    }

    #[test]
    fn booleans_as_dockers_loader_reads_them() {
        for (text, value) in [("yes", true), ("off", false), ("True", true), ("n", false), ("'true'", true)] {
            assert_eq!(parse(text).expect("valid").bool(), Ok(value), "{text}");
        }
        assert!(parse("maybe").expect("valid").bool().is_err());
    }

    #[test]
    fn what_would_take_all_memory_is_refused() {
        let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for i in 1..9 {
            let nine = vec![format!("*a{}", i - 1); 9].join(", ");
            writeln!(laughs, "a{i}: &a{i} [{nine}]").expect("a String takes every line");
        }
        let deep = "- ".repeat(5000);
        let long = " ".repeat(LARGEST + 1);
        for text in [laughs, deep, long, "[".repeat(100_000)] {
            let error = parse(&text).expect_err("too much");
            assert!(matches!(error.problem, Problem::TooLarge(_) | Problem::Syntax { .. }), "{error}");
        }
    }

    #[test]
    fn an_alias_in_its_own_anchor_and_a_second_document_are_refused() {
        assert_eq!(parse("a: &a [*a]").expect_err("itself").problem, Problem::AliasOfItself);
        assert_eq!(parse("a: 1\n---\nb: 2\n").expect_err("two").problem, Problem::SecondDocument);
        #[cfg(feature = "template")]
        for text in ["a: 1\n---\nb: 2\n", "a: 1\n...\n---\n[", "---\na: 1\n--- }"] {
            let first = parse_first(&Source::default(), text, &Budget::default(), "old").expect(text);
            assert_eq!(first.map().map(<[_]>::len), Ok(1), "{text}");
        }
        assert_eq!(
            parse("\u{feff}a: 1\r\n").expect("a mark of the byte order").get("a").map(Node::integer),
            Some(Ok(1))
        );
    }

    #[cfg(feature = "template")]
    #[test]
    fn the_words_of_yaml_1_1_are_booleans_where_it_is_yaml_1_1() {
        let source = Source::default();
        let yes = |node: &Node, key: &str| node.get(key).map(|node| node.kind.clone());
        let (on, word) = (Some(Kind::Bool(true)), Some(Kind::Text("yes".to_owned())));
        let node = parse_1_1(&source, "a: yes\nb: 'yes'", &Budget::default()).expect("valid");
        assert_eq!((yes(&node, "a"), yes(&node, "b")), (on.clone(), word.clone()));
        let text = "a: &a {b: yes}\nold: {<<: *a, c: {b: yes}}";
        let node = parse_first(&source, text, &Budget::default(), "old").expect("valid");
        let below =
            |path: &[&str]| path.iter().try_fold(&node, |node, key| node.get(key)).map(|node| node.kind.clone());
        assert_eq!((below(&["a", "b"]), below(&["old", "b"]), below(&["old", "c", "b"])), (word, on.clone(), on));
        for (text, value) in [("n", false), ("Off", false), ("ON", true), ("Y", true)] {
            assert_eq!(parse_1_1(&source, text, &Budget::default()).expect("valid").kind, Kind::Bool(value), "{text}");
        }
    }
}
