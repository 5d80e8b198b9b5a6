//! Errands: containers of the controller's own image that do one thing where the controller cannot go, say one line, and
//! are gone. They prepare the cgroup that components are placed below, with `podlike cgroup`.

use std::time::Duration;

use crate::engine::types::{CreateRequest, HostConfig, LogConfig, MountRequest};

use super::plan::{nano_cpus, own_request};
use super::{Controller, Placement};

/// What stands where components have their names. None can be called so.
const NAME: &str = "(cgroup)";
/// The tree of cgroups, on the host and in the errand.
const CGROUPS: (&str, &str) = ("/sys/fs/cgroup", "/cgroup");
/// The socket of D-Bus, likewise.
const BUS: (&str, &str) = ("/run/dbus/system_bus_socket", "/bus");

/// A container that does one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Errand {
    /// The name of the container.
    pub container: String,
    /// The request that creates it.
    pub request: CreateRequest,
    /// What it does.
    pub purpose: Purpose,
}

/// What an errand is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To move the controller with this id into a leaf.
    Leaf(String),
    /// To make this slice.
    Slice(String),
    /// To stop this slice.
    Stop(String),
}

impl Errand {
    /// What prepares a placement, if something must be. `now` is the time since the epoch: a slice has a name of its own at
    /// each start, as systemd may still be busy with the last one.
    pub fn preparing(placement: &Placement, controller: &Controller, now: Duration) -> Option<Self> {
        match placement {
            Placement::Below(_) | Placement::Each(_) => None,
            Placement::Leaf => Some(Self::leaf(controller)),
            Placement::Slice => Some(Self::slice(controller, now)),
        }
    }

    fn leaf(controller: &Controller) -> Self {
        let mut errand = Self::new(controller, Purpose::Leaf(controller.id.clone()));
        let host = &mut errand.request.host_config;
        // The controller's processes have no other numbers there.
        host.pid_mode = format!("container:{}", controller.id);
        host.mounts = vec![bind(CGROUPS, false)];
        // For the cpuset of a process that has more rights than we have, cpuset_can_attach of the kernel asks for it.
        host.cap_add = vec!["SYS_NICE".to_owned()];
        errand.doing(["leaf", CGROUPS.1, &controller.id].map(str::to_owned).into())
    }

    fn slice(controller: &Controller, now: Duration) -> Self {
        let short: String = controller.id.chars().take(12).collect();
        let name = format!("podlike-{short}_{}.slice", now.as_millis());
        let mut words = vec!["slice".to_owned(), BUS.1.to_owned(), name.clone()];
        words.push(format!("Description=Components of {}", controller.name));
        words.extend(properties(&controller.host).into_iter().map(|(key, value)| format!("{key}={value}")));
        Self::new(controller, Purpose::Slice(name)).with_the_bus(controller).doing(words)
    }

    /// What removes the slice again that this one makes.
    pub fn undoing(&self, controller: &Controller) -> Option<Self> {
        let Purpose::Slice(name) = &self.purpose else { return None };
        let words = ["stop", BUS.1, name].map(str::to_owned).into();
        Some(Self::new(controller, Purpose::Stop(name.clone())).with_the_bus(controller).doing(words))
    }

    fn new(controller: &Controller, purpose: Purpose) -> Self {
        let mut request = own_request(controller, NAME);
        let host = &mut request.host_config;
        "host".clone_into(&mut host.cgroupns_mode);
        host.log_config = Some(LogConfig { driver: "none".to_owned(), ..LogConfig::default() });
        if controller.engine.selinux {
            host.security_opt.push("label=disable".to_owned());
        }
        if controller.engine.userns_remap {
            // Only who is root on the host may write there, whatever users containers have.
            "host".clone_into(&mut host.userns_mode);
        }
        Self { container: format!("{}.podlike-cgroup", controller.name), request, purpose }
    }

