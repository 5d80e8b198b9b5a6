//! What a template's text is made of.

use std::fmt;

use super::quote::quote;

/// A piece of a template's text, and where it starts, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    pub(super) position: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// What stands outside of actions.
    Text,
    /// `{{`, with its trim marker or without.
    LeftDelimiter,
    /// `}}`, with its trim marker or without.
    RightDelimiter,
    /// White space in an action.
    Space,
    /// `true` or `false`.
    Bool,
    /// `'c'`
    Character,
    /// A number that is not complex, though it may be imaginary.
    Number,
    /// `1+2i`
    Complex,
    /// `"…"`
    Quoted,
    /// `` `…` ``
    Raw,
    /// `.Name`
    Field,
    /// `$` or `$name`
    Variable,
    /// A name: of a function.
    Name,
    /// A word with a meaning of its own, `.` and `nil` among them.
    Keyword(Keyword),
    /// `=`
    Assign,
    /// `:=`
    Declare,
    /// `|`
    Pipe,
    /// `(`
    LeftParen,
    /// `)`
    RightParen,
    /// Any other sign of ASCII.
    Sign,
    /// The end of the text.
    End,
    /// What follows cannot be read, for this reason.
    Error(String),
}

/// A word with a meaning of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Dot,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Keyword {
    /// The keyword that is spelled so.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "block" => Self::Block,
            "break" => Self::Break,
            "continue" => Self::Continue,
            "define" => Self::Define,
            "." => Self::Dot,
            "else" => Self::Else,
            "end" => Self::End,
            "if" => Self::If,
            "nil" => Self::Nil,
            "range" => Self::Range,
            "template" => Self::Template,
            "with" => Self::With,
            _ => return None,
        })
    }
}

/// How messages show a token: keywords in angle brackets, all else quoted and cut to ten characters.
impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::End => f.write_str("EOF"),
            Kind::Error(problem) => f.write_str(problem),
            Kind::Keyword(_) => write!(f, "<{}>", self.text),
            _ if self.text.len() > 10 => {
                let start: String = self.text.chars().take(10).collect();
                write!(f, "{}...", quote(&start))
            }
            _ => f.write_str(&quote(self.text)),
        }
    }
}
