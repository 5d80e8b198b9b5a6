//! What podlike costs, as far as that does not hang on the machine: its size, its memory, what it does while nothing happens,
//! the calls of a pod's life, and with a wide margin how much longer it takes than others.
//!
//! Each figure has two bounds: what the README promises, and what is held here and now. `make bench` measures all of it.

#![allow(clippy::panic, reason = "a test fails by a panic")]

mod support;

#[allow(dead_code)]
#[path = "bench/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use support::controller::Launch;
use support::fake_engine::{FakeEngine, Status};
use support::flow::{copy_by_pod, log_by_attach, log_by_pod, write_lines};
use support::lives::{Lasted, Shape, lives};
use support::matrix::print;
use support::pod::{PODLIKE, SOON};
use support::process::Process;
use support::raw::{Watch, component_of, start};
use support::real_engine::{Created, Pod, docker, edge, image, stays};
use support::spawns::{Spawner, run};
use table::{Column, Figure, Kind, Table};

/// In that time a pod that has started has looked for what dead controllers left.
const SETTLED: Duration = Duration::from_secs(12);

/// The most that a figure may be.
#[derive(Clone, Copy, Debug)]
struct Bound {
    what: &'static str,
    /// In the README.
    promised: f64,
    /// What a test fails at: a little above what is measured.
    held: f64,
}

const BINARY: Bound = Bound { what: "bytes of the binary", promised: 2_500_000.0, held: 2_500_000.0 };
const EDGE: Bound = Bound { what: "bytes of the edge binary", promised: 1_200_000.0, held: 1_400_000.0 };
const MEMORY_OF_4: Bound = Bound { what: "bytes of an idle controller of 4", promised: 1_200_000.0, held: 2_600_000.0 };
const MEMORY_OF_16: Bound =
    Bound { what: "bytes of an idle controller of 16", promised: 2_000_000.0, held: 3_000_000.0 };
const CPU: Bound = Bound { what: "ms of CPU while nothing happens", promised: 0.0, held: 0.0 };
const WAKEUPS: Bound = Bound { what: "wake-ups while nothing happens", promised: 0.0, held: 0.0 };
const LOG_PEAK: Bound = Bound { what: "bytes of memory for short lines", promised: 2_500_000.0, held: 2_500_000.0 };
const LONG_PEAK: Bound = Bound { what: "bytes of memory for lines of 1 MB", promised: 2_500_000.0, held: 2_500_000.0 };
/// The end of a pod is in it, which is much of so short a log: the bench says it better.
const LOG_TIME: Bound = Bound { what: "times as long as a raw attach", promised: 1.1, held: 4.0 };
const LOG_CPU: Bound = Bound { what: "ms of CPU for 50 MB of short lines", promised: 100.0, held: 300.0 };
const COPY_PEAK: Bound = Bound { what: "bytes of memory for a copy", promised: 3_000_000.0, held: 2_500_000.0 };

const CHECK_PEAK: Bound =
    Bound { what: "bytes of memory for a health check", promised: 1_000_000.0, held: 1_000_000.0 };
const START: Bound = Bound { what: "times as long as by raw calls, the start", promised: 1.05, held: 1.6 };
const STOP: Bound = Bound { what: "times as long as by raw calls, the stop", promised: 1.03, held: 1.6 };

/// What a std has more that was built for speed, as rustup's: the bounds of sizes are those of the one that `make static`
/// builds where it has none.
const STD_FOR_SPEED: f64 = 500_000.0;

impl Bound {
    /// The same for a program with the std that is in it.
    fn of(self, program: &[u8]) -> Self {
        // Where a std that rustup installs says that it was compiled.
        let is_rustups = program.windows(7).any(|part| part == b"/rustc/");
        Self { held: self.held + if is_rustups { STD_FOR_SPEED } else { 0.0 }, ..self }
    }

