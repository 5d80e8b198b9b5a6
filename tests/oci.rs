//! The image for many architectures, which `make image-multiarch` writes: an OCI image layout, read as its format says.
//!
//! Small stand-ins for the binaries show what `.ci/oci.sh` writes. With `PODLIKE_OCI=FOLDER` the layout that is shipped is read.

#![allow(clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use support::real_engine::{docker, image};
use tempfile::TempDir;

/// An architecture: what cargo calls it, its platform in an image, and what its ELF files say: the class and the machine.
struct Architecture {
    target: &'static str,
    platform: fn() -> Value,
    class: u8,
    machine: u16,
}

const ARCHITECTURES: [Architecture; 3] = [
    Architecture {
        target: "x86_64-unknown-linux-musl",
        platform: || json!({"architecture": "amd64", "os": "linux"}),
        class: 2,
        machine: 62,
    },
    Architecture {
        target: "aarch64-unknown-linux-musl",
        platform: || json!({"architecture": "arm64", "os": "linux"}),
        class: 2,
        machine: 183,
    },
    Architecture {
        target: "armv7-unknown-linux-musleabihf",
        platform: || json!({"architecture": "arm", "os": "linux", "variant": "v7"}),
        class: 1,
        machine: 40,
    },
];

impl Architecture {
    /// The first bytes of a program for it, and some that are its own.
    fn stand_in(&self) -> Vec<u8> {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', self.class, 1, 1, 0];
        bytes.resize(16, 0);
        bytes.extend(2_u16.to_le_bytes());
        bytes.extend(self.machine.to_le_bytes());
        bytes.extend(self.target.bytes());
        bytes
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sha256sum");
    child.stdin.take().expect("piped").write_all(bytes).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("text")[..64].to_owned()
}

/// Writes a layout of stand-ins below a folder, and returns where.
fn written(below: &Path) -> PathBuf {
    let layout = below.join("layout");
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/oci.sh"));
    script.arg(&layout).env_remove("SOURCE_DATE_EPOCH");
    for architecture in &ARCHITECTURES {
        let binary = below.join(architecture.target);
        fs::write(&binary, architecture.stand_in()).expect("written");
        script.arg(format!("{}={}", architecture.target, binary.display()));
    }
    let output = script.output().expect("the script runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    layout
}

/// The files below a folder, and their bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).expect("a file");
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// Of a layout that is read: its folder, and the blobs that something has named.
struct Layout {
    folder: PathBuf,
    named: BTreeSet<String>,
}

impl Layout {
    fn json(&self, path: &str) -> Value {
        let bytes = fs::read(self.folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The bytes that a descriptor names, which are what it says.
    fn blob(&mut self, descriptor: &Value, kind: &str) -> Vec<u8> {
        assert_eq!(descriptor["mediaType"], json!(format!("application/vnd.oci.image.{kind}")));
        let digest = descriptor["digest"].as_str().expect("a digest").strip_prefix("sha256:").expect("by SHA-256");
        let bytes = fs::read(self.folder.join("blobs/sha256").join(digest)).expect("the blob");
        assert_eq!(descriptor["size"], json!(bytes.len()), "{descriptor}");
        assert_eq!(sha256(&bytes), digest);
        self.named.insert(digest.to_owned());
        bytes
    }
}

/// Reads a layout, checks all that can be, and returns what a container of it has, for each architecture the same.
fn checked(folder: &Path) -> Value {
    let mut layout = Layout { folder: folder.to_owned(), named: BTreeSet::new() };
    assert_eq!(layout.json("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}));
    let is_index = |index: &Value| {
        index["schemaVersion"] == json!(2) && index["mediaType"] == json!("application/vnd.oci.image.index.v1+json")
    };
    let images = layout.json("index.json");
    assert!(is_index(&images), "{images}");
    assert_eq!(
        images["manifests"].as_array().map(Vec::len),
        Some(1),
        "one image: tools want to be told which otherwise"
    );
    let index = layout.blob(&images["manifests"][0], "index.v1+json");
    let index: Value = serde_json::from_slice(&index).expect("JSON");
    assert!(is_index(&index), "{index}");
    let manifests = index["manifests"].as_array().expect("manifests");
    assert_eq!(manifests.len(), ARCHITECTURES.len());
    let mut containers = Vec::new();
    for (descriptor, architecture) in manifests.iter().zip(&ARCHITECTURES) {
        assert_eq!(descriptor["platform"], (architecture.platform)());
        let manifest = layout.blob(descriptor, "manifest.v1+json");
        let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!((&manifest["schemaVersion"], &manifest["mediaType"]), (&json!(2), &descriptor["mediaType"]));
        let layers = manifest["layers"].as_array().expect("layers");
        assert_eq!(layers.len(), 1);
        let mut layer = Vec::new();
        GzDecoder::new(&*layout.blob(&layers[0], "layer.v1.tar+gzip")).read_to_end(&mut layer).expect("gzip");
        let config = layout.blob(&manifest["config"], "config.v1+json");
        let mut config: Value = serde_json::from_slice(&config).expect("JSON");
        for (key, value) in (architecture.platform)().as_object().expect("an object") {
            assert_eq!(&config[key], value, "{key}");
        }
        assert_eq!(config["rootfs"], json!({"type": "layers", "diff_ids": [format!("sha256:{}", sha256(&layer))]}));
        holds_podlike_alone(&layer, architecture);
        containers.push(config["config"].take());
    }
    let there: BTreeSet<String> = files(&folder.join("blobs/sha256"))
        .iter()
        .map(|(path, _)| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, layout.named, "nothing else is there");
    assert!(containers.windows(2).all(|two| two[0] == two[1]));
    containers.remove(0)
}

#[track_caller]
fn holds_podlike_alone(layer: &[u8], architecture: &Architecture) {
    let mut archive = tar::Archive::new(layer);
    let mut entries = archive.entries().expect("an archive");
    let mut entry = entries.next().expect("an entry").expect("a whole one");
    assert_eq!(entry.path_bytes().as_ref(), b"podlike");
    let header = entry.header();
    assert_eq!(
        (header.entry_type(), header.mode().ok(), header.uid().ok(), header.gid().ok(), header.mtime().ok()),
        (tar::EntryType::Regular, Some(0o755), Some(0), Some(0), Some(0))
    );
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).expect("its bytes");
    assert_eq!(&bytes[..5], [0x7f, b'E', b'L', b'F', architecture.class], "{}", architecture.target);
    assert_eq!(bytes[18..20], architecture.machine.to_le_bytes(), "{}", architecture.target);
    assert!(entries.next().is_none());
}

#[test]
fn a_layout_holds_an_image_for_each_architecture() {
    let folder = tempfile::tempdir().expect("a folder");
    let shipped = env::var_os("PODLIKE_OCI").map(PathBuf::from);
    checked(&shipped.unwrap_or_else(|| written(folder.path())));
}

#[test]
fn the_same_binaries_give_the_same_bytes_wherever_they_are() {
    let folders = [TempDir::new().expect("a folder"), TempDir::with_prefix("longer-than-that").expect("a folder")];
    let [one, other] = folders.each_ref().map(|folder| {
        let layout = written(folder.path());
        let relative = |path: &Path| path.strip_prefix(&layout).expect("below it").to_owned();
        files(&layout).into_iter().map(|(path, bytes)| (relative(&path), bytes)).collect::<Vec<_>>()
    });
    assert_eq!(one.len(), 12);
    assert!(one == other);
}

#[test]
fn a_container_of_it_has_what_one_of_the_image_of_the_tests_has() {
    let folder = TempDir::new().expect("a folder");
    let ours = checked(&written(folder.path()));
    let engines: Value = serde_json::from_str(&docker(&["image", "inspect", &image()])).expect("JSON");
    let theirs = &engines[0]["Config"];
    for key in ["Entrypoint", "Cmd", "Env", "Healthcheck", "User", "ExposedPorts", "Volumes", "StopSignal"] {
        let unset = |value: &Value| *value == json!("");
        let (ours, theirs) = (&ours[key], &theirs[key]);
        assert!(ours == theirs || ours.is_null() && unset(theirs), "{key}: {ours}, and there {theirs}");
    }
    let mut labels = theirs["Labels"].clone();
    labels.as_object_mut().expect("labels").remove("podlike-build");
    assert_eq!(ours["Labels"], labels);
}
