//! Which container are we? `/proc` has traces of it; the engine must confirm what they say.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::engine::types::Mount;

use super::Door;

/// A container that we may be, and what made us think so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The id, or the start of it.
    pub id: String,
    /// Where it was found.
    pub trace: &'static str,
}

/// The traces that are looked at, in order, for the error that none of them held.
pub const TRACES: [&str; 3] = ["/proc/self/cgroup", "/proc/self/mountinfo", "the hostname"];

/// Who we may be, the likeliest first: a cgroup is always our own, while in the network of another container the mounts
/// and the hostname are that one's. `root` is `/`, and another folder in tests.
pub fn candidates(root: &Path) -> Vec<Candidate> {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let found = [
        from_cgroup(&read("proc/self/cgroup")),
        from_mountinfo(&read("proc/self/mountinfo")),
        from_hostname(&read("proc/sys/kernel/hostname")),
    ];
    let mut candidates: Vec<Candidate> = Vec::new();
    for (id, trace) in found.into_iter().zip(TRACES) {
        if let Some(id) = id.filter(|id| candidates.iter().all(|known| known.id != *id)) {
            candidates.push(Candidate { id, trace });
        }
    }
    candidates
}

/// A line of mountinfo.
struct Mounted<'a> {
    device: &'a str,
    /// The path within the device that is mounted.
    root: &'a str,
    at: &'a str,
    /// The options of the file system.
    options: &'a str,
}

fn mounted(text: &str) -> impl Iterator<Item = Mounted<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (device, root, at) = (fields.nth(2)?, fields.next()?, fields.next()?);
        Some(Mounted { device, root, at, options: fields.next_back()? })
    })
}

/// The mount points through which a path of ours can be reached: those of the same device that hold it, whatever their
/// names are.
pub fn ways_to(root: &Path, path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(root.join("proc/self/mountinfo")).unwrap_or_default();
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let holds = |mounted: &Mounted<'_>| path.starts_with(mounted.at);
    let Some(holder) = mounted(&text).filter(holds).max_by_key(|mounted| mounted.at.len()) else {
        return Vec::new();
    };
    let below = path.strip_prefix(holder.at).unwrap_or(Path::new(""));
    let inside = Path::new(holder.root).join(below);
    let leads = |it: &Mounted<'_>| it.device == holder.device && inside.starts_with(it.root);
    mounted(&text).filter(leads).map(|mounted| mounted.at.into()).collect()
}

/// What leads another container to a socket of ours: the innermost of our mounts that holds it, if the engine can mount
/// that once more.
pub fn door(root: &Path, mounts: &[Mount], socket: &Path) -> Option<Door> {
    let real = |path: &Path| {
        let path = root.join(path.strip_prefix("/").unwrap_or(path));
        fs::canonicalize(&path).unwrap_or(path)
    };
    let socket = real(socket);
    let holding = mounts.iter().map(|mount| (mount, real(Path::new(&mount.destination))));
    let (mount, at) = holding.filter(|(_, at)| socket.starts_with(at)).max_by_key(|(_, at)| at.components().count())?;
    let source = match mount.kind.as_str() {
        "bind" => mount.source.clone(),
        "volume" => mount.name.clone(),
        _ => return None,
    };
    let below = socket.strip_prefix(&at).unwrap_or(Path::new("")).to_owned();
    let of_root = fs::metadata(&socket).is_ok_and(|socket| socket.uid() == 0);
    Some(Door { kind: mount.kind.clone(), source, below, of_root })
}

/// Whether our `/etc/hosts` is the one that the engine made for a container, and mounts in all who join its network.
pub fn has_hosts_of(root: &Path, id: &str) -> bool {
    let text = fs::read_to_string(root.join("proc/self/mountinfo")).unwrap_or_default();
    mounted(&text).any(|mounted| {
        mounted.at == "/etc/hosts" && mounted.root.ends_with("/hosts") && mounted.root.split('/').any(|part| part == id)
    })
}

/// Where the writable layer of our root file system is on the host, if it has one.
fn upper_dir(root: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let own = mounted(&text).find(|mounted| mounted.at == "/")?;
    own.options.split(',').find_map(|option| Some(option.strip_prefix("upperdir=")?.into()))
}

/// Whether a container whose writable layer is at `theirs` may be us. Only the end of the path is the same everywhere.
pub fn may_be_us(root: &Path, theirs: Option<&Path>) -> bool {
    let end = |path: &Path| path.iter().rev().take(2).map(ToOwned::to_owned).collect::<Vec<_>>();
    match (upper_dir(root), theirs) {
        (Some(ours), Some(theirs)) => end(&ours) == end(theirs),
        _ => true,
    }
}

