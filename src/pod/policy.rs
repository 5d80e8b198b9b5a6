//! What an operator forbids, by `-deny` and `-allow`: labels are written by others, and what they ask for the engine does as
//! root. Every flag that is added can only forbid more.
//!
//! What stands in the request is looked at, and not how it was written: each notation ends there.

use std::str::FromStr;

use crate::compose::{self, Content};

use super::component::{Component, Namespace, Said, Userns};
use super::hook::Hook;
use super::{Error, PodSpec};

/// A way to reach out of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// More than the engine gives to any container.
    Privileged,
    /// Devices of the host.
    Devices,
    /// Namespaces and cgroups of the host, or of a container that is not of the pod.
    HostNamespaces,
    /// Paths of the host.
    Binds,
}

use Right::{Binds, Devices, HostNamespaces, Privileged};

impl Right {
    const ALL: [Self; 4] = [Privileged, Devices, HostNamespaces, Binds];

    fn word(self) -> &'static str {
        match self {
            Privileged => "privileged",
            Devices => "devices",
            HostNamespaces => "host-namespaces",
            Binds => "binds",
        }
    }
}

/// A set of rights, as a flag lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u8);

impl Rights {
    const ALL: Self = Self(0b1111);

    fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u8) != 0
    }
}

impl FromStr for Rights {
    type Err = String;

    /// Words with commas between them; `all`, and `none` or nothing at all.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut rights = Self::default();
        for word in text.split(',').map(str::trim) {
            rights.0 |= match Right::ALL.into_iter().find(|right| right.word() == word) {
                Some(right) => 1 << right as u8,
                None if word == "all" => Self::ALL.0,
                None if matches!(word, "" | "none") => 0,
                None => {
                    let near = compose::nearest(word, Right::ALL.map(Right::word));
                    let hint = near.map_or(String::new(), |near| format!(", did you mean '{near}'?"));
                    return Err(format!(
                        "'{word}' cannot be forbidden: expected privileged, devices, host-namespaces, binds, all or none{hint}"
                    ));
                }
            };
        }
        Ok(rights)
    }
}

/// What is forbidden. Without a flag, nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// By `-deny`.
    denied: Rights,
    /// By an `-allow` that does not list it.
    withheld: Rights,
}

impl Policy {
    /// What these flags together forbid.
    pub fn of(deny: &[Rights], allow: &[Rights]) -> Self {
        let denied = deny.iter().fold(0, |all, rights| all | rights.0);
        let withheld = allow.iter().fold(0, |all, rights| all | (Rights::ALL.0 & !rights.0));
        Self { denied: Rights(denied), withheld: Rights(withheld) }
    }

    /// Fails at the first thing of a pod that is forbidden.
    pub(super) fn check(self, spec: &PodSpec) -> Result<(), Error> {
        if self == Self::default() {
            return Ok(());
        }
        for component in &spec.components {
            for (right, key, is_asked) in asks(component) {
                if is_asked {
                    self.refuse(right, component.said(key))?;
                }
            }
            for volume in &component.volumes {
                if matches!(volume.content, Content::Bind { ours: false, .. }) {
                    self.refuse(Binds, &Said { at: volume.at.clone(), place: volume.place.clone() })?;
                }
            }
        }
        spec.volumes.iter().filter_map(|declared| declared.driven.as_ref()).try_for_each(|at| self.refuse(Binds, at))
    }

    /// Fails where a component mounts itself that through which the controller reaches the engine, by whatever name: who
    /// reaches the engine has everything.
    pub(super) fn check_socket(self, component: &Component, has_it: bool) -> Result<(), Error> {
        if has_it { self.refuse(Binds, component.said("volumes")) } else { Ok(()) }
    }

    fn refuse(self, right: Right, said: &Said) -> Result<(), Error> {
        let by_deny = self.denied.has(right);
        if !by_deny && !self.withheld.has(right) {
            return Ok(());
        }
        let (place, at) = (Box::new(said.place.clone()), said.at.clone());
        Err(Error::Forbidden { place, at, right: right.word(), by_deny })
    }
}

