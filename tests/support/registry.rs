//! A registry of our own on 127.0.0.1, which engines allow without TLS.
//!
//! ```text
//!   Registry::open() ─▶ podlike-test/registry on the host's network ◀── the engine pulls
//!        └─ push(image) ── docker tag, docker push ──▲              dropped: container and tags removed
//! ```

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::id;

use serde_json::json;
use tempfile::TempDir;

use super::real_engine::{docker, try_docker, until};

const REGISTRY: &str = "podlike-test/registry";
/// The user and the password of those that ask for a login, in base64: `tester:secret`.
const LOGIN: &str = "dGVzdGVyOnNlY3JldA==";

pub(crate) struct Registry {
    /// Host and port, as in a reference.
    pub(crate) address: String,
    container: String,
    /// What was pushed, to be forgotten.
    pushed: Vec<String>,
    /// The folder of a `config.json` with the login.
    config: TempDir,
}

impl Registry {
    /// One that everybody may pull from.
    pub(crate) fn open() -> Self {
        Self::start(&[])
    }

    /// One that asks for the login that [`Self::logins`] has.
    pub(crate) fn private() -> Self {
        let path = "REGISTRY_AUTH_HTPASSWD_PATH=/etc/registry/htpasswd";
        Self::start(&["REGISTRY_AUTH=htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM=test", path])
    }

    fn start(settings: &[&str]) -> Self {
        // The port is free a moment before the registry takes it: there is no way to hand it over.
        let address = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").to_string();
        let port = address.rsplit(':').next().unwrap_or_default();
        let container = format!("podlike-test-registry-{}-{port}", id());
        let listen = format!("REGISTRY_HTTP_ADDR={address}");
        let mut words = vec!["run", "--detach", "--pull=never", "--label", "podlike-test", "--name", &container];
        words.extend(["--network", "host", "--env", &listen]);
        words.extend(settings.iter().flat_map(|setting| ["--env", setting]));
        words.push(REGISTRY);
        docker(&words);
        let config = tempfile::tempdir().expect("a folder");
        let this = Self { address, container, pushed: Vec::new(), config };
        fs::write(this.config.path().join("config.json"), this.logins()).expect("a file");
        until("the registry listens", || TcpStream::connect(&this.address).is_ok());
        this
    }

    /// A `config.json` with the login for this registry.
    pub(crate) fn logins(&self) -> String {
        json!({"auths": {&self.address: {"auth": LOGIN}}}).to_string()
    }

    /// Puts an image of the engine there, under a name. The engine forgets that name again. Returns the reference.
    #[track_caller]
    pub(crate) fn push(&mut self, image: &str, name: &str) -> String {
        let reference = format!("{}/{name}", self.address);
        docker(&["tag", image, &reference]);
        self.pushed.push(reference.clone());
        let config = self.config.path().display().to_string();
        docker(&["--config", &config, "push", "--quiet", &reference]);
        docker(&["rmi", &reference]);
        reference
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        try_docker(&["rm", "--force", "--volumes", &self.container]);
        for reference in &self.pushed {
            try_docker(&["rmi", reference]);
        }
    }
}
