//! Volumes: those that live as long as the pod, which every end of a pod is looked at for, and those that stay.

use std::{fs, process};

use serde_json::{Value, json};

use crate::support::real_engine::{Pod, Volume, docker, exec, sh, stays, try_docker, with};

/// What the engine says of a volume, if it has it.
fn volume(name: &str) -> Option<Value> {
    let (code, text) = try_docker(&["volume", "inspect", name]);
    (code == Some(0)).then(|| serde_json::from_str::<Value>(&text).expect("JSON")[0].take())
}

/// A pod with a volume on disk and one in memory.
fn pod() -> Pod {
    let memory = json!({"medium": "memory", "size": "1m"});
    Pod::new().label("pod.volume.disk", "").label("pod.volume.fast", memory).flags("-logs")
}

/// With both volumes.
fn has_both(component: Value) -> Value {
    with(component, json!({"volumes": ["disk:/disk", "fast:/fast"]}))
}

#[test]
fn scratch_volumes_are_shared_by_name_and_live_as_long_as_the_pod() {
    let listens = |script: &str| has_both(sh(&format!("{script}; exec tail -f /dev/null")));
    let pod = pod()
        .init(&[has_both(sh("echo of init >/disk/init; cp /disk/init /fast"))])
        .component(
            "app",
            listens("cat /disk/init /fast/init; echo of app >/disk/app; cp /disk/app /fast; echo written"),
        )
        .component("db", with(listens("echo ready"), json!({"user": "1000:1000"})))
        .component("other", stays())
        .run();
    pod.says("[out] app: of init\n[out] app: of init\n").says("[out] app: written").says("[out] db: ready");
    pod.tells("podlike: other: started");
    let db = pod.of("db");
    assert_eq!(exec(&db, "cat /disk/app /fast/app"), "of app\nof app");
    let kinds = exec(&db, "awk '$2 == \"/disk\" || $2 == \"/fast\" {print $2, $3 == \"tmpfs\"}' /proc/mounts | sort");
    assert_eq!(kinds, "/disk 0\n/fast 1");
    // Anybody may write into the one in memory, and no more than there is room for.
    let fill = exec(&db, "dd if=/dev/zero of=/fast/large bs=64k count=32 2>&1; stat -c %a /fast; rm /fast/large");
    assert!(fill.contains("No space left on device") && fill.contains("1777"), "{fill}");
    assert_eq!(exec(&pod.of("other"), "ls -d /disk /fast 2>/dev/null || :"), "");
    let mut names = pod.container.volumes();
    names.sort();
    let expected = ["disk", "fast"].map(|name| format!("{}.podlike-volume.{name}", pod.name()));
    assert_eq!(names, expected);
    let labels = volume(&expected[0]).expect("it is there")["Labels"].clone();
    assert_eq!(labels["podlike.volume"], "disk");
    let ended = pod.stop();
    assert!(!ended.err().contains("warning"), "{}", ended.err());
}

#[test]
fn scratch_volumes_are_empty_and_open_to_all_whatever_the_image_has_there() {
    let pod = pod()
        .component("app", with(stays(), json!({"user": "1000:1000", "volumes": ["disk:/etc", "fast:/root"]})))
        .run();
    pod.tells("podlike: app: started");
    let app = pod.of("app");
    let look = "stat -c '%a %u' /etc /root; touch /etc/x /root/x; ls -A /root; ls -A /etc | grep -v '^host\\|^resolv'";
    assert_eq!(exec(&app, look), "1777 0\n1777 0\nx\nx");
    pod.stop();
}

#[test]
fn what_an_init_component_does_with_a_scratch_volume_stays_so() {
    let volumes = json!({"volumes": ["disk:/data"]});
    let close = with(sh("chown 999:999 /data && chmod 700 /data"), volumes.clone());
    let look = with(sh("stat -c '%a %u' /data; exec tail -f /dev/null"), volumes);
    let pod =
        pod().init(&[close]).component("app", with(look.clone(), json!({"user": "999"}))).component("web", look).run();
    pod.says("[out] app: 700 999").says("[out] web: 700 999").stop();
}

