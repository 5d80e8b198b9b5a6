//! A stack → a stack of pods.

use std::cell::{OnceCell, RefCell};

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
    /// The image that controllers have because nobody has named one, neither a template nor the caller nor `VERSION`.
    pub unnamed: Option<String>,
}

/// Makes pods of the services with templates; all others stay what they are. The environment is that of the surroundings:
/// it is what templates see. Controllers whose templates name no image have this one, or podlike's own with the variable
/// `VERSION` for its tag.
pub fn transform(
    files: &[StackFile],
    surroundings: &Surroundings,
    fetch: &Fetch,
    image: Option<&str>,
) -> Result<Transformed, Error> {
    let stack = Stack::read(files, surroundings)?;
    let mut result = stack.load(References::Typed)?;
    let names: Vec<String> = services(&mut result).iter().map(|(name, _)| name.clone()).collect();
    let config = Config::read(&stack.extensions(), &names)?;
    // What a pod takes from its service it takes as it is written.
    let written = if config.is_empty() { Node::made(Kind::Null) } else { stack.load(References::Keep)? };
    let version = surroundings.env.get("VERSION").map(String::as_str);
    let is_named = image.is_some() || version.is_some();
    let image = image.map_or_else(|| own_image(version), str::to_owned);
    let mut unnamed = None;
    let mut notes = config.notes.clone();
    let renderer = Renderer {
        stack: &stack,
        sources: Sources { folder: stack.folder(), surroundings, fetch, fetched: RefCell::default() },
        functions: functions::functions(&surroundings.env),
        context: OnceCell::new(),
    };
    for (name, service) in services(&mut result) {
        let (Some(definition), Some(written)) =
            (config.of(name), written.get("services").and_then(|all| all.get(name)))
        else {
            continue;
        };
        let mut making = Making { folder: stack.folder(), surroundings, image: &image, notes: &mut notes };
        *service = pod::pod(name, written, &renderer.of(name, definition), &mut making)?;
        let has_it = service.get("image").and_then(|node| node.text().ok()).is_some_and(|text| text == image);
        if has_it && !is_named {
            unnamed = Some(image.clone());
        }
    }
    notes.splice(0..0, stack.notes());
    Ok(Transformed { text: write(&result), notes, unnamed })
}

fn services(stack: &mut Node) -> &mut [(String, Node)] {
    let Kind::Map(sections) = &mut stack.kind else { return &mut [] };
    match sections.iter_mut().find(|(key, _)| key == "services") {
        Some((_, Node { kind: Kind::Map(services), .. })) => services,
        _ => &mut [],
    }
}

/// The image of podlike: the newest, or of the version that is asked for.
fn own_image(version: Option<&str>) -> String {
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
            assert_eq!(own_image(version), format!("{}:{tag}", version::IMAGE));
        }
    }
}