/// The engine mounts files such as `resolv.conf`: the root of such a mount (its fourth field) has the id. Only the end of
/// the path is the same everywhere. Docker has `…/containers/ID/FILE`, Podman `…/overlay-containers/ID/userdata/FILE`; of
/// its files `.containerenv` is ours in whatever network we are.
fn from_mountinfo(text: &str) -> Option<String> {
    let found = |files: &[&str]| {
        mounted(text).find_map(|mounted| {
            let parts: Vec<&str> = mounted.root.split('/').collect();
            let (id, file) = match parts[..] {
                [.., "containers", id, file] => (id, file),
                [.., folder, id, "userdata", file] if folder.ends_with("-containers") => (id, file),
                _ => return None,
            };
            (files.contains(&file) && is_id(id)).then(|| id.to_owned())
        })
    };
    found(&[".containerenv"]).or_else(|| found(&["resolv.conf", "hostname", "hosts"]))
}

/// The path of a cgroup has the id, where the cgroup namespace is the host's: as its last part, or with something below.
fn from_cgroup(text: &str) -> Option<String> {
    let id = |part: &str| {
        let id = ["docker-", "libpod-"].iter().find_map(|prefix| part.strip_prefix(prefix)).unwrap_or(part);
        let id = id.strip_suffix(".scope").unwrap_or(id);
        is_id(id).then(|| id.to_owned())
    };
    text.lines().find_map(|line| line.rsplit('/').find_map(id))
}

