//! Files into a container: a tar stream into `PUT …/archive`, never built up in memory.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::stat::{major, minor};
use tar::{Builder, EntryType, Header, HeaderMode};

use super::{Engine, Error, WORK, encoded};
use crate::http::{Limit, Payload, Request};

/// A file up to this size is read first, and its real length told.
const SMALL: u64 = 16 << 10;
/// A larger one is read in pieces of this size, each a chunk on its way: few system calls for us and for the engine.
const PIECE: usize = 64 << 10;
/// The blocks that an archive is made of.
const BLOCK: u64 = 512;
/// More than the kernel has to say in one file.
const LARGEST_UNSIZED: u64 = 16 << 20;

/// What is copied into a container, where to, and whose it is there.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// What is copied.
    pub source: Source<'a>,
    /// The absolute path that the copy gets; for a file of ours one that ends with `/` is the directory it goes into.
    pub target: &'a str,
    /// The owner of every entry, instead of the source's.
    pub uid: Option<u64>,
    /// The group of every entry, instead of the source's.
    pub gid: Option<u64>,
    /// The permissions of every file, instead of the source's. Directories can be entered, too, by whoever may read them,
    /// as with the `X` of `chmod`.
    pub mode: Option<u32>,
}

/// Where the content of an [`Upload`] comes from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// A file, or a directory with all that is in it, with mode, owner and times. Links within it are kept, hard links
    /// become files of their own, and sockets are left out.
    Path(&'a Path),
    /// The content of a file that exists nowhere else. It is root's alone, unless the [`Upload`] says otherwise.
    Bytes(&'a [u8]),
}

impl fmt::Debug for Source<'_> {
    /// Bytes may be a secret: only their number is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
        }
    }
}

impl Engine {
    /// Copies something into a container, whether it runs or not. Missing directories are made, as root's with mode 0755. A
    /// volume in memory keeps it only if a container that has the volume runs.
    pub fn copy_into(&self, id: &str, upload: &Upload<'_>) -> Result<(), Error> {
        let target = upload.path();
        let real;
        let source = match upload.source {
            // A link that is named is followed.
            Source::Path(path) => {
                real = at(path, fs::canonicalize(path)).map_err(Error::Source)?;
                Source::Path(&real)
            }
            bytes @ Source::Bytes(_) => bytes,
        };
        let upload = Upload { source, ..*upload };
        // The engine extracts only into what exists, but makes the parents of what it extracts. The nearest that exists may
        // be the only one that can be written: a volume below a root that is read-only.
        let mut directory = match source {
            // Podman mounts only what the path of the call leads into, which may be the target itself.
            Source::Path(path) if self.podman && path.is_dir() => &target,
            _ => target.parent().unwrap_or(&target),
        };
        loop {
            let name = target.strip_prefix(directory).ok().filter(|name| *name != "").unwrap_or(Path::new("."));
            match (self.put_archive(id, directory, &upload, name), directory.parent()) {
                (Err(error), Some(above)) if error.is_not_found() => directory = above,
                (result, _) => return result,
            }
        }
    }

    /// Gives a directory at the root of a container, such as a volume's, another mode.
    pub fn set_mode(&self, id: &str, name: &str, mode: u32) -> Result<(), Error> {
        // Podman mounts only what the path of the call leads into.
        let (path, name) = if self.podman { (name, ".") } else { ("", name) };
        let path = format!("/containers/{}/archive?path=%2F{}", encoded(id), encoded(path));
        let mut push = |to: &mut dyn Write| {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Directory);
            header.set_mode(mode);
            header.set_size(0);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
            let mut archive = Builder::new(to);
            archive.append_data(&mut header, name, io::empty())?;
            archive.finish()
        };
        self.versioned(Request::new("PUT", &path), Payload::Tar(&mut push), Limit::Idle(WORK), |_| ()).map(drop)
    }

    fn put_archive(&self, id: &str, directory: &Path, upload: &Upload<'_>, name: &Path) -> Result<(), Error> {
        let (id, directory) = (encoded(id), encoded(&directory.to_string_lossy()));
        let path = format!("/containers/{id}/archive?noOverwriteDirNonDir=1&path={directory}");
        let mut push = |to: &mut dyn Write| write_archive(to, upload, name);
        self.versioned(Request::new("PUT", &path), Payload::Tar(&mut push), Limit::Idle(WORK), |_| ()).map(drop)
    }
}

