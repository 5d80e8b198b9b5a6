//! Archives of images, as `docker save` makes them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

/// An archive as `docker save` makes it, with images of these names.
pub(crate) fn saved(tags: &[&str]) -> Vec<u8> {
    let manifest = json!([{"Config": "c0ffee.json", "RepoTags": tags, "Layers": ["a/layer.tar"]}]).to_string();
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("a/layer.tar", vec![7; 300_000]), ("manifest.json", manifest.into_bytes())] {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content.as_slice()).expect("an entry");
    }
    archive.into_inner().expect("an archive")
}

pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).expect("compressed");
    gz.finish().expect("compressed")
}

pub(crate) fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a file");
    path
}
