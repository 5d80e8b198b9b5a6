//! What a process takes, as the kernel tells it: memory, CPU time, wake-ups. Needs to see the engine's processes as root.

use std::fs;

use super::real_engine::inspect;

/// The process of a container, by its number where the engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(pub(crate) u64);

/// What it has used since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Milliseconds of CPU time, in the kernel's ticks of 10.
    pub(crate) cpu_ms: u64,
    /// How often one of its threads waited for something, and was woken.
    pub(crate) wakeups: u64,
}

impl Process {
    /// The first process of a container, which runs.
    #[track_caller]
    pub(crate) fn of(container: &str) -> Self {
        let pid = inspect(container)["State"]["Pid"].as_u64().unwrap_or_default();
        assert!(pid > 0, "{container} does not run");
        Self(pid)
    }

    /// The memory that it has, in bytes, the pages of its program among it: its share where nobody else runs that program.
    pub(crate) fn resident(self) -> Option<u64> {
        self.bytes("smaps_rollup", "Rss:")
    }

    /// Its share of the memory in use, in bytes: pages of its own, and its part of those that it has in common with others.
    pub(crate) fn share(self) -> Option<u64> {
        self.bytes("smaps_rollup", "Pss:")
    }

    /// The most memory that it had at a time, in bytes.
    pub(crate) fn peak(self) -> Option<u64> {
        self.bytes("status", "VmHWM:")
    }

    fn bytes(self, file: &str, key: &str) -> Option<u64> {
        field(&self.read(file)?, key).map(|kibibytes| kibibytes << 10)
    }

    /// Nothing once it has ended.
    pub(crate) fn used(self) -> Option<Used> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.0)).ok()?;
        let status = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("status")).ok();
        let wakeups = threads.flatten().filter_map(status).filter_map(|text| field(&text, "voluntary_ctxt_switches:"));
        Some(Used { cpu_ms: self.cpu_ms()?, wakeups: wakeups.sum() })
    }

    /// Milliseconds of CPU time of all its threads.
    pub(crate) fn cpu_ms(self) -> Option<u64> {
        ticks(&self.read("stat")?, 11..13)
    }

    fn read(self, file: &str) -> Option<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.0)).ok()
    }
}

/// Milliseconds of CPU time of those children of this process that have ended.
pub(crate) fn cpu_ms_of_children() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&stat, 13..15).expect("our own")
}

/// The sum of fields of `stat` behind the name, which may have spaces, in milliseconds.
fn ticks(stat: &str, fields: std::ops::Range<usize>) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let numbers: Vec<u64> = rest.split(' ').map(|field| field.parse().unwrap_or_default()).collect();
    numbers.get(fields).map(|ticks| ticks.iter().sum::<u64>() * 10)
}

fn field(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}
