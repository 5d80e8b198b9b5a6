//! `${POD_…}`: what a component is told of its pod, in the texts that it is made with. Swarm's own templates (`{{.Task.ID}}`)
//! do not reach labels.

use std::collections::BTreeSet;

use crate::compose;
use crate::engine::types::HostConfig;

use super::super::labels::{STACK, SWARM_SERVICE};
use super::{Controller, Planned, Warning, nano_cpus};

/// The names of all that can be told. Nothing else is replaced: a command may have variables of its own.
pub const METADATA: [&str; 14] = [
    "POD_COMPONENT",
    "POD_CONTROLLER_ID",
    "POD_CONTROLLER_NAME",
    "POD_LIMIT_CPUS",
    "POD_LIMIT_MEMORY",
    "POD_LIMIT_PIDS",
    "POD_NODE_HOSTNAME",
    "POD_NODE_ID",
    "POD_SERVICE_ID",
    "POD_SERVICE_NAME",
    "POD_STACK",
    "POD_TASK_ID",
    "POD_TASK_NAME",
    "POD_TASK_SLOT",
];

/// How each of them begins where it is used.
const START: &str = "${POD_";

/// Replaces what a component's texts say of its pod. A controller that is not there yet has nothing to tell, and all stays.
pub(super) fn fill(planned: &mut Planned, controller: &Controller, warnings: &mut Vec<Warning>) {
    let Planned { name, request, post_start, pre_stop, .. } = planned;
    let mut metadata =
        Metadata { controller, component: name, host: &request.host_config, told: BTreeSet::new(), warnings };
    metadata.fill(&mut request.env);
    for command in [&mut request.cmd, &mut request.entrypoint].into_iter().flatten() {
        metadata.fill(command);
    }
    if let Some(check) = &mut request.healthcheck {
        metadata.fill(&mut check.test);
    }
    for label in request.labels.values_mut() {
        metadata.fill(std::slice::from_mut(label));
    }
    for hook in post_start.iter_mut().chain(pre_stop) {
        metadata.fill(&mut hook.command);
        metadata.fill(&mut hook.env);
    }
}

struct Metadata<'a> {
    controller: &'a Controller,
    component: &'a str,
    host: &'a HostConfig,
    /// What was warned of.
    told: BTreeSet<String>,
    warnings: &'a mut Vec<Warning>,
}

impl Metadata<'_> {
    fn fill(&mut self, texts: &mut [String]) {
        for text in texts.iter_mut().filter(|text| text.contains(START)) {
            *text = self.filled(text);
        }
    }

    /// The text with what its references stand for. One with another `$` before it stays, without that.
    fn filled(&mut self, text: &str) -> String {
        // Behind the last brace there is none: nothing is sought twice.
        let (mut rest, tail) = text.split_at(text.rfind('}').map_or(0, |end| end + 1));
        let mut filled = String::new();
        while let Some(at) = rest.find(START) {
            let (before, found) = rest.split_at(at);
            let Some((name, default, after)) = reference(found) else {
                filled.push_str(&rest[..at + START.len()]);
                rest = &rest[at + START.len()..];
                continue;
            };
            let whole = &found[..found.len() - after.len()];
            let is_known = METADATA.contains(&name);
            if let Some(before) = before.strip_suffix('$').filter(|_| is_known) {
                filled.extend([before, whole]);
            } else if !is_known || self.controller.is_assumed() {
                if !is_known {
                    self.warn(name, true);
                }
                filled.extend([before, whole]);
            } else {
                let value = self.value(name).filter(|value| !value.is_empty());
                if value.is_none() && default.is_none() {
                    self.warn(name, false);
                }
                filled.extend([before, value.as_deref().or(default).unwrap_or_default()]);
            }
            rest = after;
        }
        filled.extend([rest, tail]);
        filled
    }

    /// Warns of a name once.
    fn warn(&mut self, name: &str, unknown: bool) {
        if self.told.insert(name.to_owned()) {
            let nearest = compose::nearest(name, METADATA).filter(|_| unknown);
            let component = self.component.to_owned();
            self.warnings.push(Warning::Metadata { component, name: name.to_owned(), unknown, nearest });
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        let Controller { id, name: own_name, labels, host, engine, .. } = self.controller;
        let limit = |of: fn(&HostConfig) -> Option<i64>| {
            [of(self.host), of(host)].into_iter().flatten().find(|limit| *limit > 0)
        };
        if let Some((_, label)) = OF_LABELS.iter().find(|(known, _)| *known == name) {
            return labels.get(*label).cloned();
        }
        match name {
            "POD_COMPONENT" => Some(self.component.to_owned()),
            "POD_CONTROLLER_ID" => Some(id.clone()),
            "POD_CONTROLLER_NAME" => Some(own_name.clone()),
            "POD_LIMIT_CPUS" => limit(nano_cpus).map(cpus),
            "POD_LIMIT_MEMORY" => limit(|host| Some(host.memory)).map(|bytes| bytes.to_string()),
            "POD_LIMIT_PIDS" => limit(|host| host.pids_limit).map(|pids| pids.to_string()),
            "POD_NODE_HOSTNAME" => Some(engine.hostname.clone()),
            // SERVICE.SLOT.TASK; a task of a global service has the id of its node there.
            _ => {
                let slot = labels.get(TASK_NAME)?.rsplit('.').nth(1)?;
                slot.parse::<u64>().ok().map(|_| slot.to_owned())
            }
        }
    }
}

/// On a task of Swarm: its name.
const TASK_NAME: &str = "com.docker.swarm.task.name";

