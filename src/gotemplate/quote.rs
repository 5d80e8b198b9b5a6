//! Go's quoted strings and characters: strconv.Quote, strconv.Unquote and their kin.

use std::fmt::Write as _;

/// strconv.Quote.
pub fn quote(text: &str) -> String {
    quoted(text.chars(), '"', Charset::Unicode)
}

/// strconv.QuoteToASCII.
pub(super) fn quote_to_ascii(text: &str) -> String {
    quoted(text.chars(), '"', Charset::Ascii)
}

/// strconv.QuoteRune: a character's literal.
pub(super) fn quote_char(character: char) -> String {
    quoted([character], '\'', Charset::Unicode)
}

/// strconv.QuoteRuneToASCII.
pub(super) fn quote_char_to_ascii(character: char) -> String {
    quoted([character], '\'', Charset::Ascii)
}

/// strconv.CanBackquote: whether a text can stand in a raw literal, unchanged and on one line.
pub(super) fn can_backquote(text: &str) -> bool {
    !text.chars().any(|c| c.is_ascii_control() && c != '\t' || matches!(c, '`' | '\u{feff}'))
}

/// strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the blank. The characters that Rust does not escape
/// within a text are the same ones, but for those of Unicode's later versions.
pub(super) fn is_print(character: char) -> bool {
    if character.is_ascii() {
        return matches!(character, ' '..='~');
    }
    let mut text = [b'a'; 5];
    let length = 1 + character.encode_utf8(&mut text[1..]).len();
    std::str::from_utf8(&text[..length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(character))
}

/// What may stand in a literal unescaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Charset {
    Ascii,
    Unicode,
}

/// The characters that have an escape of one letter.
const LETTERS: [(char, char); 8] =
    [('\x07', 'a'), ('\x08', 'b'), ('\x0c', 'f'), ('\n', 'n'), ('\r', 'r'), ('\t', 't'), ('\x0b', 'v'), ('\\', '\\')];

fn quoted(text: impl IntoIterator<Item = char>, quote: char, charset: Charset) -> String {
    let mut out = String::from(quote);
    for c in text {
        let letter = LETTERS.iter().find(|(meant, _)| *meant == c).map(|(_, letter)| *letter);
        if let Some(letter) = letter.or((c == quote).then_some(quote)) {
            out.extend(['\\', letter]);
        } else if (c.is_ascii() || charset == Charset::Unicode) && is_print(c) {
            out.push(c);
        } else {
            // A String takes whatever is written.
            _ = match u32::from(c) {
                code @ 0..=0x7f => write!(out, "\\x{code:02x}"),
                code @ 0x80..=0xffff => write!(out, "\\u{code:04x}"),
                code => write!(out, "\\U{code:08x}"),
            };
        }
    }
    out.push(quote);
    out
}

