//! A template and its variables → the tree of what it renders to.

use std::cell::OnceCell;

use crate::compose::stack::{References, Stack};
use crate::compose::{self, Budget, Kind, Node, Source};
use crate::gotemplate::{self, Functions, Value};

use super::Sort;
use super::config::{Definition, Item};
use super::context::Context;
use super::error::{Error, Problem, Template};
use super::merge::{Entries, complete};
use super::source::Sources;

/// What all templates of a stack are rendered with.
pub(super) struct Renderer<'a> {
    pub(super) stack: &'a Stack<'a>,
    pub(super) sources: Sources<'a>,
    pub(super) functions: Functions,
    /// Made for the first template: without one no variable has to be set.
    pub(super) context: OnceCell<Context>,
}

/// The templates of one service.
pub(super) struct OfService<'a> {
    renderer: &'a Renderer<'a>,
    service: &'a str,
    definition: &'a Definition,
    variables: OnceCell<Value>,
}

impl Renderer<'_> {
    /// For the templates of a service.
    pub(super) fn of<'a>(&'a self, service: &'a str, definition: &'a Definition) -> OfService<'a> {
        OfService { renderer: self, service, definition, variables: OnceCell::new() }
    }

    fn context(&self) -> Result<&Context, compose::Error> {
        if let Some(context) = self.context.get() {
            return Ok(context);
        }
        let context = Context::of(&self.stack.load(References::Resolve)?);
        Ok(self.context.get_or_init(|| context))
    }
}

impl OfService<'_> {
    /// What the templates of a sort render to, each a mapping; of nothing an empty one.
    pub(super) fn rendered(&self, sort: Sort) -> impl Iterator<Item = Result<(Template, Entries), Error>> {
        self.definition.templates(sort).map(move |item| self.render(sort, item))
    }

    /// Likewise of templates that make one thing each: its name, which is their only key, and its mapping.
    pub(super) fn single(&self, sort: Sort) -> impl Iterator<Item = Result<(String, Node), Error>> {
        self.rendered(sort).map(|rendered| {
            let (template, entries) = rendered?;
            let [(name, node)] = <[(String, Node); 1]>::try_from(entries).map_err(|entries| {
                let keys = entries.into_iter().map(|(key, _)| key).collect();
                Error::Template(Box::new(template), Problem::Roots(keys))
            })?;
            node.map()?;
            Ok((name, node))
        })
    }

    /// The first of what [`single`](Self::single) gives, completed by the others, whatever their names are.
    pub(super) fn together(&self, sort: Sort) -> Result<Option<(String, Node)>, Error> {
        let mut all = self.single(sort);
        let Some(first) = all.next() else { return Ok(None) };
        let (name, mut node) = first?;
        for other in all {
            complete(&mut node, &other?.1);
        }
        Ok(Some((name, node)))
    }

    fn render(&self, sort: Sort, item: &Item) -> Result<(Template, Entries), Error> {
        let mut template =
            Template { place: item.place.clone(), service: self.service.to_owned(), sort, name: String::new() };
        let text = match self.renderer.sources.text(item) {
            Ok(text) => text,
            Err((name, why)) => {
                template.name = name;
                return Err(Error::Template(Box::new(template), Problem::Unreadable(why)));
            }
        };
        template.name.clone_from(&text.name);
        let parsed = gotemplate::Template::parse(&text.name, &text.text, &self.renderer.functions);
        let rendered = match parsed {
            Ok(parsed) => parsed.execute(self.variables()?),
            Err(error) => Err(error),
        };
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return Err(Error::Template(Box::new(template), Problem::Language(error))),
        };
        // A rendered text has lines of its own.
        let source = Source::file(format!("{template}, rendered").as_ref());
        let node = compose::parse_1_1(&source, &rendered, &Budget::default())?;
        match node.kind {
            Kind::Map(entries) => Ok((template, entries)),
            Kind::Null => Ok((template, Entries::new())),
            _ => Err(node.expected("a mapping").into()),
        }
    }

    fn variables(&self) -> Result<&Value, Error> {
        if let Some(variables) = self.variables.get() {
            return Ok(variables);
        }
        let variables = self.renderer.context()?.variables(self.service, &self.definition.arguments);
        Ok(self.variables.get_or_init(|| variables))
    }
}
