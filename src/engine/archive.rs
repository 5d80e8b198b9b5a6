//! Files into a container: a tar stream into `PUT …/archive`, never built up in memory.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use tar::{Builder, Header, HeaderMode};

use super::host::Limit;
use super::http::Payload;
use super::{Engine, Error, WORK, encoded};

/// A file up to this size is read first, and its real length told.
const SMALL: u64 = 16 << 10;
/// More than the kernel has to say in one file.
const LARGEST_UNSIZED: u64 = 16 << 20;

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
    append(&mut archive, &source, Path::new(if name.is_empty() { "." } else { name }))?;
    archive.into_inner()?.flush()
}

/// Adds a file, or a directory with all that is in it. What the archive promises is what was seen first: a file that
/// grows meanwhile is cut, one that shrinks is filled up with zeros.
fn append<W: Write>(archive: &mut Builder<W>, source: &Path, name: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(source)?;
    let kind = metadata.file_type();
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(&metadata, HeaderMode::Complete);
    if kind.is_dir() {
        archive.append_data(&mut header, name, io::empty())?;
        let mut entries = fs::read_dir(source)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        return entries.iter().try_for_each(|entry| append(archive, &entry.path(), &name.join(entry.file_name())));
    }
    if kind.is_symlink() {
        header.set_size(0);
        return archive.append_link(&mut header, name, fs::read_link(source)?);
    }
    if kind.is_socket() {
        log::warn!("{} is a socket and is not copied", source.display());
        return Ok(());
    }
    if !kind.is_file() {
        header.set_size(0);
        return archive.append_data(&mut header, name, io::empty());
    }
    let file = File::open(source)?;
    if metadata.len() > SMALL {
        return archive.append_data(&mut header, name, file.chain(io::repeat(0)).take(metadata.len()));
    }
    // A file of the kernel lies about its size: in /proc it says nothing, in /sys a page.
    let mut content = Vec::new();
    file.take(LARGEST_UNSIZED).read_to_end(&mut content)?;
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, name, content.as_slice())
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

    #[test]
    fn holes_sockets_and_files_that_lie_about_their_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("tree");
        fs::create_dir(&root).expect("a folder");
        let sparse = File::create(root.join("sparse")).expect("a file");
        sparse.set_len(1 << 20).expect("a hole");
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("a socket");
        let mut bytes = Vec::new();
        write_archive(&mut bytes, &root, "t").expect("an archive");
        let names = |bytes: &[u8]| -> Vec<(String, u64)> {
            let mut archive = tar::Archive::new(bytes);
            let entries = archive.entries().expect("entries").map(|entry| entry.expect("an entry"));
            entries.map(|entry| (entry.path().expect("a path").display().to_string(), entry.size())).collect()
        };
        assert_eq!(names(&bytes), [("t".to_owned(), 0), ("t/sparse".to_owned(), 1 << 20)]);
        let mut bytes = Vec::new();
        write_archive(&mut bytes, Path::new("/proc/version"), "v").expect("an archive");
        assert!(names(&bytes)[0].1 > 10);
        let mut bytes = Vec::new();
        write_archive(&mut bytes, Path::new("/sys/class/net/lo/mtu"), "mtu").expect("an archive");
        assert!((2..10).contains(&names(&bytes)[0].1), "not a page of zeros");
    }
}
