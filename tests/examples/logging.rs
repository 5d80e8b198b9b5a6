//! The lines of an application that logs to a file, in the logs of its service.

use crate::deploy;
use crate::support::swarm::{MANAGER, Stack, get, until};

/// For which the application begins a second file, and a third.
const ORDERS: usize = 120;

pub(crate) fn run() -> String {
    let stack = deploy("logging");
    let pod = stack.runs("shop", 1).remove(0);
    for order in 1..=ORDERS {
        let answer = get(pod.node, 8084, &format!("/cgi-bin/order?{order}")).expect("an answer");
        assert!(answer.ends_with("\ntaken\n"), "{answer}");
    }
    until("what is told is removed", || pod.exec("shop", "cd /logs; wc -l shop.log.*") == "21 shop.log.3");
    MANAGER.docker(&["service", "scale", "--detach", &format!("{}=0", stack.service("shop"))]);
    until("the pod has ended", || stack.pods().is_empty());
    let lines = ["the shop opens".to_owned()].into_iter();
    let lines = lines.chain((1..=ORDERS).map(|order| format!("order {order}")));
    let lines: Vec<String> = lines.chain(["the shop closes".to_owned()]).collect();
    assert_eq!(told(&stack, "shop-log"), lines);
    assert_eq!(told(&stack, "shop"), ["see /logs/shop.log.1"]);
    stack.ends();
    format!("{} lines of three files, from the first to the last, by their component's name", lines.len())
}

/// What a component printed, as the service's logs have it.
fn told(stack: &Stack, component: &str) -> Vec<String> {
    let logs = MANAGER.docker(&["service", "logs", "--raw", &stack.service("shop")]);
    let start = format!("[out] {component}: ");
    logs.lines().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
}
