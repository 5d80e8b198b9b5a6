//! What a pod takes that has nothing to do, and what a health check of it costs.
//!
//! Pods of 4 and of 16 components are left alone while everything else is measured.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::process::{Process, Used};
use crate::support::raw::{Watch, clear, component_of, start};
use crate::support::real_engine::{Created, Pod, docker, inspect, stays};
use crate::support::spawns::{Run, Spawner, run};
use crate::table::{Column, Table};
use crate::{Subject, float, megabytes};

/// After its start a pod looks once for what dead controllers left, within ten seconds.
const SETTLED: Duration = Duration::from_secs(15);
const MINUTE: Duration = Duration::from_mins(1);

/// The figures of a pod's memory, and how many components it has.
#[derive(Clone, Copy, Debug)]
struct Memory {
    alone: &'static str,
    share: &'static str,
    components: usize,
}

const SIZES: [Memory; 2] = [
    Memory { alone: "idle memory, 4 components", share: "PSS beside other pods, 4 components", components: 4 },
    Memory { alone: "idle memory, 16 components", share: "PSS beside other pods, 16 components", components: 16 },
];

/// A pod that is left alone, and when it was looked at last.
struct Idle {
    created: Created,
    process: Process,
    memory: Memory,
    column: Column,
    seen: Used,
    at: Instant,
}

/// Pods that are left alone. Dropped, they are removed.
pub(crate) struct Idlers(Vec<Idle>);

impl Idlers {
    pub(crate) fn begin(subjects: &[Subject]) -> Self {
        let watch = Watch::begin();
        let mut idlers = Vec::new();
        for subject in subjects {
            for memory in SIZES {
                let count = memory.components;
                let mut pod = Pod::new().image(&subject.image).options("--no-healthcheck --ipc=shareable");
                for number in 0..count {
                    pod = pod.component(&format!("c{number}"), stays());
                }
                let created = pod.create();
                start(&created.id);
                watch.all("start", count, component_of(&created.name));
                let process = Process::of(&created.id);
                let at = Instant::now();
                idlers.push(Idle { created, process, memory, column: subject.column, seen: Used::default(), at });
            }
        }
        thread::sleep(SETTLED);
        for idle in &mut idlers {
            (idle.seen, idle.at) = (idle.process.used().expect("it runs"), Instant::now());
        }
        Self(idlers)
    }

    /// What they have used since the last look, which was a minute ago at least.
    pub(crate) fn look(&mut self, table: &mut Table) {
        let latest = self.0.iter().map(|idle| idle.at).max().unwrap_or_else(Instant::now);
        thread::sleep(MINUTE.saturating_sub(latest.elapsed()));
        for idle in &mut self.0 {
            let used = idle.process.used().expect("it runs");
            let minutes = idle.at.elapsed().as_secs_f64() / MINUTE.as_secs_f64();
            table.push(idle.memory.alone, idle.column, megabytes(idle.process.resident().expect("it runs")));
            table.push(idle.memory.share, idle.column, megabytes(idle.process.share().expect("it runs")));
            if idle.memory.components == 16 {
                table.push("idle CPU in a minute", idle.column, float(used.cpu_ms - idle.seen.cpu_ms) / minutes);
                table.push("idle wake-ups in a minute", idle.column, float(used.wakeups - idle.seen.wakeups) / minutes);
            }
            (idle.seen, idle.at) = (used, Instant::now());
        }
    }

    /// Puts the programs of the measurement into each pod of 4.
    pub(crate) fn equip(&self) {
        let spawner = Spawner::build();
        self.small().for_each(|idle| spawner.equip(&idle.created.name));
    }

    /// Runs the health check of the image's program in the pods of 4, and a program that does nothing.
    pub(crate) fn check(&self, table: &mut Table) {
        let mut push = |column, run: Run| {
            table.push("health check, time", column, run.ms);
            table.push("health check, memory peak", column, run.peak / 1e6);
        };
        for idle in self.small() {
            let name = &idle.created.name;
            push(idle.column, run(name, &[&entry(name), "healthcheck"]));
            if idle.column == Column::Podlike {
                push(Column::Other, run(name, &["/empty"]));
            }
        }
    }

    /// The program of each image, in bytes.
    pub(crate) fn weigh(&self, table: &mut Table, folder: &Path) {
        for idle in self.small() {
            let name = &idle.created.name;
            let copy = folder.join(format!("{:?}", idle.column));
            docker(&["cp", "--quiet", &format!("{name}:{}", entry(name)), &copy.display().to_string()]);
            let size = fs::metadata(&copy).expect("copied").len();
            table.push("binary", idle.column, megabytes(size));
        }
    }

    fn small(&self) -> impl Iterator<Item = &Idle> {
        self.0.iter().filter(|idle| idle.memory.components == 4)
    }
}

impl Drop for Idlers {
    fn drop(&mut self) {
        for idle in self.0.drain(..) {
            let name = idle.created.name.clone();
            drop(idle);
            clear(&name);
        }
    }
}

/// The program of a container.
fn entry(container: &str) -> String {
    inspect(container)["Path"].as_str().expect("an entry point").to_owned()
}
