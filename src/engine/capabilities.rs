//! What an engine is and can, as it says itself: the one place that knows versions, products and drivers.

use std::fmt;

use serde::Serialize;

use super::types::{ApiVersion, Info};

/// What an engine is and can: `GET /_ping` and `GET /info`, understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the engine tells them one by one")]
pub struct Capabilities {
    /// What kind of engine it is.
    pub product: Product,
    /// Its version, such as `20.10.24+dfsg1`.
    pub version: String,
    /// The name of its host.
    #[serde(skip)]
    pub hostname: String,
    /// The oldest API version that it takes, where that was asked for, and it says so.
    pub oldest: Option<ApiVersion>,
    /// The newest API version that it knows.
    pub newest: ApiVersion,
    /// The one that is spoken with it, where nothing newer is needed.
    pub spoken: ApiVersion,
    /// How it places containers in cgroups.
    pub cgroups: Cgroups,
    /// The limits that hold for its containers.
    pub limits: Limits,
    /// Whether it runs without being root.
    pub rootless: bool,
    /// Whether root in its containers is another user outside.
    pub userns_remap: bool,
    /// Whether it labels its containers for `SELinux`.
    pub selinux: bool,
    /// Whether it confines its containers with `AppArmor`.
    pub apparmor: bool,
    /// Whether containers outlive it.
    pub live_restore: bool,
}

/// The kinds of engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Docker, or what speaks its API and does not say another name.
    Docker,
    /// Podman behind Docker's API.
    Podman,
}

/// How an engine places containers in cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cgroups {
    /// The version of the kernel's interface.
    pub version: CgroupVersion,
    /// Who makes the cgroups.
    pub driver: CgroupDriver,
}

/// The versions of the kernel's interface to cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CgroupVersion {
    /// A tree for each controller.
    #[serde(rename = "1")]
    V1,
    /// One tree.
    #[serde(rename = "2")]
    V2,
}

/// Who makes the cgroups of containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupDriver {
    /// The engine itself: a parent is a path.
    Cgroupfs,
    /// systemd: a parent is a slice.
    Systemd,
    /// Nobody: there are none, as with some rootless engines.
    None,
}

/// The limits that hold: the kernel has what it takes, and the engine may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the engine tells them one by one")]
pub struct Limits {
    /// Of memory.
    pub memory: bool,
    /// Of memory and swap together.
    pub swap: bool,
    /// Of CPU time.
    pub cpus: bool,
    /// Which CPUs may be used.
    pub cpuset: bool,
    /// Of processes.
    pub pids: bool,
}

impl Default for Capabilities {
    /// What is taken for true where no engine can be asked: everything.
    fn default() -> Self {
        let newest = ApiVersion::new(u32::MAX);
        Self::read(Product::Docker, newest, newest, Info::default())
    }
}

impl Capabilities {
    /// Puts together what an engine says of itself. What it does not say it can.
    pub fn read(product: Product, newest: ApiVersion, spoken: ApiVersion, info: Info) -> Self {
        let secured_by = |name: &str| {
            // `name=seccomp,profile=builtin`; before API 1.24 only the name.
            info.security_options
                .iter()
                .filter_map(|option| option.split(',').next())
                .any(|option| option.strip_prefix("name=").unwrap_or(option) == name)
        };
        let driver = match info.cgroup_driver.as_str() {
            "systemd" => CgroupDriver::Systemd,
            "none" => CgroupDriver::None,
            _ => CgroupDriver::Cgroupfs,
        };
        // Engines before API 1.41 know only the first version, and don't say it.
        let cgroups =
            Cgroups { version: if info.cgroup_version == "2" { CgroupVersion::V2 } else { CgroupVersion::V1 }, driver };
        let holds = |said: Option<bool>, controller: &str| {
            let has = match &info.cgroup_controllers {
                Some(all) if !all.is_empty() => all.iter().any(|one| one == controller),
                Some(_) => true,
                None => said.unwrap_or(true),
            };
            driver != CgroupDriver::None && has
        };
        let limits = Limits {
            memory: holds(info.memory_limit, "memory"),
            swap: holds(info.swap_limit, "memory"),
            cpus: holds(info.cpu_cfs_quota, "cpu"),
            cpuset: holds(info.cpu_set, "cpuset"),
            pids: holds(info.pids_limit, "pids"),
        };
        Self {
            product,
            hostname: info.name,
            oldest: None,
            newest,
            spoken,
            cgroups,
            limits,
            rootless: secured_by("rootless"),
            userns_remap: secured_by("userns"),
            selinux: secured_by("selinux"),
            apparmor: secured_by("apparmor"),
            live_restore: info.live_restore_enabled,
            version: info.server_version,
        }
    }

