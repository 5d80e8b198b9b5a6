//! Limits: below the controller's cgroup its limits hold by themselves, elsewhere each component gets them. In both cases
//! no component has more than the controller.

use std::collections::BTreeSet;

use serde::Serialize;

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

/// The limits of a component that is not placed below the controller's cgroup, as far as they are not those of its
/// request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Apart {
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_swap: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nano_cpus: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_quota: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pids_limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpuset_cpus: Option<String>,
}

impl Apart {
    fn of(nested: &HostConfig, apart: &HostConfig) -> Self {
        Self {
            memory: other(&nested.memory, &apart.memory),
            memory_swap: other(&nested.memory_swap, &apart.memory_swap),
            nano_cpus: other(&nested.nano_cpus, &apart.nano_cpus),
            cpu_period: other(&nested.cpu_period, &apart.cpu_period),
            cpu_quota: other(&nested.cpu_quota, &apart.cpu_quota),
            pids_limit: other(&nested.pids_limit, &apart.pids_limit).flatten(),
            cpuset_cpus: other(&nested.cpuset_cpus, &apart.cpuset_cpus),
        }
    }

    /// Takes a request out of the controller's cgroup.
    pub fn apply(&self, host: &mut HostConfig) {
        host.cgroup_parent = String::new();
        host.memory = self.memory.unwrap_or(host.memory);
        host.memory_swap = self.memory_swap.unwrap_or(host.memory_swap);
        host.nano_cpus = self.nano_cpus.unwrap_or(host.nano_cpus);
        host.cpu_period = self.cpu_period.unwrap_or(host.cpu_period);
        host.cpu_quota = self.cpu_quota.unwrap_or(host.cpu_quota);
        host.pids_limit = self.pids_limit.or(host.pids_limit);
        if let Some(cpus) = &self.cpuset_cpus {
            host.cpuset_cpus.clone_from(cpus);
        }
    }
}

fn other<T: PartialEq + Clone>(nested: &T, apart: &T) -> Option<T> {
    (nested != apart).then(|| apart.clone())
}

/// Whether a container may keep the cgroup of the controller busy that was killed: no runtime starts the same container
/// again there, as its restart policy wants.
pub(in super::super) fn survives(controller: &Controller, host: &HostConfig) -> bool {
    let dies = controller.takes_along() && host.pid_mode == format!("container:{}", controller.id);
    controller.host.restart_policy.is_on() && !dies
}

/// What the limits of all components depend on, and what came of them.
pub(super) struct Limiter<'a> {
    controller: &'a Controller,
    placement: &'a Placement,
    /// What limits were of that do not hold.
    lost: BTreeSet<&'static str>,
}

impl<'a> Limiter<'a> {
    pub(super) fn new(controller: &'a Controller, placement: &'a Placement) -> Self {
        Self { controller, placement, lost: BTreeSet::new() }
    }

    /// Gives a component its limits and its place. Where that is below the controller's cgroup, says what is to be done if
    /// the engine refuses it.
    pub(super) fn limit(
        &mut self,
        host: &mut HostConfig,
        component: &Component,
        warnings: &mut Vec<Warning>,
    ) -> Option<Apart> {
        let own = &self.controller.host;
        host.oom_score_adj = component.oom_score_adj.unwrap_or((own.oom_score_adj + 1).min(1000));
        if let Some(score) = component.oom_score_adj.filter(|score| *score <= own.oom_score_adj) {
            let component = component.name.clone();
            warnings.push(Warning::OomScore { component, score, own: own.oom_score_adj });
        }
        // Nobody below a cgroup may use devices that it may not.
        let outside = host.privileged && !own.privileged && !self.placement.is_slice();
        if self.placement.is_shared() && outside {
            warnings.push(Warning::PrivilegedNotNested { component: component.name.clone() });
        }
        let survives = !self.placement.is_slice() && survives(self.controller, host);
        if self.placement.is_shared() && survives && !outside {
            warnings.push(Warning::SurvivorNotNested { component: component.name.clone() });
        }
        let nested = self.placement.is_shared() && !outside && !survives && host.cgroup_parent.is_empty();
        let mut apart = host.clone();
        Caps { component, warnings }.all(host, own, nested);
        // Not every systemd has a choice of CPUs for slices.
        if (!nested || self.placement.is_slice()) && host.cpuset_cpus.is_empty() {
            host.cpuset_cpus.clone_from(&own.cpuset_cpus);
        }
        self.leave_out(host);
        if !nested {
            return None;
        }
        self.placement.parent().clone_into(&mut host.cgroup_parent);
        Caps { component, warnings: &mut Vec::new() }.all(&mut apart, own, false);
        if apart.cpuset_cpus.is_empty() {
            apart.cpuset_cpus.clone_from(&own.cpuset_cpus);
        }
        self.leave_out(&mut apart);
        Some(Apart::of(host, &apart))
    }

    /// Leaves out what does not hold: some engines refuse to start a container for it, others pass over it.
    fn leave_out(&mut self, host: &mut HostConfig) {
        let holds = self.controller.engine.limits;
        let mut lose = |what, is_lost: bool| {
            if is_lost {
                self.lost.insert(what);
            }
            is_lost
        };
        if lose("memory", !holds.memory && (host.memory > 0 || host.memory_reservation > 0)) {
            (host.memory, host.memory_reservation, host.memory_swap) = (0, 0, 0);
        }
        if lose("swap", !holds.swap && host.memory_swap > 0) {
            host.memory_swap = 0;
        }
        if lose("CPU time", !holds.cpus && (host.nano_cpus > 0 || host.cpu_quota > 0)) {
            (host.nano_cpus, host.cpu_period, host.cpu_quota) = (0, 0, 0);
        }
        if lose("CPUs to use", !holds.cpuset && !host.cpuset_cpus.is_empty()) {
            host.cpuset_cpus = String::new();
        }
        if lose("processes", !holds.pids && host.pids_limit.is_some_and(|limit| limit > 0)) {
            host.pids_limit = None;
        }
    }

    /// What is to be said of limits that do not hold.
    pub(super) fn not_held(self) -> Option<Warning> {
        let limits: Vec<_> = self.lost.into_iter().collect();
        (!limits.is_empty()).then(|| Warning::NotHeld { limits, why: self.controller.engine.why_limits_do_not_hold() })
    }
}

struct Caps<'a> {
    component: &'a Component,
    warnings: &'a mut Vec<Warning>,
}

impl Caps<'_> {
    fn all(&mut self, host: &mut HostConfig, own: &HostConfig, nested: bool) {
        self.memory(host, own, nested);
        self.cpus(host, own, nested);
        self.pids(host, own, nested);
    }

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
pub(in super::super) fn nano_cpus(host: &HostConfig) -> Option<i64> {
    const PERIOD: i64 = 100_000;
    let period = if host.cpu_period > 0 { host.cpu_period } else { PERIOD };
    match (host.nano_cpus, host.cpu_quota) {
        (nano, _) if nano > 0 => Some(nano),
        (_, quota) if quota > 0 => i64::try_from(i128::from(quota) * 1_000_000_000 / i128::from(period)).ok(),
        _ => None,
    }
}
