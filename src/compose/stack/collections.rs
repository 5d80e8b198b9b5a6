//! Lists and mappings in their canonical form: what may be written as either is one of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::form::Form;
use super::loader::{Loader, like};
use super::scalars::go_number;
use super::words::words;
use super::{References, Role};
use crate::compose::{Error, Kind, Node, one_of, write};

/// What a component may wait for.
const CONDITIONS: [&str; 3] = ["service_started", "service_healthy", "service_completed_successfully"];

impl Loader<'_> {
    /// A list of values of one form. In what templates print, a mapping is the long syntax of something that only
    /// components have.
    pub(super) fn list(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        let is_long =
            |item: &Node| !self.checks() && matches!((&item.kind, form), (Kind::Map(_), Form::Text | Form::Word));
        let read = |item: &Node| if is_long(item) { self.kept(item) } else { self.read(form, item) };
        let items = node.list()?.iter().map(read).filter(|item| item.as_ref().map_or(true, |item| !item.is_null()));
        Ok(like(node, Kind::List(items.collect::<Result<_, _>>()?)))
    }

    /// A list that has nothing twice.
    pub(super) fn set(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        self.once(node)?;
        let mut set = self.list(form, node)?;
        self.keep_one(&mut set);
        Ok(set)
    }

    /// Leaves out what differed only in its notation, or what templates say twice: Docker refuses it in what is printed.
    pub(super) fn keep_one(&self, list: &mut Node) {
        let Kind::List(items) = &mut list.kind else { return };
        if self.role == Role::Component || items.len() < 2 {
            return;
        }
        let mut known = HashSet::new();
        items.retain(|item| known.insert(write(item)));
    }

    /// Docker's check that the items of a list differ.
    pub(super) fn once(&self, node: &Node) -> Result<(), Error> {
        let Kind::List(items) = &node.kind else { return Ok(()) };
        let mut known: HashMap<&Kind, &Node> = HashMap::new();
        for item in items.iter().filter(|_| self.checks()) {
            if let Some(first) = known.insert(&item.kind, item) {
                return Err(item.refused(format!("it stands here a second time, the first is {}", first.at)));
            }
        }
        Ok(())
    }

    pub(super) fn one_or_more(&self, node: &Node) -> Result<Node, Error> {
        match &node.kind {
            Kind::List(_) => self.set(&Form::Text, node),
            Kind::Map(_) => Err(node.expected("a string or a list of strings")),
            _ => Ok(like(node, Kind::List(vec![self.text(&Form::OneOrMore, node)?]))),
        }
    }

    /// A command or a test. A line of words stays one as long as a variable may become several of them.
    pub(super) fn command(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        if let Kind::List(_) = node.kind {
            return self.list(&Form::Text, node);
        }
        let line = self.text(form, node)?;
        let Kind::Text(text) = &line.kind else { return Ok(line) };
        let texts = if let Form::Test = form {
            vec!["CMD-SHELL".to_owned(), text.clone()]
        } else {
            let hidden = self.hidden(node, &node.text()?)?;
            let split = words(&hidden.text, |c| hidden.is_variable(c));
            let split = split.map_err(|why| node.refused(format!("it is no command: {why}")))?;
            let Some(words) = split else { return Ok(line) };
            words.iter().map(|word| hidden.shown(word)).collect()
        };
        Ok(like(node, Kind::List(texts.into_iter().map(|text| like(node, Kind::Text(text))).collect())))
    }

    /// Pairs as a mapping of strings, sorted.
    pub(super) fn pairs(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        let mut pairs = BTreeMap::new();
        match &node.kind {
            Kind::Map(entries) => {
                for (key, value) in entries {
                    pairs.insert(key.clone(), self.value(form, value)?);
                }
            }
            Kind::List(items) if !matches!(form, Form::Options) => {
                self.once(node)?;
                for item in items {
                    match self.pair(form, item) {
                        Err(_) if self.is_open(item) => {}
                        read => pairs.extend([read?]),
                    }
                }
            }
            _ => return Err(node.expected(form.expected())),
        }
        Ok(like(node, Kind::Map(pairs.into_iter().collect())))
    }

    /// The value of a pair.
    fn value(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        match &node.kind {
            Kind::Null => Ok(like(node, missing(form))),
            Kind::Text(_) => self.text(&Form::Text, node),
            Kind::Number(number) => Ok(like(node, Kind::Text(go_number(node, number)))),
            Kind::Bool(value) if !self.checks() => Ok(like(node, Kind::Text(value.to_string()))),
            Kind::Bool(_) => {
                Err(node.refused("expected a string, a number or nothing, found a boolean (put quotes around it)"))
            }
            _ => Err(node.expected("a string, a number or nothing")),
        }
    }

    /// `KEY=VALUE`, or `KEY`.
    fn pair(&self, form: &Form, item: &Node) -> Result<(String, Node), Error> {
        const EXPECTED: &str = "KEY=VALUE (in a mapping KEY: VALUE, without '- ')";
        let Kind::Text(text) = &item.kind else { return Err(item.expected(EXPECTED)) };
        let hidden = self.hidden(item, text)?;
        let (key, value) = match hidden.text.split_once('=') {
            Some((key, value)) => (key, Kind::Text(hidden.shown(value))),
            None => (hidden.text.as_str(), missing(form)),
        };
        if key.is_empty() {
            // Behind the sign may be a secret.
            return Err(item.refused("expected a pair such as KEY=VALUE: the key is missing"));
        }
        if key.chars().any(|c| hidden.is_variable(c)) {
            let note = "the variable in the name stays: Docker replaces only those in values".to_owned();
            self.notes.add(&item.place, note);
        }
        Ok((hidden.shown(key), like(item, value)))
    }

    /// `HOST:ADDRESS` as a list; from a mapping, sorted.
    pub(super) fn hosts(&self, node: &Node) -> Result<Node, Error> {
        let hosts = match &node.kind {
            Kind::List(items) => {
                self.once(node)?;
                let host = |item: &Node| {
                    let hidden = self.hidden(item, &self.text(&Form::Text, item)?.text()?)?;
                    Ok(like(item, Kind::Text(hidden.shown(&hidden.text.replacen('=', ":", 1)))))
                };
                items.iter().map(host).collect::<Result<Vec<_>, _>>()?
            }
            Kind::Map(_) => {
                let Kind::Map(entries) = self.pairs(&Form::Pairs, node)?.kind else { return Ok(node.clone()) };
                let host = |(name, address): (String, Node)| {
                    Ok(like(&address, Kind::Text(format!("{name}:{}", address.text()?))))
                };
                entries.into_iter().map(host).collect::<Result<_, _>>()?
            }
            _ => return Err(node.expected(Form::Hosts.expected())),
        };
        let mut hosts = like(node, Kind::List(hosts));
        self.keep_one(&mut hosts);
        Ok(hosts)
    }

    /// Names in a list, as those of a mapping to nothing. Docker does not replace variables in keys: a list with one stays.
    pub(super) fn names(&self, form: &Form, node: &Node) -> Result<Node, Error> {
        self.once(node)?;
        let mut names = BTreeMap::new();
        let items = node.list()?.iter().map(|item| self.text(&Form::Text, item)).collect::<Result<Vec<_>, _>>()?;
        if self.references != References::Resolve && items.iter().any(refers) {
            return Ok(like(node, Kind::List(items)));
        }
        for (item, name) in node.list()?.iter().zip(items) {
            names.insert(name.text()?, self.read(form, &like(item, Kind::Null))?);
        }
        Ok(like(node, Kind::Map(names.into_iter().collect())))
    }

    /// A mapping of names, sorted.
    pub(super) fn entries(&self, whole: &Form, form: &Form, node: &Node) -> Result<Node, Error> {
        let Kind::Map(entries) = &node.kind else { return Err(node.expected(whole.expected())) };
        let read = |(name, value): &(String, Node)| Ok((name.clone(), self.read(form, value)?));
        let entries: BTreeMap<_, _> = entries.iter().map(read).collect::<Result<_, Error>>()?;
        Ok(like(node, Kind::Map(entries.into_iter().collect())))
    }

    /// Services that are waited for. Docker knows no conditions, a pod does.
    pub(super) fn dependencies(&self, node: &Node) -> Result<Node, Error> {
        match (&node.kind, self.role) {
            (Kind::Map(_), Role::Stack) => Err(node.expected("a list")),
            (Kind::Map(entries), Role::Service) => {
                let names = entries.iter().map(|(name, value)| like(value, Kind::Text(name.clone())));
                Ok(like(node, Kind::List(names.collect())))
            }
            (Kind::Map(entries), Role::Component) => {
                for condition in entries.iter().filter_map(|(_, value)| value.get("condition")) {
                    if self.references == References::Resolve || !condition.text()?.contains('$') {
                        one_of(condition, "a condition", &CONDITIONS)?;
                    }
                }
                self.entries(&Form::Map(&Form::Kept), &Form::Kept, node)
            }
            _ => self.set(&Form::Text, node),
        }
    }
}

/// Whether a text may become another one.
fn refers(node: &Node) -> bool {
    matches!(&node.kind, Kind::Text(text) if text.contains('$'))
}

/// What a pair without a value has.
fn missing(form: &Form) -> Kind {
    if let Form::Variables = form { Kind::Null } else { Kind::Text(String::new()) }
}
