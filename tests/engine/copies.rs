//! `pod.copy.NAME`: files and folders of the controller, as they are.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::real_engine::{Pod, sh, stays};

/// Gives a file or a folder a mode, an owner and a time.
fn dress(path: &Path, mode: u32, owner: u32, time: u64) {
    chown(path, Some(owner), Some(owner + 1)).expect("we are root");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
    File::open(path).and_then(|file| file.set_modified(time)).expect("a time");
}

/// A folder on the host, and what `stat` must say of a copy.
fn source() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("sub/empty")).expect("folders");
    fs::write(tree.join("sub/file"), "content").expect("a file");
    symlink("sub/file", tree.join("link")).expect("a link");
    dress(&tree.join("sub/file"), 0o640, 1000, 1_000_000_000);
    dress(&tree.join("sub/empty"), 0o2750, 33, 1_100_000_000);
    dress(&tree.join("sub"), 0o755, 7, 1_200_000_000);
    dress(&tree, 0o711, 8, 1_300_000_000);
    let text = "large\n".repeat(1 << 20);
    fs::write(folder.path().join("file"), text).expect("a file");
    dress(&folder.path().join("file"), 0o4755, 5, 1_400_000_000);
    folder
}

const TREE: &str = "
    TREE: 711 8:9 1300000000 directory
    TREE/link: 777 0:0 - sub/file
    TREE/sub: 755 7:8 1200000000 directory
    TREE/sub/empty: 2750 33:34 1100000000 directory
    TREE/sub/file: 640 1000:1001 1000000000 content
";

/// Prints the same of what it finds.
const LOOK: &str = r#"look() { find "$@" | sort | while read -r path; do
        stat=$(stat -c '%a %u:%g' "$path") time=$(stat -c %Y "$path")
        if [ -L "$path" ]; then text=$(readlink "$path") time=-
        elif [ -d "$path" ]; then text=directory
        else text=$(head -c 20 "$path" | head -n 1); fi
        echo "$path: $stat $time $text"
    done; }
    "#;

#[test]
fn folders_and_files_are_copied_as_they_are() {
    let source = source();
    let look = |paths: &str| sh(&format!("{LOOK} look {paths}"));
    // Where in the component, by which form of the label, and which paths say what.
    let cases = [
        ("/tree", json!({"/from/tree": "/tree"}).to_string()),
        ("/new/deep/tree", "/from/tree:/new/deep/tree".to_owned()),
        ("/opt/here", "[/from/tree:/opt/here/]".to_owned()),
    ];
    for (target, label) in cases {
        let ended = Pod::new()
            .mount(source.path(), "/from:ro")
            .component("app", look(target))
            .label("pod.copy.app", label)
            .flags("-logs")
            .end();
        let wanted: Vec<_> = TREE.replace("TREE", target).split_whitespace().map(str::to_owned).collect();
        let seen: Vec<_> = ended.out().replace("[out] app: ", "").split_whitespace().map(str::to_owned).collect();
        assert_eq!(seen, wanted, "{target}: {}", ended.err());
    }
}

#[test]
fn several_copies_go_where_they_should_and_into_what_is_there() {
    let source = source();
    let script = format!(
        "{LOOK} look /file /etc/motd /etc/config.d /tmp/file; wc -l </file; ls -d /etc/passwd /home/app; cat /tmp/tree/sub/file"
    );
    let label = json!(["/from/file:/file", {"/from/file": "/etc/motd"}, "/from/tree/sub:/etc/config.d", "/from/file:/tmp/", "/from/tree:/tmp/tree"]);
    let ended = Pod::new()
        .mount(source.path(), "/from:ro")
        .component("app", sh(&script))
        .component("other", stays())
        .label("pod.copy.app", label)
        .flags("-logs")
        .end();
    let wanted = "/etc/config.d: 755 7:8 1200000000 directory
        /etc/config.d/empty: 2750 33:34 1100000000 directory
        /etc/config.d/file: 640 1000:1001 1000000000 content
        /etc/motd: 4755 5:6 1400000000 large
        /file: 4755 5:6 1400000000 large
        /tmp/file: 4755 5:6 1400000000 large
        1048576
        /etc/passwd
        /home/app
        content";
    let wanted: Vec<_> = wanted.lines().map(|line| format!("[out] app: {}", line.trim())).collect();
    assert_eq!(ended.out().lines().collect::<Vec<_>>(), wanted, "{}", ended.err());
}

#[test]
fn a_copy_reaches_an_init_component_too() {
    let source = source();
    let ended = Pod::new()
        .mount(source.path(), "/from:ro")
        .init(&[sh("cat /file")])
        .component("app", sh("test ! -e /file"))
        .label("pod.copy.init-1", "/from/tree/sub/file:/file")
        .flags("-logs")
        .end();
    assert_eq!((ended.code, ended.out().as_str()), (Some(0), "[out] init-1: content\n"), "{}", ended.err());
}

#[test]
fn a_copy_that_cannot_be_made_ends_the_pod_and_names_both_ends() {
    let source = source();
    for (label, parts) in [
        ("/from/nothing:/here", ["/from/nothing", "/here", "No such file"]),
        ("/from/file:/etc", ["/from/file", "/etc", "cannot overwrite directory"]),
        ("/from/tree:/etc/passwd", ["/from/tree", "/etc/passwd", "cannot overwrite non-directory"]),
    ] {
        let ended = Pod::new()
            .mount(source.path(), "/from:ro")
            .component("app", stays())
            .component("other", stays())
            .label("pod.copy.app", label)
            .end();
        assert_eq!(ended.code, Some(125), "{}", ended.err());
        for part in parts.into_iter().chain(["component 'app'"]) {
            assert!(ended.err().contains(part), "no '{part}' in {}", ended.err());
        }
    }
}