impl Upload<'_> {
    /// The path that the copy gets, without a slash at its end.
    fn path(&self) -> PathBuf {
        let target: PathBuf = Path::new(self.target).components().collect();
        match self.source {
            Source::Path(source) if self.target.ends_with('/') && !source.is_dir() => {
                target.join(source.file_name().unwrap_or_default())
            }
            _ => target,
        }
    }

    /// The header of a file that has only bytes.
    fn header_of_bytes(&self, bytes: &[u8]) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        header.set_mtime(now.as_secs());
        header.set_size(bytes.len() as u64);
        header.set_uid(self.uid.unwrap_or(0));
        header.set_gid(self.gid.unwrap_or(0));
        header.set_mode(self.mode.unwrap_or(0o600));
        header
    }

    /// The header of a file, its size the one that was seen first.
    fn header_of(&self, metadata: &Metadata) -> io::Result<Header> {
        let mut header = Header::new_gnu();
        header.set_metadata_in_mode(metadata, HeaderMode::Complete);
        // What is older than 1970 an engine takes for a broken archive.
        header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
        header.set_uid(self.uid.unwrap_or(metadata.uid().into()));
        header.set_gid(self.gid.unwrap_or(metadata.gid().into()));
        let kind = metadata.file_type();
        match self.mode {
            Some(mode) if kind.is_dir() => header.set_mode(mode | (mode & 0o444) >> 2),
            Some(mode) if !kind.is_symlink() => header.set_mode(mode),
            _ => {}
        }
        if kind.is_char_device() || kind.is_block_device() {
            header.set_device_major(u32::try_from(major(metadata.rdev())).map_err(io::Error::other)?)?;
            header.set_device_minor(u32::try_from(minor(metadata.rdev())).map_err(io::Error::other)?)?;
        }
        Ok(header)
    }
}

fn write_archive(to: &mut dyn Write, upload: &Upload<'_>, name: &Path) -> io::Result<()> {
    let mut archive = Builder::new(io::BufWriter::with_capacity(PIECE, to));
    match upload.source {
        Source::Bytes(bytes) => archive.append_data(&mut upload.header_of_bytes(bytes), name, bytes)?,
        Source::Path(path) => append_tree(&mut archive, upload, path, name)?,
    }
    archive.into_inner()?.flush()
}

/// Adds a file, or a directory with all that is in it. Only the directories that are still to be read are remembered, so
/// that neither many files nor a deep tree takes memory.
fn append_tree<W: Write>(archive: &mut Builder<W>, upload: &Upload<'_>, path: &Path, name: &Path) -> io::Result<()> {
    let mut folders = Vec::new();
    if at(path, append(archive, upload, path, name))? {
        folders.push((path.to_owned(), name.to_owned()));
    }
    while let Some((folder, name)) = folders.pop() {
        for entry in at(&folder, fs::read_dir(&folder))? {
            let entry = at(&folder, entry)?;
            let (path, name) = (entry.path(), name.join(entry.file_name()));
            if at(&path, append(archive, upload, &path, &name))? {
                folders.push((path, name));
            }
        }
    }
    Ok(())
}

