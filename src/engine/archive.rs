//! Files into a container: a tar stream into `PUT …/archive`, never built up in memory.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tar::Builder;

use super::host::Limit;
use super::http::Payload;
use super::{Engine, Error, WORK, encoded};

impl Engine {
    /// Copies a file or a whole directory into a container, with mode, owner and times. The target is the absolute
    /// path that the copy gets; one that ends with `/` is the directory it goes into. Missing directories are made.
    pub fn copy_into(&self, id: &str, source: &Path, target: &str) -> Result<(), Error> {
        let target = match (target.strip_suffix('/'), source.file_name()) {
            (Some(directory), Some(name)) if !source.is_dir() => {
                format!("{directory}/{}", name.to_string_lossy())
            }
            _ => target.trim_end_matches('/').to_owned(),
        };
        let (directory, name) = target.rsplit_once('/').unwrap_or(("", &target));
        let directory = if directory.is_empty() { "/" } else { directory };
        match self.put_archive(id, directory, source, name) {
            // The engine extracts only into what exists, but makes the parents of what it extracts.
            Err(error) if error.is_not_found() && directory != "/" => {
                self.put_archive(id, "/", source, target.trim_start_matches('/'))
            }
            result => result,
        }
    }

    fn put_archive(&self, id: &str, directory: &str, source: &Path, name: &str) -> Result<(), Error> {
        let path = format!("/containers/{}/archive?noOverwriteDirNonDir=1&path={}", encoded(id), encoded(directory));
        let mut push = |to: &mut dyn Write| write_archive(to, source, name);
        self.versioned("PUT", &path, Payload::Tar(&mut push), Limit::Idle(WORK), |_| ()).map(drop)
    }
}

fn write_archive(to: &mut dyn Write, source: &Path, name: &str) -> io::Result<()> {
    // A link that is named is followed, links within a tree are kept.
    let source = fs::canonicalize(source)?;
    // Large writes make large chunks: fewer system calls for us and for the engine.
    let mut archive = Builder::new(io::BufWriter::with_capacity(64 << 10, to));
    archive.follow_symlinks(false);
    if source.is_dir() {
        let name = if name.is_empty() { "." } else { name };
        archive.append_dir_all(name, &source)?;
    } else {
        archive.append_path_with_name(&source, name)?;
    }
    archive.into_inner()?.flush()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_tree_keeps_modes_times_and_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("tree");
        fs::create_dir_all(root.join("sub/empty")).expect("folders");
        fs::write(root.join("sub/file"), "content").expect("a file");
        fs::set_permissions(root.join("sub/file"), fs::Permissions::from_mode(0o640)).expect("a mode");
        symlink("sub/file", root.join("link")).expect("a link");
        let mut bytes = Vec::new();
        write_archive(&mut bytes, &root, "data").expect("an archive");
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut seen: Vec<_> = archive
            .entries()
            .expect("entries")
            .map(|entry| {
                let entry = entry.expect("an entry");
                let path = entry.path().expect("a path").display().to_string();
                let link = entry.link_name().expect("a link name").map(|name| name.display().to_string());
                (path, entry.header().mode().expect("a mode") & 0o777, link)
            })
            .collect();
        seen.sort();
        let paths: Vec<_> = seen.iter().map(|(path, ..)| path.trim_end_matches('/')).collect();
        assert_eq!(paths, ["data", "data/link", "data/sub", "data/sub/empty", "data/sub/file"]);
        assert_eq!(seen[1].2.as_deref(), Some("sub/file"));
        assert_eq!(seen[4].1, 0o640);
    }

    #[test]
    fn a_missing_source_fails_before_anything_is_written() {
        let mut bytes = Vec::new();
        assert!(write_archive(&mut bytes, Path::new("/no/such/file"), "x").is_err());
        assert!(bytes.is_empty());
    }
}