    fn with_the_bus(mut self, controller: &Controller) -> Self {
        let host = &mut self.request.host_config;
        host.mounts = vec![bind(BUS, true)];
        if controller.engine.apparmor {
            // Docker's profile lets nobody talk on the bus.
            host.security_opt.push("apparmor=unconfined".to_owned());
        }
        self
    }

    fn doing(mut self, words: Vec<String>) -> Self {
        self.request.cmd = Some([vec!["cgroup".to_owned()], words].concat());
        self
    }

    /// What it has said, if that is an answer: the cgroup that components go below, or the slice that is gone.
    pub fn answer(&self, said: &str) -> Option<String> {
        let said = said.strip_suffix('\n').unwrap_or(said);
        let is_answer = match &self.purpose {
            Purpose::Slice(name) | Purpose::Stop(name) => said == name,
            Purpose::Leaf(id) => {
                let parts: Vec<&str> = said.split('/').collect();
                parts.len() > 1
                    && parts[0].is_empty()
                    && parts.last() == Some(&id.as_str())
                    && !parts.contains(&"..")
                    && !said.contains(char::is_whitespace)
            }
        };
        is_answer.then(|| said.to_owned())
    }
}

fn bind((source, target): (&str, &str), read_only: bool) -> MountRequest {
    // Not as `Binds`: the engine would make a folder where the host has nothing.
    let (source, target) = (source.to_owned(), target.to_owned());
    MountRequest { kind: "bind".to_owned(), source, target, read_only, ..MountRequest::default() }
}

