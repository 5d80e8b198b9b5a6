//! A template that is read.
//!
//! Every node shows itself as Go's does: that is what errors point at.

use std::fmt;
use std::rc::Rc;

use super::functions::Callee;
use super::literal::Number;
use super::quote::quote;

/// A node that an error can point at.
pub(super) trait Place: fmt::Display {
    /// Where it starts in the text, in bytes.
    fn position(&self) -> usize;
}

/// A part of a template's body.
#[derive(Debug)]
pub(super) enum Node {
    /// What is written as it is.
    Text(Box<str>),
    /// `{{ pipeline }}`
    Action(Pipe),
    /// `{{ if }}`, `{{ with }}` or `{{ range }}` up to its end.
    Branch(Branch),
    /// `{{ template }}`, also of a block.
    Call(Call),
    /// `{{ break }}`
    Break,
    /// `{{ continue }}`
    Continue,
}

/// Whether a body says nothing: it may be defined again.
pub(super) fn is_empty(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}

/// What decides between bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BranchKind {
    If,
    With,
    Range,
}

impl BranchKind {
    /// Its keyword.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::With => "with",
            Self::Range => "range",
        }
    }
}

/// `{{ if }}`, `{{ with }}` or `{{ range }}`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) kind: BranchKind,
    /// The first, then what follows `else if` or `else with`; a range has one only.
    pub(super) arms: Vec<Arm>,
    /// What follows `else`.
    pub(super) otherwise: Vec<Node>,
}

/// A condition, and what is done where it holds.
#[derive(Debug)]
pub(super) struct Arm {
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
}

/// `{{ template "name" pipeline }}`
#[derive(Debug)]
pub(super) struct Call {
    pub(super) position: usize,
    pub(super) name: Rc<str>,
    pub(super) pipe: Option<Pipe>,
}

/// `$variable := command | command`
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) position: usize,
    /// The variables that get its value, with their `$`.
    pub(super) variables: Vec<Box<str>>,
    /// Whether the variables are there already: `=`, not `:=`.
    pub(super) assigns: bool,
    /// At least one.
    pub(super) commands: Vec<Command>,
}

/// Words between pipes.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) position: usize,
    /// At least one: the first may be a function, and the others are its arguments.
    pub(super) words: Vec<Term>,
}

/// A word of a command.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) position: usize,
    pub(super) kind: TermKind,
}

/// What a word is.
#[derive(Debug)]
pub(super) enum TermKind {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    /// A string: as it is written, and what it says.
    Text(Box<str>, Rc<str>),
    /// `.A.B`
    Field(Vec<Box<str>>),
    /// `$x`, and the fields behind it.
    Variable(Box<str>, Vec<Box<str>>),
    /// A function by its name.
    Function(Box<str>, Callee),
    /// `(…).A.B`
    Chain(Box<Term>, Vec<Box<str>>),
    /// `(…)`
    Pipe(Box<Pipe>),
}

impl Place for Call {
    fn position(&self) -> usize {
        self.position
    }
}

impl Place for Pipe {
    fn position(&self) -> usize {
        self.position
    }
}

impl Place for Command {
    fn position(&self) -> usize {
        self.position
    }
}

impl Place for Term {
    fn position(&self) -> usize {
        self.position
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", quote(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            write!(f, "{} {} ", self.variables.join(", "), if self.assigns { "=" } else { ":=" })?;
        }
        for (position, command) in self.commands.iter().enumerate() {
            f.write_str(if position > 0 { " | " } else { "" })?;
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, word) in self.words.iter().enumerate() {
            f.write_str(if position > 0 { " " } else { "" })?;
            word.in_parentheses(f)?;
        }
        Ok(())
    }
}

impl Term {
    /// Go shows a pipeline with its parentheses only where it stands among other words.
    fn in_parentheses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TermKind::Pipe(pipe) => write!(f, "({pipe})"),
            _ => fmt::Display::fmt(self, f),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = match &self.kind {
            TermKind::Dot => return f.write_str("."),
            TermKind::Nil => return f.write_str("nil"),
            TermKind::Bool(value) => return write!(f, "{value}"),
            TermKind::Number(number) => return f.write_str(&number.text),
            TermKind::Text(written, _) => return f.write_str(written),
            TermKind::Function(name, _) => return f.write_str(name),
            TermKind::Pipe(pipe) => return pipe.fmt(f),
            TermKind::Field(fields) => fields,
            TermKind::Variable(name, fields) => {
                f.write_str(name)?;
                fields
            }
            TermKind::Chain(term, fields) => {
                term.in_parentheses(f)?;
                fields
            }
        };
        fields.iter().try_for_each(|field| write!(f, ".{field}"))
    }
}
