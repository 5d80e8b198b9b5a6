//! `podlike template` in its image, which has no certificates of a system, and by `examples/podtemplate.sh`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use tempfile::TempDir;

use crate::support::real_engine::image;
use crate::support::web::{Identity, Web, Wish, ok};

/// A folder that the engine sees, with a stack whose template is at an https address.
struct Stack {
    web: Web,
    root: TempDir,
}

impl Stack {
    fn new() -> Self {
        let identity = Identity::issued(Wish::default());
        let web = Web::https(&identity, |_| {
            ok("sidecar: {image: far/away, environment: [\"COLOUR={{ env \"COLOUR\" }}\"]}\n")
        });
        let root = tempfile::tempdir().expect("a folder");
        let this = Self { web, root };
        fs::create_dir_all(this.folder()).expect("a folder");
        fs::write(this.authority(), identity.pem).expect("a file");
        let service =
            "{image: own/app, x-podlike: {templates: {http: ADDRESS}}}".replace("ADDRESS", &this.web.url("/t.yml"));
        fs::write(this.folder().join("stack.yml"), format!("services: {{shop: {service}}}\n")).expect("a file");
        this
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("our work")
    }

    fn authority(&self) -> PathBuf {
        self.root.path().join("ca.pem")
    }

    /// In a container that shares the host's network, with these files at their own places.
    fn in_a_container(&self, options: &[&str]) -> Output {
        let place = self.root.path().display().to_string();
        let mount = format!("type=bind,source={place},target={place},readonly");
        let stack = self.folder().join("stack.yml");
        let mut command = Command::new("docker");
        command.args([
            "run",
            "--rm",
            "--pull=never",
            "--label",
            "podlike-test",
            "--network",
            "host",
            "--mount",
            &mount,
        ]);
        command.args(options).arg(image()).arg("template").arg(stack).stdin(Stdio::null());
        command.output().expect("there is a docker command")
    }
}

#[track_caller]
fn has(output: &Output, parts: &[&str]) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{err}");
    for part in parts {
        assert!(out.contains(part), "no '{part}' in {out}");
    }
}

#[test]
fn a_template_comes_by_https_where_its_authority_is_known() {
    let stack = Stack::new();
    let refused = stack.in_a_container(&[]);
    let err = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{err}");
    assert!(err.contains("unknown authority") && err.contains("SSL_CERT_FILE"), "{err}");
    let authority = format!("SSL_CERT_FILE={}", stack.authority().display());
    let fetched = stack.in_a_container(&["--env", &authority, "--env", "COLOUR=blue"]);
    has(&fetched, &["pod.component.sidecar", "far/away", "COLOUR: blue"]);
}

#[test]
fn podtemplate_gives_a_container_all_that_it_takes() {
    let stack = Stack::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/podtemplate.sh");
    let run = |file: &str, stdin: Stdio| {
        let mut command = Command::new(&script);
        command.arg(file).current_dir(stack.folder()).stdin(stdin).env_clear();
        command.env("PATH", env::var("PATH").unwrap_or_default());
        command.envs(env::var("DOCKER_HOST").map(|host| ("DOCKER_HOST", host)));
        command.env("PODLIKE_IMAGE", image()).env("PODLIKE_NETWORK", "host").env("COLOUR", "deep blue");
        command.env("SSL_CERT_FILE", stack.authority()).output().expect("a shell")
    };
    let parts = ["pod.component.sidecar", "far/away", "COLOUR: deep blue"];
    has(&run("stack.yml", Stdio::null()), &parts);
    has(&run(&stack.folder().join("stack.yml").display().to_string(), Stdio::null()), &parts);
    let file = fs::File::open(stack.folder().join("stack.yml")).expect("a file");
    has(&run("-", file.into()), &parts);
}
