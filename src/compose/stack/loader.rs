//! A value by its form → the same in its canonical form: the walk along the tables. What a form means is in `scalars.rs`,
//! `collections.rs`, `ports.rs` and `volumes.rs`.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;

use super::form::{Field, Form, Object};
use super::references::{Hidden, replaced};
use super::schema::EXTERNAL;
use super::{References, Role};
use crate::compose::{Error, Kind, Node, Place, Surroundings};

/// Warnings, each once, with their places.
#[derive(Debug, Default)]
pub(super) struct Notes {
    all: RefCell<Vec<(Place, String)>>,
    known: RefCell<HashSet<(Place, String)>>,
}

impl Notes {
    pub(super) fn add(&self, place: &Place, note: String) {
        let note = (place.clone(), note);
        if self.known.borrow_mut().insert(note.clone()) {
            self.all.borrow_mut().push(note);
        }
    }

    pub(super) fn all(&self) -> Vec<(Place, String)> {
        self.all.borrow().clone()
    }
}

/// What values are read with.
pub(super) struct Loader<'a> {
    /// Whose values they are.
    pub(super) role: Role,
    /// What becomes of `$`.
    pub(super) references: References,
    /// The folder that relative paths are relative to, an absolute path.
    pub(super) folder: PathBuf,
    pub(super) surroundings: &'a Surroundings,
    pub(super) notes: &'a Notes,
}

/// A scalar that is wanted as more than a text.
pub(super) enum Settled<'a> {
    /// It has no references.
    Written(&'a Node),
    /// What its references stand for is known.
    Replaced(Node),
    /// `docker stack deploy` knows what it is.
    Open,
}

/// A node with another value.
pub(super) fn like(node: &Node, kind: Kind) -> Node {
    Node { at: node.at.clone(), place: node.place.clone(), key: node.key.clone(), block: false, kind }
}

