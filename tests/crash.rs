//! The supervisor, called as a library: what a bug in it leaves behind. Nothing from outside can make it crash, as far as we
//! know, so the tests tell it things that cannot be.

mod support;

use std::collections::BTreeMap;
use std::thread;

use podlike::commands::Outcome;
use podlike::engine::{Engine, Host};
use podlike::health::Board;
use podlike::pod::{Controller, Nesting, Options, Placement, PodSpec, Surroundings};
use podlike::report::exit;
use podlike::supervisor::{self, Cause, Crew, End, Event, Images, Pod, Who};
use support::fake_engine::{Call, FakeEngine, Fault};
use support::pod::{SOON, scratch};

/// A pod that runs until something is told to it: a component with a volume on disk, one in memory, and a config.
fn run(fake: &FakeEngine, tell: impl FnOnce() -> Event) -> End {
    fake.image("demo");
    let engine = Engine::connect(Host::Unix(fake.socket().into())).expect("an engine");
    let labels: BTreeMap<String, String> = [
        ("pod.component.web", "{image: demo, volumes: ['data:/data', 'fast:/fast']}"),
        ("pod.volume.data", "disk"),
        ("pod.volume.fast", "memory"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let spec = PodSpec::from_labels(&labels, &Surroundings::default()).expect("a pod");
    let assumed = Controller::assumed(engine.capabilities().expect("an engine"));
    let controller = Controller { id: fake.controller_id(), name: "pod".to_owned(), ..assumed };
    let placement = Placement::choose(&controller, Nesting::Auto);
    let (plan, _) = podlike::pod::plan(&spec, &controller, &placement, Options::default()).expect("a plan");
    let board = Board::new();
    let events = supervisor::subscribe(&engine, &controller.id).expect("a stream");
    let images = Images::default();
    let pod = Pod {
        engine,
        controller: controller.id,
        plan,
        options: Options::default(),
        images,
        board,
        events,
        slice: None,
        has_volume_of_task: false,
    };
    let (sender, inbox) = supervisor::inbox();
    let crew = Crew::new(sender.clone());
    thread::scope(|scope| {
        let end = scope.spawn(|| supervisor::run(pod, &crew, &inbox));
        fake.until_running("web", SOON);
        sender.event(tell());
        end.join().expect("a bug is no panic for others")
    })
}

fn code(end: End) -> u8 {
    exit(&Ok(Outcome::Ended { end: Box::new(end), names: vec!["web".to_owned(), "(memory)".to_owned()] }))
}

#[test]
fn a_thread_that_panics_ends_the_pod_in_order() {
    let fake = FakeEngine::new();
    let end = run(&fake, || Event::Crashed("component/web: on purpose".to_owned()));
    assert!(matches!(&end.cause, Cause::Crashed(why) if why == "component/web: on purpose"), "{end:?}");
    assert_eq!(code(end), 70);
    assert!(fake.containers().is_empty() && scratch(&fake).is_empty(), "{:?}", fake.volumes());
    assert_eq!(fake.container("web").expect("it ran").signals, ["TERM"], "it had its grace");
}

#[test]
fn a_panic_of_the_loop_removes_all_containers_and_volumes_by_force() {
    let fake = FakeEngine::new();
    // There is no such component.
    let end = run(&fake, || Event::Stopped(Who(99)));
    assert!(matches!(&end.cause, Cause::Crashed(why) if why.contains("99")), "{end:?}");
    assert_eq!(code(end), 70);
    assert!(fake.containers().is_empty() && scratch(&fake).is_empty(), "{:?}", fake.volumes());
    assert_eq!(fake.container("web").expect("it ran").signals, ["KILL"]);
}

#[test]
fn volumes_are_removed_also_where_the_containers_are_not_known() {
    let fake = FakeEngine::new();
    fake.fault(Call::new("GET /containers/json"), Fault::status(500, "on purpose"));
    let end = run(&fake, || Event::Stopped(Who(99)));
    assert_eq!(code(end), 70);
    // They have their containers.
    assert_eq!((fake.containers().len(), scratch(&fake).len()), (2, 2));
    assert!(fake.seen("DELETE /volumes/*") > 2, "it was tried");
}