    /// Fails above what is held, and tells of a promise that is not kept.
    #[track_caller]
    fn holds(self, found: f64) {
        let Self { what, promised, held } = self;
        if found > promised {
            print(&format!("promise missed: {found} {what}, promised are {promised}\n"));
        }
        assert!(found <= held, "{found} {what}, more than {held} (promised are {promised})");
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers below 2^52")]
fn float(number: u64) -> f64 {
    number as f64
}

/// The type of a program header that names a loader.
const INTERPRETER: u32 = 3;
/// The tag of a dynamic entry that names a library.
const NEEDED: u64 = 1;

/// The types of the entries of an ELF file's program headers, and the tags of its dynamic section.
fn elf(file: &[u8]) -> (Vec<u32>, Vec<u64>) {
    let number = |at: usize, length: usize| -> u64 {
        let bytes = file.get(at..at + length).unwrap_or_default();
        bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let at = |at: u64| usize::try_from(at).expect("in memory");
    assert_eq!(file.get(..6), Some(&b"\x7fELF\x02\x01"[..]), "an ELF file of 64 bits, the least byte first");
    let (headers, size, count) = (at(number(32, 8)), at(number(54, 2)), at(number(56, 2)));
    let (mut types, mut tags) = (Vec::new(), Vec::new());
    for header in (0..count).map(|index| headers + index * size) {
        let kind = u32::try_from(number(header, 4)).expect("four bytes");
        types.push(kind);
        if kind == 2 {
            let (begin, length) = (at(number(header + 8, 8)), at(number(header + 32, 8)));
            tags.extend((begin..begin + length).step_by(16).map(|entry| number(entry, 8)));
        }
    }
    (types, tags)
}

/// The program of an image.
fn binary(image: &str) -> Vec<u8> {
    let created = Pod::new().image(image).create();
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("podlike");
    docker(&["cp", "--quiet", &format!("{}:/podlike", created.name), &copy.display().to_string()]);
    fs::read(copy).expect("copied")
}

#[test]
fn the_image_is_a_static_binary_of_little_size_and_nothing_else() {
    let binary = binary(&image());
    let (types, tags) = elf(&binary);
    assert!(types.contains(&1), "nothing is loaded: {types:?}");
    assert!(!types.contains(&INTERPRETER), "it wants a loader");
    assert!(!tags.contains(&NEEDED), "it wants libraries");
    BINARY.of(&binary).holds(float(binary.len() as u64));
    let size = docker(&["image", "inspect", "--format", "{{.Size}} {{len .RootFS.Layers}}", &image()]);
    assert_eq!(size, format!("{} 1", binary.len()), "the image's bytes and layers");
}

#[test]
fn the_edge_flavour_is_smaller() {
    let binary = binary(&edge());
    EDGE.of(&binary).holds(float(binary.len() as u64));
}

/// A pod of so many components that have nothing to do, which all run.
fn idle(watch: &Watch, count: usize) -> (Created, Process) {
    let mut pod = Pod::new().options("--no-healthcheck --ipc=shareable");
    for number in 0..count {
        pod = pod.component(&format!("c{number}"), stays());
    }
    let created = pod.create();
    start(&created.id);
    watch.all("start", count, component_of(&created.name));
    let process = Process::of(&created.id);
    (created, process)
}

#[test]
fn a_pod_that_has_nothing_to_do_takes_a_little_memory_and_no_time() {
    let watch = Watch::begin();
    let (few, many) = (idle(&watch, 4), idle(&watch, 16));
    thread::sleep(SETTLED);
    let processes = [few.1, many.1];
    let before = processes.map(|process| process.used().expect("it runs"));
    thread::sleep(Duration::from_secs(10));
    let after = processes.map(|process| process.used().expect("it runs"));
    for (after, before) in after.into_iter().zip(before) {
        // Fewer are those of a thread that has ended.
        WAKEUPS.holds(float(after.wakeups.abs_diff(before.wakeups)));
        CPU.holds(float(after.cpu_ms - before.cpu_ms));
    }
    MEMORY_OF_4.holds(float(few.1.resident().expect("it runs")));
    MEMORY_OF_16.holds(float(many.1.resident().expect("it runs")));
}

#[test]
fn output_takes_little_memory_and_time() {
    let watch = Watch::begin();
    let folder = tempfile::tempdir().expect("a folder");
    let short = write_lines(folder.path(), "short", 250, 200_000);
    let took = log_by_pod(&watch, &image(), &short);
    LOG_PEAK.holds(float(took.peak));
    LOG_CPU.holds(float(took.cpu_ms));
    let (attached, bytes) = log_by_attach(&watch, &short);
    assert!(bytes >= 50_000_000, "only {bytes} bytes came");
    LOG_TIME.holds(took.ms / attached);
    let long = write_lines(folder.path(), "long", 1_000_000, 50);
    LONG_PEAK.holds(float(log_by_pod(&watch, &image(), &long).peak));
}

#[test]
fn a_copy_takes_little_memory() {
    let watch = Watch::begin();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    File::create(&path).and_then(|file| file.set_len(64 << 20)).expect("room on the disk");
    COPY_PEAK.holds(float(copy_by_pod(&watch, &image(), &path).peak));
}

#[test]
fn a_health_check_takes_little_memory() {
    let watch = Watch::begin();
    let (created, _) = idle(&watch, 1);
    Spawner::build().equip(&created.name);
    let (check, nothing) = (run(&created.name, &["/podlike", "healthcheck"]), run(&created.name, &["/empty"]));
    CHECK_PEAK.holds(check.peak - nothing.peak);
}

#[test]
fn a_pod_starts_and_stops_about_as_fast_as_its_containers() {
    let shape = Shape { components: 8, chain: false, private_ipc: false };
    let rounds = [true, false, true].map(|raw_first| lives(&[&image()], shape, raw_first));
    // A machine that is busy for a moment makes much of one of them.
    let least = |time: fn(&Lasted) -> f64| {
        let ratios = rounds.iter().map(|(raw, pods)| time(&pods[0]) / time(raw));
        ratios.min_by(f64::total_cmp).expect("three of them")
    };
    START.holds(least(|lasted| lasted.start));
    STOP.holds(least(|lasted| lasted.stop));
}

const ROWS: &[Figure] = &[
    Figure { name: "start", unit: "ms", kind: Kind::Ratio, against: "raw calls", promise: Some(1.5) },
    Figure { name: "check", unit: "MB", kind: Kind::Beyond, against: "nothing", promise: Some(1.0) },
    Figure { name: "size", unit: "MB", kind: Kind::Plain, against: "", promise: None },
    Figure { name: "not measured", unit: "MB", kind: Kind::Plain, against: "", promise: None },
];

#[test]
fn the_bench_reads_each_round_beside_its_own_other() {
    let mut table = Table::new(ROWS);
    for (other, mine) in [(100.0, 100.0), (400.0, 800.0), (200.0, 220.0)] {
        table.push("start", Column::Other, other);
        table.push("start", Column::Podlike, mine);
    }
    table.push("check", Column::Other, 0.5);
    table.push("check", Column::Podlike, 2.0);
    table.push("size", Column::Podlike, 4.25);
    let markdown = table.markdown(None);
    let rows: Vec<&str> = markdown.lines().skip(2).collect();
    let wanted = [
        "| start | raw calls: 200 ms | 220 ms | 1.10 (1.00 – 2.00) × | ≤ 1.5 × | holds |",
        "| check | nothing: 0.50 MB | 2.00 MB | 1.50 MB more | ≤ 1 MB | **missed** |",
        "| size | – | 4.25 MB | 4.25 MB | – |  |",
    ];
    assert_eq!(rows, wanted);
    let json = table.json();
    assert_eq!(json.as_array().map(Vec::len), Some(3));
    assert_eq!(json[0]["podlike"], json!({"median": 1.1, "least": 1.0, "most": 2.0}));
    assert_eq!(json[1]["holds"], false);
}

/// The rows of the README's table: a call, and how often it is made: so often, or so often for each component.
fn documented(components: usize) -> BTreeMap<String, usize> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("a README");
    let rows = readme.lines().skip_while(|line| !line.starts_with("| call of a life |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let row = |row: &str| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let each = cells[2].strip_suffix(" N");
        let times: usize = each.unwrap_or(cells[2]).parse().expect("a number, or one and an N");
        (cells[1].trim_matches('`').to_owned(), if each.is_some() { times * components } else { times })
    };
    rows.map(row).collect()
}

/// A call as the table has it.
fn plain(call: &str) -> String {
    let word = |word: &str| match word {
        "controller" => "{controller}".to_owned(),
        word if word.strip_prefix('c').is_some_and(|rest| rest.parse::<usize>().is_ok()) => "{component}".to_owned(),
        word => word.to_owned(),
    };
    let call = call.split_once("/containers/create").map_or(call, |(method, _)| {
        assert_eq!(method, "POST ");
        "POST /containers/create"
    });
    call.split('/').map(word).collect::<Vec<_>>().join("/")
}

/// Lets a pod of so many start, settle and end, on an engine that has no other.
fn life_of(components: usize) -> BTreeMap<String, usize> {
    let fake = FakeEngine::new();
    fake.image("demo").controller(&json!({"HostConfig": {"IpcMode": "shareable"}}));
    for number in 0..components {
        fake.label(&format!("pod.component.c{number}"), "image: demo");
    }
    let controller = Launch::of(PODLIKE, &fake).start();
    let all = |fake: &FakeEngine| {
        let containers = fake.containers();
        containers.iter().filter(|one| one.status == Status::Running).count() == components
    };
    fake.until("all of them run", all, SOON);
    thread::sleep(SETTLED);
    controller.signal(Signal::SIGTERM);
    let ended = controller.wait(SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    let mut made = BTreeMap::new();
    for call in fake.calls() {
        *made.entry(plain(&call)).or_default() += 1;
    }
    made
}

#[test]
fn the_calls_of_a_life_are_those_of_the_readme() {
    thread::scope(|scope| {
        let lives = [1, 3].map(|components| (components, scope.spawn(move || life_of(components))));
        for (components, life) in lives {
            assert_eq!(life.join().expect("it ends"), documented(components), "of a pod of {components}");
        }
    });
}