/// What stands in a label of the controller.
const OF_LABELS: [(&str, &str); 6] = [
    ("POD_NODE_ID", "com.docker.swarm.node.id"),
    ("POD_SERVICE_ID", SWARM_SERVICE),
    ("POD_SERVICE_NAME", "com.docker.swarm.service.name"),
    ("POD_STACK", STACK),
    ("POD_TASK_ID", "com.docker.swarm.task.id"),
    ("POD_TASK_NAME", TASK_NAME),
];

/// The reference that a text begins with, `${NAME}` or `${NAME:-default}`: its name, its default, and what follows.
fn reference(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let inner = text.strip_prefix("${")?;
    let is_end = |c: char| c != '_' && !c.is_ascii_alphanumeric();
    let (name, rest) = inner.split_at(inner.find(is_end)?);
    if let Some(after) = rest.strip_prefix('}') {
        return Some((name, None, after));
    }
    let (default, after) = rest.strip_prefix(":-")?.split_once('}')?;
    Some((name, Some(default), after))
}

/// Billionths of a CPU as a number of CPUs.
fn cpus(nano: i64) -> String {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::super::{Component, Stage};
    use super::*;

    /// The text, and the warnings, of a component of a task of Swarm.
    fn told(text: &str) -> (String, Vec<String>) {
        let label = |key: &str, value: &str| (format!("com.docker.{key}"), value.to_owned());
        let mut controller = Controller {
            id: "c0ffee".to_owned(),
            name: "shop_web.3.t4sk".to_owned(),
            labels: [
                label("swarm.task.id", "t4sk"),
                label("swarm.task.name", "shop_web.3.t4sk"),
                label("swarm.service.name", "shop_web"),
                label("stack.namespace", "${POD_TASK_ID}"),
            ]
            .into(),
            host: HostConfig { memory: 1 << 20, cpu_quota: 50_000, ..HostConfig::default() },
            ..Controller::default()
        };
        controller.engine.hostname = "node-1".to_owned();
        let mut request = Component::new("app", Stage::Main, "x").request;
        request.host_config.nano_cpus = 250_000_000;
        request.cmd = Some(vec![text.to_owned()]);
        let mut warnings = Vec::new();
        let mut planned = Planned::new("app", "c".to_owned(), request);
        fill(&mut planned, &controller, &mut warnings);
        let [text] = <[String; 1]>::try_from(planned.request.cmd.expect("a command")).expect("one word");
        (text, warnings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn only_what_is_spelt_exactly_is_replaced() {
        for (text, expected) in [
            ("${POD_TASK_ID}", "t4sk"),
            ("<${POD_TASK_NAME}${POD_TASK_SLOT}>", "<shop_web.3.t4sk3>"),
            ("${POD_SERVICE_NAME}@${POD_NODE_HOSTNAME} ${POD_COMPONENT}", "shop_web@node-1 app"),
            ("${POD_CONTROLLER_ID} ${POD_CONTROLLER_NAME}", "c0ffee shop_web.3.t4sk"),
            // The component's own limit before the controller's.
            ("${POD_LIMIT_CPUS} ${POD_LIMIT_MEMORY} ${POD_LIMIT_PIDS:-none}", "0.25 1048576 none"),
            ("${POD_TASK_ID:-x} ${POD_NODE_ID:-x y} ${POD_NODE_ID:-}.", "t4sk x y ."),
            // What takes its place is not looked at again.
            ("${POD_STACK}", "${POD_TASK_ID}"),
            ("$${POD_TASK_ID} $$${POD_TASK_ID} $${POD_TASK_ID:-x}", "${POD_TASK_ID} $${POD_TASK_ID} ${POD_TASK_ID:-x}"),
            ("${POD_TASK_ID}$${POD_TASK_ID}", "t4sk${POD_TASK_ID}"),
            // Others are somebody else's.
            ("$HOME ${HOME} $$ $POD_TASK_ID ${POD_TASK_ID", "$HOME ${HOME} $$ $POD_TASK_ID ${POD_TASK_ID"),
            (
                "${POD_TASK_ID-x} ${POD_TASK_ID:?x} ${POD_TASK_ID:+x}",
                "${POD_TASK_ID-x} ${POD_TASK_ID:?x} ${POD_TASK_ID:+x}",
            ),
            ("${POD_ ${POD_TASK_ID:} ${POD_TASK_ID}", "${POD_ ${POD_TASK_ID:} t4sk"),
        ] {
            assert_eq!(told(text), (expected.to_owned(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn what_has_no_value_and_what_is_unknown_is_told_once() {
        assert_eq!(told("<${POD_NODE_ID}${POD_NODE_ID}>").0, "<>");
        let (text, warnings) = told("${POD_NODE_ID} ${POD_TASKID} $${POD_TASKID} ${POD_IP:-1} ${POD_NODE_ID}");
        assert_eq!(text, " ${POD_TASKID} $${POD_TASKID} ${POD_IP:-1} ");
        assert_eq!(
            warnings,
            [
                "component 'app': ${POD_NODE_ID} is not known here, it is taken for empty (${POD_NODE_ID:-default} has a default)",
                "component 'app': ${POD_TASKID} is left as it is: podlike knows no such variable, did you mean 'POD_TASK_ID'?",
                "component 'app': ${POD_IP} is left as it is: podlike knows no such variable",
            ]
        );
    }

    #[test]
    fn a_long_text_takes_no_long_time() {
        let many = 100_000;
        for part in ["${POD_TASK_ID:-", "${POD_TASK_ID!", "${POD_", "${POD_X}"] {
            for end in ["", "}"] {
                assert!(told(&(part.repeat(many) + end)).0.len() < 16 * many);
            }
        }
    }
}
