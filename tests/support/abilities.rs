//! What the engine under test can do, as it says itself: for tests that expect less of an engine that can less.

use std::sync::OnceLock;

use serde_json::Value;

use super::real_engine::docker;

/// Of the engine under test.
#[derive(Debug)]
pub(crate) struct Abilities {
    pub(crate) podman: bool,
    pub(crate) cgroup_version: String,
    pub(crate) cgroup_driver: String,
    /// Whether root in its containers is another user outside.
    pub(crate) remaps: bool,
    /// Whether a limit of memory holds.
    pub(crate) memory: bool,
}

impl Abilities {
    pub(crate) fn get() -> &'static Self {
        static ABILITIES: OnceLock<Abilities> = OnceLock::new();
        ABILITIES.get_or_init(|| {
            let said = |what: &str| -> Value {
                serde_json::from_str(&docker(&[what, "--format", "{{json .}}"])).expect("JSON")
            };
            let (info, version) = (said("info"), said("version"));
            let text = |key: &str| info[key].as_str().unwrap_or_default().to_owned();
            Self {
                podman: version["Server"]["Components"].to_string().contains("Podman"),
                cgroup_version: text("CgroupVersion"),
                cgroup_driver: text("CgroupDriver"),
                remaps: info["SecurityOptions"].as_array().is_some_and(|all| all.contains(&Value::from("name=userns"))),
                memory: info["MemoryLimit"] == true,
            }
        })
    }

    /// Whether the controller's limits can hold for the sum of its components.
    pub(crate) fn limits_the_pod(&self) -> bool {
        self.memory && self.cgroup_driver == "cgroupfs"
    }
}

/// Tells `make matrix` that less was expected of this engine, in the words of the README's table.
#[expect(clippy::print_stdout, reason = "the harness keeps what a test prints apart")]
pub(crate) fn degraded(words: &str) {
    println!("degraded: {words}");
}
