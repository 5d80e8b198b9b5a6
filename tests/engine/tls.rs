//! The real engine behind TLS, reached from a controller without its socket.

use std::path::Path;

use serde_json::json;

use crate::support::real_engine::{CHECKED, Pod, SOCKET, exec, inspect, sh, stays, until, with};
use crate::support::tls::{Authority, Front};

#[test]
fn a_pod_lives_over_tls_with_a_certificate_of_its_controller() {
    let authority = Authority::new();
    let front = Front::new(&authority.server(None, Some(&authority)), Path::new(SOCKET));
    let files = authority.files();
    let pod = Pod::without_socket()
        // The front is on the host's 127.0.0.1.
        .options("--network host --env DOCKER_TLS_VERIFY=1 --env DOCKER_CERT_PATH=/certs")
        .options(&format!("--env DOCKER_HOST={}", front.host()))
        .mount(files.folder(), "/certs:ro")
        .component("app", sh("cat /etc/conf; exec tail -f /dev/null"))
        .component("checked", with(stays(), json!({"image": CHECKED})))
        .label("pod.copy.app", "/certs/ca.pem:/etc/conf")
        .flags("-logs -volumes")
        .run();

    pod.says("[out] app: -----BEGIN CERTIFICATE-----");
    pod.tells("-volumes leaves out /certs: it holds the engine's socket or key");
    assert_eq!(exec(&pod.of("app"), "ls /certs 2>/dev/null || echo none"), "none");
    pod.tells("podlike: checked: started");
    exec(&pod.of("checked"), "touch /tmp/healthy");
    pod.tells("the pod is healthy");
    until("the controller is healthy", || inspect(pod.name())["State"]["Health"]["Status"] == "healthy");
    pod.stop();
    let seen = front.seen();
    assert!(seen.len() > 10 && seen.iter().all(|one| one.certified), "{seen:?}");
}
