//! Volumes, by our own client: what the fake engine says of them is what a real one says.

use std::collections::BTreeMap;
use std::path::Path;
use std::process;

use podlike::engine::types::{CreateRequest, HostConfig, VolumeRequest};
use podlike::engine::{Engine, Host};

use crate::support::fake_engine::FakeEngine;
use crate::support::real_engine::{BUSYBOX, Pod, SOCKET, docker, try_docker};

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// From nothing to nothing.
fn live(engine: &Engine, name: &str) {
    let options = [("device", "tmpfs"), ("o", "size=64k,mode=0700"), ("type", "tmpfs")];
    let request = VolumeRequest {
        name: name.to_owned(),
        driver: "local".to_owned(),
        driver_opts: texts(&options),
        labels: texts(&[("podlike-test", name)]),
    };
    let label = format!("podlike-test={name}");
    assert_eq!(engine.local_volumes(&label).expect("a list"), []);
    let made = engine.create_volume(&request).expect("a volume");
    assert_eq!((&made.name, &made.driver, &made.options), (&request.name, &request.driver, &request.driver_opts));
    assert_eq!(made.labels, request.labels);
    assert!(made.mountpoint.ends_with(&format!("/volumes/{name}/_data")), "{}", made.mountpoint);
    let other = VolumeRequest { driver_opts: texts(&[]), labels: texts(&[]), ..request };
    assert_eq!(engine.create_volume(&other).expect("the same"), made);
    assert_eq!(engine.volume(name).expect("the same"), made);
    assert_eq!(engine.local_volumes(&label).expect("a list"), [made]);
    assert_eq!(engine.local_volumes("podlike-test=nobody").expect("a list"), []);

    let host_config = HostConfig { binds: vec![format!("{name}:/data")], ..HostConfig::default() };
    let container = CreateRequest { image: BUSYBOX.to_owned(), host_config, ..CreateRequest::default() };
    let id = engine.create(name, &container, None).expect("a container");
    let in_use = engine.remove_volume(name).expect_err("it is in use");
    assert!(in_use.is_conflict() && in_use.to_string().contains(&id), "{in_use}");
    engine.remove(&id).expect("removed");
    for _ in 0..2 {
        engine.remove_volume(name).expect("removed, or not there");
    }
    assert!(engine.volume(name).expect_err("it is gone").is_not_found());
    let refused = engine.create_volume(&VolumeRequest { name: "not/a name".to_owned(), ..other }).expect_err("no name");
    assert!(refused.is_refusal() && refused.to_string().contains("includes invalid characters"), "{refused}");
}

#[test]
fn a_volume_is_made_once_found_by_its_label_and_kept_while_it_is_in_use() {
    let fake = FakeEngine::new();
    fake.image(BUSYBOX);
    for socket in [fake.socket(), Path::new(SOCKET)] {
        let name = format!("podlike-test-{}-live", process::id());
        let engine = Engine::connect(Host::Unix(socket.into())).expect("an engine");
        let _gone = Gone(&name);
        live(&engine, &name);
    }
}

/// Takes away what a test that fails leaves on the real engine.
struct Gone<'a>(&'a str);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        try_docker(&["rm", "--force", self.0]);
        try_docker(&["volume", "rm", "--force", self.0]);
    }
}

#[test]
fn the_volume_of_a_task_that_is_gone_goes_and_others_stay() {
    let name = |which: &str| format!("podlike-test-{}-task-{which}", process::id());
    let (own, gone, kept, plain) = (name("own"), name("gone"), name("kept"), name("plain"));
    let all = [&own, &gone, &kept, &plain];
    let _gone = all.map(|name| Gone(name));
    for name in all {
        let life = if *name == plain { "for-ever" } else { "task" };
        docker(&["volume", "create", "--label", &format!("com.github.rycus86.podlike.lifetime={life}"), name]);
    }
    // A container that has ended has its volumes all the same.
    docker(&["create", "--name", &kept, "--volume", &format!("{kept}:/data"), BUSYBOX]);
    let running = Pod::new()
        .options(&format!("--volume {own}:/data"))
        .component("web", format!("{{image: {BUSYBOX}, command: [sleep, '60']}}"))
        .run();
    running.tells(&format!("removed the volume {gone}, whose task is gone"));
    let left = docker(&["volume", "ls", "--quiet", "--filter", &format!("name=podlike-test-{}-task-", process::id())]);
    docker(&["rm", &kept]);
    let mut wanted = [own.as_str(), &kept, &plain];
    wanted.sort_unstable();
    running.stop();
    assert_eq!(left.split_whitespace().collect::<Vec<_>>(), wanted);
}
