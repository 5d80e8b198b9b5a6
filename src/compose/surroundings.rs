//! What a pod is read with beside its labels: the controller's files and environment, and the profiles that were chosen.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

use super::{Budget, Error, Node, Source};

/// A larger file is not a pod's.
const LARGEST: u64 = 4 << 20;

/// The controller's side of a pod that is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Where its files are: `/`, and another folder in tests.
    pub root: PathBuf,
    /// What relative paths of labels are relative to.
    pub working_dir: PathBuf,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// `-profiles`: components that have some run only with one of these.
    pub profiles: Vec<String>,
    /// Variables of a Compose file that are left in it, for who knows them later, unless they are set.
    pub kept: &'static [&'static str],
    /// What reading may still take.
    pub budget: Budget,
}

impl Surroundings {
    /// Reads a text file. One that is longer than 4 MiB is refused.
    pub fn read(&self, path: &Path) -> io::Result<String> {
        let mut text = String::new();
        // To open a pipe could take for ever.
        if fs::metadata(self.real(path))?.file_type().is_fifo() {
            return Err(io::Error::other("it is a pipe"));
        }
        File::open(self.real(path))?.take(LARGEST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LARGEST {
            return Err(io::Error::other("it is longer than 4 MiB"));
        }
        self.budget.take_file(&text).map_err(|problem| io::Error::other(problem.to_string()))?;
        Ok(text)
    }

    /// Reads a text file for a value that names it.
    pub fn read_for(&self, asked_by: &Node, path: &Path) -> Result<String, Error> {
        self.read(path).map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::NotFound => " (the controller needs the file: mount it, or add it to its image)",
                _ => "",
            };
            asked_by.refused(format!("cannot read {}: {error}{hint}", path.display()))
        })
    }

    /// Reads one YAML document out of its budget, as [`parse`](super::parse).
    pub fn parse(&self, source: &Source, text: &str) -> Result<Node, Error> {
        super::parse(source, text, &self.budget)
    }

    /// The same for another pod: its budget is whole.
    #[must_use]
    pub fn for_another(&self) -> Self {
        Self { budget: Budget::default(), ..self.clone() }
    }

    /// What takes the place of a variable that is left: itself.
    pub fn kept(&self, name: &str) -> Option<String> {
        self.kept.contains(&name).then(|| format!("${{{name}}}"))
    }

    /// Whether there is a file or folder.
    pub fn has(&self, path: &Path) -> bool {
        self.real(path).exists()
    }

    fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// An absolute path without `.` and `..`: `~` is the home of the controller's user, others are relative to `base`.
    pub fn path(&self, base: &Path, text: &str) -> PathBuf {
        let home = self.env.get("HOME").map_or("/root", String::as_str);
        let path = match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                Path::new(home).join(rest.trim_start_matches('/'))
            }
            _ => self.working_dir.join(base).join(text),
        };
        let mut plain = PathBuf::from("/");
        for part in path.components() {
            match part {
                Component::Normal(name) => plain.push(name),
                Component::ParentDir => drop(plain.pop()),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        plain
    }
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            root: "/".into(),
            working_dir: "/".into(),
            env: BTreeMap::new(),
            profiles: Vec::new(),
            kept: &[],
            budget: Budget::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute() {
        let env = [("HOME".to_owned(), "/home/me".to_owned())].into();
        let surroundings = Surroundings { working_dir: "/work".into(), env, ..Surroundings::default() };
        for (text, path) in [
            ("/a/b", "/a/b"),
            ("a", "/work/base/a"),
            ("./a/../b", "/work/base/b"),
            ("../../../../x", "/x"),
            ("~", "/home/me"),
            ("~/x", "/home/me/x"),
            ("~x", "/work/base/~x"),
            (".", "/work/base"),
        ] {
            assert_eq!(surroundings.path(Path::new("base"), text), Path::new(path), "{text}");
        }
    }
}