/// What a component may ask for, by key, and whether it does.
fn asks(component: &Component) -> [(Right, &'static str, bool); 22] {
    let host = &component.request.host_config;
    let privileged = |hooks: &[Hook]| hooks.iter().any(|hook| hook.privileged);
    // An own one shares nothing.
    let foreign = |namespace: &Option<Namespace>| matches!(namespace, Some(Namespace::Engine(mode)) if mode == "host" || mode.starts_with("container:"));
    // What they make of a container only they know.
    let (runtime, annotations) = (!host.runtime.is_empty(), !host.annotations.is_empty());
    [
        (Privileged, "privileged", host.privileged),
        (Privileged, "post_start", privileged(&component.post_start)),
        (Privileged, "pre_stop", privileged(&component.pre_stop)),
        (Privileged, "cap_add", !host.cap_add.iter().all(|name| is_given_to_all(name))),
        (Privileged, "security_opt", !host.security_opt.iter().all(|option| TIGHT.contains(&option.as_str()))),
        (Privileged, "security_opt", host.masked_paths.is_some() || host.readonly_paths.is_some()),
        (Privileged, "userns_mode", component.userns == Some(Userns::Host)),
        (Privileged, "runtime", runtime),
        (Privileged, "annotations", annotations),
        (Devices, "devices", !host.devices.is_empty()),
        (Devices, "device_cgroup_rules", !host.device_cgroup_rules.is_empty()),
        (Devices, "gpus", !host.device_requests.is_empty()),
        (Devices, "runtime", runtime),
        (Devices, "annotations", annotations),
        (HostNamespaces, "pid", foreign(&component.pid)),
        (HostNamespaces, "ipc", foreign(&component.ipc)),
        (HostNamespaces, "uts", host.uts_mode == "host"),
        (HostNamespaces, "cgroup", host.cgroupns_mode == "host"),
        (HostNamespaces, "cgroup_parent", !host.cgroup_parent.is_empty()),
        (Binds, "volumes_from", !host.volumes_from.is_empty()),
        (Binds, "volume_driver", !is_plain_driver(&host.volume_driver)),
        (
            Binds,
            "logging",
            host.log_config.iter().flat_map(|log| &log.config).any(|(key, value)| is_on_host(key, value)),
        ),
    ]
}

/// The security options that take nothing away. A profile is none of them, whatever stands in it.
const TIGHT: [&str; 5] = [
    "apparmor=docker-default",
    "no-new-privileges",
    "no-new-privileges:true",
    "no-new-privileges=true",
    "seccomp=builtin",
];

/// Whether Docker gives a capability to every container.
fn is_given_to_all(name: &str) -> bool {
    const GIVEN: [&str; 14] = [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ];
    let name = name.to_ascii_uppercase();
    GIVEN.contains(&name.strip_prefix("CAP_").unwrap_or(&name))
}

/// Whether a driver makes volumes that are folders of their own: without options that is the engine's own one.
pub(super) fn is_plain_driver(driver: &str) -> bool {
    matches!(driver, "" | "local")
}

/// Whether an option of a log driver is a path or a socket of the host: what has a `/`, but for an address of the network.
fn is_on_host(key: &str, value: &str) -> bool {
    let begins = |scheme: &str| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let is_path = value.contains('/') && !value.contains("://") && key != "tag";
    is_path || begins("unix") || begins("file:")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::compose::{Project, Source, Surroundings};
    use crate::engine::capabilities::Capabilities;
    use crate::engine::types::Mount;

    use super::super::{Controller, Options, Placement, Why, plan};
    use super::*;

    fn forbidden(deny: &[&str], allow: &[&str]) -> Vec<&'static str> {
        let rights = |lists: &[&str]| lists.iter().map(|list| list.parse().expect("a list")).collect::<Vec<Rights>>();
        let policy = Policy::of(&rights(deny), &rights(allow));
        let is_forbidden = |right: &Right| policy.denied.has(*right) || policy.withheld.has(*right);
        Right::ALL.into_iter().filter(is_forbidden).map(Right::word).collect()
    }

    #[test]
    fn every_flag_more_can_only_forbid_more() {
        let all = &["privileged", "devices", "host-namespaces", "binds"][..];
        for (deny, allow, expected) in [
            (&[][..], &[][..], &[][..]),
            (&["privileged, binds"], &[], &["privileged", "binds"]),
            (&["all"], &[], all),
            (&["", "none"], &[], &[]),
            (&["privileged", "none", "binds"], &[], &["privileged", "binds"]),
            (&[], &["all"], &[]),
            (&[], &["none"], all),
            (&[], &[""], all),
            (&[], &["devices"], &["privileged", "host-namespaces", "binds"]),
            (&[], &["devices", "all"], &["privileged", "host-namespaces", "binds"]),
            (&[], &["devices,binds", "binds,privileged"], &["privileged", "devices", "host-namespaces"]),
            (&["binds"], &["all"], &["binds"]),
            (&["binds"], &["binds,devices"], &["privileged", "host-namespaces", "binds"]),
        ] {
            assert_eq!(forbidden(deny, allow), expected, "{deny:?} {allow:?}");
        }
    }

    /// The flags' words that keep a component of a Compose file from being planned, in which the controller has `/data` from
    /// the host, and reaches the engine by a socket in a volume.
    fn forbidding(component: &str, volumes: &str) -> Vec<&'static str> {
        let text = format!("services:\n  app: {{image: x, {component}}}\n  db: {{image: x}}\nvolumes: {{{volumes}}}\n");
        let surroundings = Surroundings { working_dir: "/data".into(), ..Surroundings::default() };
        let project = Project::from_text(&Source::file(Path::new("/data/x.yml")), &text, &surroundings).expect(&text);
        let spec = PodSpec::from_project(&project, &surroundings).expect(&text);
        let mount = |kind: &str, name: &str, source: &str, destination: &str| Mount {
            kind: kind.to_owned(),
            name: name.to_owned(),
            source: source.to_owned(),
            destination: destination.to_owned(),
            ..Mount::default()
        };
        let controller = Controller {
            mounts: vec![
                mount("bind", "", "/srv/data", "/data"),
                mount("volume", "engine", "/volumes/engine/_data", "/run/engine"),
                mount("volume", "plugged", "", "/plugged"),
            ],
            ways_to_socket: vec!["/run/engine".into()],
            ..Controller::assumed(Capabilities::default())
        };
        let is_forbidden = |right: &Right| {
            let mut by_both = Vec::new();
            for (deny, allow) in
                [(vec![Rights(1 << *right as u8)], vec![]), (vec![], vec![Rights(!(1 << *right as u8))])]
            {
                let options = Options { policy: Policy::of(&deny, &allow), ..Options::default() };
                let planned = plan(&spec, &controller, &Placement::Each(Why::Chosen), options);
                by_both.push(matches!(planned, Err(Error::Forbidden { .. })));
            }
            assert_eq!(by_both[0], by_both[1], "{text}");
            by_both[0]
        };
        Right::ALL.into_iter().filter(is_forbidden).map(Right::word).collect()
    }

    #[test]
    fn each_way_out_of_a_container_is_forbidden_by_its_right() {
        for (component, words) in [
            ("privileged: true", "privileged"),
            ("cap_add: [NET_ADMIN]", "privileged"),
            ("cap_add: [CHOWN, cap_sys_ptrace]", "privileged"),
            ("cap_add: [ALL]", "privileged"),
            ("cap_add: [TIME_TRAVEL]", "privileged"),
            ("security_opt: ['seccomp=unconfined']", "privileged"),
            ("security_opt: ['seccomp:unconfined']", "privileged"),
            ("security_opt: ['seccomp={}']", "privileged"),
            ("security_opt: ['apparmor:unconfined']", "privileged"),
            ("security_opt: ['systempaths=unconfined']", "privileged"),
            ("security_opt: ['label=disable']", "privileged"),
            ("security_opt: ['label:type:spc_t']", "privileged"),
            ("security_opt: ['no-new-privileges=false']", "privileged"),
            ("userns_mode: host", "privileged"),
            ("runtime: nvidia", "privileged devices"),
            ("annotations: {cdi.k8s.io/x: vendor.com/gpu=all}", "privileged devices"),
            ("post_start: [{command: x}, {command: x, privileged: true}]", "privileged"),
            ("pre_stop: [{command: x, privileged: true}]", "privileged"),
            ("pre_start: [{command: x, privileged: true}]", "privileged"),
            ("devices: [/dev/kvm]", "devices"),
            ("devices: ['vendor.com/gpu=all']", "devices"),
            ("device_cgroup_rules: ['c 1:3 mr']", "devices"),
            ("gpus: all", "devices"),
            ("deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}", "devices"),
            ("pid: host", "host-namespaces"),
            ("pid: 'container:x'", "host-namespaces"),
            ("ipc: host", "host-namespaces"),
            ("ipc: 'container:x'", "host-namespaces"),
            ("uts: host", "host-namespaces"),
            ("cgroup: host", "host-namespaces"),
            ("cgroup_parent: /x", "host-namespaces"),
            ("volumes: ['/etc:/x']", "binds"),
            ("volumes: [data:/y, {type: bind, source: /etc, target: /x}]", "binds"),
            ("volumes: ['../run/engine:/x']", "binds"),
            ("volumes: ['../run/engine/docker.sock:/x']", "binds"),
            ("volumes: [{type: bind, source: ../run/engine, target: /x, bind: {create_host_path: false}}]", "binds"),
            ("volumes: ['engine:/x']", "binds"),
            ("volumes: [{type: volume, source: engine, target: /x, volume: {subpath: a}}]", "binds"),
            ("volumes_from: ['container:x']", "binds"),
            ("volume_driver: local-persist", "binds"),
            ("logging: {driver: syslog, options: {syslog-address: 'UNIX:///run/x.sock'}}", "binds"),
            ("logging: {driver: fluentd, options: {x: /etc/shadow}}", "binds"),
            ("logging: {driver: syslog, options: {syslog-tls-key: etc/ssl/k.pem}}", "binds"),
            ("logging: {driver: splunk, options: {splunk-url: 'file:///etc/shadow'}}", "binds"),
        ] {
            assert_eq!(forbidding(component, "").join(" "), words, "{component}");
        }
        for volumes in [
            "data: {driver_opts: {type: none, o: bind, device: /etc}}",
            "data: {driver_opts: {type: proc, device: proc}}",
            "data: {driver: local-persist}",
        ] {
            assert_eq!(forbidding("", volumes), ["binds"], "{volumes}");
        }
    }

    #[test]
    fn what_stays_in_the_pod_is_nobodys_business() {
        for component in [
            "privileged: false, cap_add: [cap_chown, NET_RAW], cap_drop: [ALL], read_only: true, user: root",
            "security_opt: [no-new-privileges, 'no-new-privileges:true', 'seccomp=builtin', 'apparmor=docker-default']",
            "userns_mode: private, cgroup: private, ipc: private, pid: private",
            "pid: 'service:db', ipc: 'service:db', volumes_from: [db]",
            "volumes: ['data:/a', 'named:/b', /c, './own:/d', {type: tmpfs, target: /e}], tmpfs: [/f]",
            "volumes: ['plugged:/a'], volume_driver: local, logging: {driver: gelf, options: {gelf-address: 'udp://h:1', tag: a/b}}",
            "post_start: [{command: x}], pre_start: [{command: x}], pre_stop: [{command: x, privileged: false}]",
        ] {
            assert_eq!(forbidding(component, "data: {labels: {a: b}, driver: local}").join(" "), "", "{component}");
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_what_may_have_been_meant() {
        let error = |list: &str| list.parse::<Rights>().expect_err(list);
        assert!(error("binds,privilegd").ends_with("all or none, did you mean 'privileged'?"), "{}", error("x"));
        assert_eq!(
            error("x"),
            "'x' cannot be forbidden: expected privileged, devices, host-namespaces, binds, all or none"
        );
        assert!(error("Binds").contains("did you mean 'binds'?"));
    }
}
