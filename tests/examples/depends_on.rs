//! Components that start when another one is healthy, or has ended with success.

use crate::deploy;
use crate::support::swarm::{get, until};
use crate::support::swarm_events::Events;

pub(crate) fn run() -> String {
    let events = Events::subscribe();
    let stack = deploy("depends-on");
    let pod = stack.runs("shop", 1).remove(0);
    let starts = ["db start", "db health_status: healthy", "seed start", "seed die 0", "app start"];
    assert_eq!(events.of(&pod.name), starts);
    until("it answers", || get(pod.node, 8082, "/").is_ok());
    for visit in [42, 43] {
        let page = get(pod.node, 8082, "/cgi-bin/visit").expect("a page");
        assert!(page.ends_with(&format!("\nvisit {visit}\n")), "{page}");
    }
    stack.ends();
    let seen = events.of(&pod.name);
    assert_eq!(seen[starts.len()..], ["app die 143", "db die 0"]);
    seen.join(", ")
}
