//! What the nodes of a Swarm tell from the moment of asking on, also of containers that Swarm removes: it does so with those
//! of a task that is scaled away, some three seconds after their end.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

use super::swarm::{NODES, Node, Pod, until};

/// A `docker` command that goes on, and what it has printed to its stdout so far, in a file.
pub(crate) struct Follow(Child, NamedTempFile);

impl Follow {
    pub(crate) fn on(node: Node, words: &[&str]) -> Self {
        let file = NamedTempFile::new().expect("a file");
        let output = file.reopen().expect("the same file");
        let mut command = node.command(words);
        let command = command.stdout(Stdio::from(output)).stderr(Stdio::null());
        Self(command.spawn().expect("there is a docker command"), file)
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.1.path()).expect("it reads")
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        // It may have ended with its engine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A stream of events from each node.
pub(crate) struct Events(Vec<Follow>);

impl Events {
    pub(crate) fn subscribe() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs().to_string();
        let format = "{{.Actor.Attributes.name}} {{.Action}}{{with .Actor.Attributes.exitCode}} {{.}}{{end}}";
        let mut words = vec!["events", "--since", &now, "--format", format];
        for filter in ["type=container", "event=start", "event=die", "event=health_status"] {
            words.extend(["--filter", filter]);
        }
        Self(NODES.into_iter().map(|node| Follow::on(node, &words)).collect())
    }

    /// What was told so far of the components of a service or of one task, in its order: `COMPONENT start`,
    /// `COMPONENT die CODE`, `COMPONENT health_status: healthy`.
    pub(crate) fn of(&self, whose: &str) -> Vec<String> {
        let texts = self.0.iter().map(Follow::text);
        texts.flat_map(|text| text.lines().filter_map(|line| of_component(line, whose)).collect::<Vec<_>>()).collect()
    }

    /// The exit code of a controller, once it has ended.
    #[track_caller]
    pub(crate) fn exit_code_of(&self, pod: &Pod) -> u8 {
        let start = format!("{} die ", pod.name);
        let told = |text: String| text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok());
        let mut code = None;
        until(&format!("{} has ended", pod.name), || {
            code = self.0.iter().map(Follow::text).find_map(told);
            code.is_some()
        });
        code.expect("just told")
    }
}

/// What a line `SERVICE.SLOT.TASK.podlike.COMPONENT ACTION CODE` tells.
fn of_component(line: &str, whose: &str) -> Option<String> {
    let (task, told) = line.split_once(".podlike.")?;
    format!("{task}.").starts_with(&format!("{whose}.")).then(|| told.to_owned())
}
