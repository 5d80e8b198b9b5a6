//! From a template's text to its tree: blocks and actions. Expressions are in `expression.rs`.
//!
//! Blocks that are open stand in a list, so that their nesting takes no stack.

use std::collections::BTreeMap;
use std::mem;
use std::rc::Rc;

use super::Error;
use super::ast::{Arm, Branch, BranchKind, Call, Node, Pipe, is_empty};
use super::functions::Functions;
use super::lexer::Lexer;
use super::limits;
use super::quote::{quote, unquote};
use super::token::{Keyword, Kind, Token};

/// The bodies of a text: that of the text itself, and those that it defines, by their names.
pub(super) type Bodies = BTreeMap<Rc<str>, Vec<Node>>;

/// Reads a text.
pub(super) fn parse(name: &str, text: &str, functions: &Functions) -> Result<Bodies, Error> {
    let parser = Parser {
        name,
        text,
        functions,
        lexer: Lexer::new(text),
        tokens: Vec::new(),
        next: 0,
        read: 0,
        last: 0,
        action: None,
        variables: vec!["$"],
        open: vec![Open::new(Section::Text, 0)],
        parentheses: 0,
        bodies: Bodies::new(),
    };
    parser.bodies()
}

/// The parser.
pub(super) struct Parser<'t> {
    name: &'t str,
    text: &'t str,
    pub(super) functions: &'t Functions,
    lexer: Lexer<'t>,
    /// The tokens of the action that is being read, as far as they were looked at.
    tokens: Vec<Token<'t>>,
    /// Which of them is the next.
    pub(super) next: usize,
    /// How many were looked at in all.
    read: usize,
    /// Where the last of them is: in that line errors are.
    last: usize,
    /// Where the action starts that is being read.
    action: Option<usize>,
    /// The variables that are declared, with their `$`.
    pub(super) variables: Vec<&'t str>,
    open: Vec<Open<'t>>,
    pub(super) parentheses: usize,
    bodies: Bodies,
}

/// A section of the text of which the end is not reached.
struct Open<'t> {
    section: Section<'t>,
    /// What is read of its body.
    nodes: Vec<Node>,
    /// How many variables were declared before it.
    variables: usize,
}

/// What is open.
enum Section<'t> {
    /// The text.
    Text,
    /// `{{ define }}`
    Define(Definition<'t>),
    /// `{{ block }}`, and the call that stands in its place.
    Block(Definition<'t>, Call),
    /// `{{ if }}`, `{{ with }}` or `{{ range }}`: the arms that are complete, and the pipeline of the one that is being
    /// read; none behind `{{ else }}`.
    Branch(BranchKind, Vec<Arm>, Option<Pipe>),
}

/// A template that is being defined.
struct Definition<'t> {
    name: Rc<str>,
    /// The variables of the text around it, which it does not see.
    around: Vec<&'t str>,
}

impl Open<'_> {
    fn new(section: Section<'_>, variables: usize) -> Open<'_> {
        Open { section, nodes: Vec::new(), variables }
    }
}

const DEFINE: &str = "define clause";
const BLOCK: &str = "block clause";
const TEMPLATE: &str = "template clause";

impl<'t> Parser<'t> {
    fn bodies(mut self) -> Result<Bodies, Error> {
        loop {
            self.tokens.drain(..self.next);
            self.next = 0;
            let token = self.take_word();
            match token.kind {
                _ if self.read > limits::TOKENS => return self.fail(&format!("more than {} words", limits::TOKENS)),
                Kind::Text => self.push(Node::Text(token.text.into())),
                Kind::LeftDelimiter => self.action(token.position)?,
                Kind::End => break,
                _ => return self.unexpected(&token, "input"),
            }
        }
        match (self.open.pop(), self.open.is_empty()) {
            (Some(text), true) => self.add(self.name.into(), text.nodes)?,
            _ => return self.fail("unexpected EOF"),
        }
        Ok(self.bodies)
    }

