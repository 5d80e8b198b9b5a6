//! Runs the podlike binary against an engine, outside of a container.
//!
//! ```text
//!   Launch::of(binary, &engine).arg("-logs").start() ─▶ Controller
//!                     stdout, stderr ◀── a thread each ──┤
//!                     Ended          ◀── the waiter ─────┘   dropped: killed
//! ```
//!
//! It finds its own container by `PODLIKE_CONTAINER_ID`, as nothing in `/proc` tells of one here.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::fake_engine::FakeEngine;

/// A controller about to be started, with an empty environment but for what is said here.
pub(crate) struct Launch(Command);

impl Launch {
    /// `program` is `env!("CARGO_BIN_EXE_podlike")`, `host` as in `DOCKER_HOST`, `id` that of its container.
    pub(crate) fn new(program: &str, host: &str, id: &str) -> Self {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("DOCKER_HOST", host)
            .env("PODLIKE_CONTAINER_ID", id)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command)
    }

    /// As the controller of a fake engine.
    pub(crate) fn of(program: &str, engine: &FakeEngine) -> Self {
        Self::new(program, &engine.host(), &engine.controller_id())
    }

    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.0.env(key, value);
        self
    }

    pub(crate) fn env_remove(mut self, key: &str) -> Self {
        self.0.env_remove(key);
        self
    }

    /// What it can read on stdin.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text.as_bytes()).and_then(|()| file.rewind()).expect("written");
        self.0.stdin(file);
        self
    }

    /// Writes its stdout there.
    pub(crate) fn stdout(mut self, file: File) -> Self {
        self.0.stdout(file);
        self
    }

    /// Runs as this user, which only root may ask for.
    pub(crate) fn run_as(mut self, uid: u32) -> Self {
        self.0.uid(uid).gid(uid);
        self
    }

    /// Its stdout stays unread until [`Controller::read_stdout`]: a reader that is stuck.
    pub(crate) fn start_unread(self) -> Controller {
        self.launch([false, true])
    }

    /// Its stderr stays unread.
    pub(crate) fn start_deaf(self) -> Controller {
        self.launch([true, false])
    }

    pub(crate) fn start(self) -> Controller {
        self.launch([true, true])
    }

    /// Its stderr is a terminal.
    pub(crate) fn start_on_terminal(mut self) -> Controller {
        let terminal = openpty(None, None).expect("a terminal");
        self.0.stderr(terminal.slave);
        let mut controller = self.launch([true, false]);
        controller.stderr = Output::collect(File::from(terminal.master));
        controller
    }

    /// Reads its stdout and its stderr, or leaves them unread.
    fn launch(mut self, reads: [bool; 2]) -> Controller {
        let begun = Instant::now();
        let mut child = self.0.spawn().expect("the controller's program starts");
        // It has the ends of pipes and terminals that it writes to, and we must not.
        drop(self);
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
        let (stdout, unread_stdout) = match child.stdout.take() {
            Some(pipe) => collect_if(reads[0], pipe),
            None => (Arc::new(Output::of_nothing()), None),
        };
        let (stderr, unread_stderr) = match child.stderr.take() {
            Some(pipe) => collect_if(reads[1], pipe),
            None => (Arc::new(Output::of_nothing()), None),
        };
        let ended = wait_on_a_thread(child);
        Controller { pid, begun, stdout, stderr, unread_stdout, _unread_stderr: unread_stderr, ended }
    }
}

/// What comes out of the pipe; or the pipe, to be left open.
fn collect_if<P: Read + Send + 'static>(reads: bool, pipe: P) -> (Arc<Output>, Option<P>) {
    if reads { (Output::collect(pipe), None) } else { (Arc::new(Output::of_nothing()), Some(pipe)) }
}

fn wait_on_a_thread(mut child: Child) -> Receiver<(ExitStatus, Instant)> {
    let (send, ended) = bounded(1);
    thread::spawn(move || {
        let status = child.wait().expect("a child of ours");
        let _ = send.send((status, Instant::now()));
    });
    ended
}

/// A controller that runs, or has run.
pub(crate) struct Controller {
    pid: Pid,
    begun: Instant,
    stdout: Arc<Output>,
    stderr: Arc<Output>,
    unread_stdout: Option<ChildStdout>,
    _unread_stderr: Option<ChildStderr>,
    ended: Receiver<(ExitStatus, Instant)>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// The number of the signal that killed it.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// From its start to its end.
    pub(crate) took: Duration,
}

impl Ended {
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl Controller {
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        assert!(self.ended.is_empty(), "{signal} comes too late: it has ended\n{}", self.picture());
        kill(self.pid, signal).expect("it can be signalled");
    }

