//! `volumes`, `volumes_from` and `tmpfs`: what is mounted in a component.

use std::collections::HashMap;
use std::path::Path;

use crate::compose::{self, Error, Node, Problem, Volume};
use crate::engine::types::since;

use super::super::component::Component;
use super::super::needs::Dependency;
use super::Reading;

/// Entries such as `/run` or `/run:size=64m,mode=1777`.
pub(super) fn tmpfs(node: &Node) -> Result<Vec<(String, String)>, Error> {
    let read = |(item, entry): (&Node, String)| {
        let (target, options) = entry.split_once(':').unwrap_or((&entry, ""));
        if !target.starts_with('/') {
            return Err(item.not(&entry, "a tmpfs: an absolute path, such as /run:size=64m"));
        }
        Ok((target.to_owned(), options.to_owned()))
    };
    compose::texts(node)?.into_iter().map(read).collect()
}

/// A volume. A path that is not absolute is relative to its file, in the controller; a label has no such place.
pub(super) fn volume(component: &str, node: &Node, reading: &mut Reading<'_>) -> Result<Volume, Error> {
    let mut volume = Volume::read(node)?;
    if let Some(labels) = node.get("volume").and_then(|options| options.get("labels")) {
        reading.ignore(
            component,
            labels,
            "a volume has the labels that it is made with: set them where it is declared",
        );
    }
    if let compose::Content::Bind { path, ours: true, .. } = &mut volume.content {
        if !node.place.is_in_file() {
            return Err(
                node.not(path, "a source that the engine knows: the name of a volume, or an absolute path of the host")
            );
        }
        *path = reading.surroundings.path(node.place.folder(), path).display().to_string();
    }
    Ok(volume)
}

/// The engine mounts one thing at a place.
pub(super) fn check(component: &Component, node: &Node) -> Result<(), Error> {
    let mut taken: HashMap<&Path, &str> = HashMap::new();
    let why = |target: &str, by: &str| format!("{by} is mounted on {target}, too");
    for target in component.projected_at() {
        if taken.insert(Path::new(target), "a secret or config").is_some() {
            return Err(node.get("configs").unwrap_or(node).refused(why(target, "another secret or config")));
        }
    }
    for target in component.request.host_config.tmpfs.keys() {
        if let Some(by) = taken.insert(Path::new(target), "a tmpfs") {
            return Err(node.get("tmpfs").unwrap_or(node).refused(why(target, by)));
        }
    }
    for volume in &component.volumes {
        if let Some(by) = taken.insert(Path::new(&volume.target), "another volume") {
            let problem = Problem::Refused(why(&volume.target, by));
            return Err(Error::new(&volume.place, &volume.at, problem));
        }
    }
    Ok(())
}

/// What the long syntax of volumes can say and older engines don't know.
pub(super) fn features(component: &mut Component, node: &Node) {
    use compose::Content::{Bind, Image, Volume};
    let items = node.list().unwrap_or_default();
    for (item, volume) in items.iter().zip(component.volumes.clone()) {
        match volume.content {
            Volume { subpath: Some(_), .. } => {
                super::requires(component, item, "a path within a volume", since::VOLUME_SUBPATH);
            }
            Image { .. } => super::requires(component, item, "the files of an image as a volume", since::IMAGE_MOUNT),
            Bind { recursive: Some(how), .. } if how == "writable" || how == "readonly" => {
                super::requires(component, item, "a choice about what is mounted below", since::READ_ONLY_BELOW);
            }
            _ => {}
        }
    }
}

/// `NAME`, `NAME:ro`, `NAME:rw`, or `container:NAME[:ro]`, which the engine gets as it is.
pub(super) fn volumes_from(component: &mut Component, node: &Node) -> Result<(), Error> {
    for (item, entry) in compose::texts(node)? {
        if let Some(container) = entry.strip_prefix("container:") {
            component.request.host_config.volumes_from.push(container.to_owned());
            continue;
        }
        let (name, rights) = entry.split_once(':').unwrap_or((&entry, "rw"));
        if !matches!(rights, "ro" | "rw") || name.is_empty() {
            return Err(item.not(&entry, "a component with volumes: NAME, NAME:ro or container:NAME"));
        }
        component.depends_on.push(Dependency::alive(name.to_owned(), item));
        component.volumes_from.push((name.to_owned(), rights == "ro"));
    }
    Ok(())
}
