//! Files that are copied into a component before it starts: the value of `pod.copy.NAME`.

use std::path::PathBuf;

use serde::Serialize;

use crate::compose::{self, Error, Kind, Node, Surroundings};

/// A file or directory of the controller, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileCopy {
    /// The absolute path in the controller.
    pub source: PathBuf,
    /// The absolute path in the component; with a `/` at its end, the directory that it goes into.
    pub target: String,
    /// Its owner; none keeps the source's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u64>,
    /// Its group; none keeps the source's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u64>,
    /// The mode of files, and of directories with an `x` for each `r`; none keeps the source's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

impl FileCopy {
    /// A copy that keeps owner and mode.
    pub(super) fn new(source: PathBuf, target: &str) -> Self {
        Self { source, target: target.to_owned(), uid: None, gid: None, mode: None }
    }
}

const LONG: [&str; 5] = ["gid", "mode", "source", "target", "uid"];

/// Reads `SOURCE:TARGET`, a mapping from source to target, `{source, target, uid, gid, mode}`, or a list of such.
pub(super) fn copies(node: &Node, surroundings: &Surroundings) -> Result<Vec<FileCopy>, Error> {
    let read = |node: &Node, source: &str, target: &str| copy(node, source, target, surroundings);
    match &node.kind {
        Kind::List(items) => {
            let copies = items.iter().map(|item| copies(item, surroundings)).collect::<Result<Vec<_>, _>>()?;
            Ok(copies.into_iter().flatten().collect())
        }
        Kind::Map(entries) if node.get("source").is_some() && node.get("target").is_some() => {
            if let Some((key, _)) = entries.iter().find(|(key, _)| !LONG.contains(&key.as_str())) {
                return Err(node.unknown(key, LONG));
            }
            let text = |key| node.get(key).map(Node::text).transpose().map(Option::unwrap_or_default);
            let mut copy = read(node, &text("source")?, &text("target")?)?;
            let id = |key| node.get(key).map(compose::owner).transpose();
            (copy.uid, copy.gid) = (id("uid")?, id("gid")?);
            copy.mode = node.get("mode").map(compose::file_mode).transpose()?;
            Ok(vec![copy])
        }
        Kind::Map(entries) => {
            entries.iter().map(|(source, target)| read(target, source, target.text()?.trim())).collect()
        }
        _ => {
            let text = node.text()?;
            match text.trim().split_once(':') {
                Some((_, target)) if target.contains(':') => Err(node.invalid(
                    "a copy: it is SOURCE:TARGET and no more (for owner and mode: {source, target, uid, gid, mode})",
                )),
                Some((source, target)) => Ok(vec![read(node, source, target)?]),
                None => Err(node.invalid("a copy: SOURCE:TARGET")),
            }
        }
    }
}

fn copy(node: &Node, source: &str, target: &str, surroundings: &Surroundings) -> Result<FileCopy, Error> {
    if source.is_empty() {
        return Err(node.invalid("a copy: the source is empty"));
    }
    if !target.starts_with('/') || target.split('/').any(|part| part == "..") {
        return Err(node.invalid("a copy: the target must be an absolute path without '..'"));
    }
    Ok(FileCopy::new(surroundings.path(node.place.folder(), source), target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::valid;

    fn read(text: &str) -> Result<Vec<(String, String)>, Error> {
        let copies = copies(&valid(text), &Surroundings::default())?;
        Ok(copies.into_iter().map(|copy| (copy.source.display().to_string(), copy.target)).collect())
    }

    #[test]
    fn the_forms_say_the_same() {
        let expected = vec![("/a".to_owned(), "/b".to_owned())];
        for text in [
            "/a:/b",
            "/a:/b\n",
            "- /a:/b",
            "/a: /b",
            "- /a: /b",
            "{source: a, target: /b}",
            "- {source: ./a, target: /b}",
        ] {
            assert_eq!(read(text).as_ref(), Ok(&expected), "{text}");
        }
        assert_eq!(read("- /a:/b\n- /c:/d/").expect("two").len(), 2);
    }

    #[test]
    fn what_is_no_copy_is_refused() {
        for text in [
            "/a",
            "/a:b",
            ":/b",
            "/a:/b/../c",
            "- [x]",
            "/a: ",
            "/a:/b:ro",
            "{source: a, target: /b, mod: 1}",
            "{source: a, target: b}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn owner_and_mode_can_be_set() {
        let copies =
            copies(&valid("{source: ~/a, target: /b, uid: 33, gid: '34', mode: 0640}"), &Surroundings::default());
        let expected =
            FileCopy { uid: Some(33), gid: Some(34), mode: Some(0o640), ..FileCopy::new("/root/a".into(), "/b") };
        assert_eq!(copies, Ok(vec![expected]));
    }
}