#[test]
fn what_a_controller_left_that_is_gone_goes_with_the_next_pod_that_has_volumes() {
    let memory = json!({"medium": "memory", "size": "1m"});
    let lost = pod().component("app", has_both(stays())).flags("-pids=false").run();
    lost.tells("podlike: app: started");
    let left = ["disk", "fast"].map(|name| format!("{}.podlike-volume.{name}", lost.name()));
    let orphan = lost.of("app");
    docker(&["kill", "--signal", "KILL", lost.name()]);
    docker(&["rm", "--force", lost.name()]);
    assert!(left.iter().all(|name| volume(name).is_some()));
    let next = Pod::new()
        .label("pod.volume.other", memory)
        .component("app", with(sh("true"), json!({"volumes": ["other:/x"]})));
    let ended = next.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    assert!(left.iter().all(|name| volume(name).is_none()), "{}", ended.err());
    assert_ne!(try_docker(&["inspect", "--type=container", &orphan]).0, Some(0));
}

#[test]
fn scratch_volumes_go_when_a_start_fails_and_when_a_component_ends() {
    let fails = has_both(with(stays(), json!({"cap_add": ["NOPE"]})));
    let ends = has_both(sh("exit 3"));
    for (last, code) in [(fails, 125), (ends, 3)] {
        let pod = pod().component("app", has_both(stays())).component("last", last).run();
        let ended = pod.end();
        assert_eq!(ended.code, Some(code), "{}", ended.err());
    }
}

#[test]
fn a_volume_of_somebody_else_is_not_taken_for_scratch() {
    let pod = pod().component("app", has_both(sh("touch /disk/mine"))).create();
    let theirs = Volume(format!("{}.podlike-volume.disk", pod.name));
    docker(&["volume", "create", "--label", "mine=yes", &theirs.0]);
    let pod = pod.start();
    let ended = pod.end();
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    let part = format!("component 'app': there is a volume '{}' that is not this pod's", theirs.0);
    assert!(ended.err().contains(&part), "{}", ended.err());
    let labels = volume(&theirs.0).expect("it is left alone")["Labels"].clone();
    assert_eq!(labels, json!({"mine": "yes"}));
}

#[test]
fn what_a_killed_controller_had_on_disk_and_in_memory_is_new_at_its_next_start() {
    let script = "ls /disk /fast | grep -c mark; touch /disk/mark /fast/mark; echo ready; exec tail -f /dev/null";
    let mut pod = pod().component("app", has_both(sh(script))).run();
    for _ in 0..2 {
        pod.says("[out] app: 0\n[out] app: ready").signal("KILL");
        assert_eq!(pod.wait().code, Some(137));
        assert_eq!(pod.container.volumes().len(), 2);
        // At once, as an engine with a restart policy does it.
        pod = pod.again();
    }
    let ended = pod.says("[out] app: 0\n[out] app: ready").stop();
    assert!(ended.err().contains("what the last run of this controller left behind: "), "{}", ended.err());
}

#[test]
fn a_named_volume_that_nobody_has_is_made_and_stays() {
    let name = format!("podlike-test-{}-stays", process::id());
    let made = Volume(name.clone());
    let data = |script: &str| with(sh(script), json!({"volumes": [format!("{name}:/data")]}));
    for (script, code) in [("echo kept >/data/file", 0), ("grep -qx kept /data/file && exit 4", 4)] {
        let ended = Pod::new().component("app", data(script)).end();
        assert_eq!(ended.code, Some(code), "{}", ended.err());
    }
    let mut labels = volume(&made.0).expect("it stays")["Labels"].clone();
    let version = labels["podlike.version"].take();
    assert!(version.as_str().is_some_and(|version| version.starts_with(char::is_numeric)), "{version}");
    assert_eq!(labels, json!({"podlike.volume": name, "podlike.version": null}));
}

#[test]
fn a_volume_that_is_declared_external_must_be_there() {
    // Removed, should it be made all the same.
    let theirs = Volume(format!("podlike-test-{}-external", process::id()));
    let folder = tempfile::tempdir().expect("a folder");
    let text = json!({
        "services": {"app": with(stays(), json!({"volumes": ["theirs:/data"]}))},
        "volumes": {"theirs": {"external": true, "name": theirs.0}},
    });
    fs::write(folder.path().join("compose.yml"), text.to_string()).expect("a file");
    let pod = Pod::new().mount(folder.path(), "/project:ro").label("pod.compose.file", "/project/compose.yml");
    let ended = pod.end();
    assert_eq!(ended.code, Some(125), "{}", ended.err());
    assert!(ended.err().contains(&format!("there is no volume '{}'", theirs.0)), "{}", ended.err());
    assert_eq!(volume(&theirs.0), None);
}