/// Unless it was set, the hostname is the start of the id.
fn from_hostname(text: &str) -> Option<String> {
    let name = text.trim();
    (name.len() == 12 && is_hex(name)).then(|| name.to_owned())
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Our cgroup as the memory controller of cgroup v1 sees it, if the path is the host's: a namespace shows `/`.
pub fn cgroup(root: &Path, id: &str) -> Option<PathBuf> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let memory = controllers.split(',').any(|controller| controller == "memory");
        (memory && path.ends_with(id)).then(|| PathBuf::from(path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

    #[test]
    fn the_id_is_in_the_mounts_wherever_the_engine_keeps_its_data() {
        for folder in ["/var/lib/docker/containers", "/containers", "/mnt/data/docker/containers"] {
            let line = format!("1 2 254:0 {folder}/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n");
            let text = format!("30 2 0:21 / /proc rw - proc proc rw\n{line}");
            assert_eq!(from_mountinfo(&text).as_deref(), Some(ID), "{folder}");
        }
        let others =
            format!("1 2 254:0 /srv/{ID}/hosts /etc/hosts rw - ext4 x rw\n1 2 3 /containers/x/hosts /x rw\nshort");
        assert_eq!(from_mountinfo(&others), None);
    }

    #[test]
    fn the_id_is_in_the_mounts_of_podman_also_in_the_network_of_another() {
        for folder in ["/containers/storage/overlay-containers", "/overlay-containers", "/x/vfs-containers"] {
            let mount = |id: &str, file: &str, at: &str| {
                format!("156 150 0:24 {folder}/{id}/userdata/{file} {at} rw,relatime - tmpfs tmpfs rw\n")
            };
            assert_eq!(from_mountinfo(&mount(ID, "hosts", "/etc/hosts")).as_deref(), Some(ID), "{folder}");
            let joined = mount(OTHER, "hosts", "/etc/hosts") + &mount(ID, ".containerenv", "/run/.containerenv");
            assert_eq!(from_mountinfo(&joined).as_deref(), Some(ID), "{folder}");
        }
        let volume = format!("1 2 0:24 /volumes/{ID}/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw\n");
        assert_eq!(from_mountinfo(&volume), None);
    }

    #[test]
    fn a_file_of_hosts_is_ours_where_the_engine_made_it_for_us() {
        for (mount, ours) in [
            (format!("/var/lib/docker/containers/{ID}/hosts /etc/hosts"), true),
            (format!("/containers/{ID}/userdata/hosts /etc/hosts"), true),
            ("/var/lib/docker/containers/another/hosts /etc/hosts".to_owned(), false),
            (format!("/containers/{ID}/hosts /mnt/hosts"), false),
            ("/etc/hosts /etc/hosts".to_owned(), false),
        ] {
            let root = proc_with("mountinfo", &format!("1 2 254:0 {mount} rw - ext4 /dev/vda rw\n"));
            assert_eq!(has_hosts_of(root.path(), ID), ours, "{mount}");
        }
    }

    #[test]
    fn the_id_is_in_the_cgroup_for_both_drivers_and_versions() {
        for line in [
            format!("4:memory:/docker/{ID}"),
            format!("0::/system.slice/docker-{ID}.scope"),
            format!("1:name=systemd:/a/{ID}"),
            format!("0::/machine.slice/libpod-{ID}.scope/container"),
            format!("0::/libpod_parent/libpod-{ID}"),
            format!("0::/docker/{OTHER}/docker/{ID}/podlike"),
        ] {
            assert_eq!(from_cgroup(&line).as_deref(), Some(ID), "{line}");
        }
        assert_eq!(from_cgroup("0::/\n4:memory:/\n"), None, "a cgroup namespace hides it");
    }

    /// A root whose `/proc/self/NAME` has this text.
    fn proc_with(name: &str, text: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root.path().join("proc/self")).expect("a folder");
        fs::write(root.path().join("proc/self").join(name), text).expect("a file");
        root
    }

    #[test]
    fn the_ways_to_a_socket_are_seen_whatever_they_are_called() {
        let root = proc_with(
            "mountinfo",
            "1 0 0:50 / / rw - overlay overlay rw,upperdir=/x/diff\n\
             2 1 0:24 /engine.sock /no/such/engine.sock rw - tmpfs tmpfs rw\n\
             3 1 0:24 / /hostrun rw - tmpfs tmpfs rw\n\
             4 1 0:24 /other /other rw - tmpfs tmpfs rw\n\
             5 1 0:24 /engine.sock /renamed rw - tmpfs tmpfs rw\n\
             6 1 254:0 / /host rw - ext4 /dev/vda rw\n",
        );
        let ways = ways_to(root.path(), Path::new("/no/such/engine.sock"));
        assert_eq!(ways, ["/no/such/engine.sock", "/hostrun", "/renamed"].map(PathBuf::from));
    }

    #[test]
    fn a_door_is_the_innermost_mount_that_holds_the_socket() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root.path().join("run/podlike")).expect("a folder");
        std::os::unix::fs::symlink("run", root.path().join("var")).expect("a link");
        for file in ["run/docker.sock", "run/podlike/docker.sock"] {
            fs::write(root.path().join(file), "").expect("a file");
        }
        let mount = |kind: &str, name: &str, destination: &str| Mount {
            kind: kind.to_owned(),
            name: name.to_owned(),
            source: format!("/host{destination}"),
            destination: destination.to_owned(),
            ..Mount::default()
        };
        let mounts = [mount("bind", "", "/run"), mount("volume", "proxy", "/run/podlike"), mount("tmpfs", "", "/tmp")];
        let found = |mounts: &[Mount], socket: &str| {
            let door = door(root.path(), mounts, Path::new(socket))?;
            Some((door.kind, door.source, door.below.display().to_string()))
        };
        let text = |kind: &str, source: &str, below: &str| Some((kind.into(), source.into(), below.into()));
        assert_eq!(found(&mounts, "/run/docker.sock"), text("bind", "/host/run", "docker.sock"));
        assert_eq!(found(&mounts, "/run/podlike/docker.sock"), text("volume", "proxy", "docker.sock"));
        assert_eq!(found(&mounts, "/var/docker.sock"), text("bind", "/host/run", "docker.sock"), "by a link");
        let itself = [mount("bind", "", "/var/docker.sock")];
        assert_eq!(found(&itself, "/run/docker.sock"), text("bind", "/host/var/docker.sock", ""));
        assert_eq!(found(&mounts, "/tmp/docker.sock"), None, "nobody else can have it");
        assert_eq!(found(&mounts, "/docker.sock"), None);
    }

    #[test]
    fn another_root_file_system_is_not_ours() {
        let line =
            "1 0 0:50 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/docker/overlay2/abc/diff,workdir=/w\n";
        let root = proc_with("mountinfo", line);
        assert!(may_be_us(root.path(), Some(Path::new("/data/overlay2/abc/diff"))));
        assert!(!may_be_us(root.path(), Some(Path::new("/data/overlay2/def/diff"))));
        assert!(may_be_us(root.path(), None), "not every engine tells");
    }

    #[test]
    fn a_hostname_that_was_set_is_not_taken_for_an_id() {
        assert_eq!(from_hostname("0123456789ab\n").as_deref(), Some("0123456789ab"));
        assert_eq!(from_hostname("web-server-1\n"), None);
    }

    #[test]
    fn only_a_path_that_ends_with_our_id_is_our_cgroup() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root.path().join("proc/self")).expect("a folder");
        let write = |text: &str| fs::write(root.path().join("proc/self/cgroup"), text).expect("a file");
        write(&format!("5:cpu,cpuacct:/docker/{ID}\n4:memory:/docker/{ID}\n"));
        assert_eq!(cgroup(root.path(), ID), Some(format!("/docker/{ID}").into()));
        write("4:memory:/\n0::/\n");
        assert_eq!(cgroup(root.path(), ID), None);
    }
}