/// The controller's limits as systemd calls them.
fn properties(host: &HostConfig) -> Vec<(&'static str, String)> {
    let swap = match host.memory_swap {
        -1 => Some(u64::MAX),
        both if both > 0 => u64::try_from(both - host.memory).ok(),
        _ => None,
    };
    let positive = |limit: i64| u64::try_from(limit).ok().filter(|limit| *limit > 0);
    let numbers = [
        ("MemoryMax", positive(host.memory)),
        ("MemorySwapMax", swap.filter(|_| host.memory > 0)),
        ("TasksMax", host.pids_limit.and_then(positive)),
        ("CPUQuotaPerSecUSec", nano_cpus(host).and_then(|nano| positive(nano / 1000))),
    ];
    let mut properties: Vec<_> =
        numbers.into_iter().filter_map(|(name, number)| Some((name, number?.to_string()))).collect();
    if !host.cpuset_cpus.is_empty() {
        properties.push(("AllowedCPUs", host.cpuset_cpus.clone()));
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controller(host: HostConfig) -> Controller {
        let (id, name) = ("0123456789abcdef".repeat(4), "shop.web.1".to_owned());
        Controller { host, id, name, image: "sha256:1".to_owned(), program: "/podlike".into(), ..Controller::default() }
    }

    fn words(errand: &Errand) -> String {
        errand.request.cmd.as_ref().expect("a command").join(" ")
    }

    const NOW: Duration = Duration::from_millis(1_700_000_000_123);

    #[test]
    fn a_slice_has_the_controller_s_limits_and_a_new_name_each_time() {
        for (host, limits) in [
            (HostConfig::default(), ""),
            (HostConfig { memory: 64, memory_swap: 128, ..HostConfig::default() }, " MemoryMax=64 MemorySwapMax=64"),
            (HostConfig { memory: 64, memory_swap: 64, ..HostConfig::default() }, " MemoryMax=64 MemorySwapMax=0"),
            (
                HostConfig { memory: 64, memory_swap: -1, ..HostConfig::default() },
                " MemoryMax=64 MemorySwapMax=18446744073709551615",
            ),
            (HostConfig { pids_limit: Some(40), ..HostConfig::default() }, " TasksMax=40"),
            (HostConfig { pids_limit: Some(-1), memory_swap: -1, ..HostConfig::default() }, ""),
            (
                HostConfig { nano_cpus: 1_500_000_000, cpuset_cpus: "0-1".to_owned(), ..HostConfig::default() },
                " CPUQuotaPerSecUSec=1500000 AllowedCPUs=0-1",
            ),
            (HostConfig { cpu_quota: 25_000, ..HostConfig::default() }, " CPUQuotaPerSecUSec=250000"),
        ] {
            let controller = controller(host);
            let errand = Errand::preparing(&Placement::Slice, &controller, NOW).expect("an errand");
            let name = "podlike-0123456789ab_1700000000123.slice";
            let expected = format!("cgroup slice /bus {name} Description=Components of shop.web.1{limits}");
            assert_eq!(words(&errand), expected);
            let undoing = errand.undoing(&controller).expect("an errand");
            assert_eq!(words(&undoing), format!("cgroup stop /bus {name}"));
            assert_eq!(undoing.undoing(&controller), None);
        }
    }

    #[test]
    fn an_errand_is_root_on_the_host_where_root_in_a_container_is_not() {
        let mut controller = controller(HostConfig::default());
        for remaps in [false, true] {
            controller.engine.userns_remap = remaps;
            let errand = Errand::preparing(&Placement::Leaf, &controller, NOW).expect("an errand");
            assert_eq!(errand.request.host_config.userns_mode, if remaps { "host" } else { "" });
        }
    }

    #[test]
    fn an_errand_can_do_no_more_than_it_must() {
        let mut controller = controller(HostConfig::default());
        for (selinux, apparmor) in [(false, false), (true, false), (false, true)] {
            (controller.engine.selinux, controller.engine.apparmor) = (selinux, apparmor);
            for placement in [Placement::Leaf, Placement::Slice] {
                let errand = Errand::preparing(&placement, &controller, NOW).expect("an errand");
                let host = &errand.request.host_config;
                assert_eq!((host.network_mode.as_str(), host.cgroupns_mode.as_str()), ("none", "host"));
                assert!(host.readonly_rootfs && host.cap_drop == ["ALL"] && host.binds.is_empty());
                let leaf = placement == Placement::Leaf;
                assert_eq!(host.cap_add, if leaf { &["SYS_NICE"][..] } else { &[] });
                let joined = format!("container:{}", controller.id);
                assert_eq!(host.pid_mode, if leaf { joined } else { String::new() });
                let source = if leaf { "/sys/fs/cgroup" } else { "/run/dbus/system_bus_socket" };
                assert_eq!(host.mounts.iter().map(|mount| mount.source.as_str()).collect::<Vec<_>>(), [source]);
                let has = |option: &str| host.security_opt.iter().any(|one| one == option);
                assert!(has("no-new-privileges"));
                assert_eq!((has("label=disable"), has("apparmor=unconfined")), (selinux, apparmor && !leaf));
                assert_eq!(errand.request.labels["podlike.controller.id"], controller.id);
                assert_eq!(errand.container, "shop.web.1.podlike-cgroup");
            }
        }
        assert_eq!(Errand::preparing(&Placement::Below("/x".to_owned()), &controller, NOW), None);
    }

    #[test]
    fn only_the_controller_s_own_path_is_an_answer() {
        let controller = controller(HostConfig::default());
        let id = &controller.id;
        let leaf = Errand::preparing(&Placement::Leaf, &controller, NOW).expect("an errand");
        for (said, answer) in [
            (format!("/docker/{id}\n"), Some(format!("/docker/{id}"))),
            (format!("/{id}"), Some(format!("/{id}"))),
            (format!("/../{id}\n"), None),
            (format!("/docker/{id}\nmore"), None),
            (format!("/a b/{id}"), None),
            (format!("docker/{id}"), None),
            ("/docker/another".to_owned(), None),
            (id.clone(), None),
            (String::new(), None),
        ] {
            assert_eq!(leaf.answer(&said), answer, "{said:?}");
        }
        let slice = Errand::preparing(&Placement::Slice, &controller, NOW).expect("an errand");
        let Purpose::Slice(name) = &slice.purpose else { panic!("{slice:?}") };
        assert_eq!(slice.answer(&format!("{name}\n")).as_ref(), Some(name));
        assert_eq!(slice.answer("podlike-other.slice\n"), None);
    }
}