    /// What stands between delimiters; the left one is read.
    fn action(&mut self, left: usize) -> Result<(), Error> {
        self.action = Some(left);
        let first = self.take_word();
        match first.kind {
            Kind::Keyword(Keyword::If) => return self.branch(BranchKind::If),
            Kind::Keyword(Keyword::With) => return self.branch(BranchKind::With),
            Kind::Keyword(Keyword::Range) => return self.branch(BranchKind::Range),
            Kind::Keyword(Keyword::Define) if self.open.len() == 1 => return self.define(),
            Kind::Keyword(Keyword::Block) => return self.block(),
            Kind::Keyword(Keyword::Template) => self.template()?,
            Kind::Keyword(Keyword::Else) => self.otherwise()?,
            Kind::Keyword(Keyword::End) => self.end()?,
            Kind::Keyword(Keyword::Break) => self.jump("{{break}}", Node::Break)?,
            Kind::Keyword(Keyword::Continue) => self.jump("{{continue}}", Node::Continue)?,
            _ => {
                self.next -= 1;
                let pipe = self.pipeline("command", &Kind::RightDelimiter)?;
                self.push(Node::Action(pipe));
            }
        }
        self.action = None;
        Ok(())
    }

    fn branch(&mut self, kind: BranchKind) -> Result<(), Error> {
        let variables = self.variables.len();
        let pipe = self.pipeline(kind.word(), &Kind::RightDelimiter)?;
        self.begin(Open::new(Section::Branch(kind, Vec::new(), Some(pipe)), variables))
    }

    fn define(&mut self) -> Result<(), Error> {
        self.action = None;
        let name = self.take_word();
        let name = self.template_name(&name, DEFINE)?;
        self.expect(&Kind::RightDelimiter, DEFINE)?;
        let around = mem::replace(&mut self.variables, vec!["$"]);
        self.begin(Open::new(Section::Define(Definition { name, around }), 0))
    }

    fn block(&mut self) -> Result<(), Error> {
        let token = self.take_word();
        let name = self.template_name(&token, BLOCK)?;
        let pipe = self.pipeline(BLOCK, &Kind::RightDelimiter)?;
        self.action = None;
        let call = Call { position: token.position, name: Rc::clone(&name), pipe: Some(pipe) };
        let around = mem::replace(&mut self.variables, vec!["$"]);
        self.begin(Open::new(Section::Block(Definition { name, around }, call), 0))
    }

    fn begin(&mut self, open: Open<'t>) -> Result<(), Error> {
        if self.open.len() > limits::NESTING {
            return self.fail(&format!("exceeded maximum nesting depth ({})", limits::NESTING));
        }
        self.open.push(open);
        Ok(())
    }

    fn template(&mut self) -> Result<(), Error> {
        let token = self.take_word();
        let name = self.template_name(&token, TEMPLATE)?;
        let mut pipe = None;
        if self.take_word().kind != Kind::RightDelimiter {
            self.next -= 1;
            pipe = Some(self.pipeline(TEMPLATE, &Kind::RightDelimiter)?);
        }
        self.push(Node::Call(Call { position: token.position, name, pipe }));
        Ok(())
    }

    fn template_name(&mut self, token: &Token<'t>, context: &str) -> Result<Rc<str>, Error> {
        if !matches!(token.kind, Kind::Quoted | Kind::Raw) {
            return self.unexpected(token, context);
        }
        match unquote(token.text) {
            Some(name) => Ok(name.into()),
            None => self.fail("invalid syntax"),
        }
    }

    fn jump(&mut self, written: &str, node: Node) -> Result<(), Error> {
        self.expect(&Kind::RightDelimiter, written)?;
        let mut around = self.open.iter().rev().map_while(|open| match &open.section {
            Section::Branch(kind, _, pipe) => Some(*kind == BranchKind::Range && pipe.is_some()),
            _ => None,
        });
        if !around.any(|range| range) {
            return self.fail(&format!("{written} outside {{{{range}}}}"));
        }
        self.push(node);
        Ok(())
    }

