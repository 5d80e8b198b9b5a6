//! From a template's text to its tokens.

use std::collections::VecDeque;

use super::quote::{is_print, quote};
use super::token::{Keyword, Kind, Token};

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const COMMENT: &str = "/*";
const COMMENT_END: &str = "*/";
/// The length of a trim marker, `-`, and the space that belongs to it.
const MARKER: usize = 2;

/// Reads a text token by token.
pub(super) struct Lexer<'t> {
    text: &'t str,
    /// Where the token starts that is being read.
    start: usize,
    position: usize,
    /// Whether it is between delimiters.
    inside: bool,
    /// How many parentheses are open.
    parens: usize,
    /// What is read and not taken.
    tokens: VecDeque<Token<'t>>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, start: 0, position: 0, inside: false, parens: 0, tokens: VecDeque::new() }
    }

    /// The next token; at last, and then again and again, [`Kind::End`], or the [`Kind::Error`] beyond which the text
    /// cannot be read.
    pub(super) fn token(&mut self) -> Token<'t> {
        loop {
            if let Some(token) = self.tokens.pop_front() {
                return token;
            }
            let more = if self.inside { self.action() } else { self.plain() };
            let last = match more {
                Ok(true) => continue,
                Ok(false) => Kind::End,
                Err(problem) => Kind::Error(problem),
            };
            self.tokens.push_back(Token { kind: last, text: "", position: self.start });
        }
    }

    /// Text up to the next delimiter, and that. Returns whether there is more.
    fn plain(&mut self) -> Result<bool, String> {
        let Some(length) = self.rest().find(LEFT) else {
            self.position = self.text.len();
            self.emit_unless_empty(Kind::Text);
            return Ok(false);
        };
        let left = self.position + length;
        self.position = left;
        if trims_left(&self.text[left + LEFT.len()..]) {
            self.position = self.start + self.text[self.start..left].trim_end_matches(is_space).len();
        }
        self.emit_unless_empty(Kind::Text);
        self.start = left;
        self.position = left + LEFT.len();
        self.left_delimiter()?;
        Ok(true)
    }

    /// A left delimiter, of which the braces are read, or a whole comment.
    fn left_delimiter(&mut self) -> Result<(), String> {
        let marker = if trims_left(self.rest()) { MARKER } else { 0 };
        if self.rest()[marker..].starts_with(COMMENT) {
            self.position += marker;
            self.start = self.position;
            return self.comment();
        }
        self.emit(Kind::LeftDelimiter);
        self.position += marker;
        self.start = self.position;
        self.inside = true;
        self.parens = 0;
        Ok(())
    }

    fn comment(&mut self) -> Result<(), String> {
        let inside = &self.rest()[COMMENT.len()..];
        let length = inside.find(COMMENT_END).ok_or("unclosed comment")?;
        self.position += COMMENT.len() + length + COMMENT_END.len();
        let trims = self.right_delimiter().ok_or("comment ends before closing delimiter")?;
        self.position += if trims { MARKER } else { 0 } + RIGHT.len();
        self.trim(trims);
        Ok(())
    }

    /// Whether a right delimiter comes next, and if so, whether it trims what follows.
    fn right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if trims_right(rest) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    /// Goes on after a right delimiter: behind the white space if it trims.
    fn trim(&mut self, trims: bool) {
        if trims {
            self.position = self.text.len() - self.rest().trim_start_matches(is_space).len();
        }
        self.start = self.position;
    }

    /// A token between delimiters, or the right one. There is always more, or else an error.
    fn action(&mut self) -> Result<bool, String> {
        let Some(trims) = self.right_delimiter() else {
            self.piece()?;
            return Ok(true);
        };
        if self.parens > 0 {
            return Err("unclosed left paren".to_owned());
        }
        self.position += if trims { MARKER } else { 0 };
        self.start = self.position;
        self.position += RIGHT.len();
        self.emit(Kind::RightDelimiter);
        self.trim(trims);
        self.inside = false;
        Ok(true)
    }

    /// One token of an action.
    fn piece(&mut self) -> Result<(), String> {
        let first = self.next().ok_or("unclosed action")?;
        match first {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' if self.next() == Some('=') => self.emit(Kind::Declare),
            ':' => return Err("expected :=".to_owned()),
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::Quoted, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::Character, "unterminated character constant")?,
            '`' => self.raw()?,
            '$' => self.word(Kind::Variable)?,
            '.' if self.peek().is_some_and(|c| !c.is_ascii_digit()) => self.word(Kind::Field)?,
            '.' | '+' | '-' | '0'..='9' => self.number()?,
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen);
            }
            ')' => {
                self.parens = self.parens.checked_sub(1).ok_or("unexpected right paren")?;
                self.emit(Kind::RightParen);
            }
            _ if is_alphanumeric(first) => self.word(Kind::Name)?,
            _ if first.is_ascii_graphic() => self.emit(Kind::Sign),
            _ => return Err(format!("unrecognized character in action: {}", code_point(first))),
        }
        Ok(())
    }

    /// White space, but for the last of it where that belongs to a trim marker.
    fn space(&mut self) {
        self.accept_run(is_space);
        let last = self.position - 1;
        if trims_right(&self.text[last..]) {
            self.position = last;
        }
        self.emit_unless_empty(Kind::Space);
    }

    /// A name, a keyword, a field or a variable, of which the first character is read.
    fn word(&mut self, kind: Kind) -> Result<(), String> {
        if kind == Kind::Name || !self.at_word_end() {
            self.accept_run(is_alphanumeric);
        }
        if let Some(next) = self.peek().filter(|_| !self.at_word_end()) {
            return Err(format!("bad character {}", code_point(next)));
        }
        let word = &self.text[self.start..self.position];
        self.emit(match Keyword::of(word) {
            Some(keyword) => Kind::Keyword(keyword),
            None if matches!(word, "true" | "false") => Kind::Bool,
            None => kind,
        });
        Ok(())
    }

    /// Whether what comes next may follow a name.
    fn at_word_end(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(c) => is_space(c) || self.rest().starts_with(RIGHT),
        }
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Result<(), String> {
        loop {
            match self.next() {
                Some('\\') if !matches!(self.next(), None | Some('\n')) => {}
                Some('\\' | '\n') | None => return Err(unterminated.to_owned()),
                Some(c) if c == quote => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn raw(&mut self) -> Result<(), String> {
        let length = self.rest().find('`').ok_or("unterminated raw quoted string")?;
        self.position += length + 1;
        self.emit(Kind::Raw);
        Ok(())
    }

    /// A number, of which the first character is read. What it is worth is the parser's business.
    fn number(&mut self) -> Result<(), String> {
        self.position = self.start;
        let well_formed = self.digits();
        if !well_formed || !self.peek().is_some_and(is_sign) {
            return self.emit_number(well_formed, Kind::Number);
        }
        let imaginary = self.digits() && self.text[..self.position].ends_with('i');
        self.emit_number(imaginary, Kind::Complex)
    }

    fn emit_number(&mut self, well_formed: bool, kind: Kind) -> Result<(), String> {
        if !well_formed {
            let number = quote(&self.text[self.start..self.position]);
            return Err(format!("bad number syntax: {number}"));
        }
        self.emit(kind);
        Ok(())
    }

    /// One number with its sign. Returns whether it ends where a number may.
    fn digits(&mut self) -> bool {
        self.accept(is_sign);
        let mut radix = 10;
        if self.accept(|c| c == '0') {
            radix = match self.peek() {
                Some('x' | 'X') => 16,
                Some('o' | 'O') => 8,
                Some('b' | 'B') => 2,
                _ => 10,
            };
            self.position += usize::from(radix != 10);
        }
        let digit = |c: char| c == '_' || c.is_digit(radix);
        self.accept_run(digit);
        if self.accept(|c| c == '.') {
            self.accept_run(digit);
        }
        let exponent = match radix {
            10 => self.accept(|c| matches!(c, 'e' | 'E')),
            16 => self.accept(|c| matches!(c, 'p' | 'P')),
            _ => false,
        };
        if exponent {
            self.accept(is_sign);
            self.accept_run(|c| c == '_' || c.is_ascii_digit());
        }
        self.accept(|c| c == 'i');
        !self.accept(is_alphanumeric)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        let found = self.peek().filter(|c| wanted(*c));
        self.position += found.map_or(0, char::len_utf8);
        found.is_some()
    }

    fn accept_run(&mut self, wanted: impl Fn(char) -> bool) {
        while self.accept(&wanted) {}
    }

    fn emit(&mut self, kind: Kind) {
        let text = &self.text[self.start..self.position];
        self.tokens.push_back(Token { kind, text, position: self.start });
        self.start = self.position;
    }

    fn emit_unless_empty(&mut self, kind: Kind) {
        if self.position > self.start {
            self.emit(kind);
        }
    }
}

/// Whether an action that goes on so trims the text before it.
fn trims_left(inside: &str) -> bool {
    inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_space))
}

