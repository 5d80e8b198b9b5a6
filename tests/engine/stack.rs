//! `podlike template` and `docker stack deploy` on a real Swarm of one node: a stack of services becomes a stack of pods.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio, id};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::real_engine::{BUSYBOX, OWNER, docker, image, try_docker, until};

/// The Swarm of the test: the one that the engine manages, else one that goes with the test.
struct Swarm {
    ours: bool,
    /// An engine is in one Swarm at a time.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl Swarm {
    fn join() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let state = docker(&["info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}"]);
        let ours = state.trim() == "inactive false";
        if ours {
            docker(&["swarm", "init", "--advertise-addr", "127.0.0.1"]);
        } else {
            assert_eq!(state.trim(), "active true", "the engine is in a Swarm that it does not manage");
        }
        Self { ours, _alone: alone }
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        if self.ours {
            try_docker(&["swarm", "leave", "--force"]);
        }
    }
}

/// A stack that goes with the test.
struct Stack(String);

impl Stack {
    #[track_caller]
    fn deploy(&self, text: &str) {
        let words = ["stack", "deploy", "--compose-file", "-", "--resolve-image", "never", &self.0];
        let (code, said) = fed(Command::new("docker").args(words), text);
        assert_eq!(code, Some(0), "{said}\n{text}");
    }

    /// Its controllers that run.
    fn controllers(&self) -> Vec<String> {
        let filter = format!("label=com.docker.stack.namespace={}", self.0);
        docker(&["ps", "--quiet", "--no-trunc", "--filter", &filter]).lines().map(str::to_owned).collect()
    }

    /// What the tasks of its service say of themselves, for an assertion. Right after a deployment there are none.
    fn tasks(&self) -> String {
        try_docker(&["stack", "ps", "--no-trunc", "--format", "{{.Name}} {{.CurrentState}} {{.Error}}", &self.0]).1
    }

    fn remove(&self) {
        docker(&["stack", "rm", &self.0]);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        try_docker(&["stack", "rm", &self.0]);
    }
}

/// The exit code of a command that is fed a text, and all that it says.
fn fed(command: &mut Command, text: &str) -> (Option<i32>, String) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("it starts");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[track_caller]
fn template(stack: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_podlike")).arg("template").arg(stack).output().expect("it runs");
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    text.into_owned()
}

/// The components that an engine has of a controller, running or not.
fn components(controller: &str) -> Vec<String> {
    let filter = format!("label={OWNER}={controller}");
    let names = docker(&["ps", "--all", "--filter", &filter, "--format", "{{.Names}}"]);
    names.lines().map(|name| name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
}

/// What a web server on this port answers; empty while there is none.
fn answer(port: u16, path: &str) -> String {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map(|_| text)
    };
    ask().unwrap_or_default()
}

/// A port that nobody listens on at the moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port()
}

