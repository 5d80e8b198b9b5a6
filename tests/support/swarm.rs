//! A real Swarm of three nodes, as `.ci/swarm.sh` makes it: `make examples`, or `make swarm` and then a test by its name.
//!
//! ```text
//!   Stack::deploy(stack.yml) ──docker stack deploy──▶ Node(1) ─tasks─▶ Node(1) Node(2) Node(3)
//!     tasks(), pods()                                                    └──── cables ────┴──┐
//!     dropped: removed                        get(node, port, path) ── from outside ──▶ a bridge
//! ```
//!
//! Stacks are deployed as they are, with the image under test for `podlike`. Only where the kernel has no IPVS their services get `endpoint_mode: dnsrr` and ports of
//! the mode `host`: the names and ports of Swarm's load balancer would lead nowhere. The public images that they name are
//! stand-ins made out of Debian's packages, see `.ci/stand-ins`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, thread};

use nix::sched::{CloneFlags, setns};
use serde_json::Value;
use serde_yaml::{Mapping, Value as Yaml};

use super::real_engine::{OWNER, image};

/// Longer than anything takes in a Swarm, which needs 15 seconds to notice that a node is gone.
pub(crate) const LONG: Duration = Duration::from_mins(2);

/// A node, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node(pub(crate) u8);

/// All of them; the first is the manager.
pub(crate) const NODES: [Node; 3] = [Node(1), Node(2), Node(3)];
pub(crate) const MANAGER: Node = NODES[0];

impl Node {
    pub(crate) fn name(self) -> String {
        format!("swarm-{}", self.0)
    }

    fn address(self) -> SocketAddr {
        (Ipv4Addr::new(10, 99, 0, self.0), 0).into()
    }

    /// Where `.ci/engines.sh` keeps what it has of this node.
    fn state(self) -> PathBuf {
        let engines = env::var_os("PODLIKE_ENGINES").map_or_else(|| root().join("target/engines"), PathBuf::from);
        engines.join(self.name())
    }

    fn host(self) -> String {
        format!("unix://{}/run/docker.sock", self.state().display())
    }

    /// A path of this node, as this machine sees it.
    pub(crate) fn path(self, path: &str) -> PathBuf {
        let init = fs::read_to_string(self.state().join("init")).expect("it runs");
        PathBuf::from(format!("/proc/{}/root{path}", init.trim()))
    }

    pub(crate) fn command(self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(words).env("DOCKER_HOST", self.host()).stdin(Stdio::null());
        command
    }

    /// What a `docker` command on this node printed, and whether it succeeded.
    pub(crate) fn try_docker(self, words: &[&str]) -> (bool, String) {
        said(&self.command(words).output().expect("there is a docker command"))
    }

    /// What a `docker` command that must succeed printed.
    #[track_caller]
    pub(crate) fn docker(self, words: &[&str]) -> String {
        let (succeeded, text) = self.try_docker(words);
        assert!(succeeded, "on {}: docker {}: {text}", self.name(), words.join(" "));
        text
    }

    /// What a shell in a container of this node prints.
    #[track_caller]
    pub(crate) fn exec(self, container: &str, script: &str) -> String {
        self.docker(&["exec", container, "sh", "-c", script])
    }

    #[track_caller]
    pub(crate) fn inspect(self, container: &str) -> Value {
        let text = self.docker(&["inspect", "--type=container", container]);
        let mut found: Value = serde_json::from_str(&text).expect("JSON");
        found[0].take()
    }

    /// All components that it has, as `CONTROLLER NAME STATE`.
    pub(crate) fn components(self) -> Vec<String> {
        let format = format!("{{{{.Label \"{OWNER}\"}}}} {{{{.Names}}}} {{{{.State}}}}");
        let filter = format!("label={OWNER}");
        let text = self.docker(&["ps", "--all", "--no-trunc", "--filter", &filter, "--format", &format]);
        text.lines().map(str::to_owned).collect()
    }

    /// All volumes that it has for pods, as `CONTROLLER NAME`.
    pub(crate) fn volumes(self) -> Vec<String> {
        let format = format!("{{{{.Label \"{OWNER}\"}}}} {{{{.Name}}}}");
        let text = self.docker(&["volume", "ls", "--filter", &format!("label={OWNER}"), "--format", &format]);
        text.lines().map(str::to_owned).collect()
    }

