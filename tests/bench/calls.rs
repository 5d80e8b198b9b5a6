//! The calls of a pod's life, counted by a proxy between the controller and the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::raw::{Watch, call, component_of, start};
use crate::support::real_engine::{Created, Pod, SOCKET, inspect, stays};
use crate::support::tripwire::Tripwire;

/// After its start a pod looks once for what dead controllers left, within ten seconds.
const SETTLED: Duration = Duration::from_secs(12);

/// The calls of a pod of one component and of one of four: what each costs, and each component.
pub(crate) fn of_lives() -> Value {
    let (one, four) = (of_a_life(1), of_a_life(4));
    let calls: BTreeSet<&String> = one.keys().chain(four.keys()).collect();
    let row = |call: &String| {
        let count = |life: &BTreeMap<String, usize>| life.get(call).copied().unwrap_or_default();
        json!({"call": call, "one": count(&one), "four": count(&four)})
    };
    calls.into_iter().map(row).collect()
}

/// The calls as a table.
pub(crate) fn markdown(calls: &Value) -> String {
    let mut text = "| call | pod of 1 | pod of 4 |\n|---|---|---|\n".to_owned();
    for row in calls.as_array().into_iter().flatten() {
        let _ = writeln!(text, "| `{}` | {} | {} |", row["call"].as_str().unwrap_or_default(), row["one"], row["four"]);
    }
    text
}

/// How often each call was made, its container named by what it is to the pod.
fn of_a_life(components: usize) -> BTreeMap<String, usize> {
    let watch = Watch::begin();
    let wire = Tripwire::before(Path::new(SOCKET));
    let mut pod = Pod::without_socket().mount(&wire.socket(), SOCKET).options("--no-healthcheck --ipc=shareable");
    for number in 0..components {
        pod = pod.component(&format!("c{number}"), stays());
    }
    let created = pod.create();
    start(&created.id);
    watch.all("start", components, component_of(&created.name));
    let ids = ids(&created, components);
    thread::sleep(SETTLED);
    call("POST", &format!("/containers/{}/kill?signal=TERM", created.id), &Value::Null);
    watch.one("die", &created.name);
    let mut counts = BTreeMap::new();
    for call in wire.calls() {
        let named = ids.iter().fold(call, |call, (id, what)| call.replace(id, what));
        *counts.entry(named).or_default() += 1;
    }
    counts
}

/// The ids of the pod's containers, and what they are to it.
fn ids(created: &Created, components: usize) -> Vec<(String, &'static str)> {
    let id = |name: &str| inspect(name)["Id"].as_str().unwrap_or_default().to_owned();
    let mut ids: Vec<_> = (0..components).map(|number| (id(&created.of(&format!("c{number}"))), "COMPONENT")).collect();
    ids.push((created.id.clone(), "CONTROLLER"));
    ids
}