    /// Whether it has what came with this version of the API.
    pub fn has(&self, since: ApiVersion) -> bool {
        self.newest >= since
    }

    /// Whether it has told what it is: of one that cannot be asked everything is taken for possible.
    pub fn is_known(&self) -> bool {
        !self.version.is_empty()
    }

    /// Whether its cgroup of a container bears the container's id, and has nothing else in it, as Docker's with the cgroupfs
    /// driver: only there can room be made for components.
    pub fn has_dockers_cgroups(&self) -> bool {
        self.product == Product::Docker
    }

    /// Whether it is to remove containers that end. Where it would lose the container or its exit code by it, we do:
    /// Podman forgets the code, and engines before 26 lose such containers when they come back with live-restore.
    pub fn auto_remove(&self) -> bool {
        let survives_restore = !self.live_restore || self.major() >= Some(26);
        self.product == Product::Docker && survives_restore
    }

    /// The limit of processes that every container has that asks for none.
    pub fn default_pids_limit(&self) -> Option<i64> {
        match self.product {
            Product::Docker => None,
            Product::Podman => Some(2048),
        }
    }

    /// Why limits don't hold that are not in [`Self::limits`].
    pub fn why_limits_do_not_hold(&self) -> &'static str {
        match (self.cgroups.driver, self.rootless) {
            (CgroupDriver::None, true) => "the engine is rootless and has no cgroups",
            (CgroupDriver::None, false) => "the engine has no cgroups",
            (_, true) => "the engine is rootless, and these cgroup controllers are not delegated to it",
            (_, false) => "the engine's host lacks the cgroup controllers for it, or they are off",
        }
    }

    /// The major version of the engine, if it says one.
    fn major(&self) -> Option<u32> {
        self.version.split('.').next()?.parse().ok()
    }
}

impl Limits {
    /// What there are limits of, by whether they hold.
    fn of(self, hold: bool) -> String {
        let all = [
            ("memory", self.memory),
            ("swap", self.swap),
            ("CPU time", self.cpus),
            ("CPUs to use", self.cpuset),
            ("processes", self.pids),
        ];
        all.into_iter().filter(|(_, holds)| *holds == hold).map(|(what, _)| what).collect::<Vec<_>>().join(", ")
    }
}

