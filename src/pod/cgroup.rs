//! Where the cgroups of components are: what is best on this engine, for this controller, as far as the operator lets it.
//!
//! | engine | `auto` | `pod` | `slice` |
//! |---|---|---|---|
//! | cgroup v1, cgroupfs | below the controller | = | = |
//! | cgroup v2, cgroupfs | with limits: below it, once it is in a leaf | the same without limits | = `pod` |
//! | systemd | each for itself | each for itself | below a slice that is made |
//!
//! Below a cgroup of v2 that has processes of its own, components would make it threaded: that is never done. What is
//! alive there cannot be ended reliably, and no component could have a limit of memory.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::engine::capabilities::{CgroupDriver, CgroupVersion};

use super::Controller;

/// Where the cgroups of components are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// Below this cgroup, whose limits are those of the controller.
    Below(String),
    /// Below the controller's, which must first be moved into a leaf of its own.
    Leaf,
    /// Below a transient slice of systemd with the controller's limits, which must be made first.
    Slice,
    /// Where the engine puts them, each with the controller's limits.
    Each(Why),
}

/// Why the controller's limits don't hold for the sum of its components.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// It has none.
    NoLimits,
    /// The operator wants it so.
    Chosen,
    /// Its cgroup cannot be seen from within.
    Hidden,
    /// The engine's parents are slices of systemd.
    Slices,
    /// The engine has no cgroups.
    NoDriver,
    /// The engine is not root, and prepares no cgroup.
    Rootless,
    /// The engine's cgroups are not laid out as Docker's are.
    OtherLayout,
    /// What would have been better failed, in these words.
    Failed(String),
}

/// What the operator lets happen: `-cgroup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nesting {
    /// What costs nothing, and with limits of the controller what leaves nothing behind.
    #[default]
    Auto,
    /// The same without limits.
    Pod,
    /// With systemd a slice, too.
    Slice,
    /// Nothing.
    None,
}

impl FromStr for Nesting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "pod" => Ok(Self::Pod),
            "slice" => Ok(Self::Slice),
            "none" => Ok(Self::None),
            _ => Err(format!("'{text}' is no way to place cgroups: expected auto, pod, slice or none")),
        }
    }
}

impl Placement {
    /// What is best.
    pub fn choose(controller: &Controller, nesting: Nesting) -> Self {
        let engine = &controller.engine;
        let wanted = nesting != Nesting::Auto || controller.has_limits();
        let prepared = |placement| if engine.rootless { Self::Each(Why::Rootless) } else { placement };
        match (engine.cgroups.driver, engine.cgroups.version) {
            _ if nesting == Nesting::None => Self::Each(Why::Chosen),
            (CgroupDriver::Cgroupfs, CgroupVersion::V1) => match &controller.cgroup {
                Some(path) => Self::Below(path.display().to_string()),
                None if wanted => Self::Each(Why::Hidden),
                None => Self::Each(Why::NoLimits),
            },
            _ if !wanted => Self::Each(Why::NoLimits),
            (CgroupDriver::Cgroupfs, CgroupVersion::V2) if !engine.has_dockers_cgroups() => {
                Self::Each(Why::OtherLayout)
            }
            (CgroupDriver::Cgroupfs, CgroupVersion::V2) => prepared(Self::Leaf),
            (CgroupDriver::Systemd, _) if nesting == Nesting::Slice => prepared(Self::Slice),
            (CgroupDriver::Systemd, _) => prepared(Self::Each(Why::Slices)),
            (CgroupDriver::None, _) => Self::Each(Why::NoDriver),
        }
    }

    /// Whether the controller's limits hold for the sum of those who are placed so.
    pub fn is_shared(&self) -> bool {
        !matches!(self, Self::Each(_))
    }

    /// The cgroup of components as requests name it: empty for the engine's choice, or where it is not known yet.
    pub fn parent(&self) -> &str {
        match self {
            Self::Below(path) => path,
            Self::Leaf | Self::Slice | Self::Each(_) => "",
        }
    }

    /// Whether that is a slice of systemd, which forbids no devices as a container's cgroup does.
    pub fn is_slice(&self) -> bool {
        match self {
            Self::Below(path) => path.strip_suffix(".slice").is_some(),
            Self::Slice => true,
            Self::Leaf | Self::Each(_) => false,
        }
    }