    /// Its components whose controller does not run, and so should not be there.
    pub(crate) fn orphans(self) -> Vec<String> {
        // Before the controllers: a pod that begins in between is none.
        let components = self.components();
        let running = self.docker(&["ps", "--quiet", "--no-trunc"]);
        let is_orphan = |line: &String| !running.lines().any(|id| line.starts_with(id));
        components.into_iter().filter(is_orphan).collect()
    }
}

fn said(output: &Output) -> (bool, String) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).trim_end().to_owned())
}

/// The folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `.ci/swarm.sh`.
#[track_caller]
pub(crate) fn testbed(words: &[&str]) {
    let (succeeded, text) = said(&Command::new(root().join(".ci/swarm.sh")).args(words).output().expect("a script"));
    assert!(succeeded, "swarm.sh {}: {text}", words.join(" "));
}

/// Gives the nodes their images, once.
#[track_caller]
pub(crate) fn supplied() {
    static SUPPLIED: OnceLock<()> = OnceLock::new();
    SUPPLIED.get_or_init(|| {
        let (is_there, text) = MANAGER.try_docker(&["node", "ls"]);
        assert!(is_there, "there is no Swarm, run `make swarm` first: {text}");
        testbed(&["load", &image()]);
    });
}

/// Looks again and again until it is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "not so after {LONG:?}: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Runs something in the network that the nodes' cables lead to.
pub(crate) fn outside<T: Send>(action: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            let network = File::open("/run/netns/podlike-swarm").expect("the bridge of the Swarm");
            setns(network, CloneFlags::CLONE_NEWNET).expect("root may go there");
            action()
        });
        inside.join().expect("it comes back")
    })
}

/// What answers on a port of a node: head and body.
pub(crate) fn get(node: Node, port: u16, path: &str) -> Result<String, String> {
    let mut address = node.address();
    address.set_port(port);
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map(|_| text)
    };
    outside(ask).map_err(|error: std::io::Error| format!("{}: {error}", node.name()))
}

/// The same, once it is a page: what answers may listen later, and so may who is behind it, which is a 502 of a proxy.
#[track_caller]
pub(crate) fn page(node: Node, port: u16, path: &str) -> String {
    let mut answer = String::new();
    until(&format!("a page at {path}"), || {
        answer = get(node, port, path).unwrap_or_default();
        answer.starts_with("HTTP/1.1 200 ")
    });
    answer
}

/// An attempt to run a service's container, as the manager tells of it.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) id: String,
    /// `SERVICE.SLOT`
    pub(crate) name: String,
    /// The node's name, once it has one.
    pub(crate) node: String,
    /// What is wanted of it: `Running`, `Shutdown`, …
    pub(crate) desired: String,
    /// What it does, such as `Running 3 seconds ago`.
    pub(crate) state: String,
    pub(crate) error: String,
}

impl Task {
    pub(crate) fn runs(&self) -> bool {
        self.desired == "Running" && self.state.starts_with("Running")
    }
}

/// A pod of a stack: a controller that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) node: Node,
    pub(crate) id: String,
    /// `SERVICE.SLOT.TASK`
    pub(crate) name: String,
}

impl Pod {
    /// The container of a component.
    pub(crate) fn of(&self, component: &str) -> String {
        format!("{}.podlike.{component}", self.name)
    }

    /// What a shell in a component prints.
    #[track_caller]
    pub(crate) fn exec(&self, component: &str, script: &str) -> String {
        self.node.exec(&self.of(component), script)
    }

    /// The same, once it prints this: a component runs before it listens.
    #[track_caller]
    pub(crate) fn comes_to_print(&self, component: &str, script: &str, expected: &str) {
        let command = ["exec", &self.of(component), "sh", "-c", script];
        until(&format!("{script} prints {expected}"), || self.node.try_docker(&command) == (true, expected.to_owned()));
    }

    pub(crate) fn logs(&self) -> String {
        self.node.docker(&["logs", &self.id])
    }

