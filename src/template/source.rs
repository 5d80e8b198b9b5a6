//! The text of a template: from a file, the stack, or a server.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::compose::{self, Kind, Surroundings};

use super::config::{Item, Origin};
use super::fetch::{Fetch, shown};

/// Where texts are looked for.
pub(super) struct Sources<'a> {
    /// What relative paths are relative to: the folder of the stack's first file.
    pub(super) folder: &'a Path,
    pub(super) surroundings: &'a Surroundings,
    pub(super) fetch: &'a Fetch,
    pub(super) fetched: RefCell<Fetched>,
}

/// What servers have given, by address and whether any certificate will do: each is asked once.
pub(super) type Fetched = HashMap<(String, bool), Result<Rc<str>, String>>;

/// A text, and what it is called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The file's path or the address as written, but without secrets; or `inline`.
    pub(super) name: String,
    pub(super) text: Rc<str>,
}

impl Sources<'_> {
    /// The text of a template, or of the first of its fallbacks that can be had; an error has the name of the last one.
    pub(super) fn text(&self, item: &Item) -> Result<Text, (String, String)> {
        let (name, text, fallback) = match &item.origin {
            Origin::Inline(node) => {
                let text = match &node.kind {
                    Kind::Text(text) => text.as_str().into(),
                    _ => compose::write(node).into(),
                };
                ("inline".to_owned(), Ok(text), &None)
            }
            Origin::File { path, fallback } => (path.clone(), self.file(path), fallback),
            Origin::Http { url, insecure, fallback } => (shown(url), self.page(url, *insecure), fallback),
        };
        match (text, fallback) {
            (Ok(text), _) => Ok(Text { name, text }),
            (Err(_), Some(fallback)) => self.text(fallback),
            (Err(why), None) => Err((name, why)),
        }
    }

    fn file(&self, path: &str) -> Result<Rc<str>, String> {
        let path = self.surroundings.path(self.folder, path);
        // Each file by itself has the limit of a file.
        let text = self.surroundings.for_another().read(&path);
        text.map(Rc::from).map_err(|error| format!("cannot read {}: {error}", path.display()))
    }

    fn page(&self, url: &str, insecure: bool) -> Result<Rc<str>, String> {
        let key = (url.to_owned(), insecure);
        if let Some(known) = self.fetched.borrow().get(&key) {
            return known.clone();
        }
        let text = self.fetch.get(url, insecure).map(Rc::from).map_err(|error| error.to_string());
        self.fetched.borrow_mut().insert(key, text.clone());
        text
    }
}