/// A line for the engine, and one for each thing that is known of it.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "engine: {} {}", self.product, self.version)?;
        let mut line = |key: &str, value: &str| match value {
            "" => Ok(()),
            value => write!(f, "\n  {key:<12} {value}"),
        };
        let oldest = self.oldest.map(|oldest| format!("{oldest} to ")).unwrap_or_default();
        line("API", &format!("{oldest}{}, {} is spoken", self.newest, self.spoken))?;
        line("cgroups", &self.cgroups.to_string())?;
        line("limits", &self.limits.of(true))?;
        line("no limits of", &self.limits.of(false))?;
        let known = |facts: &[(&'static str, bool)]| {
            let true_ones = facts.iter().filter(|(_, is_so)| *is_so).map(|(what, _)| *what);
            true_ones.collect::<Vec<_>>().join(", ")
        };
        let apart = [("rootless", self.rootless), ("users are remapped", self.userns_remap)];
        line("users", &known(&apart))?;
        line("security", &known(&[("SELinux", self.selinux), ("AppArmor", self.apparmor)]))?;
        line("live-restore", &known(&[("containers outlive the engine", self.live_restore)]))?;
        line("removal", if self.auto_remove() { "by the engine, when a container ends" } else { "by podlike" })
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

impl fmt::Display for Cgroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.version {
            CgroupVersion::V1 => "v1",
            CgroupVersion::V2 => "v2",
        };
        match self.driver {
            CgroupDriver::Cgroupfs => write!(f, "{version}, cgroupfs driver"),
            CgroupDriver::Systemd => write!(f, "{version}, systemd driver"),
            CgroupDriver::None => write!(f, "{version}, no driver"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(product: Product, info: &str) -> Capabilities {
        let api = ApiVersion::new(44);
        Capabilities::read(product, api, api, serde_json::from_str(info).expect("an answer"))
    }

    #[test]
    fn what_an_engine_does_not_say_it_can() {
        let silent = read(Product::Docker, "{}");
        let all = Limits { memory: true, swap: true, cpus: true, cpuset: true, pids: true };
        assert_eq!(silent.limits, all);
        assert_eq!(silent.cgroups, Cgroups { version: CgroupVersion::V1, driver: CgroupDriver::Cgroupfs });
        assert!(!silent.rootless && silent.auto_remove());
    }

    #[test]
    fn what_an_engine_says_counts() {
        let rootless = read(
            Product::Docker,
            r#"{"ServerVersion":"26.1.5","CgroupDriver":"systemd","CgroupVersion":"2","MemoryLimit":true,
                "SwapLimit":false,"CpuCfsQuota":false,"CPUSet":false,"PidsLimit":true,
                "SecurityOptions":["name=seccomp,profile=builtin","name=rootless","name=cgroupns"]}"#,
        );
        assert_eq!(rootless.limits, Limits { memory: true, swap: false, cpus: false, cpuset: false, pids: true });
        assert!(rootless.rootless && !rootless.userns_remap && !rootless.selinux && !rootless.apparmor);
        assert_eq!(rootless.cgroups.to_string(), "v2, systemd driver");
        let confined = r#"{"SecurityOptions":["name=apparmor","name=selinux","name=userns"]}"#;
        let confined = read(Product::Docker, confined);
        assert!(confined.apparmor && confined.selinux && confined.userns_remap && !confined.rootless);
    }

    #[test]
    fn the_controllers_count_where_they_are_told() {
        let wrong = r#""CgroupVersion":"2","MemoryLimit":true,"SwapLimit":false,"CpuCfsQuota":false,"CPUSet":false"#;
        for (controllers, limits) in [
            (r#"["cpuset","cpu","io","memory","pids"]"#, [true; 5]),
            (r#"["memory","pids"]"#, [true, true, false, false, true]),
            (r#"["hugetlb"]"#, [false; 5]),
            ("[]", [true; 5]),
            ("null", [true, false, false, false, true]),
        ] {
            let info = format!("{{{wrong},\"CgroupControllers\":{controllers}}}");
            let Limits { memory, swap, cpus, cpuset, pids } = read(Product::Podman, &info).limits;
            assert_eq!([memory, swap, cpus, cpuset, pids], limits, "{controllers}");
        }
    }

    #[test]
    fn an_engine_is_shown_in_lines() {
        let info = r#"{"ServerVersion":"26.1.5","CgroupDriver":"systemd","CgroupVersion":"2","CpuCfsQuota":false,
            "SecurityOptions":["name=apparmor","name=rootless"],"LiveRestoreEnabled":true}"#;
        let lines = "\
engine: Docker 26.1.5
  API          1.44, 1.44 is spoken
  cgroups      v2, systemd driver
  limits       memory, swap, CPUs to use, processes
  no limits of CPU time
  users        rootless
  security     AppArmor
  live-restore containers outlive the engine
  removal      by the engine, when a container ends";
        assert_eq!(read(Product::Docker, info).to_string(), lines);
    }

    #[test]
    fn without_a_driver_no_limit_holds() {
        let none = read(Product::Docker, r#"{"CgroupDriver":"none","CgroupVersion":"2","MemoryLimit":true}"#);
        assert!(!none.limits.memory && !none.limits.pids);
    }

    #[test]
    fn who_removes_a_container_that_ends() {
        for (product, version, live_restore, engine) in [
            (Product::Docker, "20.10.24+dfsg1", false, true),
            (Product::Docker, "20.10.24+dfsg1", true, false),
            (Product::Docker, "25.0.5", true, false),
            (Product::Docker, "26.0.0", true, true),
            (Product::Docker, "dev", true, false),
            (Product::Podman, "5.4.2", false, false),
        ] {
            let info = format!(r#"{{"ServerVersion":"{version}","LiveRestoreEnabled":{live_restore}}}"#);
            assert_eq!(read(product, &info).auto_remove(), engine, "{product} {version} {live_restore}");
        }
    }
}
