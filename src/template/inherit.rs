//! What a pod takes from the service that it stands for, where its templates don't say it.

use crate::compose::{Kind, Node};

/// What the controller takes: what is Swarm's, the network's or a namespace's. The service's `healthcheck` is not among it:
/// it is the main component's, and in the controller's image it could only fail.
const BY_CONTROLLER: [&str; 32] = [
    "configs",
    "credential_spec",
    "deploy",
    "dns",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extra_hosts",
    "hostname",
    "ipc",
    "isolation",
    "labels",
    "logging",
    "mac_address",
    "networks",
    "pid",
    "ports",
    "privileged",
    "read_only",
    "secrets",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "tmpfs",
    "tty",
    "ulimits",
    "user",
    "volumes",
    "working_dir",
];

/// What the main component takes: what is a container's own.
const BY_MAIN: [&str; 50] = [
    "blkio_config",
    "cap_add",
    "cap_drop",
    "command",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "depends_on",
    "device_cgroup_rules",
    "devices",
    "entrypoint",
    "env_file",
    "environment",
    "group_add",
    "healthcheck",
    "image",
    "init",
    "isolation",
    "labels",
    "logging",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "oom_kill_disable",
    "oom_score_adj",
    "pids_limit",
    "privileged",
    "read_only",
    "runtime",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "user",
    "userns_mode",
    "volumes",
    "working_dir",
];

/// Adds what the controller takes from its service.
pub(super) fn by_controller(definition: &mut Node, service: &[(String, Node)]) {
    add(definition, service, &BY_CONTROLLER);
}

/// Adds what the main component takes from its service.
pub(super) fn by_main(definition: &mut Node, service: &[(String, Node)]) {
    add(definition, service, &BY_MAIN);
}

/// A key that is there is left as it is, also one that is null: nothing is merged.
fn add(definition: &mut Node, service: &[(String, Node)], keys: &[&str]) {
    let Kind::Map(entries) = &mut definition.kind else { return };
    for (key, value) in service {
        if keys.contains(&key.as_str()) && !entries.iter().any(|(known, _)| known == key) {
            entries.push((key.clone(), value.clone()));
        }
    }
}

/// The keys of a service that reach neither.
pub(super) fn lost(service: &[(String, Node)]) -> impl Iterator<Item = &(String, Node)> {
    let taken = |key: &str| BY_CONTROLLER.contains(&key) || BY_MAIN.contains(&key);
    service.iter().filter(move |(key, _)| !taken(key) && !key.starts_with("x-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{valid, write};

    #[test]
    fn what_is_defined_is_not_inherited_not_even_where_it_is_null() {
        let service = valid("{labels: {a: b}, user: me, healthcheck: {disable: true}, command: [x], ports: [80]}");
        let mut controller = valid("{labels: , user: you}");
        by_controller(&mut controller, service.map().expect("a mapping"));
        assert_eq!(write(&controller), "labels: null\nuser: you\nports:\n- 80\n");
        let mut main = valid("{user: you}");
        by_main(&mut main, service.map().expect("a mapping"));
        let main = write(&main);
        for part in ["user: you\n", "a: b\n", "disable: true\n", "command:\n- x\n"] {
            assert!(main.contains(part), "{part} is not in\n{main}");
        }
        assert!(!main.contains("ports"), "{main}");
    }

    #[test]
    fn the_lists_are_in_the_order_of_the_alphabet() {
        assert!(BY_CONTROLLER.is_sorted() && BY_MAIN.is_sorted());
    }
}
