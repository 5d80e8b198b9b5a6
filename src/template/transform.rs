//! A stack → a stack of pods.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use crate::compose::stack::{References, Stack, StackFile};
use crate::compose::{Kind, Node, Place, Surroundings, write};
use crate::version;

use super::config::Config;
use super::error::Error;
use super::fetch::Fetch;
use super::functions;
use super::pod::{self, Making};
use super::render::Renderer;
use super::source::Sources;

/// What came of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transformed {
    /// A plain stack, in YAML.
    pub text: String,
    /// What is not as asked for, and where.
    pub notes: Vec<(Place, String)>,
}

/// Makes pods of the services with templates; all others stay what they are. The environment is that of the surroundings:
/// it is what templates see, and its `VERSION` is the tag of the controller's image.
pub fn transform(files: &[StackFile], surroundings: &Surroundings, fetch: &Fetch) -> Result<Transformed, Error> {
    let stack = Stack::read(files, surroundings)?;
    let extensions = stack.extensions();
    let names = stack.services();
    let config = Config::read(extensions.services, extensions.top_level, &names)?;
    let references = |service: &str| match config.of(service) {
        Some(_) => References::Keep,
        None => References::Typed,
    };
    let mut result = stack.load_by(references)?;
    let image = default_image(surroundings.env.get("VERSION").map(String::as_str));
    let mut notes = config.notes.clone();
    let renderer = Renderer {
        stack: &stack,
        sources: Sources { folder: stack.folder(), surroundings, fetch, fetched: RefCell::new(HashMap::new()) },
        functions: functions::functions(&surroundings.env),
        context: OnceCell::new(),
    };
    if let Some(services) = services(&mut result) {
        for (name, service) in services {
            let Some(definition) = config.of(name) else { continue };
            let mut making = Making { folder: stack.folder(), surroundings, image: &image, notes: &mut notes };
            *service = pod::pod(name, service, &renderer.of(name, definition), &mut making)?;
        }
    }
    notes.splice(0..0, stack.notes());
    Ok(Transformed { text: write(&result), notes })
}

fn services(stack: &mut Node) -> Option<&mut Vec<(String, Node)>> {
    let Kind::Map(sections) = &mut stack.kind else { return None };
    sections.iter_mut().find(|(key, _)| key == "services").and_then(|(_, node)| match &mut node.kind {
        Kind::Map(services) => Some(services),
        _ => None,
    })
}

/// The image of a controller whose templates name none: the newest, or of the version that is asked for.
fn default_image(version: Option<&str>) -> String {
    let tag = match version {
        None | Some("" | "dev" | "master") => "latest",
        Some(version) => version,
    };
    format!("{}:{tag}", version::IMAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_development_is_the_newest() {
        for (version, tag) in [
            (None, "latest"),
            (Some(""), "latest"),
            (Some("dev"), "latest"),
            (Some("master"), "latest"),
            (Some("1.2"), "1.2"),
        ] {
            assert_eq!(default_image(version), format!("{}:{tag}", version::IMAGE));
        }
    }
}
