//! `pod.copy.NAME`: what is copied from the controller into a component before it starts.

use std::path::PathBuf;

use serde::Serialize;

use crate::compose::{Error, Kind, Node};

/// A file or directory of the controller, and where it goes in the component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileCopy {
    /// The path in the controller.
    pub source: PathBuf,
    /// The absolute path in the component; with a `/` at its end, the directory that it goes into.
    pub target: String,
}

/// Reads `SOURCE:TARGET`, a list of such, a mapping from source to target, or a list of such mappings.
pub(super) fn copies(node: &Node) -> Result<Vec<FileCopy>, Error> {
    match &node.kind {
        Kind::List(items) => {
            Ok(items.iter().map(copies).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        Kind::Map(entries) => {
            entries.iter().map(|(source, target)| copy(target, source, target.text()?.trim())).collect()
        }
        _ => {
            let text = node.text()?;
            match text.trim().split_once(':') {
                Some((_, target)) if target.contains(':') => {
                    Err(node.invalid("a copy: it is SOURCE:TARGET and no more"))
                }
                Some((source, target)) => Ok(vec![copy(node, source, target)?]),
                None => Err(node.invalid("a copy: SOURCE:TARGET")),
            }
        }
    }
}

fn copy(node: &Node, source: &str, target: &str) -> Result<FileCopy, Error> {
    if source.is_empty() {
        return Err(node.invalid("a copy: the source is empty"));
    }
    if !target.starts_with('/') || target.split('/').any(|part| part == "..") {
        return Err(node.invalid("a copy: the target must be an absolute path without '..'"));
    }
    Ok(FileCopy { source: PathBuf::from(source), target: target.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::parse;

    fn read(text: &str) -> Result<Vec<(String, String)>, Error> {
        let copies = copies(&parse(text).expect("valid"))?;
        Ok(copies.into_iter().map(|copy| (copy.source.display().to_string(), copy.target)).collect())
    }

    #[test]
    fn the_four_forms_say_the_same() {
        let expected = vec![("/a".to_owned(), "/b".to_owned())];
        for text in ["/a:/b", "/a:/b\n", "- /a:/b", "/a: /b", "- /a: /b"] {
            assert_eq!(read(text).as_ref(), Ok(&expected), "{text}");
        }
        assert_eq!(read("- /a:/b\n- /c:/d/").expect("two").len(), 2);
    }

    #[test]
    fn what_is_no_copy_is_refused() {
        for text in ["/a", "/a:b", ":/b", "/a:/b/../c", "- [x]", "/a: ", "/a:/b:ro"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
