//! How long a pod takes to start and to stop, beside the same containers by raw calls.
//!
//! The clock of a pod starts when its controller runs, and stops with the engine's event that the last component has
//! started; that of the raw calls when the container runs that the others join, and with the same event. The engine tells
//! the start of a container some time after its process runs: how long, is seen of the container that is joined, and
//! taken off for the controllers beside it, too. The stop begins with the call that sends TERM, or with the first
//! call to stop one, and ends with the event that the last component is removed.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::raw::{RawPod, Watch, call, clear, component_of, ms, now, start};
use super::real_engine::{Pod, stays, with};

/// What is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) components: usize,
    /// Each depends on the one before.
    pub(crate) chain: bool,
    /// The controller's IPC namespace is the engine's default, which cannot be shared.
    pub(crate) private_ipc: bool,
}

/// How long it took, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lasted {
    pub(crate) start: f64,
    pub(crate) stop: f64,
}

/// A life by raw calls, and how far the engine's event of a start is behind, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Floor {
    behind: u64,
    lasted: Lasted,
}

/// What was seen of a pod.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The engine's events of its controller and of the last component.
    events: [u64; 2],
    stop: f64,
}

/// A life of raw calls, which is first or last, and one with a controller of each image.
pub(crate) fn lives(images: &[&str], shape: Shape, raw_first: bool) -> (Lasted, Vec<Lasted>) {
    let watch = Watch::begin();
    let before = raw_first.then(|| by_raw_calls(&watch, shape));
    let pods: Vec<Seen> = images.iter().map(|image| by_pod(&watch, image, shape)).collect();
    let floor = before.unwrap_or_else(|| by_raw_calls(&watch, shape));
    let lasted =
        |Seen { events: [own, last], stop }: Seen| Lasted { start: ms(own.saturating_sub(floor.behind), last), stop };
    (floor.lasted, pods.into_iter().map(lasted).collect())
}

fn by_raw_calls(watch: &Watch, Shape { components, chain, .. }: Shape) -> Floor {
    let pod = RawPod::open();
    pod.start(components, chain);
    let started = watch.all("start", components, component_of(&pod.name));
    let behind = watch.one("start", &pod.name).saturating_sub(pod.ran);
    thread::sleep(Duration::from_secs(1));
    let begun = now();
    pod.stop(components);
    let stopped = watch.all("destroy", components, component_of(&pod.name));
    Floor { behind, lasted: Lasted { start: ms(pod.seen, started), stop: ms(begun, stopped) } }
}

fn by_pod(watch: &Watch, image: &str, shape: Shape) -> Seen {
    let ipc = if shape.private_ipc { "--ipc=private" } else { "--ipc=shareable" };
    let mut pod = Pod::new().image(image).options("--no-healthcheck").options(ipc);
    for number in 0..shape.components {
        let needs = if shape.chain && number > 0 { json!([format!("c{}", number - 1)]) } else { json!([]) };
        pod = pod.component(&format!("c{number}"), with(stays(), json!({"depends_on": needs})));
    }
    let created = pod.create();
    start(&created.id);
    let last = watch.all("start", shape.components, component_of(&created.name));
    let own = watch.one("start", &created.name);
    thread::sleep(Duration::from_secs(1));
    let begun = now();
    call("POST", &format!("/containers/{}/kill?signal=TERM", created.id), &Value::Null);
    let stopped = watch.all("destroy", shape.components, component_of(&created.name));
    watch.one("die", &created.name);
    let name = created.name.clone();
    drop(created);
    clear(&name);
    Seen { events: [own, last], stop: ms(begun, stopped) }
}