    /// The names of its components, in order, without the guard.
    pub(crate) fn components(&self) -> Vec<String> {
        let filter = format!("label={OWNER}={}", self.id);
        let text = self.node.docker(&["ps", "--all", "--filter", &filter, "--format", "{{.Names}}"]);
        let start = self.of("");
        let mut names: Vec<String> =
            text.lines().filter_map(|name| Some(name.strip_prefix(&start)?.to_owned())).collect();
        names.sort();
        names
    }
}

/// A stack that goes with its test.
pub(crate) struct Stack(String);

impl Stack {
    /// Deploys the stack of a file.
    #[track_caller]
    pub(crate) fn deploy(name: &str, file: &Path) -> Self {
        let text = fs::read_to_string(file).expect("a stack");
        Self::deploy_in(name, file.parent().expect("it is in a folder"), &text)
    }

    /// Deploys a stack that is written in a test.
    #[track_caller]
    pub(crate) fn deploy_text(name: &str, text: &str) -> Self {
        Self::deploy_in(name, root(), text)
    }

    /// Deploys a stack whose paths are those of a folder.
    #[track_caller]
    pub(crate) fn deploy_in(name: &str, folder: &Path, text: &str) -> Self {
        let stack = Self(name.to_owned());
        stack.update(folder, text);
        stack
    }

    /// Deploys it anew, with another text; its paths are those of a folder.
    #[track_caller]
    pub(crate) fn update(&self, folder: &Path, text: &str) {
        supplied();
        let text = [' ', '\n'].iter().fold(text.to_owned(), |text, end| {
            text.replace(&format!("image: podlike{end}"), &format!("image: {}{end}", image()))
        });
        let text = if has_ipvs() { text } else { without_ipvs(&text) };
        let words = ["stack", "deploy", "--prune", "--resolve-image", "never", "--compose-file", "-", &self.0];
        let mut command = MANAGER.command(&words);
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
        let (succeeded, said) = said(&child.wait_with_output().expect("it ends"));
        assert!(succeeded, "{said}\n{text}");
    }

    /// The whole name of a service.
    pub(crate) fn service(&self, name: &str) -> String {
        format!("{}_{name}", self.0)
    }

    /// All of its tasks, also those of the past.
    pub(crate) fn tasks(&self) -> Vec<Task> {
        let format = "{{.ID}}\t{{.Name}}\t{{.Node}}\t{{.DesiredState}}\t{{.CurrentState}}\t{{.Error}}";
        // Right after a deployment there are none, which is an error.
        let (_, text) = MANAGER.try_docker(&["stack", "ps", "--no-trunc", "--format", format, &self.0]);
        let task = |line: &str| {
            let mut parts = line.split('\t').map(str::to_owned);
            let mut next = || parts.next().unwrap_or_default();
            Task { id: next(), name: next(), node: next(), desired: next(), state: next(), error: next() }
        };
        text.lines().filter(|line| line.contains('\t')).map(task).collect()
    }

    /// Its pods that run, on all nodes that answer, by their names.
    pub(crate) fn pods(&self) -> Vec<Pod> {
        let filter = format!("label=com.docker.stack.namespace={}", self.0);
        let words = ["ps", "--no-trunc", "--filter", &filter, "--format", "{{.ID}} {{.Names}}"];
        let of = |node: Node| {
            let (succeeded, text) = node.try_docker(&words);
            let lines = if succeeded { text } else { String::new() };
            let pod = |line: &str| {
                let (id, name) = line.split_once(' ')?;
                Some(Pod { node, id: id.to_owned(), name: name.to_owned() })
            };
            lines.lines().filter_map(pod).collect::<Vec<_>>()
        };
        let mut pods: Vec<Pod> = NODES.into_iter().flat_map(of).collect();
        pods.sort_by(|a, b| a.name.cmp(&b.name));
        pods
    }

    /// Its pods of a service.
    pub(crate) fn pods_of(&self, service: &str) -> Vec<Pod> {
        let start = format!("{}.", self.service(service));
        self.pods().into_iter().filter(|pod| pod.name.starts_with(&start)).collect()
    }

