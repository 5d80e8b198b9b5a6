//! What the keys of a component do.

use serde_json::{Value, json};

use crate::support::real_engine::{BUSYBOX, Pod, docker, inspect, sh, stays, try_docker, with};

/// What a component with these keys prints.
#[track_caller]
fn printed(component: &Value, options: &str) -> String {
    let ended = Pod::new().options(options).component("app", component).flags("-logs").end();
    assert_eq!(ended.code, Some(0), "{component}: {}", ended.err());
    ended.out().replace("[out] app: ", "")
}

#[test]
fn a_component_sees_what_its_keys_say() {
    for (script, keys, wanted) in [
        ("id -un; pwd", json!({"user": "app", "working_dir": "/home"}), "app\n/home\n"),
        ("id -u; id -g", json!({"user": "12:34"}), "12\n34\n"),
        (
            "echo $A,$B,$C,${D-unset}",
            json!({"environment": ["A=a b", "B", "C=", "D"]}),
            "a b,of the controller,,unset\n",
        ),
        ("echo $A,$B,$C", json!({"environment": {"A": 1, "B": null, "C": true}}), "1,of the controller,true\n"),
        (
            "touch /x 2>/dev/null || echo no; touch /run/x /tmp/x; df -k /run | awk 'NR>1 {print $2}'",
            json!({"read_only": true, "tmpfs": ["/run:size=1m", "/tmp"]}),
            "no\n1024\n",
        ),
        ("awk '/CapEff/ {print $2}' /proc/self/status", json!({"cap_drop": ["ALL"]}), "0000000000000000\n"),
        (
            "awk '/CapEff/ {print $2}' /proc/self/status",
            json!({"cap_drop": ["ALL"], "cap_add": ["CHOWN"]}),
            "0000000000000001\n",
        ),
        ("cat /proc/self/oom_score_adj", json!({}), "101\n"),
        ("cat /proc/self/oom_score_adj", json!({"oom_score_adj": 300}), "300\n"),
        ("cat", json!({}), ""),
    ] {
        // The environment of the controller is a word, as options are split.
        let keys = with(sh(&script.replace("of the controller", "inherited")), keys);
        let seen = printed(&keys, "--env B=inherited --oom-score-adj 100");
        assert_eq!(seen, wanted.replace("of the controller", "inherited"), "{keys}");
    }
}

/// Not every machine lets an engine give away all that it says it does: podlike adds nothing to what `docker run` makes
/// of it.
#[test]
fn a_privileged_component_is_as_privileged_as_docker_makes_it() {
    const SCRIPT: &str = "test -e /dev/kmsg && echo so";
    let (code, plain) =
        try_docker(&["run", "--rm", "--label", "podlike-test", "--privileged", BUSYBOX, "sh", "-c", SCRIPT]);
    let pod = Pod::new().component("app", with(sh(SCRIPT), json!({"privileged": true})));
    let ended = pod.flags("-logs").end();
    if code == Some(0) {
        assert_eq!((ended.code, ended.out().as_str()), (Some(0), "[out] app: so\n"), "{}", ended.err());
    } else {
        let why = plain.lines().next().and_then(|line| line.rsplit("failed: ").next());
        assert_eq!(ended.code, Some(125));
        assert!(ended.err().contains(why.expect("docker says why")), "no '{plain}' in {}", ended.err());
    }
}

#[test]
fn a_command_goes_with_or_instead_of_the_entrypoint() {
    let declared = |keys| with(json!({"image": "podlike-test/declared"}), keys);
    for (keys, wanted) in [
        (json!({}), "app\n/home/app\nby-the-image\n"),
        (json!({"command": ["echo $DECLARED"]}), "by-the-image\n"),
        (json!({"entrypoint": ["echo", "x"]}), "x\n"),
        (json!({"entrypoint": "echo", "command": "a 'b  c'"}), "a b  c\n"),
        (json!({"entrypoint": [], "command": ["echo", "bare"]}), "bare\n"),
        (
            json!({"user": "root", "working_dir": "/tmp", "environment": ["DECLARED=by-the-label"]}),
            "root\n/tmp\nby-the-label\n",
        ),
    ] {
        assert_eq!(printed(&declared(keys.clone()), ""), wanted, "{keys}");
    }
}

#[test]
fn the_engine_is_told_the_rest() {
    let keys = json!({
        "labels": {"mine": "yes", "com.docker.swarm.task": "x"},
        "mem_limit": "32m",
        "stdin_open": true,
        "stop_signal": "SIGINT",
        "stop_grace_period": "1500ms",
        "volumes": ["/anonymous"],
        "healthcheck": {"test": ["CMD", "true"], "interval": "3s", "timeout": "2s", "start_period": "4s", "retries": 5},
    });
    let pod = Pod::new()
        .options("--label com.docker.swarm.task.id=abc --env SECRET=1")
        .component("app", with(stays(), keys))
        .component("db", json!({"image": BUSYBOX, "command": "tail -f /dev/null"}))
        .run();
    pod.tells("podlike: app: started").tells("podlike: db: started");
    let app = inspect(&pod.of("app"));
    let (config, host) = (&app["Config"], &app["HostConfig"]);
    let mut labels = config["Labels"].clone();
    let version = labels["podlike.version"].take();
    assert!(version.as_str().is_some_and(|version| version.starts_with(char::is_numeric)), "{version}");
    for (label, value) in
        [("podlike.controller.id", pod.container.id.as_str()), ("podlike.component", "app"), ("mine", "yes")]
    {
        assert_eq!(labels[label], value, "{labels}");
    }
    assert!(!labels.to_string().contains("swarm"), "{labels}");
    assert!(!config["Env"].to_string().contains("SECRET"), "{config}");
    assert_eq!(host["Memory"], 32 << 20);
    assert_eq!(config["OpenStdin"], true);
    assert_eq!(config["StopSignal"], "SIGINT");
    assert_eq!(config["StopTimeout"], 2);
    let second = 1_000_000_000_u64;
    let check = json!({"Test": ["CMD", "true"], "Interval": 3 * second, "Timeout": 2 * second, "StartPeriod": 4 * second, "Retries": 5});
    assert_eq!(config["Healthcheck"], check);
    assert_eq!(host["AutoRemove"], true);
    let volume = app["Mounts"][0]["Name"].as_str().expect("a volume").to_owned();
    let db = inspect(&pod.of("db"));
    assert_eq!(db["HostConfig"]["Memory"], 0);
    let ended = pod.stop();
    assert!(
        ended.err().contains("warning: component 'app': the label 'com.docker.swarm.task' is left out"),
        "{}",
        ended.err()
    );
    let volumes = docker(&["volume", "ls", "--quiet"]);
    assert!(!volumes.contains(&volume), "the anonymous volume is left behind");
}
