//! An old stack as it stands, and the pods that templates make of it.

use std::process::Command;

use serde_yaml::Value as Yaml;

use crate::support::swarm::{Pod, Stack, get, until};
use crate::{deploy, folder};

const PATH: &str = "/cgi-bin/shop";

/// What `podlike template` makes of the stack.
fn transformed() -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podlike"));
    let output = command.arg("template").arg(folder("modernised").join("stack.yml")).output().expect("podlike runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A stack whose database comes up when it is told to.
fn with_slow_database(text: &str) -> String {
    let mut stack: Yaml = serde_yaml::from_str(text).expect("YAML");
    let script = "until [ -e /go ]; do sleep 0.1; done; exec redis-server --protected-mode no";
    stack["services"]["db"]["command"] = ["sh", "-c", script].map(Yaml::from).to_vec().into();
    serde_yaml::to_string(&stack).expect("YAML")
}

/// The id that the answer's head has, and its body.
fn answer(pod: &Pod, port: u16) -> Result<(Option<String>, String), String> {
    let text = get(pod.node, port, PATH)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| text.clone())?;
    let id = head.lines().find_map(|line| line.to_lowercase().strip_prefix("x-request-id: ").map(str::to_owned));
    Ok((id, body.trim_end().to_owned()))
}

/// The same, once the proxy listens.
#[track_caller]
fn first_answer(pod: &Pod, port: u16) -> (Option<String>, String) {
    let mut first = Err(String::new());
    until("the proxy answers", || {
        first = answer(pod, port);
        first.is_ok()
    });
    first.expect("just seen")
}

/// The pod of a service, once its components are these.
#[track_caller]
fn pod_with(stack: &Stack, service: &str, components: &[&str]) -> Pod {
    let mut found = None;
    until(&format!("{service} is a pod of {components:?}"), || {
        found = stack.pods_of(service).into_iter().find(|pod| pod.components() == components);
        found.is_some()
    });
    found.expect("a pod")
}

pub(crate) fn run() -> String {
    let stack = deploy("modernised");
    let [visits, report, _] = ["visits", "report", "db"].map(|service| stack.runs(service, 1).remove(0));
    let plain = |count: u32| Ok((None, format!("INCR visits: {count} visits")));
    until("the old service answers", || answer(&visits, 8088) == plain(1));
    until("the other one answers", || answer(&report, 8089) == Ok((None, "GET visits: 1 visits".to_owned())));

    stack.update(&folder("modernised"), &with_slow_database(&transformed()));
    let waiting = pod_with(&stack, "visits", &["init-1"]);
    until("it asks for the database", || waiting.logs().contains("[err] init-1: nc:"));
    let database = stack.runs("db", 1).remove(0);
    database.node.exec(&database.id, "touch /go");
    let components = ["app", "logs", "proxy"];
    let [visits, report] = ["visits", "report"].map(|service| pod_with(&stack, service, &components));
    assert_eq!(visits, waiting);
    for service in ["visits", "report"] {
        stack.runs(service, 1);
    }

    let (id, body) = first_answer(&visits, 8088);
    let id = id.expect("the proxy's header");
    assert_eq!(body, "INCR visits: 1 visits");
    let line = format!("[out] logs: request {}: 1 visits", id.to_uppercase());
    until(&line, || visits.logs().contains(&line));
    assert_eq!(first_answer(&report, 8089).1, "GET visits: 1 visits");

    let metrics = report.exec("app", "wget -qO- http://tasks.visits:9100/metrics");
    assert!(metrics.contains("haproxy_frontend_http_requests_total{proxy=\"in\"} 1\n"), "{metrics}");
    stack.ends();
    "the same file as services and as pods; added: a wait for the database, request ids, log files in the logs, metrics"
        .to_owned()
}