/// Adds one file, and says whether it is a directory. What the archive promises is what was seen first: a file that grows
/// meanwhile is cut, one that shrinks is filled up with zeros.
fn append<W: Write>(archive: &mut Builder<W>, upload: &Upload<'_>, path: &Path, name: &Path) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    let kind = metadata.file_type();
    let mut header = upload.header_of(&metadata)?;
    if kind.is_symlink() {
        archive.append_link(&mut header, name, fs::read_link(path)?)?;
    } else if kind.is_socket() {
        log::warn!("{} is a socket and is not copied", path.display());
    } else if !kind.is_file() {
        header.set_size(0);
        archive.append_data(&mut header, name, io::empty())?;
    } else if metadata.len() > SMALL {
        let blocks = metadata.len().next_multiple_of(BLOCK);
        let content = File::open(path)?.take(metadata.len()).chain(io::repeat(0)).take(blocks);
        archive.append_data(&mut header, name, io::empty())?;
        pour(content, archive.get_mut())?;
    } else {
        // A file of the kernel lies about its size: in /proc it says nothing, in /sys a page.
        let mut content = Vec::new();
        File::open(path)?.take(LARGEST_UNSIZED).read_to_end(&mut content)?;
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    Ok(kind.is_dir())
}

/// Passes all on in large pieces.
fn pour(mut from: impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => to.write_all(&piece[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Names the file in what went wrong with it.
fn at<T>(path: &Path, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use tempfile::TempDir;

    use std::sync::Arc;

    use super::*;

    /// An entry of an archive: path, mode, owner, group, link and content.
    type Seen = (PathBuf, u32, u64, u64, Option<PathBuf>, Vec<u8>);

    fn upload<'a>(source: &'a Path, target: &'a str) -> Upload<'a> {
        Upload { source: Source::Path(source), target, uid: None, gid: None, mode: None }
    }

    fn written(upload: &Upload<'_>, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        write_archive(&mut bytes, upload, Path::new(name)).map(|()| bytes)
    }

    /// What an archive holds, by name.
    fn seen(upload: &Upload<'_>, name: &str) -> Vec<Seen> {
        let bytes = written(upload, name).expect("an archive");
        let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| -> io::Result<Seen> {
            let mut entry = entry?;
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            let header = entry.header();
            let link = entry.link_name()?.map(PathBuf::from);
            Ok((entry.path()?.into(), header.mode()? & 0o7777, header.uid()?, header.gid()?, link, content))
        };
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().expect("entries").map(read);
        let mut seen = entries.collect::<io::Result<Vec<_>>>().expect("entries");
        seen.sort();
        seen
    }

    fn paths(seen: &[Seen]) -> Vec<&Path> {
        seen.iter().map(|(path, ..)| path.as_path()).collect()
    }

    /// A folder with a `tree`.
    fn tree() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("tree");
        fs::create_dir_all(root.join("sub/empty")).expect("folders");
        fs::write(root.join("sub/file"), "content").expect("a file");
        fs::set_permissions(root.join("sub/file"), fs::Permissions::from_mode(0o640)).expect("a mode");
        symlink("sub/file", root.join("link")).expect("a link");
        (folder, root)
    }

    #[test]
    fn a_tree_keeps_modes_owners_and_links() {
        let (_folder, root) = tree();
        let seen = seen(&upload(&root, "/data"), "data");
        assert_eq!(paths(&seen), ["data", "data/link", "data/sub", "data/sub/empty", "data/sub/file"].map(Path::new));
        assert_eq!(seen[1].4.as_deref(), Some(Path::new("sub/file")));
        let (_, mode, uid, gid, _, content) = &seen[4];
        let ours = fs::metadata(&root).expect("it is there");
        assert_eq!(
            (*mode, *uid, *gid, content.as_slice()),
            (0o640, ours.uid().into(), ours.gid().into(), &b"content"[..])
        );
    }

    #[test]
    fn an_owner_and_a_mode_hold_for_every_entry_and_folders_can_be_entered() {
        let (_folder, root) = tree();
        for (mode, of_folders) in [(0o440, 0o550), (0o604, 0o705), (0o200, 0o200)] {
            let upload = Upload { uid: Some(5), gid: Some(4_000_000_000), mode: Some(mode), ..upload(&root, "/t") };
            for (path, seen, uid, gid, link, _) in seen(&upload, "t") {
                assert_eq!((uid, gid), (5, 4_000_000_000), "{}", path.display());
                let expected = match path.to_str() {
                    Some("t/sub/file") => mode,
                    Some("t/link") => 0o777,
                    _ => of_folders,
                };
                assert_eq!(seen, expected, "{} {link:?}", path.display());
            }
        }
    }

    #[test]
    fn bytes_become_a_file_of_root_alone_unless_it_is_said_otherwise() {
        let plain = Upload { source: Source::Bytes(b"secret"), ..upload(Path::new(""), "/run/key") };
        let file = |mode, uid, gid| vec![("key".into(), mode, uid, gid, None, b"secret".to_vec())];
        assert_eq!(seen(&plain, "key"), file(0o600, 0, 0));
        let dressed = Upload { uid: Some(1000), gid: Some(33), mode: Some(0o440), ..plain };
        assert_eq!(seen(&dressed, "key"), file(0o440, 1000, 33));
        let told = format!("{plain:?}");
        assert!(told.contains("6 bytes") && !told.contains("secret") && !told.contains("115"), "{told}");
    }

    #[test]
    fn a_slash_at_the_end_is_a_directory_for_a_file_of_ours() {
        let (folder, root) = tree();
        let bytes = Upload { source: Source::Bytes(b""), ..upload(Path::new(""), "/a/b/") };
        for (upload, path) in [
            (upload(&root.join("sub/file"), "/a/"), "/a/file"),
            (upload(&root.join("sub/file"), "/a/x"), "/a/x"),
            (upload(&root.join("sub/file"), "/"), "/file"),
            (upload(&root, "/a//b/./"), "/a/b"),
            (upload(&root, "/"), "/"),
            (bytes, "/a/b"),
        ] {
            assert_eq!(upload.path().as_os_str(), path, "{upload:?}");
        }
        drop(folder);
    }

    #[test]
    fn a_missing_source_is_named_before_anything_is_asked() {
        let engine = Engine {
            way: super::super::Way::to(super::super::Host::Unix("/no/such/engine".into())).expect("a way"),
            spoken: Arc::default(),
            needed: super::super::NEWEST,
            newest: super::super::NEWEST,
            podman: false,
        };
        let error = engine.copy_into("id", &upload(Path::new("/no/such/file"), "/x")).expect_err("no source");
        let Error::Source(error) = error else { panic!("{error}") };
        assert!(error.to_string().starts_with("/no/such/file: No such file"), "{error}");
    }

    #[test]
    fn what_vanishes_in_a_tree_is_named() {
        let (_folder, root) = tree();
        let gone = root.join("sub/gone");
        let mut archive = Builder::new(io::sink());
        let error = at(&gone, append(&mut archive, &upload(&root, "/x"), &gone, Path::new("x"))).expect_err("gone");
        assert!(error.to_string().starts_with(&format!("{}: No such file", gone.display())), "{error}");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn holes_sockets_and_files_that_lie_about_their_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("tree");
        fs::create_dir(&root).expect("a folder");
        File::create(root.join("sparse")).and_then(|file| file.set_len(1 << 20)).expect("a hole");
        let _socket = UnixListener::bind(root.join("socket")).expect("a socket");
        let tree = seen(&upload(&root, "/t"), "t");
        assert_eq!(paths(&tree), ["t", "t/sparse"].map(Path::new));
        assert_eq!(tree[1].5, vec![0; 1 << 20]);
        assert!(seen(&upload(Path::new("/proc/version"), "/v"), "v")[0].5.len() > 10);
        let mtu = &seen(&upload(Path::new("/sys/class/net/lo/mtu"), "/mtu"), "mtu")[0].5;
        assert!((2..10).contains(&mtu.len()), "not a page of zeros");
    }

    #[test]
    fn long_names_and_those_that_are_no_text_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let strange = OsStr::from_bytes(b"\xff\xfe \n");
        let mut long = folder.path().to_owned();
        while long.as_os_str().len() < 3000 {
            long.push("\u{e9}".repeat(120));
        }
        fs::create_dir_all(&long).expect("folders");
        for name in [strange, OsStr::from_bytes(&[b'\xff'; 200])] {
            fs::write(long.join(name), name.as_bytes()).expect("a file");
        }
        symlink("x".repeat(300), long.join("link")).expect("a link");
        let tree = seen(&upload(folder.path(), "/t"), "t");
        let inside = Path::new("t").join(long.strip_prefix(folder.path()).expect("inside"));
        for name in [strange, OsStr::from_bytes(&[b'\xff'; 200])] {
            let entry = tree.iter().find(|(path, ..)| *path == inside.join(name)).expect("it is there");
            assert_eq!(entry.5, name.as_bytes());
        }
        let link = tree.iter().find(|(path, ..)| *path == inside.join("link")).expect("it is there");
        assert_eq!(link.4, Some("x".repeat(300).into()));
    }

    #[test]
    fn a_device_keeps_its_numbers_and_a_time_before_1970_is_1970() {
        let metadata = fs::metadata("/dev/null").expect("there is a /dev/null");
        let header = upload(Path::new("/dev/null"), "/x").header_of(&metadata).expect("a header");
        assert_eq!(header.entry_type(), EntryType::Char);
        assert_eq!((header.device_major().expect("one"), header.device_minor().expect("one")), (Some(1), Some(3)));
        let (folder, root) = tree();
        let old = UNIX_EPOCH - std::time::Duration::from_secs(5);
        File::open(&root).and_then(|file| file.set_modified(old)).expect("a time");
        let metadata = fs::metadata(&root).expect("it is there");
        assert_eq!(metadata.mtime(), -5);
        assert_eq!(upload(&root, "/x").header_of(&metadata).expect("a header").mtime().expect("a time"), 0);
        drop(folder);
    }

    #[test]
    fn a_deep_tree_is_no_recursion() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("d/".repeat(1900));
        fs::create_dir_all(deep.join("end")).expect("folders");
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let path = folder.path().to_owned();
        let count = small.spawn(move || seen(&upload(&path, "/t"), "t").len()).expect("a thread").join();
        assert_eq!(count.expect("no overflow"), 1902);
    }
}