    /// `{{ else }}`, `{{ else if }}` or `{{ else with }}`.
    fn otherwise(&mut self) -> Result<(), Error> {
        let follows = match self.peek_word().kind {
            Kind::Keyword(Keyword::If) => Some(BranchKind::If),
            Kind::Keyword(Keyword::With) => Some(BranchKind::With),
            _ => None,
        };
        if follows.is_none() {
            self.expect(&Kind::RightDelimiter, "else")?;
        }
        self.action = None;
        let kind = match &self.innermost().section {
            Section::Branch(kind, _, Some(_)) => *kind,
            Section::Branch(..) => return self.fail("expected end; found {{else}}"),
            _ => return self.stray("{{else}}"),
        };
        let mut next = None;
        if follows == Some(kind) {
            self.take_word();
            next = Some(self.pipeline(kind.word(), &Kind::RightDelimiter)?);
        }
        let open = self.innermost();
        if let Section::Branch(_, arms, pipe) = &mut open.section {
            let body = mem::take(&mut open.nodes);
            arms.extend(mem::replace(pipe, next).map(|pipe| Arm { pipe, body }));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        self.expect(&Kind::RightDelimiter, "end")?;
        if self.open.len() == 1 {
            return self.stray("{{end}}");
        }
        let Some(Open { section, nodes, variables }) = self.open.pop() else { return Ok(()) };
        match section {
            Section::Text => {}
            Section::Define(definition) => {
                self.variables = definition.around;
                self.add(definition.name, nodes)?;
            }
            Section::Block(definition, call) => {
                self.variables = definition.around;
                self.add(definition.name, nodes)?;
                self.push(Node::Call(call));
            }
            Section::Branch(kind, mut arms, pipe) => {
                self.variables.truncate(variables);
                let (body, otherwise) = if pipe.is_some() { (nodes, Vec::new()) } else { (Vec::new(), nodes) };
                arms.extend(pipe.map(|pipe| Arm { pipe, body }));
                self.push(Node::Branch(Branch { kind, arms, otherwise }));
            }
        }
        Ok(())
    }

    /// Keeps a body under its name, unless there is one by that name that says more.
    fn add(&mut self, name: Rc<str>, body: Vec<Node>) -> Result<(), Error> {
        if self.bodies.get(&name).is_none_or(|there| is_empty(there)) {
            self.bodies.insert(name, body);
        } else if !is_empty(&body) {
            return self.fail(&format!("template: multiple definition of template {}", quote(&name)));
        }
        Ok(())
    }

    fn push(&mut self, node: Node) {
        self.innermost().nodes.push(node);
    }

    fn innermost(&mut self) -> &mut Open<'t> {
        self.open.last_mut().expect("the text itself is open until its end")
    }

    /// Takes a token.
    pub(super) fn take(&mut self) -> Token<'t> {
        if self.next == self.tokens.len() {
            let token = self.lexer.token();
            self.last = token.position;
            self.read += 1;
            self.tokens.push(token);
        }
        self.next += 1;
        self.tokens[self.next - 1].clone()
    }

    /// Takes a token behind white space.
    pub(super) fn take_word(&mut self) -> Token<'t> {
        loop {
            let token = self.take();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    /// The next token.
    pub(super) fn peek(&mut self) -> Token<'t> {
        let token = self.take();
        self.next -= 1;
        token
    }

    /// The next token behind white space, which is skipped.
    pub(super) fn peek_word(&mut self) -> Token<'t> {
        let token = self.take_word();
        self.next -= 1;
        token
    }

    fn expect(&mut self, kind: &Kind, context: &str) -> Result<(), Error> {
        let token = self.take_word();
        if token.kind == *kind { Ok(()) } else { self.unexpected(&token, context) }
    }

    /// An `{{ end }}` or `{{ else }}` that belongs to nothing.
    fn stray(&mut self, written: &str) -> Result<(), Error> {
        let context = match self.innermost().section {
            Section::Define(_) => format!(" in {DEFINE}"),
            Section::Block(..) => format!(" in {BLOCK}"),
            Section::Text | Section::Branch(..) => String::new(),
        };
        self.fail(&format!("unexpected {written}{context}"))
    }

    /// A token that may not stand here, or that cannot be read.
    pub(super) fn unexpected<T>(&self, token: &Token<'t>, context: &str) -> Result<T, Error> {
        let Kind::Error(problem) = &token.kind else {
            return self.fail(&format!("unexpected {token} in {context}"));
        };
        let started = self.action.map(|action| self.line(action)).filter(|line| *line != self.line(token.position));
        let action = if problem.ends_with(" action") { "" } else { " in action" };
        match started {
            Some(line) => self.fail(&format!("{problem}{action} started at {}:{line}", self.name)),
            None => self.fail(problem),
        }
    }

    /// An error, in the line of the last token that was looked at.
    pub(super) fn fail<T>(&self, problem: &str) -> Result<T, Error> {
        let line = self.line(self.last);
        Err(Error { name: self.name.to_owned(), line, column: None, problem: problem.to_owned() })
    }

    fn line(&self, position: usize) -> usize {
        1 + self.text[..position].matches('\n').count()
    }
}
