//! `pod.copy.NAME`: files and folders of the controller, as they are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::real_engine::{Pod, Volume, docker, inspect, sh, stays, with};

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
        ("/from/file:/etc/passwd/x", ["/from/file", "/etc/passwd/x", "not a directory"]),
        ("/from/file:/etc/passwd/x/y", ["/from/file", "/etc/passwd/x/y", "not a directory"]),
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

#[test]
fn a_file_with_holes_arrives_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("holes")).expect("a file");
    file.set_len(8 << 20).expect("a size");
    file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(b"the end")).expect("written");
    file.set_len(12 << 20).expect("a size");
    let volume = format!("{}:/from:ro", folder.path().display());
    let script = "cmp /from/holes /holes && stat -c %s /holes && echo as it was";
    let ended = Pod::new()
        .mount(folder.path(), "/from:ro")
        .component("app", with(sh(script), json!({"volumes": [volume]})))
        .label("pod.copy.app", "/from/holes:/holes")
        .flags("-logs")
        .end();
    assert_eq!(ended.out(), format!("[out] app: {}\n[out] app: as it was\n", 12 << 20), "{}", ended.err());
}

#[test]
fn a_file_of_the_kernel_arrives_with_its_content() {
    let ended = Pod::new()
        .component("app", sh("cmp /proc/version /version && echo the same"))
        .label("pod.copy.app", "/proc/version:/version")
        .flags("-logs")
        .end();
    assert_eq!(ended.out(), "[out] app: the same\n", "{}", ended.err());
}

#[test]
fn a_socket_in_a_folder_is_left_out_with_a_warning() {
    let source = source();
    let socket = UnixListener::bind(source.path().join("tree/sub/talk.sock")).expect("a socket");
    let ended = Pod::new()
        .mount(source.path(), "/from:ro")
        .component("app", sh("cd /tree; ls sub; cat link"))
        .label("pod.copy.app", "/from/tree:/tree")
        .flags("-logs")
        .end();
    drop(socket);
    let wanted = ["empty", "file", "content"].map(|line| format!("[out] app: {line}\n")).concat();
    assert_eq!(ended.out(), wanted, "{}", ended.err());
    let warned = |line: &str| line.starts_with("podlike: warning: ") && line.contains("/from/tree/sub/talk.sock");
    assert!(ended.err().lines().any(warned), "{}", ended.err());
}

#[test]
fn a_pipe_is_copied_as_one_or_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status();
    assert!(made.is_ok_and(|status| status.success()), "a pipe");
    for (label, place) in [("/from/pipe:/pipe", "/pipe"), ("/from:/folder", "/folder/pipe")] {
        let ended = Pod::new()
            .mount(folder.path(), "/from:ro")
            .component("app", sh(&format!("test -p {place} && exit 5")))
            .label("pod.copy.app", label)
            .end();
        let named = ended.code == Some(125) && ended.err().contains("/from/pipe");
        assert!(named || ended.code == Some(5), "{:?}: {}", ended.code, ended.err());
    }
}

#[test]
fn a_copy_into_a_root_that_is_read_only_is_told_what_to_do() {
    let source = source();
    let ended = Pod::new()
        .mount(source.path(), "/from:ro")
        .component("app", with(stays(), json!({"read_only": true})))
        .label("pod.copy.app", "/from/file:/file")
        .end();
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    for part in ["component 'app'", "/from/file", "read-only", "volume"] {
        assert!(ended.err().contains(part), "no '{part}' in {}", ended.err());
    }
}

#[test]
fn a_volume_below_a_root_that_is_read_only_takes_a_copy_with_its_directories() {
    let source = source();
    let ended = Pod::new()
        .mount(source.path(), "/from:ro")
        .component("app", with(sh("cat /data/new/deep/file"), json!({"read_only": true, "volumes": ["/data"]})))
        .label("pod.copy.app", "/from/tree/sub/file:/data/new/deep/file")
        .flags("-logs")
        .end();
    assert_eq!((ended.code, ended.out().as_str()), (Some(0), "[out] app: content\n"), "{}", ended.err());
}

#[test]
fn a_copy_into_a_volume_that_is_full_is_told_with_both_ends() {
    let source = source();
    let volume = Volume::new(&["type=tmpfs", "device=tmpfs", "o=size=64k"]);
    let ended = Pod::new()
        .mount(source.path(), "/from:ro")
        .mount(Path::new(&volume.0), "/small")
        .component("app", with(stays(), json!({"volumes": [format!("{}:/data", volume.0)]})))
        .label("pod.copy.app", "/from/file:/data/file")
        .end();
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    for part in ["component 'app'", "/from/file", "/data/file", "no space left on device"] {
        assert!(ended.err().contains(part), "no '{part}' in {}", ended.err());
    }
}

/// A file as it is: kind and mode, owner, group, time, device, and content.
type Kept = (u32, u32, u32, i64, u64, Vec<u8>);