    /// Whether something must be prepared before the first component.
    pub fn is_to_be_prepared(&self) -> bool {
        matches!(self, Self::Leaf | Self::Slice)
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(path) => write!(f, "below {path}, whose limits hold for the sum of all components"),
            Self::Leaf => f.write_str("below the controller's cgroup, once its processes are moved into a leaf"),
            Self::Slice => f.write_str("below a transient slice of systemd with the controller's limits"),
            Self::Each(why) => write!(f, "where the engine puts them, each with the controller's limits: {why}"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLimits => f.write_str("it has no limits to share"),
            Self::Chosen => f.write_str("-cgroup=none"),
            Self::Hidden => f.write_str("it is in a cgroup namespace of its own, which hides its path"),
            Self::Slices => f.write_str("the engine's systemd driver takes only slices, and -cgroup=slice makes one"),
            Self::NoDriver => f.write_str("the engine has no cgroups"),
            Self::OtherLayout => f.write_str("there is no room to make in Podman's cgroups"),
            Self::Rootless => f.write_str("the engine is rootless, nothing can be prepared in its cgroups"),
            Self::Failed(words) => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::capabilities::{Capabilities, Cgroups, Product};

    use super::*;

    fn choose(driver: CgroupDriver, version: CgroupVersion, path: bool, limit: bool, nesting: Nesting) -> Placement {
        let engine = Capabilities { cgroups: Cgroups { version, driver }, ..Capabilities::default() };
        let mut controller = Controller { engine, ..Controller::default() };
        controller.cgroup = path.then(|| "/docker/id".into());
        controller.host.memory = i64::from(limit);
        Placement::choose(&controller, nesting)
    }

    #[test]
    fn the_table_of_placements() {
        use CgroupDriver::{Cgroupfs, Systemd};
        use CgroupVersion::{V1, V2};
        use Nesting::{Auto, Pod, Slice};
        use Placement::{Each, Leaf};
        use Why::{Chosen, Hidden, NoDriver, NoLimits, Slices};

        let below = || Placement::Below("/docker/id".to_owned());
        for (driver, version, path, limit, nesting, expected) in [
            (Cgroupfs, V1, true, false, Auto, below()),
            (Cgroupfs, V1, true, true, Slice, below()),
            (Cgroupfs, V1, false, false, Auto, Each(NoLimits)),
            (Cgroupfs, V1, false, true, Auto, Each(Hidden)),
            (Cgroupfs, V1, false, false, Pod, Each(Hidden)),
            (Cgroupfs, V1, true, true, Nesting::None, Each(Chosen)),
            (Cgroupfs, V2, false, false, Auto, Each(NoLimits)),
            // A path that is seen on v2 is never a parent without a leaf.
            (Cgroupfs, V2, true, true, Auto, Leaf),
            (Cgroupfs, V2, false, false, Pod, Leaf),
            (Cgroupfs, V2, false, true, Slice, Leaf),
            (Systemd, V1, true, true, Auto, Each(Slices)),
            (Systemd, V2, false, false, Auto, Each(NoLimits)),
            (Systemd, V2, false, false, Pod, Each(Slices)),
            (Systemd, V2, false, true, Slice, Placement::Slice),
            (Systemd, V1, false, false, Slice, Placement::Slice),
            (CgroupDriver::None, V2, false, true, Auto, Each(NoDriver)),
            (CgroupDriver::None, V2, false, false, Auto, Each(NoLimits)),
        ] {
            let found = choose(driver, version, path, limit, nesting);
            assert_eq!(found, expected, "{driver:?} {version:?} {path} {limit} {nesting:?}");
        }
    }

    #[test]
    fn a_rootless_engine_prepares_nothing_and_one_that_remaps_users_does() {
        let cgroups = Cgroups { version: CgroupVersion::V2, driver: CgroupDriver::Cgroupfs };
        let engine = Capabilities { cgroups, userns_remap: true, ..Capabilities::default() };
        let mut controller = Controller { engine, ..Controller::default() };
        controller.host.memory = 1;
        assert_eq!(Placement::choose(&controller, Nesting::Auto), Placement::Leaf, "the errand has the host's users");
        controller.engine.rootless = true;
        controller.engine.cgroups.driver = CgroupDriver::Systemd;
        for nesting in [Nesting::Auto, Nesting::Slice] {
            assert_eq!(Placement::choose(&controller, nesting), Placement::Each(Why::Rootless));
        }
    }

    #[test]
    fn no_leaf_is_made_in_podmans_cgroups() {
        let cgroups = Cgroups { version: CgroupVersion::V2, driver: CgroupDriver::Cgroupfs };
        let engine = Capabilities { cgroups, product: Product::Podman, ..Capabilities::default() };
        let mut controller = Controller { engine, ..Controller::default() };
        controller.host.memory = 1;
        for nesting in [Nesting::Auto, Nesting::Pod] {
            assert_eq!(Placement::choose(&controller, nesting), Placement::Each(Why::OtherLayout));
        }
    }
}
