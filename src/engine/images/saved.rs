//! Which images an archive holds, as `docker save` makes it: its `manifest.json`, read without reading the rest.
//!
//! ```text
//! file ─ first bytes ─┬─ tar:  from header to header, seeking past the contents ─┐
//!                     ├─ gzip: the same, decompressing and dropping them ────────┴─▶ manifest.json ─▶ references
//!                     └─ zstd: closed to us
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use tar::{EntryType, Header, PaxExtensions};

use super::Reference;
use super::gunzip::Gunzip;

/// Thousands of images have a smaller one.
const LARGEST_MANIFEST: u64 = 4 << 20;
/// As Go's archive/tar has it, which the engine reads with.
const LARGEST_EXTENSION: u64 = 1 << 20;
const BLOCK: u64 = 512;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// What is known of the images in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Saved {
    /// Tags and ids: the names that an engine knows the images by once it has loaded them. Digests of registries are not
    /// among them, as an archive does not say them.
    Images(Vec<Reference>),
    /// Only the engine can read it.
    Closed,
}

impl Saved {
    /// Looks into an archive, in memory that does not grow with it.
    pub(super) fn read(archive: &Path) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(32 << 10, File::open(archive)?);
        let start = file.fill_buf()?;
        if start.starts_with(ZSTD) {
            return Ok(Self::Closed);
        }
        let manifest = if start.starts_with(GZIP) {
            manifest(&mut Gunzip::new(file), read_past)?
        } else {
            manifest(&mut file, BufReader::seek_relative)?
        };
        Ok(Self::Images(references(&manifest)?))
    }
}

