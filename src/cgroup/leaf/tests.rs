//! A folder stands for the tree of cgroups, and [`Fake`] for what the kernel does when something is written.

use std::cell::{Cell, RefCell};
use std::error::Error as StdError;

use tempfile::TempDir;

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Host {
    folder: TempDir,
}

impl Host {
    /// A host where these processes are in these cgroups.
    fn new(processes: &[(u32, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (pid, lines) in processes {
            let process = folder.path().join(format!("proc/{pid}"));
            fs::create_dir_all(&process).expect("a folder");
            fs::write(process.join("cgroup"), lines).expect("a file");
        }
        fs::create_dir_all(folder.path().join("proc/sys")).expect("a folder");
        Self { folder }
    }

    fn find(&self) -> Result<Leaf, Error> {
        Leaf::of(&self.folder.path().join("proc"), &self.folder.path().join("mount"), ID)
    }
}

/// A controller's cgroup with these processes and kernel's controllers.
fn controller(processes: &str, controllers: &str) -> (Host, Leaf) {
    let host = Host::new(&[(1, &format!("0::/docker/{ID}\n"))]);
    let leaf = host.find().expect("a cgroup");
    fs::create_dir_all(&leaf.folder).expect("a folder");
    for (name, text) in [("cgroup.procs", processes), ("cgroup.controllers", controllers)] {
        fs::write(leaf.folder.join(name), text).expect("a file");
    }
    (host, leaf)
}

/// The kernel: a process is in one cgroup, and none are where limits are divided.
#[derive(Default)]
struct Fake {
    moved: RefCell<Vec<String>>,
    divided: RefCell<Vec<String>>,
    /// These come into the cgroup, one each time that limits are to be divided.
    late: RefCell<Vec<&'static str>>,
    /// One more comes in each time.
    storm: bool,
    /// This process has ended by the time that it is moved.
    ended: Option<&'static str>,
    /// What is wrong with this write.
    refused: Option<(&'static str, Errno)>,
    writes: Cell<usize>,
}

impl Fake {
    fn prepare(&self, leaf: Leaf) -> Result<String, Error> {
        leaf.prepare(&|path: &Path, text: &str| self.write(path, text))
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        self.writes.set(self.writes.get() + 1);
        if let Some((what, errno)) = self.refused
            && what == text
        {
            return Err(errno.into());
        }
        if path.ends_with("podlike/cgroup.procs") {
            let inner = path.parent().and_then(Path::parent).expect("below a cgroup").join("cgroup.procs");
            let mut left = lines(&inner);
            left.retain(|pid| pid != text);
            fs::write(inner, left.join("\n"))?;
            if self.ended == Some(text) {
                return Err(Errno::ESRCH.into());
            }
            self.moved.borrow_mut().push(text.to_owned());
            return Ok(());
        }
        assert!(path.ends_with("cgroup.subtree_control"), "{}", path.display());
        let folder = path.parent().expect("a cgroup");
        let procs = folder.join("cgroup.procs");
        if let Some(pid) = self.late.borrow_mut().pop() {
            fs::write(&procs, format!("{pid}\n"))?;
        } else if self.storm {
            fs::write(&procs, "99\n")?;
        }
        if !lines(&procs).is_empty() {
            return Err(Errno::EBUSY.into());
        }
        let there = fs::read_to_string(folder.join("cgroup.controllers"))?;
        if !there.split_whitespace().any(|one| format!("+{one}") == text) {
            return Err(Errno::ENOENT.into());
        }
        self.divided.borrow_mut().push(text.to_owned());
        Ok(())
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).expect("a file").lines().map(str::to_owned).collect()
}

#[test]
fn the_cgroup_is_found_by_the_id_at_the_end_of_its_path() {
    for path in ["/docker/", "/", "/weird/parent/", "/../"] {
        let found = Host::new(&[(1, &format!("4:memory:/\n0::{path}{ID}\n"))]).find();
        match path {
            "/../" => assert!(matches!(found, Err(Error::NoCgroup { .. })), "seen from a namespace it is no path"),
            path => assert_eq!(found.expect("a cgroup").path, format!("{path}{ID}")),
        }
    }
    let again = Host::new(&[(1, &format!("0::/docker/{ID}/podlike\n"))]).find();
    assert_eq!(again.expect("a cgroup").path, format!("/docker/{ID}"), "its processes may be in the leaf already");
}

#[test]
fn processes_of_the_host_and_of_others_are_left_alone() {
    let others = [(1, "0::/init.scope\n"), (40, "0::/docker/fedcba\n"), (50, "0::/\n"), (60, "4:memory:/docker/x\n")];
    let error = Host::new(&others).find().expect_err("not ours").to_string();
    assert!(error.contains(ID) && error.contains("PID namespace"), "{error}");
    // With the host's PID namespace the controller is one of many.
    let ours = format!("0::/docker/{ID}\n");
    let found = Host::new(&[&others[..], &[(700, &ours)]].concat()).find().expect("a cgroup");
    assert_eq!(found.path, format!("/docker/{ID}"));
}

#[test]
fn every_process_moves_and_what_there_is_is_divided() {
    let (_host, leaf) = controller("1\n7\n30\n", "cpuset cpu io memory hugetlb pids rdma");
    let folder = leaf.folder.clone();
    let kernel = Fake::default();
    assert_eq!(kernel.prepare(leaf).expect("prepared"), format!("/docker/{ID}"));
    assert!(folder.join("podlike").is_dir());
    assert_eq!(*kernel.moved.borrow(), ["1", "7", "30"]);
    let mut divided = kernel.divided.take();
    divided.sort();
    assert_eq!(divided, ["+cpu", "+cpuset", "+io", "+memory", "+pids"]);
}

#[test]
fn a_host_without_controllers_still_gets_its_leaf() {
    let (_host, leaf) = controller("1\n", "hugetlb");
    let kernel = Fake::default();
    kernel.prepare(leaf).expect("prepared");
    assert_eq!((kernel.moved.take(), kernel.divided.take()), (vec!["1".to_owned()], Vec::new()));
}

#[test]
fn a_health_check_that_comes_in_moves_too() {
    let (_host, leaf) = controller("1\n", "memory pids");
    let kernel = Fake { late: RefCell::new(vec!["9", "8"]), ..Fake::default() };
    kernel.prepare(leaf).expect("prepared");
    assert_eq!(*kernel.moved.borrow(), ["1", "8", "9"]);
}

#[test]
fn one_that_ends_in_between_is_no_trouble() {
    let (_host, leaf) = controller("1\n8\n", "memory");
    let kernel = Fake { ended: Some("8"), ..Fake::default() };
    kernel.prepare(leaf).expect("prepared");
    assert_eq!(*kernel.moved.borrow(), ["1"]);
}

#[test]
fn what_is_in_no_namespace_of_ours_is_not_taken_for_us() {
    let (_host, leaf) = controller("1\n0\n", "memory");
    let kernel = Fake::default();
    assert!(kernel.prepare(leaf).is_err(), "it stays where it is");
    assert!(kernel.moved.borrow().iter().all(|pid| pid == "1"));
}

#[test]
fn who_comes_in_for_ever_is_not_waited_for() {
    let (_host, leaf) = controller("1\n", "memory");
    let kernel = Fake { storm: true, ..Fake::default() };
    let error = kernel.prepare(leaf).expect_err("busy").to_string();
    assert!(error.contains("faster than they were moved, 100 times"), "{error}");
    assert_eq!(kernel.writes.get(), 2 * TRIES);
}

#[test]
fn what_the_kernel_refuses_is_said_with_the_file() {
    for (refused, errno, words, cause) in [
        ("1", Errno::EACCES, "cannot move a process to /", "Permission denied (os error 13)"),
        ("+pids", Errno::EOPNOTSUPP, "cannot divide pids by /", "Operation not supported (os error 95)"),
    ] {
        let (_host, leaf) = controller("1\n", "memory pids");
        let error = Fake { refused: Some((refused, errno)), ..Fake::default() }.prepare(leaf).expect_err(words);
        assert!(error.to_string().starts_with(words), "{error}");
        assert_eq!(StdError::source(&error).map(ToString::to_string).as_deref(), Some(cause));
    }
    let (_host, leaf) = controller("1\n", "memory");
    fs::remove_file(leaf.folder.join("cgroup.procs")).expect("there");
    let error = Fake::default().prepare(leaf).expect_err("no file").to_string();
    assert!(error.starts_with("cannot read ") && error.ends_with("/cgroup.procs"), "{error}");
}