/// What there is below a folder.
fn listed(root: &Path) -> BTreeMap<PathBuf, Kept> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let about = path.symlink_metadata().expect("it is there");
            let kind = about.file_type();
            let (content, time) = match () {
                // The time of a link is that of its copy.
                () if kind.is_symlink() => (fs::read_link(&path).expect("a link").into_os_string().into_vec(), 0),
                () if kind.is_file() => (fs::read(&path).expect("a file"), about.mtime()),
                () => (Vec::new(), about.mtime()),
            };
            let inside = path.strip_prefix(root).expect("it is inside").to_owned();
            found.insert(inside, (about.mode(), about.uid(), about.gid(), time, about.rdev(), content));
            if kind.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

#[test]
fn links_devices_long_names_and_strange_ones_arrive() {
    let source = source();
    let tree = source.path().join("tree");
    let deep = tree.join("directory/".repeat(350));
    fs::create_dir_all(&deep).expect("folders");
    fs::write(deep.join("x".repeat(200)), "far").expect("a file");
    let strange = tree.join(OsStr::from_bytes(b"\xff\xfe \n"));
    fs::write(&strange, "strange").expect("a file");
    fs::hard_link(&strange, tree.join("the same")).expect("a hard link");
    for (link, to) in [("absolute", "/bin/true"), ("dangling", "../nowhere/at all")] {
        symlink(to, tree.join(link)).expect("a link");
    }
    symlink("long/".repeat(300), tree.join("far")).expect("a link");
    for words in [["null", "c", "1", "3"].as_slice(), &["pipe", "p"]] {
        let made = Command::new("mknod").current_dir(&tree).args(words).status();
        assert!(made.is_ok_and(|status| status.success()), "{words:?}");
    }
    let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_secs(1000);
    File::create(tree.join("old")).and_then(|file| file.set_modified(before_1970)).expect("a time");
    let mut wanted = listed(&tree);
    wanted.get_mut(Path::new("old")).expect("it is there").3 = 0;
    assert_eq!(wanted.len(), 13 + 350);

    let volume = Volume::new(&[]);
    let ended = Pod::new()
        .mount(source.path(), "/from:ro")
        .mount(Path::new(&volume.0), "/volume")
        .component("app", with(sh("exit 5"), json!({"volumes": [format!("{}:/data", volume.0)]})))
        .label("pod.copy.app", "/from/tree:/data/tree")
        .end();
    assert_eq!(ended.code, Some(5), "{}", ended.err());
    let place = docker(&["volume", "inspect", "--format", "{{.Mountpoint}}", &volume.0]);
    let seen = listed(&Path::new(&place).join("tree"));
    for (path, wanted) in &wanted {
        assert_eq!(seen.get(path), Some(wanted), "{}", path.display());
    }
    assert_eq!(seen.len(), wanted.len());
}

#[test]
fn two_gigabytes_take_no_memory_of_the_controller() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = File::create(folder.path().join("large")).expect("a file");
    file.set_len(2 << 30).expect("a size");
    let pod = Pod::new()
        .mount(folder.path(), "/from:ro")
        .component("app", sh("stat -c %s /large; exec tail -f /dev/null"))
        .label("pod.copy.app", "/from/large:/large")
        .flags("-logs")
        .run();
    pod.says(&format!("[out] app: {}\n", 2_u64 << 30));
    let pid = inspect(pod.name())["State"]["Pid"].clone();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the controller runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    let peak: u32 = peak.expect("a peak in kB");
    assert!(peak < 10 << 10, "{peak} kB");
    pod.stop();
}

#[test]
fn a_copy_has_the_owner_and_the_mode_that_it_is_given() {
    let source = source();
    let label = json!([
        {"source": "/from/file", "target": "/file", "uid": 12, "gid": "34", "mode": 0o400},
        {"source": "/from/tree", "target": "/tree", "uid": 56, "mode": "0640"},
        {"source": "/from/tree/sub/file", "target": "/opt/", "gid": 78},
        {"/from/tree/sub/file": "/as/it/is"},
    ]);
    let ended = Pod::new()
        .mount(source.path(), "/from:ro")
        .component("app", sh(&format!("{LOOK} look /as/it/is /file /opt/file /tree | cut -d ' ' -f 1-3")))
        .label("pod.copy.app", label)
        .flags("-logs")
        .end();
    // A folder can be entered by whom it can be read by.
    let wanted = [
        "/as/it/is: 640 1000:1001",
        "/file: 400 12:34",
        "/opt/file: 640 1000:78",
        "/tree: 750 56:9",
        "/tree/link: 777 56:0",
        "/tree/sub: 750 56:8",
        "/tree/sub/empty: 750 56:34",
        "/tree/sub/file: 640 56:1001",
    ];
    let wanted: Vec<_> = wanted.iter().map(|line| format!("[out] app: {line}")).collect();
    assert_eq!(ended.out().lines().collect::<Vec<_>>(), wanted, "{}", ended.err());
}
