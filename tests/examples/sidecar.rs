//! nginx in front of an application.

use crate::deploy;
use crate::support::swarm::page;

pub(crate) fn run() -> String {
    let stack = deploy("sidecar");
    let pods = stack.runs("web", 1);
    let components = pods[0].components();
    assert_eq!(components, ["app", "proxy"]);
    for expected in ["MISS", "HIT"] {
        let page = page(pods[0].node, 8080, "/");
        assert!(page.contains(&format!("X-Cache-Status: {expected}\r\n")), "{expected}: {page}");
    }
    stack.ends();
    format!("one page twice: a miss of the cache, a hit; gone with the stack: {}", components.join(", "))
}
