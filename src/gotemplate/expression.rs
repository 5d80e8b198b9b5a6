//! From a template's text to its tree: what stands inside of actions.

use super::Error;
use super::ast::{Command, Pipe, Term, TermKind};
use super::limits;
use super::literal::Number;
use super::parser::Parser;
use super::quote::{quote, unquote};
use super::token::{Keyword, Kind, Token};

impl<'t> Parser<'t> {
    /// Variables and commands up to a token that ends them, which is taken.
    pub(super) fn pipeline(&mut self, context: &str, end: &Kind) -> Result<Pipe, Error> {
        let position = self.peek_word().position;
        let (variables, assigns) = self.declarations(context)?;
        let mut commands = Vec::new();
        loop {
            let token = self.take_word();
            if token.kind == *end {
                break;
            }
            if !starts_term(&token) {
                return self.unexpected(&token, context);
            }
            self.next -= 1;
            commands.push(self.command()?);
        }
        if commands.is_empty() {
            return self.fail(&format!("missing value for {context}"));
        }
        if let Some(stage) = commands.iter().skip(1).position(|command| command.words[0].is_literal()) {
            return self.fail(&format!("non executable command in pipeline stage {}", stage + 2));
        }
        Ok(Pipe { position, variables, assigns, commands })
    }

    /// `$x :=`, `$x =` or, of a range, `$x, $y :=`; and whether it was `=`.
    fn declarations(&mut self, context: &str) -> Result<(Vec<Box<str>>, bool), Error> {
        let mut found = Vec::new();
        loop {
            let before = self.next;
            let variable = self.take_word();
            if variable.kind != Kind::Variable {
                self.next = before;
                return Ok((found, false));
            }
            let sign = self.take_word();
            let comma = sign.kind == Kind::Sign && sign.text == ",";
            if !comma && !matches!(sign.kind, Kind::Assign | Kind::Declare) {
                self.next = before;
                return Ok((found, false));
            }
            if self.variables.len() == limits::VARIABLES {
                return self.fail(&format!("more than {} variables", limits::VARIABLES));
            }
            found.push(variable.text.into());
            self.variables.push(variable.text);
            if !comma {
                return Ok((found, sign.kind == Kind::Assign));
            }
            if context != "range" || found.len() > 1 {
                return self.fail(&format!("too many declarations in {context}"));
            }
            if !matches!(self.peek_word().kind, Kind::Variable | Kind::RightDelimiter | Kind::RightParen) {
                return self.fail("range can only initialize variables");
            }
        }
    }

    /// Words up to a `|`, which is taken, or to the end of the pipeline, which is not.
    fn command(&mut self) -> Result<Command, Error> {
        let position = self.peek_word().position;
        let mut words = Vec::new();
        loop {
            self.peek_word();
            words.extend(self.operand()?);
            let token = self.take();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelimiter | Kind::RightParen => self.next -= 1,
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if words.is_empty() {
            return self.fail("empty command");
        }
        Ok(Command { position, words })
    }

    /// A term and the fields behind it; none where the next token starts no term.
    fn operand(&mut self) -> Result<Option<Term>, Error> {
        let Some(term) = self.term()? else { return Ok(None) };
        let position = self.peek().position;
        let mut fields: Vec<Box<str>> = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(self.take().text[1..].into());
        }
        if fields.is_empty() {
            return Ok(Some(term));
        }
        let kind = match term.kind {
            TermKind::Field(first) => TermKind::Field(first.into_iter().chain(fields).collect()),
            TermKind::Variable(name, _) => TermKind::Variable(name, fields),
            _ if term.is_literal() => {
                return self.fail(&format!("unexpected . after term {}", quote(&term.to_string())));
            }
            _ => TermKind::Chain(Box::new(term), fields),
        };
        Ok(Some(Term { position, kind }))
    }

    fn term(&mut self) -> Result<Option<Term>, Error> {
        let token = self.take_word();
        let kind = match &token.kind {
            Kind::Keyword(Keyword::Dot) => TermKind::Dot,
            Kind::Keyword(Keyword::Nil) => TermKind::Nil,
            Kind::Bool => TermKind::Bool(token.text == "true"),
            Kind::Field => TermKind::Field(vec![token.text[1..].into()]),
            Kind::Variable => self.variable(&token)?,
            Kind::Name => self.function(&token)?,
            Kind::Quoted | Kind::Raw => match unquote(token.text) {
                Some(text) => TermKind::Text(token.text.into(), text.into()),
                None => return self.fail("invalid syntax"),
            },
            Kind::Character => self.number(Number::character(token.text))?,
            Kind::Number | Kind::Complex => self.number(Number::parse(token.text))?,
            Kind::LeftParen => return self.parentheses().map(Some),
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Term { position: token.position, kind }))
    }

    /// A pipeline of which the left parenthesis is read.
    fn parentheses(&mut self) -> Result<Term, Error> {
        if self.parentheses == limits::PARENTHESES {
            return self.fail(&format!("exceeded maximum depth of parentheses ({})", limits::PARENTHESES));
        }
        self.parentheses += 1;
        let pipe = self.pipeline("parenthesized pipeline", &Kind::RightParen)?;
        self.parentheses -= 1;
        Ok(Term { position: pipe.position, kind: TermKind::Pipe(Box::new(pipe)) })
    }

    fn number(&self, number: Result<Number, String>) -> Result<TermKind, Error> {
        match number {
            Ok(number) => Ok(TermKind::Number(number)),
            Err(problem) => self.fail(&problem),
        }
    }

    fn variable(&self, token: &Token<'t>) -> Result<TermKind, Error> {
        if !self.variables.contains(&token.text) {
            return self.fail(&format!("undefined variable {}", quote(token.text)));
        }
        Ok(TermKind::Variable(token.text.into(), Vec::new()))
    }

    fn function(&self, token: &Token<'t>) -> Result<TermKind, Error> {
        match self.functions.find(token.text) {
            Some(callee) => Ok(TermKind::Function(token.text.into(), callee)),
            None => self.fail(&format!("function {} not defined", quote(token.text))),
        }
    }
}

impl Term {
    /// Whether it is itself, and nothing can follow from it.
    fn is_literal(&self) -> bool {
        let kind = &self.kind;
        matches!(kind, TermKind::Bool(_) | TermKind::Dot | TermKind::Nil | TermKind::Number(_) | TermKind::Text(..))
    }
}

/// Whether a term can start with this token.
fn starts_term(token: &Token<'_>) -> bool {
    matches!(
        token.kind,
        Kind::Bool
            | Kind::Character
            | Kind::Complex
            | Kind::Keyword(Keyword::Dot | Keyword::Nil)
            | Kind::Field
            | Kind::Name
            | Kind::Number
            | Kind::Raw
            | Kind::Quoted
            | Kind::Variable
            | Kind::LeftParen
    )
}
