//! A folder of image archives, to load from where no registry can be reached.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, io};

use super::Reference;
use super::saved::Saved;

/// The endings that make a file an archive, cheap ones to look into first.
const ENDINGS: [&str; 4] = [".tar", ".tar.gz", ".tgz", ".tar.zst"];

/// The archives of a folder. What is in one is looked up at most once, and only when it is asked for.
#[derive(Debug)]
pub struct Shelf {
    archives: Vec<Archive>,
}

#[derive(Debug)]
struct Archive {
    path: PathBuf,
    saved: OnceLock<Saved>,
}

impl Shelf {
    /// Lists the archives of a folder, by their names: `.tar`, `.tar.gz`, `.tgz`, `.tar.zst`. Other files and folders are
    /// passed over.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let mut ranked = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
            let rank = ENDINGS.iter().position(|ending| name.ends_with(ending));
            if let Some(rank) = rank.filter(|_| path.is_file()) {
                ranked.push((rank, path));
            }
        }
        ranked.sort();
        let archives = ranked.into_iter().map(|(_, path)| Archive { path, saved: OnceLock::new() }).collect();
        Ok(Self { archives })
    }

    /// The archives to load, one after the other, until the engine has the image: first those that hold it, by its tag or
    /// its id, then those that only the engine can read (zstd, from Docker 23 on), in the order of their names. An archive
    /// that cannot be read is told of and left out.
    ///
    /// An image that is asked for by the digest of a registry (`x@sha256:…`) is in none that can be read: no engine knows
    /// it by that name after a load from there.
    pub fn archives_of<'a>(&'a self, image: &'a Reference) -> impl Iterator<Item = &'a Path> {
        let holds = |archive: &&Archive| match archive.saved() {
            Saved::Images(images) => images.contains(image),
            Saved::Closed => false,
        };
        let is_closed = |archive: &&Archive| *archive.saved() == Saved::Closed;
        let sure = self.archives.iter().filter(holds);
        sure.chain(self.archives.iter().filter(is_closed)).map(|archive| archive.path.as_path())
    }
}

impl Archive {
    fn saved(&self) -> &Saved {
        self.saved.get_or_init(|| {
            Saved::read(&self.path).unwrap_or_else(|error| {
                log::warn!("the archive {} is left out: {error}", self.path.display());
                Saved::Images(Vec::new())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::saved::tests::{gzipped, saved};
    use super::*;

    /// A folder with these files.
    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("a file");
        }
        folder
    }

    fn found(shelf: &Shelf, image: &str) -> Vec<String> {
        let image = Reference::parse(image);
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        shelf.archives_of(&image).map(name).collect()
    }

    const CLOSED: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0, 0];

    #[test]
    fn an_image_is_found_however_its_name_is_written() {
        let folder = folder(&[("a.tar", &saved(&["nginx:latest"])), ("b.tgz", &gzipped(&saved(&["host:5000/x:1"])))]);
        let shelf = Shelf::open(folder.path()).expect("a shelf");
        for name in ["nginx", "docker.io/library/nginx:latest", "index.docker.io/library/nginx"] {
            assert_eq!(found(&shelf, name), ["a.tar"], "{name}");
        }
        assert_eq!(found(&shelf, "host:5000/x:1"), ["b.tgz"]);
        for other in ["nginx:1", "x:1", "host:5000/x", "nginx@sha256:ab"] {
            assert!(found(&shelf, other).is_empty(), "{other}");
        }
    }

    #[test]
    fn those_that_hold_it_come_first_and_closed_ones_last() {
        let with = saved(&["x"]);
        let folder = folder(&[
            ("a.tar.zst", CLOSED),
            ("b.tar.gz", &gzipped(&with)),
            ("c.TAR", &with),
            ("d.tar", &saved(&["y"])),
            ("e.tar", CLOSED),
            ("f.tgz", &gzipped(&with)),
        ]);
        let shelf = Shelf::open(folder.path()).expect("a shelf");
        assert_eq!(found(&shelf, "x"), ["c.TAR", "b.tar.gz", "f.tgz", "e.tar", "a.tar.zst"]);
        assert_eq!(found(&shelf, "none"), ["e.tar", "a.tar.zst"]);
    }

    #[test]
    fn what_is_no_archive_is_passed_over_and_what_is_broken_left_out() {
        let whole = saved(&["x"]);
        let folder = folder(&[
            ("README.md", b"x"),
            ("x.tar.part", &whole),
            ("x.zip", &whole),
            ("broken.tar", b"x"),
            ("broken.tar.gz", &[0x1f, 0x8b, 0xff]),
            ("good.tar", &whole),
        ]);
        fs::create_dir(folder.path().join("folder.tar")).expect("a folder");
        std::os::unix::fs::symlink("nowhere", folder.path().join("link.tar")).expect("a link");
        let shelf = Shelf::open(folder.path()).expect("a shelf");
        assert_eq!(shelf.archives.len(), 3, "{shelf:?}");
        assert_eq!(found(&shelf, "x"), ["good.tar"]);
        assert!(Shelf::open(&folder.path().join("none")).is_err());
    }

    #[test]
    fn an_archive_is_looked_into_once_and_only_when_needed() {
        let folder = folder(&[("a.tar", &saved(&["x"])), ("b.tar", &saved(&["x"]))]);
        let shelf = Shelf::open(folder.path()).expect("a shelf");
        let image = Reference::parse("x");
        assert!(shelf.archives_of(&image).next().is_some());
        let looked: Vec<bool> = shelf.archives.iter().map(|archive| archive.saved.get().is_some()).collect();
        assert_eq!(looked, [true, false]);
        fs::write(folder.path().join("a.tar"), "changed").expect("a file");
        assert_eq!(found(&shelf, "x"), ["a.tar", "b.tar"]);
    }
}
