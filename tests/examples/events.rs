//! What the engines of all nodes tell of components, from the moment of asking on.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

use crate::support::real_engine::OWNER;
use crate::support::swarm::{NODES, Node};

/// A stream of events from each node, into a file each.
pub(crate) struct Events(Vec<(Child, NamedTempFile)>);

impl Events {
    pub(crate) fn subscribe() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs().to_string();
        let filter = format!("label={OWNER}");
        let format = "{{.Actor.Attributes.name}} {{.Action}}{{with .Actor.Attributes.exitCode}} {{.}}{{end}}";
        let words = ["events", "--since", &now, "--filter", &filter, "--format", format];
        let stream = |node: Node| {
            let file = NamedTempFile::new().expect("a file");
            let output = file.reopen().expect("the same file");
            (node.command(&words).stdout(Stdio::from(output)).spawn().expect("there is a docker command"), file)
        };
        Self(NODES.into_iter().map(stream).collect())
    }

    /// What was told so far of the components of a service or of one task, in its order: `COMPONENT start`,
    /// `COMPONENT die CODE`, `COMPONENT health_status: healthy`.
    pub(crate) fn of(&self, whose: &str) -> Vec<String> {
        let texts = self.0.iter().map(|(_, file)| fs::read_to_string(file.path()).expect("it reads"));
        texts.flat_map(|text| text.lines().filter_map(|line| of_component(line, whose)).collect::<Vec<_>>()).collect()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        for (child, _) in &mut self.0 {
            // It may have ended with its engine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a line `SERVICE.SLOT.TASK.podlike.COMPONENT ACTION CODE` tells of a start, an end or the health.
fn of_component(line: &str, whose: &str) -> Option<String> {
    let (task, told) = line.split_once(".podlike.")?;
    let (_, action) = told.split_once(' ')?;
    let is_told = ["start", "die", "health_status"].iter().any(|it| action.starts_with(it));
    (is_told && format!("{task}.").starts_with(&format!("{whose}."))).then(|| told.to_owned())
}