#[test]
fn a_stack_with_templates_is_deployed_answers_and_leaves_nothing() {
    let _swarm = Swarm::join();
    let stack = Stack(format!("podlike-test-{}", id()));
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let file = folder.path().join("stack.yml");
    // The server listens on 127.0.0.1 alone: what answers on the port of the service is the sidecar in its network.
    let text = format!(
        r#"
x-podlike:
  web:
    pod:
      inline: {{pod: {{image: {image}, command: -logs}}}}
    transformer:
      inline: |
        server:
          labels: {{of: {{{{ .Service.Name }}}}}}
    templates: [sidecar.yml]
    init:
      inline: {{prepare: {{image: {BUSYBOX}, command: "true"}}}}
    copy:
      inline: {{server: "/etc/site.conf:/site/"}}
services:
  web:
    image: {BUSYBOX}
    command: httpd -f -p 127.0.0.1:8080 -h /site
    networks: [bridge]
    ports: [{{target: 80, published: {port}, mode: host}}]
    stop_grace_period: 20s
    configs: [{{source: site, target: /etc/site.conf}}]
configs:
  site: {{file: ./site.conf}}
networks:
  bridge: {{name: bridge, external: true}}
"#,
        image = image(),
    );
    fs::write(&file, text).expect("a file");
    fs::write(folder.path().join("site.conf"), "it is served\n").expect("a file");
    let sidecar = format!(
        "sidecar:\n  image: {BUSYBOX}\n  command: nc -ll -p {{{{ (index .Service.Ports 0).Target }}}} -e nc 127.0.0.1 8080\n  \
         depends_on: [server]\n"
    );
    fs::write(folder.path().join("sidecar.yml"), sidecar).expect("a file");

    let made = template(&file);
    stack.deploy(&made);
    until("the service answers", || {
        answer(port, "/site.conf").ends_with("it is served\n") || stack.tasks().contains("ailed")
    });
    assert!(answer(port, "/site.conf").ends_with("it is served\n"), "{}", stack.tasks());
    let controllers = stack.controllers();
    let [controller] = controllers.as_slice() else { panic!("one task, not {controllers:?}") };
    let mut names = components(controller);
    names.sort();
    assert_eq!(names, ["server", "sidecar"]);

    // The same stack again is no update.
    assert_eq!(template(&file), made);
    stack.deploy(&made);
    assert_eq!(stack.controllers(), controllers);

    stack.remove();
    until("the pod is gone", || stack.controllers().is_empty() && components(controller).is_empty());
}

#[test]
fn labels_of_the_service_make_a_pod_on_a_manager_and_its_components_know_their_task() {
    let _swarm = Swarm::join();
    let stack = Stack(format!("podlike-labels-{}", id()));
    let told = "$${POD_TASK_ID} $${POD_TASK_NAME} $${POD_TASK_SLOT} $${POD_NODE_ID} $${POD_NODE_HOSTNAME} \
                $${POD_SERVICE_ID} $${POD_SERVICE_NAME} $${POD_STACK} $${POD_CONTROLLER_ID} $${POD_CONTROLLER_NAME} \
                $${POD_COMPONENT} $${POD_LIMIT_MEMORY} $${POD_LIMIT_CPUS:-all}";
    let text = format!(
        r"
version: '3.7'
services:
  web:
    image: {image}
    networks: [bridge]
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']
    stop_grace_period: 20s
    deploy:
      resources: {{limits: {{memory: 64M}}}}
      labels:
        com.example.of: the service
        pod.component.app: |
          image: {BUSYBOX}
          command: [sleep, '1000']
          environment: ['TOLD={told}']
networks:
  bridge: {{name: bridge, external: true}}
",
        image = image(),
    );
    stack.deploy(&text);
    let app = || stack.controllers().first().map(|it| components(it)).unwrap_or_default();
    until("the pod runs", || app() == ["app"] || stack.tasks().contains("ailed"));
    assert_eq!(app(), ["app"], "{}", stack.tasks());
    let controllers = stack.controllers();
    let [controller] = controllers.as_slice() else { panic!("one task, not {controllers:?}") };
    let of = |format: &str| docker(&["inspect", "--format", format, controller]).trim().to_owned();
    let label = |key: &str| of(&format!("{{{{index .Config.Labels \"com.docker.{key}\"}}}}"));
    let name = of("{{.Name}}").trim_start_matches('/').to_owned();
    let env =
        docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", &format!("{name}.podlike.app")]);
    let told = env.lines().find_map(|line| line.strip_prefix("TOLD=")).expect("it is told");
    let hostname = docker(&["info", "--format", "{{.Name}}"]);
    let task = label("swarm.task.name");
    assert_eq!(task, format!("{}_web.1.{}", stack.0, label("swarm.task.id")));
    let wanted = [
        &label("swarm.task.id"),
        &task,
        "1",
        &label("swarm.node.id"),
        hostname.trim(),
        &label("swarm.service.id"),
        &format!("{}_web", stack.0),
        &stack.0,
        controller,
        &name,
        "app",
        "67108864",
        "all",
    ];
    assert_eq!(told, wanted.join(" "));
    stack.remove();
    until("the pod is gone", || stack.controllers().is_empty() && components(controller).is_empty());
}
