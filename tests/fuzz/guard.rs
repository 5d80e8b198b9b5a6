//! A test in a process of its own, whose memory and time have limits: what goes wrong here would take all of a machine's.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::panic;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use peak_alloc::PeakAlloc;

/// The address space of the process, in KiB: far more than is needed, and far less than the machine has.
const SPACE: u64 = 1 << 20;
/// The stack of the thread, as Rust's own threads have it.
const STACK: usize = 2 << 20;
/// Tells a process that it is the one with the limits: the file for its notes.
const NOTES: &str = "FUZZ_NOTES";

/// Runs the body of a test in a process that has so many seconds of CPU time. `test` is its full name.
pub(crate) fn guarded(test: &str, seconds: u64, body: impl FnOnce() + Send + 'static) {
    if env::var_os(NOTES).is_some() {
        let thread = thread::Builder::new().stack_size(STACK).spawn(body).expect("a thread");
        if let Err(panicked) = thread.join() {
            panic::resume_unwind(panicked);
        }
        return;
    }
    let notes = tempfile::NamedTempFile::new().expect("a file");
    let limits = format!("ulimit -c 0; ulimit -v {SPACE}; ulimit -t {seconds}; exec \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &limits, "sh"])
        .arg(env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(NOTES, notes.path())
        .output()
        .expect("sh runs");
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && told.contains("1 passed");
    let note = fs::read_to_string(notes.path()).unwrap_or_default();
    assert!(passed, "{}, last seen at '{}': {told}", output.status, note.trim());
    println!("{told}");
}

/// Leaves a note for the case that this process does not come to its end.
pub(crate) fn note(note: impl std::fmt::Display) {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let open = || env::var_os(NOTES).map(|path| File::options().write(true).open(path).expect("the file for notes"));
    if let Some(file) = FILE.get_or_init(open) {
        file.write_all_at(format!("{note:<60}").as_bytes(), 0).expect("a note");
    }
}

/// Counts what is allocated: what the process takes of the machine has gaps in it, which are no leak.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What a process has allocated, in KiB.
pub(crate) struct Memory {
    pub(crate) now: usize,
    pub(crate) peak: usize,
}

pub(crate) fn memory() -> Memory {
    Memory { now: HEAP.current_usage() >> 10, peak: HEAP.peak_usage() >> 10 }
}

/// The CPU time of this thread: a machine that is busy makes it no longer.
pub(crate) fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("what the kernel knows of this thread");
    Duration::from_nanos(stat.split(' ').next().and_then(|time| time.parse().ok()).expect("nanoseconds"))
}
