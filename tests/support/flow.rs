//! What gets from a component to the controller's stdout, or from the controller into a component, and what that takes.
//!
//! Output is what `cat` writes of a file, in containers with the engine's default log driver. The clock starts with the
//! engine's event that the container has started. It stops for a pod when its controller has ended, which writes to a
//! stdout that the engine throws away; for others when they have seen the end of the output. The clock of a copy starts
//! with the event that the component is created, and stops with the one that the file is there.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::process::{Process, cpu_ms_of_children};
use super::raw::{Loose, Watch, attach, bind, clear, component_of, ms, now, start};
use super::real_engine::{BUSYBOX, Pod, docker, stays};

/// How often a controller is looked at that is about to end.
const OFTEN: Duration = Duration::from_millis(20);
/// Longer than any of it takes.
const LONG: Duration = Duration::from_mins(5);

/// What it took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    pub(crate) ms: f64,
    pub(crate) cpu_ms: u64,
    /// The most memory at a time, in bytes; of pods only.
    pub(crate) peak: u64,
}

/// A file of so many lines, each of so many bytes with its end.
pub(crate) fn write_lines(folder: &Path, name: &str, line: usize, lines: usize) -> PathBuf {
    let path = folder.join(name);
    let file = File::create(&path).expect("a file");
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let text: Vec<u8> = (b'!'..=b'~').cycle().take(line - 1).chain([b'\n']).collect();
    for _ in 0..lines {
        file.write_all(&text).expect("room on the disk");
    }
    file.flush().expect("room on the disk");
    path
}

fn pod_of(image: &str) -> Pod {
    Pod::new().image(image).options("--no-healthcheck --ipc=shareable --log-driver=none")
}

/// The output of a component, through a controller of this image.
pub(crate) fn log_by_pod(watch: &Watch, image: &str, file: &Path) -> Took {
    let volumes = [bind(file, "/lines")];
    let component = json!({"image": BUSYBOX, "command": ["cat", "/lines"], "volumes": volumes});
    let created = pod_of(image).flags("-logs").component("c0", component).create();
    start(&created.id);
    let process = Process::of(&created.id);
    let begun = watch.all("start", 1, component_of(&created.name));
    let mut took = Took::default();
    // What it has used is gone with it: the last look counts.
    let deadline = Instant::now() + LONG;
    while !watch.has("die", &created.name) {
        assert!(Instant::now() < deadline, "the pod has not ended after {LONG:?}");
        if let (Some(cpu_ms), Some(peak)) = (process.cpu_ms(), process.peak()) {
            (took.cpu_ms, took.peak) = (cpu_ms, peak);
        }
        thread::sleep(OFTEN);
    }
    took.ms = ms(begun, watch.one("die", &created.name));
    let name = created.name.clone();
    drop(created);
    clear(&name);
    took
}

/// The same by `docker logs --follow`, to nowhere.
pub(crate) fn log_by_docker(watch: &Watch, file: &Path) -> Took {
    let container = Loose::create(&["cat", "/lines"], &[bind(file, "/lines")]);
    container.start();
    let before = cpu_ms_of_children();
    let mut command = Command::new("docker");
    let command = command.args(["logs", "--follow", &container.0]).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("there is a docker command");
    let end = now();
    assert!(status.success(), "docker logs: {status}");
    Took { ms: ms(watch.one("start", &container.0), end), cpu_ms: cpu_ms_of_children() - before, peak: 0 }
}

/// The same by a raw attach that throws the bytes away; tells how many milliseconds, and how many bytes came.
pub(crate) fn log_by_attach(watch: &Watch, file: &Path) -> (f64, u64) {
    let container = Loose::create(&["cat", "/lines"], &[bind(file, "/lines")]);
    let mut output = attach(&container.0);
    container.start();
    let (mut buffer, mut all) = (vec![0; 64 << 10], 0);
    loop {
        match output.read(&mut buffer).expect("the output") {
            0 => break,
            length => all += length as u64,
        }
    }
    let end = now();
    (ms(watch.one("start", &container.0), end), all)
}

/// A file that goes into a component, by a controller of this image.
pub(crate) fn copy_by_pod(watch: &Watch, image: &str, file: &Path) -> Took {
    let pod = pod_of(image).options(&format!("--volume={}", bind(file, "/file"))).component("c0", stays());
    let created = pod.label("pod.copy.c0", "/file:/tmp/file").create();
    start(&created.id);
    watch.all("start", 1, component_of(&created.name));
    let process = Process::of(&created.id);
    let (cpu_ms, peak) = (process.cpu_ms().expect("it runs"), process.peak().expect("it runs"));
    let of = |action| watch.all(action, 1, component_of(&created.name));
    let ms = ms(of("create"), of("extract-to-dir"));
    let name = created.name.clone();
    drop(created);
    clear(&name);
    Took { ms, cpu_ms, peak }
}

/// The same by `docker cp`, in milliseconds.
pub(crate) fn copy_by_docker(file: &Path) -> f64 {
    let container = Loose::create(&["true"], &[]);
    let begun = Instant::now();
    docker(&["cp", "--quiet", &file.display().to_string(), &format!("{}:/tmp/file", container.0)]);
    begun.elapsed().as_secs_f64() * 1000.0
}
