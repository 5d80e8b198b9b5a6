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
        writer.scalar(node, INDENT)
    } else {
        writer.collection(node, 0)
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
    let in_radix = |prefix, radix| text.strip_prefix(prefix).is_some_and(|digits| is_made_of(digits, radix));
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
