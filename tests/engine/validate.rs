//! `podlike validate` in its image: what would be run, with an engine and without.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::real_engine::{BUSYBOX, Pod, Volume, docker, image, stays, with};

/// What `docker run IMAGE validate` prints, which reads this, and its exit code.
#[track_caller]
fn validated(options: &[&str], words: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new("docker");
    command
        .args(["run", "--rm", "--interactive", "--pull=never", "--label", "podlike-test"])
        .args(options)
        .arg(image());
    command.args(["validate"]).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("there is a docker command");
    // One that ends before it has read all is judged by what it says.
    let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
    let output = child.wait_with_output().expect("an end");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

const SOCKET: [&str; 2] = ["--volume", "/var/run/docker.sock:/var/run/docker.sock:ro"];
const WITHOUT_ENGINE: &str = "warning: without an engine nothing is known of images, volumes and limits: ";

const STACK: &str = "
services:
  shop:
    image: podlike
    labels:
      pod.component.web: |
        image: podlike-test/no-such-image
        depends_on: [db]
      pod.component.db: |
        image: podlike-test/busybox
        ports: ['5432:5432']
  other: {image: other}
  jobs:
    image: podlike
    labels: ['pod.component.job={image: podlike-test/busybox, mem_limit: 8m}']
";

#[test]
fn a_stack_is_read_without_an_engine_and_with_one() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("stack.yml"), STACK).expect("a file");
    let mount = format!("{}:/work:ro", folder.path().display());
    let options = ["--volume", mount.as_str()];
    let (code, out, err) = validated(&options, &["-f", "/work/stack.yml"], "");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    for line in [
        "# jobs",
        "job: podlike-test/busybox",
        "# shop",
        "web: podlike-test/no-such-image",
        "  after        db has started",
        "warning: /work/stack.yml:11:9: label 'pod.component.db': ports: ignored: ",
        WITHOUT_ENGINE,
    ] {
        assert!(out.lines().any(|found| found.starts_with(line)), "no '{line}' in {out}");
    }

    let options: Vec<_> = options.into_iter().chain(SOCKET).collect();
    let (code, out, err) = validated(&options, &["--json", "-f", "/work/stack.yml"], "");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let plan: Value = serde_json::from_str(&out).expect("JSON");
    let names: Vec<_> = plan["pods"].as_array().into_iter().flatten().map(|pod| pod["name"].clone()).collect();
    assert_eq!(names, ["shop", "jobs"]);
    let components = plan["pods"][0]["plan"]["components"].as_array().cloned().unwrap_or_default();
    let web = components.iter().find(|component| component["name"] == "web").expect("it is there");
    assert_eq!(web["needs"].as_array().map(Vec::len), Some(1), "{web}");
    let warnings = plan["pods"][0]["warnings"].to_string();
    let lacks = "component 'web': the engine does not have the image 'podlike-test/no-such-image'";
    assert!(warnings.contains(lacks) && !warnings.contains("without an engine"), "{warnings}");
    assert_eq!(plan["pods"][1]["plan"]["components"][0]["request"]["HostConfig"]["Memory"], 8 << 20);
}

#[test]
fn stdin_is_a_compose_file_too_and_what_is_wrong_ends_with_2() {
    let volume = Volume::new(&[]);
    let text = format!(
        "services: {{app: {{image: {BUSYBOX}, volumes: ['data:/data', 'none:/none']}}}}\n\
         volumes: {{data: {{external: true, name: {}}}, none: {{external: true, name: podlike-test-no-such}}}}\n",
        volume.0
    );
    let (code, out, err) = validated(&SOCKET, &["-f", "-"], &text);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains(&format!("{} must be there", volume.0)), "{out}");
    let warned: Vec<_> = out.lines().filter(|line| line.contains("the volume '")).collect();
    assert!(warned.len() == 1 && warned[0].contains("'podlike-test-no-such'"), "{out}");

    let wrong = "services:\n  app:\n    image: x\n    comand: y\n";
    let message = "stdin:4:5: services.app: unknown key 'comand', did you mean 'command'?";
    let (code, out, err) = validated(&[], &["-f", "-"], wrong);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(2), "", format!("podlike: error: {message}\n").as_str()));
    let (code, out, _) = validated(&[], &["-f", "-", "--json"], wrong);
    assert_eq!(code, Some(2));
    assert_eq!(serde_json::from_str::<Value>(&out).expect("JSON"), json!({"error": message}));
    let (code, _, err) = validated(&[], &["-f", "/no/such/file"], "");
    assert!(code == Some(2) && err.contains("cannot read /no/such/file"), "{err}");
}

#[test]
fn a_running_controller_is_told_its_own_pod() {
    let component = with(stays(), json!({"mem_limit": "8m"}));
    let pod = Pod::new().options("--memory 64m").component("app", &component).run();
    pod.tells("podlike: app: started");
    let out = docker(&["exec", pod.name(), "/podlike", "validate", "--json"]);
    let plan: Value = serde_json::from_str(&out).expect("JSON");
    let planned = &plan["pods"][0]["plan"]["components"][0];
    assert_eq!(planned["container"], pod.of("app"));
    assert_eq!(planned["request"]["HostConfig"]["NetworkMode"], format!("container:{}", pod.container.id));
    pod.stop();

    // As its whole work: `docker run … podlike validate`.
    let label = format!("pod.component.app={component}");
    let options: Vec<_> = SOCKET.into_iter().chain(["--label", label.as_str()]).collect();
    let (code, out, err) = validated(&options, &[], "");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("engine: ") && out.contains("\n  components   "), "{out}");
    assert!(out.contains(&format!("\n\napp: {BUSYBOX}\n")) && out.contains("memory 8388608 B"), "{out}");
    let (code, _, err) = validated(&SOCKET, &[], "");
    assert!(code == Some(2) && err.contains("no components"), "{err}");
    let (code, _, err) = validated(&["--label", label.as_str()], &[], "");
    assert!(code == Some(2) && err.contains("-f FILE") && err.contains("is the engine's socket mounted?"), "{err}");
}
