//! Limits: below the controller's cgroup its limits hold by themselves, elsewhere each component gets them. In both cases
//! no component has more than the controller.

use crate::engine::types::HostConfig;

use super::super::cgroup::Why;
use super::{Component, Controller, Placement, Warning};

/// What is to be said of where cgroups are: nothing where the controller has no limits, or that was asked for.
pub(super) fn not_shared(placement: &Placement) -> Option<Warning> {
    match placement {
        Placement::Each(why) if !matches!(why, Why::NoLimits | Why::Chosen) => {
            Some(Warning::NotNested { why: why.clone() })
        }
        _ => None,
    }
}

/// Gives a component its limits and its place.
pub(super) fn limit(
    host: &mut HostConfig,
    component: &Component,
    controller: &Controller,
    placement: &Placement,
    warnings: &mut Vec<Warning>,
) {
    let own = &controller.host;
    host.oom_score_adj = component.oom_score_adj.unwrap_or((own.oom_score_adj + 1).min(1000));
    if let Some(score) = component.oom_score_adj.filter(|score| *score <= own.oom_score_adj) {
        let component = component.name.clone();
        warnings.push(Warning::OomScore { component, score, own: own.oom_score_adj });
    }
    // Nobody below a cgroup may use devices that it may not.
    let outside = host.privileged && !own.privileged;
    if placement.is_shared() && outside {
        warnings.push(Warning::PrivilegedNotNested { component: component.name.clone() });
    }
    let nested = placement.is_shared() && !outside && host.cgroup_parent.is_empty();
    let mut caps = Caps { component, warnings };
    caps.memory(host, own, nested);
    caps.cpus(host, own, nested);
    caps.pids(host, own, nested);
    if nested {
        placement.parent().clone_into(&mut host.cgroup_parent);
    } else if host.cpuset_cpus.is_empty() {
        host.cpuset_cpus.clone_from(&own.cpuset_cpus);
    }
}

struct Caps<'a> {
    component: &'a Component,
    warnings: &'a mut Vec<Warning>,
}

impl Caps<'_> {
    fn capped(&mut self, key: &'static str, limit: String) {
        let component = self.component.name.clone();
        self.warnings.push(Warning::Capped { component, key, limit });
    }

    fn memory(&mut self, host: &mut HostConfig, own: &HostConfig, nested: bool) {
        if own.memory <= 0 {
            return;
        }
        if host.memory > own.memory {
            if host.memory_swap > 0 {
                // As much swap as was asked for.
                host.memory_swap -= host.memory - own.memory;
            }
            host.memory = own.memory;
            self.capped("mem_limit", own.memory.to_string());
        }
        if host.memory_reservation > own.memory {
            host.memory_reservation = own.memory;
            self.capped("mem_reservation", own.memory.to_string());
        }
        let inherits = !nested && host.memory == 0;
        if inherits {
            host.memory = own.memory;
        }
        self.swap(host, own, nested, inherits);
    }

    /// No more swap than the controller has. Who says nothing of swap gets from the engine as much as memory; who has the
    /// controller's memory has its swap, too.
    fn swap(&mut self, host: &mut HostConfig, own: &HostConfig, nested: bool, inherits: bool) {
        if inherits && host.memory_swap == 0 {
            host.memory_swap = own.memory_swap;
        }
        if own.memory_swap <= 0 || host.memory == 0 {
            return;
        }
        let most = host.memory + (own.memory_swap - own.memory);
        if host.memory_swap == -1 || host.memory_swap > most {
            host.memory_swap = most;
            self.capped("memswap_limit", most.to_string());
        } else if host.memory_swap == 0 && !nested {
            host.memory_swap = most.min(host.memory.saturating_mul(2));
        }
    }

    /// In billionths of a CPU, whichever way they are given.
    fn cpus(&mut self, host: &mut HostConfig, own: &HostConfig, nested: bool) {
        let most = nano_cpus(own);
        let wanted = nano_cpus(host);
        match (most, wanted) {
            (Some(most), Some(wanted)) if wanted > most => {
                let key = if host.nano_cpus > 0 { "cpus" } else { "cpu_quota" };
                take_cpus(host, own);
                #[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
                self.capped(key, format!("{:.2} CPUs", most as f64 / 1e9));
            }
            (Some(_), None) if !nested => take_cpus(host, own),
            _ => {}
        }
    }

    fn pids(&mut self, host: &mut HostConfig, own: &HostConfig, nested: bool) {
        let Some(most) = own.pids_limit.filter(|limit| *limit > 0) else { return };
        match host.pids_limit {
            None | Some(0) if !nested => host.pids_limit = Some(most),
            Some(wanted) if wanted < 0 || wanted > most => {
                host.pids_limit = Some(most);
                self.capped("pids_limit", most.to_string());
            }
            _ => {}
        }
    }
}

fn take_cpus(host: &mut HostConfig, own: &HostConfig) {
    host.nano_cpus = own.nano_cpus;
    host.cpu_period = own.cpu_period;
    host.cpu_quota = own.cpu_quota;
}

/// The limit of CPUs in billionths, if there is one.
fn nano_cpus(host: &HostConfig) -> Option<i64> {
    const PERIOD: i64 = 100_000;
    let period = if host.cpu_period > 0 { host.cpu_period } else { PERIOD };
    match (host.nano_cpus, host.cpu_quota) {
        (nano, _) if nano > 0 => Some(nano),
        (_, quota) if quota > 0 => i64::try_from(i128::from(quota) * 1_000_000_000 / i128::from(period)).ok(),
        _ => None,
    }
}
