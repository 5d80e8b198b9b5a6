//! Files and folders are copied from the controller with mode, owner and time.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::real_engine::{Pod, docker, sh};

/// Gives a file or a folder a mode, an owner and a time.
fn dress(path: &Path, mode: u32, owner: u32, time: u64) {
    chown(path, Some(owner), Some(owner + 1)).expect("we are root");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
    File::open(path).and_then(|file| file.set_modified(time)).expect("a time");
}

#[test]
fn a_folder_and_a_file_are_in_their_places_before_the_component_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path().join("from");
    fs::create_dir_all(from.join("sub")).expect("folders");
    fs::write(from.join("sub/file"), "content\n").expect("a file");
    symlink("sub/file", from.join("link")).expect("a link");
    dress(&from.join("sub/file"), 0o4750, 1000, 1_000_000_000);
    dress(&from.join("sub"), 0o711, 7, 1_200_000_000);
    dress(&from, 0o755, 8, 1_300_000_000);
    let script =
        "cd /new; stat -c '%n %a %u:%g %Y' tree tree/sub tree/sub/file file; readlink tree/link; cat tree/link file";
    let pod = Pod::new()
        .component("app", sh(script))
        .label("pod.copy.app", json!(["/from:/new/tree", {"source": "/from/sub/file", "target": "/new/file"}]))
        .flags("-logs")
        .create();
    docker(&["cp", "--archive", &from.display().to_string(), &format!("{}:/", pod.name)]);
    let ended = pod.start().end();
    let wanted = [
        "tree 755 8:9 1300000000",
        "tree/sub 711 7:8 1200000000",
        "tree/sub/file 4750 1000:1001 1000000000",
        "file 4750 1000:1001 1000000000",
        "sub/file",
        "content",
        "content",
    ];
    let wanted = wanted.map(|line| format!("[out] app: {line}"));
    assert_eq!(ended.out().lines().collect::<Vec<_>>(), wanted, "{}", ended.err());
}
