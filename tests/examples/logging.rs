//! The lines of an application that logs to a file, in the logs of its service.

use crate::deploy;
use crate::support::swarm::{MANAGER, get, until};
use crate::support::swarm_events::Follow;

/// For which the application begins a second file, and a third.
const ORDERS: usize = 120;

pub(crate) fn run() -> String {
    let stack = deploy("logging");
    let pod = stack.runs("shop", 1).remove(0);
    // Once the task is scaled away, its logs go soon.
    let logs = Follow::on(MANAGER, &["service", "logs", "--follow", "--raw", &stack.service("shop")]);
    until("it answers", || get(pod.node, 8084, "/").is_ok());
    for order in 1..=ORDERS {
        let answer = get(pod.node, 8084, &format!("/cgi-bin/order?{order}")).expect("an answer");
        assert!(answer.ends_with("\ntaken\n"), "{answer}");
    }
    until("what is told is removed", || pod.exec("shop", "cd /logs; wc -l shop.log.*") == "21 shop.log.3");
    MANAGER.docker(&["service", "scale", "--detach", &format!("{}=0", stack.service("shop"))]);
    let lines = ["the shop opens".to_owned()].into_iter();
    let lines = lines.chain((1..=ORDERS).map(|order| format!("order {order}")));
    let lines: Vec<String> = lines.chain(["the shop closes".to_owned()]).collect();
    until("all is told", || told(&logs, "shop-log").last() == lines.last());
    assert_eq!(told(&logs, "shop-log"), lines);
    assert_eq!(told(&logs, "shop"), ["see /logs/shop.log.1"]);
    stack.ends();
    format!("{} lines of three files, from the first to the last, by their component's name", lines.len())
}

/// What a component printed, as the service's logs have it.
fn told(logs: &Follow, component: &str) -> Vec<String> {
    let start = format!("[out] {component}: ");
    logs.text().lines().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
}