/// Whether this is a right delimiter that trims the text after it.
fn trims_right(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next().is_some_and(is_space) && chars.next() == Some('-') && chars.as_str().starts_with(RIGHT)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn is_sign(c: char) -> bool {
    matches!(c, '+' | '-')
}

/// A character as Go's `%#U` shows it.
fn code_point(c: char) -> String {
    let number = format!("U+{:04X}", u32::from(c));
    if is_print(c) { format!("{number} '{c}'") } else { number }
}

#[cfg(test)]
mod tests {
    use super::super::token::{Keyword, Kind, Token};
    use super::Lexer;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(text);
        let mut tokens = vec![lexer.token()];
        while !matches!(tokens.last(), Some(Token { kind: Kind::End | Kind::Error(_), .. })) {
            tokens.push(lexer.token());
        }
        tokens
    }

    /// The kinds and texts of a text's tokens, but for the end.
    fn pieces(text: &str) -> Vec<(Kind, &str)> {
        let mut pieces: Vec<_> = tokens(text).into_iter().map(|token| (token.kind, token.text)).collect();
        assert_eq!(pieces.pop().map(|last| last.0), Some(Kind::End), "{text}");
        pieces
    }

    fn error(text: &str) -> (String, usize) {
        let token = tokens(text).pop().expect("a last token");
        let Kind::Error(problem) = token.kind else { return (String::new(), 0) };
        (problem, token.position)
    }

    #[test]
    fn an_action_falls_into_its_words() {
        let expected = [
            (Kind::Text, "a"),
            (Kind::LeftDelimiter, "{{"),
            (Kind::Variable, "$x"),
            (Kind::Space, " "),
            (Kind::Declare, ":="),
            (Kind::Field, ".A"),
            (Kind::Field, ".B"),
            (Kind::Space, "  "),
            (Kind::Pipe, "|"),
            (Kind::Name, "len"),
            (Kind::LeftParen, "("),
            (Kind::Keyword(Keyword::Nil), "nil"),
            (Kind::RightParen, ")"),
            (Kind::RightDelimiter, "}}"),
        ];
        assert_eq!(pieces("a{{$x :=.A.B  |len(nil)}}"), expected);
    }

    #[test]
    fn markers_trim_the_text_and_no_more() {
        let texts = |text| -> Vec<_> {
            pieces(text).into_iter().filter(|piece| piece.0 == Kind::Text).map(|piece| piece.1).collect()
        };
        assert_eq!(texts("a \n{{- 1 -}}\t b"), ["a", "b"]);
        assert_eq!(texts(" {{- 1 -}} "), [""; 0]);
        assert_eq!(texts("a {{-1}} b"), ["a ", " b"]);
        assert_eq!(texts("a {{- /* c */ -}} b {{/* d */}} e"), ["a", "b ", " e"]);
    }

    #[test]
    fn the_space_of_a_marker_is_no_word() {
        assert_eq!(pieces("{{1 -}}"), pieces("{{1}}"));
        assert_eq!(pieces("{{1  -}}")[2], (Kind::Space, " "));
    }

    #[test]
    fn numbers_are_taken_whole() {
        for number in ["0x1F", "-3.5e+7", "0b1_0", "'a'", ".5", "+1i", "0x1p-2", "1."] {
            let action = format!("{{{{{number}}}}}");
            let pieces = pieces(&action);
            assert_eq!(pieces[1].1, number);
            assert_eq!(pieces.len(), 3);
        }
        assert_eq!(pieces("{{1+2i}}")[1], (Kind::Complex, "1+2i"));
    }

    #[test]
    fn what_cannot_be_read_ends_the_tokens_where_it_starts() {
        assert_eq!(error("{{ 5x }}"), ("bad number syntax: \"5x\"".to_owned(), 3));
        assert_eq!(error("{{ \"a\n\" }}"), ("unterminated quoted string".to_owned(), 3));
        assert_eq!(error("{{ x"), ("unclosed action".to_owned(), 4));
        assert_eq!(error("{{ (x }}"), ("unclosed left paren".to_owned(), 6));
        assert_eq!(error("{{/* x"), ("unclosed comment".to_owned(), 2));
        assert_eq!(error("{{/* x */ }}"), ("comment ends before closing delimiter".to_owned(), 2));
    }
}