    /// As [`Self::signal`], for one that may have ended.
    pub(crate) fn signal_if_running(&self, signal: Signal) {
        if self.ended.is_empty() {
            let _ = kill(self.pid, signal);
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// What it has written to stderr by now.
    pub(crate) fn stderr_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().bytes).into_owned()
    }

    /// Its end, and all that it wrote; fails the test when it still runs then.
    #[track_caller]
    pub(crate) fn wait(&self, timeout: Duration) -> Ended {
        let ended = self.ended.recv_timeout(timeout);
        assert!(ended.is_ok(), "still running after {timeout:?}\n{}", self.picture());
        let (status, at) = ended.expect("asserted");
        Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            took: at - self.begun,
        }
    }

    /// Whether it ends in this time.
    pub(crate) fn ends_within(&self, time: Duration) -> bool {
        self.stderr.until(time, |_| false).closed
    }

    /// Runs on for so long at least.
    #[track_caller]
    pub(crate) fn runs_on(&self, time: Duration) {
        let ended = self.ended.recv_timeout(time);
        assert!(ended.is_err(), "ended by itself: {ended:?}\n{}", self.picture());
    }

    #[track_caller]
    pub(crate) fn until_stdout_contains(&self, text: &str, timeout: Duration) {
        let found = self.stdout.contains(text, timeout);
        assert!(found, "no {text:?} on stdout in {timeout:?}\n{}", self.picture());
    }

    #[track_caller]
    pub(crate) fn until_stderr_contains(&self, text: &str, timeout: Duration) {
        let found = self.stderr.contains(text, timeout);
        assert!(found, "no {text:?} on stderr in {timeout:?}\n{}", self.picture());
    }

    /// Until stderr contains the text so many times.
    #[track_caller]
    pub(crate) fn until_stderr_repeats(&self, text: &str, times: usize, timeout: Duration) {
        let enough = |bytes: &[u8]| String::from_utf8_lossy(bytes).matches(text).count() >= times;
        let found = enough(&self.stderr.until(timeout, enough).bytes);
        assert!(found, "no {text:?} on stderr, {times} times, in {timeout:?}\n{}", self.picture());
    }

    /// Closes a stdout that was left unread.
    pub(crate) fn close_stdout(&mut self) {
        self.unread_stdout = None;
    }

    /// Begins to read a stdout that was left unread.
    pub(crate) fn read_stdout(&mut self) {
        if let Some(stdout) = self.unread_stdout.take() {
            self.stdout = Output::collect(stdout);
        }
    }

    fn picture(&self) -> String {
        let text = |output: &Output| String::from_utf8_lossy(&output.lock().bytes).into_owned();
        format!("stdout: {}\nstderr: {}", text(&self.stdout), text(&self.stderr))
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // Not waited for, or still running: `wait` has taken the end out of the channel otherwise.
        if self.ended.try_recv() == Err(crossbeam_channel::TryRecvError::Empty) {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = self.ended.recv();
        }
    }
}

/// What came out of a pipe so far.
#[derive(Default)]
struct Output {
    text: Mutex<Text>,
    grown: Condvar,
}

#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    closed: bool,
}

impl Output {
    fn collect(mut pipe: impl Read + Send + 'static) -> Arc<Self> {
        let output = Arc::new(Self::default());
        let writer = Arc::clone(&output);
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let length = pipe.read(&mut buffer).unwrap_or(0);
                let mut text = writer.lock();
                text.bytes.extend(&buffer[..length]);
                text.closed = length == 0;
                drop(text);
                writer.grown.notify_all();
                if length == 0 {
                    return;
                }
            }
        });
        output
    }

    /// Of a pipe that is not read.
    fn of_nothing() -> Self {
        Self { text: Mutex::new(Text { bytes: Vec::new(), closed: true }), grown: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Text> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is so, the pipe is closed or the time is over.
    fn until(&self, timeout: Duration, is_so: impl Fn(&[u8]) -> bool) -> MutexGuard<'_, Text> {
        let goes_on = |text: &mut Text| !text.closed && !is_so(&text.bytes);
        let waited = self.grown.wait_timeout_while(self.lock(), timeout, goes_on);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn contains(&self, text: &str, timeout: Duration) -> bool {
        let text = text.as_bytes();
        let found = |bytes: &[u8]| text.is_empty() || bytes.windows(text.len()).any(|part| part == text);
        found(&self.until(timeout, found).bytes)
    }

    /// All of it, once the program has ended. One that left a child with its pipe gets a moment.
    fn whole(&self) -> Vec<u8> {
        self.until(Duration::from_secs(2), |_| false).bytes.clone()
    }
}