fn read_past<R: Read>(source: &mut R, length: i64) -> io::Result<()> {
    io::copy(&mut source.take(length.unsigned_abs()), &mut io::sink()).map(drop)
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The text of the `manifest.json` in a tar archive.
fn manifest<R: Read>(source: &mut R, skip: impl Fn(&mut R, i64) -> io::Result<()>) -> io::Result<Vec<u8>> {
    // The size of the next entry, where a header is too small to say it: a layer of 8 GiB.
    let mut pax_size = None;
    while let Some(header) = header(source)? {
        let kind = header.entry_type();
        let size = match pax_size.take() {
            Some(size) => size,
            None if has_content(kind) => header.entry_size()?,
            None => 0,
        };
        let padded = size.checked_next_multiple_of(BLOCK).and_then(|size| i64::try_from(size).ok());
        let padded = padded.ok_or_else(|| broken("an entry is larger than anything"))?;
        let name = header.path_bytes();
        if kind.is_file() && matches!(&*name, b"manifest.json" | b"./manifest.json") {
            return content(source, size, LARGEST_MANIFEST, "its manifest.json is larger than 4 MiB");
        }
        if kind.is_pax_local_extensions() {
            let text = content(source, size, LARGEST_EXTENSION, "an extended header is larger than 1 MiB")?;
            pax_size = size_in(&text);
            skip(source, padded - i64::try_from(text.len()).unwrap_or(padded))?;
        } else {
            skip(source, padded)?;
        }
    }
    Err(broken("it has no manifest.json, or ends before it"))
}

/// The next header; none at the end.
fn header<R: Read>(source: &mut R) -> io::Result<Option<Header>> {
    let mut header = Header::new_old();
    let block = header.as_mut_bytes();
    match source.read_exact(block) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    // The sum takes its own field for blanks.
    let sum: u32 =
        block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    if header.cksum().ok() != Some(sum) {
        return Err(broken("it is no tar archive, or damaged"));
    }
    Ok(Some(header))
}

fn has_content(kind: EntryType) -> bool {
    !matches!(
        kind,
        EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Directory
            | EntryType::Fifo
    )
}

fn content<R: Read>(source: &mut R, size: u64, most: u64, too_large: &'static str) -> io::Result<Vec<u8>> {
    if size > most {
        return Err(broken(too_large));
    }
    let mut text = Vec::new();
    source.take(size).read_to_end(&mut text)?;
    if (text.len() as u64) < size {
        return Err(broken("it is cut off"));
    }
    Ok(text)
}

fn size_in(extensions: &[u8]) -> Option<u64> {
    let mut sizes = PaxExtensions::new(extensions).filter_map(Result::ok).filter(|one| one.key_bytes() == b"size");
    sizes.next()?.value().ok()?.parse().ok()
}

fn references(manifest: &[u8]) -> io::Result<Vec<Reference>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Image {
        /// `HEX.json` or `blobs/sha256/HEX`: named by its digest, which is the id of the image.
        config: String,
        repo_tags: Option<Vec<String>>,
    }
    let images: Vec<Image> = serde_json::from_slice(manifest)?;
    let mut references = Vec::new();
    for image in images {
        references.extend(image.repo_tags.iter().flatten().map(|tag| Reference::parse(tag)));
        let digest = image.config.rsplit('/').next().unwrap_or_default();
        let id = Reference::parse(digest.strip_suffix(".json").unwrap_or(digest));
        references.extend(Some(id).filter(Reference::is_id));
    }
    Ok(references)
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::{Value, json};
    use tar::Builder;

    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// An archive of entries, by name and content.
    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for (name, content) in entries {
            let mut header = Header::new_ustar();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, name, *content).expect("an entry");
        }
        archive.into_inner().expect("an archive")
    }

    /// A header with these very bytes for its name.
    fn header_of(kind: EntryType, name: &str, size: u64) -> Vec<u8> {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    /// An archive with a layer and images of these names.
    pub(in super::super) fn saved(tags: &[&str]) -> Vec<u8> {
        with_manifest(&json!([{"Config": format!("{HEX}.json"), "RepoTags": tags, "Layers": ["a/layer.tar"]}]))
    }

    fn with_manifest(manifest: &Value) -> Vec<u8> {
        archive(&[("a/layer.tar", &[7; 2000]), ("manifest.json", manifest.to_string().as_bytes()), ("z", b"z")])
    }

    pub(in super::super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(bytes).expect("compressed");
        gz.finish().expect("compressed")
    }

    fn read(bytes: &[u8]) -> io::Result<Saved> {
        let folder = tempfile::tempdir().expect("a folder");
        let path: PathBuf = folder.path().join("x");
        fs::write(&path, bytes).expect("a file");
        Saved::read(&path)
    }

    fn images(names: &[&str]) -> Saved {
        Saved::Images(names.iter().map(|name| Reference::parse(name)).collect())
    }

    /// Why an archive is refused, both plain and compressed.
    fn refused(bytes: &[u8]) -> String {
        let plain = read(bytes).expect_err("broken").to_string();
        let packed = read(&gzipped(bytes)).expect_err("broken").to_string();
        assert_eq!(plain, packed);
        plain
    }

    #[test]
    fn tags_and_ids_are_read_plain_and_compressed() {
        let bytes = saved(&["x:1", "quay.io/y:2"]);
        let expected = images(&["x:1", "quay.io/y:2", HEX]);
        assert_eq!(read(&bytes).expect("plain"), expected);
        assert_eq!(read(&gzipped(&bytes)).expect("gzip"), expected);
        // As pigz writes it: more than one part.
        let (first, second) = bytes.split_at(1000);
        assert_eq!(read(&[gzipped(first), gzipped(second)].concat()).expect("two parts"), expected);
    }

    #[test]
    fn the_forms_of_a_manifest_are_those_of_all_engines() {
        for (manifest, expected) in [
            (
                json!([{"Config": format!("blobs/sha256/{HEX}"), "RepoTags": ["x:1"], "Layers": []}]),
                images(&["x:1", HEX]),
            ),
            (json!([{"Config": "c.json", "RepoTags": null}, {"Config": "d.json", "RepoTags": ["y"]}]), images(&["y"])),
            (json!([{"Config": ""}]), images(&[])),
            (json!([]), images(&[])),
        ] {
            assert_eq!(read(&with_manifest(&manifest)).expect("an archive"), expected, "{manifest}");
        }
        let mut in_folder = header_of(EntryType::Directory, "./", 0);
        in_folder.extend(header_of(EntryType::Regular, "./manifest.json", 32));
        in_folder.extend(br#"[{"Config":"","RepoTags":["x"]}]"#[..].iter().chain(&[0; 512]));
        assert_eq!(read(&in_folder).expect("an archive"), images(&["x"]));
    }

    #[test]
    fn contents_are_seeked_past_and_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("huge.tar");
        let size = 20u64 << 30;
        // Its size in the extended header of Go's archive/tar, and a hole for its content.
        let mut start = Builder::new(Vec::new());
        start
            .append_pax_extensions([("mtime", b"1.5".as_slice()), ("size", size.to_string().as_bytes())])
            .expect("pax");
        let mut header = Header::new_ustar();
        header.set_path("a/layer.tar").expect("a name");
        header.set_size(0);
        header.set_cksum();
        let mut start = start.into_inner().expect("an archive");
        start.truncate(start.len() - 1024);
        start.extend_from_slice(header.as_bytes());
        let mut file = File::create(&path).expect("a file");
        file.write_all(&start).expect("written");
        io::Seek::seek(&mut file, io::SeekFrom::Current(size.cast_signed())).expect("a hole");
        file.write_all(&saved(&["huge:1"])).expect("written");
        assert_eq!(Saved::read(&path).expect("an archive"), images(&["huge:1", HEX]));
    }

    #[test]
    fn a_link_has_no_content_whatever_size_it_names() {
        let mut bytes = header_of(EntryType::Symlink, "link", 4096);
        bytes.extend(header_of(EntryType::Directory, "folder", 4096));
        bytes.extend(saved(&["x:1"]));
        assert_eq!(read(&bytes).expect("an archive"), images(&["x:1", HEX]));
    }

    #[test]
    fn a_closed_archive_is_told_by_its_first_bytes() {
        assert_eq!(read(&[ZSTD, b"whatever"].concat()).expect("a look"), Saved::Closed);
    }

    #[test]
    fn broken_archives_are_refused() {
        let whole = saved(&["x:1"]);
        assert!(refused(b"").contains("no manifest.json"));
        assert!(refused(&archive(&[("a", b"a")])).contains("no manifest.json"));
        assert!(refused(&whole[..1000]).contains("no manifest.json"));
        assert!(refused(&whole[..3100]).contains("cut off"));
        assert!(refused(&[b'x'; 2000]).contains("no tar archive"));
        let mut damaged = whole.clone();
        damaged[10] ^= 1;
        assert!(refused(&damaged).contains("damaged"));
        for text in [r#"{"Config": ""}"#, "[1]", "[{}]", "", "\u{0}", r#"[{"Config": "", "RepoTags": [1]}]"#] {
            let manifest = archive(&[("manifest.json", text.as_bytes())]);
            assert!(read(&manifest).is_err(), "{text}");
        }
        let packed = gzipped(&whole);
        assert!(read(&packed[..packed.len() / 2]).is_err());
        assert!(read(&[&packed[..20], &[0xff; 200]].concat()).is_err());
        assert!(Saved::read(Path::new("/no/such/archive")).is_err());
        assert!(Saved::read(Path::new("/")).is_err());
    }

    #[test]
    fn a_manifest_or_an_extended_header_that_is_too_large_is_not_read() {
        assert!(refused(&header_of(EntryType::Regular, "manifest.json", LARGEST_MANIFEST + 1)).contains("4 MiB"));
        assert!(refused(&header_of(EntryType::XHeader, "x", LARGEST_EXTENSION + 1)).contains("1 MiB"));
        assert!(refused(&header_of(EntryType::Regular, "x", u64::MAX)).contains("larger than anything"));
        // Nor is a long name, whatever it says.
        let longest = header_of(EntryType::GNULongName, "x", 1 << 40);
        assert!(read(&longest).expect_err("it ends").to_string().contains("no manifest.json"));
    }
}
