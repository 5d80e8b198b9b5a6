//! What the engine room does with images, against the fake engine: what is asked, with which login, and what comes back.

mod support;

use std::time::{Duration, SystemTime};

use podlike::engine::{Credentials, Engine, Host, Progress, Reference};
use serde_json::json;
use support::archives::{file, gzipped, saved};
use support::fake_engine::{FakeEngine, Fault, Pull};

fn reach(fake: &FakeEngine) -> Engine {
    Engine::connect(Host::Unix(fake.socket().into())).expect("an engine")
}

#[test]
fn an_image_that_is_there_is_told_from_one_that_is_not() {
    let fake = FakeEngine::new();
    fake.image("org/img:1").image_says("org/img:1", json!({"Metadata": {"LastTagTime": "2000-01-01T00:00:00Z"}}));
    let engine = reach(&fake);
    let image = engine.image("org/img:1").expect("an answer").expect("the image");
    assert_eq!(image.repo_tags, ["org/img:1"]);
    assert_eq!(image.tagged_at(), Some(SystemTime::UNIX_EPOCH + Duration::from_hours(262_968)));
    assert!(image.is_for("linux/amd64") && !image.is_for("linux/arm64"));
    assert!(engine.image("docker.io/org/img:1").expect("an answer").is_some());
    assert!(engine.image("org/img:2").expect("an answer").is_none());
    fake.fault("GET /images/org/img:1/json", Fault::status(500, "on purpose"));
    assert!(engine.image("org/img:1").is_err());
}

#[test]
fn a_pull_names_the_registry_in_full_and_tells_its_progress() {
    let fake = FakeEngine::new();
    fake.pull("demo", Pull::Works(json!({})));
    let mut steps = Vec::new();
    reach(&fake).pull("demo", Some("linux/arm64"), None, |_| (), &mut |now| steps.push(now)).expect("pulled");
    assert_eq!(steps, [Progress { layers: 1, done: 0, bytes: 1, total: 2 }]);
    let requests = fake.requests();
    let pull = requests.last().expect("a pull");
    let asked = ["fromImage", "tag", "platform"].map(|key| pull.query[key].as_str());
    assert_eq!(asked, ["docker.io/library/demo", "latest", "linux/arm64"]);
    assert!(!pull.headers.contains_key("x-registry-auth"));
}

#[test]
fn a_login_goes_with_a_pull_from_its_registry_and_nowhere_else() {
    let fake = FakeEngine::new();
    let logins = Credentials::parse(br#"{"auths": {"https://host:5000/v1/": {"username": "u", "password": "p"}}}"#);
    let logins = logins.expect("logins");
    let engine = reach(&fake);
    for image in ["host:5000/x@sha256:ab", "host:5001/x", "host/x"] {
        fake.pull(image, Pull::Works(json!({})));
        let auth = logins.header(&Reference::parse(image));
        engine.pull(image, None, auth.as_ref(), |_| (), &mut |_| ()).expect("pulled");
    }
    let requests = fake.requests();
    let pulls: Vec<_> = requests.iter().filter(|request| request.call.starts_with("POST /images/create")).collect();
    let with_login: Vec<_> = pulls.iter().filter(|pull| pull.headers.contains_key("x-registry-auth")).collect();
    assert_eq!((pulls.len(), with_login.len()), (3, 1));
    assert_eq!(with_login[0].query["fromImage"], "host:5000/x");
    assert_eq!(with_login[0].query["tag"], "sha256:ab");
    // {"username":"u","password":"p","serveraddress":"host:5000"}
    let login = "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAiLCJzZXJ2ZXJhZGRyZXNzIjoiaG9zdDo1MDAwIn0=";
    assert_eq!(with_login[0].headers["x-registry-auth"], login);
}

#[test]
fn an_id_is_not_asked_for_at_a_registry() {
    let fake = FakeEngine::new();
    let id = format!("sha256:{}", "a".repeat(64));
    let error = reach(&fake).pull(&id, None, None, |_| (), &mut |_| ()).expect_err("an id");
    assert!(error.to_string().ends_with(&format!("'{id}': an id names no registry to pull from")), "{error}");
    assert_eq!(fake.seen("POST /images/create"), 0);
}

#[test]
fn the_time_of_a_pull_is_kept_by_the_tag() {
    let fake = FakeEngine::new();
    fake.pull("demo", Pull::Works(json!({})));
    let engine = reach(&fake);
    engine.pull("demo", None, None, |_| (), &mut |_| ()).expect("pulled");
    let tagged = || engine.image("demo").expect("an answer").expect("the image").tagged_at();
    assert_eq!(tagged(), None);
    engine.renew_tag("demo").expect("tagged");
    assert!(tagged().is_some());
    assert!(engine.renew_tag("none").is_err());
    for untagged in ["demo@sha256:ab", &"a".repeat(64)] {
        engine.renew_tag(untagged).expect("nothing to do");
    }
    assert_eq!(fake.seen("POST /images/*/tag"), 2);
}

#[test]
fn archives_are_loaded_plain_and_compressed() {
    let fake = FakeEngine::new();
    let engine = reach(&fake);
    let folder = tempfile::tempdir().expect("a folder");
    let plain = file(folder.path(), "a.tar", &saved(&["a:1", "b:1"]));
    let packed = file(folder.path(), "c.tar.gz", &gzipped(&saved(&["c:1"])));
    for archive in [plain, packed] {
        engine.load(&archive, |_| (), &mut |_| ()).expect("loaded");
    }
    for image in ["a:1", "b:1", "c:1"] {
        assert!(engine.image(image).expect("an answer").is_some(), "{image}");
    }
    let sent =
        |at: usize| fake.requests().iter().filter(|one| one.path == "/images/load").nth(at).map(|one| one.body.clone());
    assert_eq!(sent(0), Some(saved(&["a:1", "b:1"])));
    assert_eq!(sent(1), Some(gzipped(&saved(&["c:1"]))));
}

#[test]
fn an_archive_that_cannot_be_loaded_is_told_with_its_name() {
    let fake = FakeEngine::new();
    let engine = reach(&fake);
    let folder = tempfile::tempdir().expect("a folder");
    let cut = file(folder.path(), "cut.tar", &saved(&["a:1"])[..1000]);
    let error = engine.load(&cut, |_| (), &mut |_| ()).expect_err("cut").to_string();
    assert!(error.contains("cut.tar': Error processing tar file"), "{error}");
    assert!(engine.load(&folder.path().join("none.tar"), |_| (), &mut |_| ()).is_err());
    assert_eq!(fake.seen("POST /images/load"), 1);
}

#[test]
fn a_load_can_be_given_up() {
    let fake = FakeEngine::new();
    fake.fault("POST /images/load", Fault::Silence);
    let engine = reach(&fake);
    let folder = tempfile::tempdir().expect("a folder");
    let archive = file(folder.path(), "a.tar", &saved(&["a:1"]));
    let (tell, canceller) = crossbeam_channel::bounded(1);
    let load =
        std::thread::spawn(move || engine.load(&archive, |cancel| tell.send(cancel).expect("heard"), &mut |_| ()));
    fake.until_seen("POST /images/load", 1, Duration::from_secs(10));
    canceller.recv().expect("connected").cancel();
    assert!(load.join().expect("no panic").is_err());
}
