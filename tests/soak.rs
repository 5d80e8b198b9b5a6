//! A pod of twenty components that restart, and a hand that ends them at random: the controller's memory, descriptors and
//! threads stay flat, all components come back, and its end leaves nothing.
//!
//! `make soak MINUTES=60` sets `PODLIKE_SOAK_MINUTES`; without it half a minute is enough to see a leak by each restart.

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use serde_json::json;
use support::matrix::print;
use support::real_engine::{Pod, Running, SOCKET, inspect, sh, with};
use support::tripwire::ask;

const COMPONENTS: usize = 20;
/// Between two blows. The engine of a small machine starts about two containers in that time.
const PAUSE: Duration = Duration::from_millis(500);
/// In which all have come back.
const BACK: Duration = Duration::from_mins(2);

/// What the controller's process takes.
#[derive(Clone, Copy, Debug)]
struct Counts {
    kilobytes: u64,
    descriptors: usize,
    threads: usize,
}

impl Counts {
    fn of(pod: &Running) -> Self {
        let pid = inspect(pod.name())["State"]["Pid"].clone();
        let status =
            fs::read_to_string(format!("/proc/{pid}/status")).expect("the engine runs here, and so do we as root");
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count();
        let threads = usize::try_from(number("Threads:")).unwrap_or(usize::MAX);
        Self { kilobytes: number("VmRSS:"), descriptors, threads }
    }

    /// Whether this is no more than that, but for what a moment makes of it.
    fn is_flat_beside(self, before: Self) -> bool {
        self.kilobytes <= before.kilobytes + before.kilobytes / 8 + 1024
            && self.descriptors <= before.descriptors + 4
            && self.threads <= before.threads + 4
    }
}

/// A small generator (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides as u64).expect("small")
    }
}

/// What somebody else does to a container; what does not run just now is left alone by the engine.
fn strike(container: &str, dice: &mut Dice) -> &'static str {
    let call = |method: &str, action: &str| {
        // It may be gone, or about to start.
        let _ = ask(Path::new(SOCKET), method, &format!("/containers/{container}{action}"));
    };
    match dice.roll(7) {
        0 | 1 => call("POST", "/kill?signal=KILL"),
        2 => call("POST", "/kill?signal=TERM"),
        3 => call("POST", "/stop?t=1"),
        4 => {
            call("DELETE", "?force=1&v=1");
            return "removed";
        }
        5 => {
            call("POST", "/pause");
            thread::sleep(Duration::from_millis(200));
            call("POST", "/unpause");
            return "paused";
        }
        _ => return "left alone",
    }
    "ended"
}

/// Strikes at random for so long; says how many ended.
fn rage(pod: &Running, time: Duration, dice: &mut Dice) -> usize {
    let end = Instant::now() + time;
    let mut ended = 0;
    while Instant::now() < end {
        let container = pod.of(&format!("c{}", dice.roll(COMPONENTS)));
        ended += usize::from(["ended", "removed"].contains(&strike(&container, dice)));
        thread::sleep(PAUSE);
    }
    ended
}

/// Waits until all run, and have a moment's peace.
#[track_caller]
fn rest(pod: &Running) -> Counts {
    let end = Instant::now() + BACK;
    let up =
        || pod.container.components().iter().filter(|line| line.contains(" Up ") && !line.contains("Paused")).count();
    while up() < COMPONENTS {
        assert!(Instant::now() < end, "not all have come back: {:#?}", pod.container.components());
        thread::sleep(Duration::from_millis(500));
    }
    thread::sleep(Duration::from_secs(5));
    Counts::of(pod)
}

#[test]
fn twenty_components_that_restart_at_random_cost_the_controller_nothing() {
    let minutes: f64 = env::var("PODLIKE_SOAK_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(0.5);
    let half = Duration::from_secs_f64(minutes * 30.0);
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs());
    let mut dice = Dice(seed | 1);
    let mut pod = Pod::new();
    for number in 0..COMPONENTS {
        let lives = sh("echo begins; trap 'exit 0' TERM; sleep 100000 & wait");
        pod =
            pod.component(&format!("c{number}"), with(lives, json!({"restart": "always", "stop_grace_period": "2s"})));
    }
    let pod = pod.flags("-logs -restart-delay=100ms -restart-longest=2s -restart-reset=1s").run();
    rest(&pod);
    // What is made once, by the first restarts.
    let mut blows = rage(&pod, Duration::from_secs(5), &mut dice);
    let mut table = format!(
        "\n| soak of {minutes} min, seed {seed} | memory (KiB) | descriptors | threads | ended |\n|---|---:|---:|---:|---:|\n"
    );
    let row = |table: &mut String, moment: &str, counts: Counts, blows: usize| {
        let Counts { kilobytes, descriptors, threads } = counts;
        let _ = writeln!(table, "| {moment} | {kilobytes} | {descriptors} | {threads} | {blows} |");
    };
    let start = rest(&pod);
    row(&mut table, "start", start, blows);
    blows += rage(&pod, half, &mut dice);
    let middle = rest(&pod);
    row(&mut table, "middle", middle, blows);
    blows += rage(&pod, half, &mut dice);
    let end = rest(&pod);
    row(&mut table, "end", end, blows);
    print(&table);
    let begun = Instant::now();
    let ended = pod.stop();
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    assert!(blows > 0, "nothing happened");
    for (after, before) in [(middle, start), (end, middle), (end, start)] {
        assert!(after.is_flat_beside(before), "{table}\n{}", ended.err());
    }
}
