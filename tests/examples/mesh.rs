//! Three services of two pods each, which know of each other by their sidecars only.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::deploy;
use crate::support::swarm::{MANAGER, Node, Pod, get, until};

/// Who a request went through: `front`, `orders` and `stock`, each `SERVICE.SLOT`.
#[derive(Debug)]
struct Hops([String; 3]);

/// A request to a node, and whom it went through.
fn request(node: Node) -> Result<Hops, String> {
    let answer = get(node, 8087, "/")?;
    hops(&answer).ok_or(answer)
}

/// Every line of the body is of one application, and says which one's sidecar asked it; the header is of the first's own.
fn hops(answer: &str) -> Option<Hops> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let served_by =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("x-served-by: ").map(str::to_owned))?;
    let lines: Vec<(&str, &str)> = body.lines().filter_map(|line| line.split_once(", asked by ")).collect();
    let [(front, "somebody outside"), (orders, asked_orders), (stock, asked_stock)] = lines[..] else { return None };
    let right = served_by == front && asked_orders == front && asked_stock == orders;
    right.then(|| Hops([front, orders, stock].map(str::to_owned)))
}

/// Requests by turns to all pods of the front, one right after the other.
#[track_caller]
fn requests(fronts: &[Pod], count: usize) -> Vec<Hops> {
    let ask = |pod: &Pod| {
        thread::sleep(Duration::from_millis(20));
        request(pod.node).unwrap_or_else(|error| panic!("no way through all three services: {error}"))
    };
    fronts.iter().cycle().take(count).map(ask).collect()
}

fn seen(hops: &[Hops], place: usize) -> BTreeSet<&str> {
    hops.iter().map(|hops| hops.0[place].as_str()).collect()
}

pub(crate) fn run() -> String {
    let stack = deploy("mesh");
    let [fronts, orders, stocks] = ["front", "orders", "stock"].map(|service| stack.runs(service, 2));
    for pod in &fronts {
        until("a way through all three services", || request(pod.node).is_ok());
    }
    let names = |service: &str| [1, 2].map(|slot| format!("{}.{slot}", stack.service(service)));
    until("all pods have their turn", || {
        let hops = requests(&fronts, 8);
        ["front", "orders", "stock"].iter().enumerate().all(|(place, service)| {
            let expected = names(service);
            seen(&hops, place).into_iter().eq(expected.iter().map(String::as_str))
        })
    });

    let past_the_sidecar = ["exec", &fronts[0].of("app"), "wget", "-qO-", "http://tasks.orders:8000/cgi-bin/app"];
    let (reached, said) = fronts[0].node.try_docker(&past_the_sidecar);
    assert!(!reached && said.contains("refused"), "an application was reached without its sidecar: {said}");

    let dead = &stocks[0];
    dead.node.docker(&["kill", &dead.id]);
    let after_kill = requests(&fronts, 30);
    assert!(seen(&after_kill, 2).contains(format!("{}.2", stack.service("stock")).as_str()));

    let scaled = format!("{}=1", stack.service("orders"));
    MANAGER.docker(&["service", "scale", "--detach", &scaled]);
    let while_scaling = requests(&fronts, 30);
    let left = stack.runs("orders", 1);
    let gone = orders.iter().find(|pod| !left.contains(pod)).expect("one of two is gone");
    until("its components are gone", || gone.components().is_empty());
    let at_last = requests(&fronts, 8);
    assert_eq!(seen(&at_last, 1).len(), 1);
    stack.ends();
    format!(
        "front → orders → stock over two pods of each; {} requests after one of stock was killed, {} while one of orders \
         went: none failed",
        after_kill.len(),
        while_scaling.len()
    )
}