impl Loader<'_> {
    /// Whether values are checked as those of a stack's file. What templates print is only decoded.
    pub(super) fn checks(&self) -> bool {
        self.role == Role::Stack
    }

    /// Whether a key is podlike's own, such as `x-podlike-role`. It is the controller that reads it.
    fn is_own(&self, key: &str) -> bool {
        self.role == Role::Component && key.starts_with("x-podlike-")
    }

    /// Reads a value. Null is what is left out.
    pub(super) fn read(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        match (form, &node.kind) {
            (Form::Kept, _) => self.kept(node),
            (Form::Optional(_), Kind::Null) => Ok(node.clone()),
            (Form::Optional(form), _) => self.read(form, node),
            (_, Kind::Null) if !self.checks() => Ok(node.clone()),
            (_, Kind::Null) => Err(node.expected(form.expected())),
            (Form::Text | Form::Word | Form::Path, _) => self.text(form, node),
            (Form::Choice(what, known), _) => self.choice(what, known, node),
            (Form::Int | Form::Count | Form::Float, _) => self.number(form, node),
            (Form::Duration, _) => self.duration(node),
            (Form::Bytes, _) => self.bytes(node),
            (Form::Command | Form::Test, _) => self.command(form, node),
            (Form::List(item), _) => self.list(item, node),
            (Form::Set(item), _) => self.set(item, node),
            (Form::OneOrMore, _) => self.one_or_more(node),
            (Form::Pairs | Form::Variables | Form::Options, _) => self.pairs(form, node),
            (Form::Hosts, _) => self.hosts(node),
            (Form::Names(value), Kind::List(_)) => self.names(value, node),
            (Form::Names(value) | Form::Map(value), _) => self.entries(form, value, node),
            (Form::Object(object), _) => self.object(object, node),
            (Form::Short(key, form), Kind::Text(_)) => self.short(key, form, node),
            (Form::Short(_, form), _) => self.read(form, node),
            (Form::NumberOr(object), Kind::Map(_)) => self.whole(object, node),
            (Form::NumberOr(_), _) => self.number(&Form::Int, node),
            (Form::External, Kind::Map(_)) => self.object(&EXTERNAL, node),
            (Form::External | Form::Bool, _) => self.boolean(node),
            (Form::Dependencies, _) => self.dependencies(node),
            (Form::Ports, _) => self.ports(node),
            (Form::Volumes, _) => self.volumes(node),
        }
    }

    /// Reads a mapping with known keys.
    pub(super) fn object(&self, object: &Object, node: &Node) -> Result<Node, Error> {
        let entries = node.map()?;
        let mut known: Vec<Option<Node>> = vec![None; object.fields.len()];
        let mut others = Vec::new();
        for (key, value) in entries {
            match self.position(object, key, entries) {
                Some(at) => {
                    let field = &object.fields[at];
                    known[at] = Some(self.read(&field.form, value)?).filter(|value| field.keeps(value));
                }
                None if key.starts_with("x-") && !self.is_own(key) => {}
                None if self.checks() && !object.open => {
                    return Err(node.unknown(key, object.fields.iter().map(|field| field.key)));
                }
                None => others.push((key.clone(), self.kept(value)?)),
            }
        }
        let known = object.fields.iter().zip(known);
        let known = known.filter_map(|(field, value)| Some((field.key.to_owned(), value?)));
        Ok(like(node, Kind::Map(known.chain(others).collect())))
    }

    /// Reads a mapping that has all of its keys.
    fn whole(&self, object: &Object, node: &Node) -> Result<Node, Error> {
        match object.fields.iter().find(|field| self.checks() && node.get(field.key).is_none()) {
            Some(field) => Err(node.missing(field.key)),
            None => self.object(object, node),
        }
    }

    /// Where a key is in the table. What templates print may write it in capitals.
    fn position(&self, object: &Object, key: &str, entries: &[(String, Node)]) -> Option<usize> {
        let exact = object.fields.iter().position(|field| field.key == key);
        let same =
            |field: &Field| field.key.eq_ignore_ascii_case(key) && entries.iter().all(|(key, _)| key != field.key);
        exact.or_else(|| object.fields.iter().position(same).filter(|_| !self.checks()))
    }

    /// A string in the place of a mapping.
    fn short(&self, key: &'static str, form: &Form, node: &Node) -> Result<Node, Error> {
        let mut value = node.clone();
        value.move_to(format!("{}.{key}", node.at));
        self.read(form, &like(node, Kind::Map(vec![(key.to_owned(), value)])))
    }

    /// A value as it is written, for a key that only Docker knows.
    pub(super) fn kept(&self, node: &Node) -> Result<Node, Error> {
        let kind = match &node.kind {
            Kind::Text(text) if self.references == References::Resolve => Kind::Text(self.resolved(node, text)?.0),
            Kind::List(items) => Kind::List(items.iter().map(|item| self.kept(item)).collect::<Result<_, _>>()?),
            Kind::Map(entries) => {
                let kept = entries.iter().map(|(key, value)| Ok((key.clone(), self.kept(value)?)));
                Kind::Map(kept.collect::<Result<_, Error>>()?)
            }
            _ => return Ok(node.clone()),
        };
        Ok(like(node, kind))
    }

    /// A text that is to be taken apart, its references hidden or replaced.
    pub(super) fn hidden(&self, node: &Node, text: &str) -> Result<Hidden, Error> {
        if self.references == References::Resolve {
            return Ok(Hidden::plain(self.resolved(node, text)?.0));
        }
        match Hidden::new(text) {
            Err(why) if self.checks() => Err(node.refused(why)),
            Err(why) => {
                self.notes.add(&node.place, format!("{}: docker stack deploy refuses it: {why}", node.at));
                Ok(Hidden::plain(text.to_owned()))
            }
            Ok(hidden) => Ok(hidden),
        }
    }

    /// What a scalar is that is wanted as more than a text.
    pub(super) fn settled<'a>(&self, node: &'a Node) -> Result<Settled<'a>, Error> {
        let Kind::Text(text) = &node.kind else { return Ok(Settled::Written(node)) };
        if !text.contains('$') {
            return Ok(Settled::Written(node));
        }
        self.hidden_references(node, text)?;
        if self.references == References::Keep {
            return Ok(Settled::Open);
        }
        let (replaced, is_known) = self.resolved(node, text)?;
        Ok(if is_known { Settled::Replaced(like(node, Kind::Text(replaced))) } else { Settled::Open })
    }

    /// Checks that references are what Docker takes for some.
    fn hidden_references(&self, node: &Node, text: &str) -> Result<(), Error> {
        let keeps = Loader { references: References::Keep, folder: PathBuf::new(), ..*self };
        keeps.hidden(node, text).map(drop)
    }

    /// What stays of a scalar that cannot be known: it goes on as it is written, and templates do not see it.
    pub(super) fn left_open(&self, node: &Node) -> Node {
        if self.references == References::Resolve { like(node, Kind::Null) } else { node.clone() }
    }

    /// Whether something in a value is not known that templates would see. They see nothing of what cannot be read then.
    pub(super) fn is_open(&self, node: &Node) -> bool {
        match &node.kind {
            _ if self.references != References::Resolve => false,
            Kind::Text(text) => self.resolved(node, text).is_ok_and(|(_, is_known)| !is_known),
            Kind::List(items) => items.iter().any(|item| self.is_open(item)),
            Kind::Map(entries) => entries.iter().any(|(_, value)| self.is_open(value)),
            _ => false,
        }
    }

    /// A text with what its variables stand for, and whether all of them are set. One that is required and not set stays
    /// as it is written: `docker stack deploy` asks for it.
    fn resolved(&self, node: &Node, text: &str) -> Result<(String, bool), Error> {
        if !text.contains('$') {
            return Ok((text.to_owned(), true));
        }
        self.hidden_references(node, text)?;
        let mut unset = Vec::new();
        let budget = &self.surroundings.budget;
        let lookup = |name: &str| {
            let value = self.surroundings.env.get(name);
            budget.take(0, value.map_or(0, String::len)).map_err(|problem| problem.to_string())?;
            Ok(value.cloned())
        };
        let replaced = replaced(text, &lookup, &mut |name| unset.push(name.to_owned()));
        let resolves = self.references == References::Resolve;
        match replaced {
            Ok(replaced) => {
                for name in unset.iter().filter(|_| resolves) {
                    let why = format!("the variable {name} is not set: templates find nothing in its place");
                    self.notes.add(&node.place, why);
                }
                Ok((replaced, unset.is_empty()))
            }
            Err(why) if budget.is_spent() => Err(node.refused(why)),
            Err(why) => {
                if resolves {
                    self.notes.add(&node.place, format!("{why}; templates find it as it is written"));
                }
                Ok((text.to_owned(), false))
            }
        }
    }
}

impl Field {
    /// Whether a value is not left out.
    fn keeps(&self, value: &Node) -> bool {
        match &value.kind {
            Kind::Null => false,
            _ if self.pointer => true,
            Kind::Map(_) if matches!(self.form, Form::External) => true,
            Kind::Text(text) if matches!(self.form, Form::Duration) => text != "0s",
            Kind::Text(text) if matches!(self.form, Form::Bytes) => text != "0",
            _ => !is_zero(value),
        }
    }
}

/// Whether a value says nothing to the CLI: empty, 0, false or null.
pub(super) fn is_zero(node: &Node) -> bool {
    match &node.kind {
        Kind::Null | Kind::Bool(false) => true,
        Kind::Bool(true) => false,
        Kind::Number(_) => node.number().is_ok_and(|number| number == 0.0),
        Kind::Text(text) => text.is_empty(),
        Kind::List(items) => items.is_empty(),
        Kind::Map(entries) => entries.is_empty(),
    }
}