/// The text of a literal, `"…"` or `` `…` ``; none where it is not one. Bytes that are no UTF-8, which Go would keep, become
/// U+FFFD.
pub(super) fn unquote(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('`') {
        return raw.strip_suffix('`').filter(|raw| !raw.contains('`')).map(|raw| raw.replace('\r', ""));
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::new();
    while !rest.is_empty() {
        let piece = Piece::read(rest, '"')?;
        match piece.byte {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(char::from_u32(piece.code)?.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = piece.rest;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The character of a literal `'…'`, as a number; none where it is not one.
pub(super) fn unquote_char(literal: &str) -> Option<u32> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let piece = Piece::read(inner, '\'')?;
    piece.rest.is_empty().then_some(piece.code)
}

/// A character or an escape between quotes.
struct Piece<'a> {
    code: u32,
    /// The byte of an escape that means one, which need not be a character.
    byte: Option<u8>,
    rest: &'a str,
}

impl<'a> Piece<'a> {
    fn read(text: &'a str, quote: char) -> Option<Self> {
        let mut chars = text.chars();
        let first = chars.next().filter(|first| *first != quote && *first != '\n')?;
        if first != '\\' {
            return Some(Self { code: first.into(), byte: None, rest: chars.as_str() });
        }
        let escape = chars.next()?;
        match escape {
            'x' => Self::byte(chars.as_str(), 2, 16),
            '0'..='7' => Self::byte(&text[1..], 3, 8),
            'u' => Self::code_point(chars.as_str(), 4),
            'U' => Self::code_point(chars.as_str(), 8),
            _ => {
                let meant = LETTERS.iter().find(|(_, letter)| *letter == escape).map(|(meant, _)| *meant);
                let meant = meant.or((escape == quote).then_some(quote))?;
                Some(Self { code: meant.into(), byte: None, rest: chars.as_str() })
            }
        }
    }

    fn byte(text: &'a str, digits: usize, radix: u32) -> Option<Self> {
        let code = number(text, digits, radix)?;
        Some(Self { code, byte: Some(u8::try_from(code).ok()?), rest: &text[digits..] })
    }

    fn code_point(text: &'a str, digits: usize) -> Option<Self> {
        let code = number(text, digits, 16).filter(|code| char::from_u32(*code).is_some())?;
        Some(Self { code, byte: None, rest: &text[digits..] })
    }
}

/// The number of so many digits at the front.
fn number(text: &str, digits: usize, radix: u32) -> Option<u32> {
    let digits = text.get(..digits).filter(|digits| digits.chars().all(|c| c.is_digit(radix)))?;
    u32::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::{
        can_backquote, is_print, quote, quote_char, quote_char_to_ascii, quote_to_ascii, unquote, unquote_char,
    };

    #[test]
    fn texts_are_quoted_as_in_go() {
        for (text, quoted, ascii) in [
            ("", r#""""#, r#""""#),
            ("a\"b\\c'd", r#""a\"b\\c'd""#, r#""a\"b\\c'd""#),
            ("\x07\x08\x0c\n\r\t\x0b", r#""\a\b\f\n\r\t\v""#, r#""\a\b\f\n\r\t\v""#),
            ("\0\x1b\x7f", r#""\x00\x1b\x7f""#, r#""\x00\x1b\x7f""#),
            ("é☺e\u{301}", "\"é☺e\u{301}\"", r#""\u00e9\u263ae\u0301""#),
            ("\u{80}\u{a0}\u{ad}", r#""\u0080\u00a0\u00ad""#, r#""\u0080\u00a0\u00ad""#),
            ("\u{200b}\u{feff}", r#""\u200b\ufeff""#, r#""\u200b\ufeff""#),
            ("😀\u{e0001}", r#""😀\U000e0001""#, r#""\U0001f600\U000e0001""#),
        ] {
            assert_eq!(quote(text), quoted);
            assert_eq!(quote_to_ascii(text), ascii);
            assert_eq!(unquote(quoted).as_deref(), Some(text));
            assert_eq!(unquote(ascii).as_deref(), Some(text));
        }
        assert_eq!(quote_char('\''), r"'\''");
        assert_eq!(quote_char('"'), "'\"'");
        assert_eq!(quote_char_to_ascii('é'), r"'\u00e9'");
    }

    #[test]
    fn a_literal_is_read_as_in_go() {
        for (literal, text) in [
            (r#""\101\x42\u0043\U00000044""#, Some("ABCD")),
            (r#""\xe4\xbd\xa0""#, Some("你")),
            (r#""\xff""#, Some("\u{fffd}")),
            ("`a\\n\r\nb`", Some("a\\n\nb")),
            ("\"a\nb\"", None),
            (r#""\'""#, None),
            (r#""\400""#, None),
            (r#""\08""#, None),
            (r#""\x4""#, None),
            (r#""\x+4""#, None),
            (r#""\ud800""#, None),
            (r#""\U00110000""#, None),
            (r#""\é""#, None),
            (r#""\xé""#, None),
            (r#""\""#, None),
            (r#"""#, None),
            (r#""a"b""#, None),
            ("`a`b`", None),
            ("`", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(unquote(literal).as_deref(), text, "{literal}");
        }
    }

    #[test]
    fn a_character_is_read_as_its_number() {
        for (literal, code) in [
            ("'a'", Some(97)),
            ("'☺'", Some(0x263a)),
            (r"'\''", Some(39)),
            (r"'\xff'", Some(255)),
            (r"'\377'", Some(255)),
            (r"'\U0001f600'", Some(0x1f600)),
            (r#"'\"'"#, None),
            ("'ab'", None),
            ("''", None),
            ("'''", None),
            ("'\n'", None),
            ("'", None),
        ] {
            assert_eq!(unquote_char(literal), code, "{literal}");
        }
    }

    #[test]
    fn what_prints_is_what_go_prints() {
        assert!("aé\u{301}☺\u{fffd}".chars().all(is_print));
        assert!(!"\u{85}\u{a0}\u{2028}\u{3000}\u{e000}\u{10ffff}".chars().any(is_print));
        assert!(can_backquote("a\tb\"\u{80}"));
        assert!(!["`", "\n", "\x7f", "\u{feff}"].into_iter().any(can_backquote));
    }
}