    /// Waits until so many tasks of a service run, and are healthy where they have a health, and no others are wanted.
    #[track_caller]
    pub(crate) fn runs(&self, service: &str, count: usize) -> Vec<Pod> {
        let start = format!("{}.", self.service(service));
        let end = Instant::now() + LONG;
        loop {
            let wanted: Vec<Task> = self
                .tasks()
                .into_iter()
                .filter(|task| task.name.starts_with(&start) && task.desired == "Running")
                .collect();
            let pods = self.pods_of(service);
            if wanted.len() == count && wanted.iter().all(Task::runs) && pods.len() == count {
                return pods;
            }
            assert!(
                Instant::now() < end,
                "{service}: not {count} tasks after {LONG:?}: {:#?}\n{}",
                self.tasks(),
                self.said()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The logs of all of its pods, running or not.
    pub(crate) fn said(&self) -> String {
        let filter = format!("label=com.docker.stack.namespace={}", self.0);
        let of = |node: Node| {
            let (_, ids) = node.try_docker(&["ps", "--all", "--quiet", "--filter", &filter]);
            let logs = |id: &str| format!("{} {id}:\n{}\n", node.name(), node.try_docker(&["logs", id]).1);
            ids.lines().map(logs).collect::<String>()
        };
        NODES.into_iter().map(of).collect()
    }

    /// Removes it, and waits until nothing of it is left on any node.
    #[track_caller]
    pub(crate) fn ends(self) {
        let pods = self.pods();
        // It fails while a task is about to be made, which needs the network.
        until("the stack is removed", || MANAGER.try_docker(&["stack", "rm", &self.0]).0);
        until("the stack is gone", || self.pods().is_empty());
        for pod in pods {
            let left =
                || pod.node.components().into_iter().filter(|line| line.starts_with(&pod.id)).collect::<Vec<_>>();
            until("no component outlives its task", || left().is_empty());
        }
        // Else who deploys it again at once finds a network that is about to go.
        let filter = format!("label=com.docker.stack.namespace={}", self.0);
        until("its networks are gone", || {
            MANAGER.docker(&["network", "ls", "--quiet", "--filter", &filter]).is_empty()
        });
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        MANAGER.try_docker(&["stack", "rm", &self.0]);
    }
}

fn has_ipvs() -> bool {
    Path::new("/proc/net/ip_vs").exists()
}

/// A stack whose services are found by the addresses of their tasks, and whose ports are those of the nodes.
fn without_ipvs(text: &str) -> String {
    let mut stack: Yaml = serde_yaml::from_str(text).expect("YAML");
    let services = stack.get_mut("services").and_then(Yaml::as_mapping_mut).into_iter().flatten();
    for (_, service) in services {
        let service = service.as_mapping_mut().expect("a service");
        if let Some(ports) = service.get_mut("ports").and_then(Yaml::as_sequence_mut) {
            for port in ports {
                *port = of_the_node(port);
            }
        }
        for files in ["configs", "secrets"] {
            service.get_mut(files).and_then(Yaml::as_sequence_mut).into_iter().flatten().for_each(with_mode);
        }
        let deploy = service.entry("deploy".into()).or_insert_with(|| Yaml::Mapping(Mapping::default()));
        deploy.as_mapping_mut().expect("a mapping").insert("endpoint_mode".into(), "dnsrr".into());
    }
    serde_yaml::to_string(&stack).expect("YAML")
}

/// A mode such as 0555 is a number to Docker, and a text to today's YAML.
fn with_mode(file: &mut Yaml) {
    let Some(mode) = file.as_mapping_mut().and_then(|file| file.get_mut("mode")) else { return };
    if let Some(octal) = mode.as_str() {
        *mode = u32::from_str_radix(octal, 8).expect("an octal number").into();
    }
}

fn of_the_node(port: &Yaml) -> Yaml {
    let mut long = match port {
        Yaml::Mapping(long) => long.clone(),
        short => {
            let text = short.as_str().map_or_else(|| format!("{short:?}"), str::to_owned);
            let (published, target) = text.split_once(':').expect("PUBLISHED:TARGET");
            let number = |text: &str| Yaml::from(text.parse::<u16>().expect("a port"));
            [("published".into(), number(published)), ("target".into(), number(target))].into_iter().collect()
        }
    };
    long.insert("mode".into(), "host".into());
    Yaml::Mapping(long)
}
