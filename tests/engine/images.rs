//! Images on a real engine: registries, and archives where there is none; by the engine room, and by a pod.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, id};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use podlike::engine::{Credentials, Engine, Host, Reference, Shelf};

use crate::support::controller::Ended;
use crate::support::real_engine::{BUSYBOX, LONG, Pod, SOCKET, docker, try_docker};
use crate::support::registry::Registry;

fn engine() -> Engine {
    Engine::connect(Host::Unix(SOCKET.into())).expect("an engine")
}

/// A tag that goes when the test does.
struct Tag(String);

impl Tag {
    fn of(image: &str, name: &str) -> Self {
        let tag = format!("podlike-test-{}/{name}", id());
        docker(&["tag", image, &tag]);
        Self(tag)
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        try_docker(&["rmi", &self.0]);
    }
}

/// An image that the engine does not have under any other name.
fn fresh_image(name: &str) -> Tag {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("root.tar");
    // Empty but for its end; the moment of the import makes the image unlike any other.
    fs::write(&path, [0; 1024]).expect("a file");
    let tag = Tag(format!("podlike-test-{}/{name}", id()));
    docker(&["import", &path.display().to_string(), &tag.0]);
    tag
}

/// The test's own image of busybox: the moment of the commit makes it unlike any other.
fn own_busybox(name: &str) -> Tag {
    let container = docker(&["create", BUSYBOX]);
    let tag = Tag(format!("podlike-test-{}/{name}", id()));
    docker(&["commit", container.trim(), &tag.0]);
    docker(&["rm", container.trim()]);
    tag
}

#[test]
fn anybody_pulls_from_an_open_registry() {
    let mut registry = Registry::open();
    let image = registry.push(&fresh_image("fresh").0, "fresh:1");
    let engine = engine();
    assert!(engine.image(&image).expect("an answer").is_none());
    engine.pull(&image, None, None, |_| (), &mut |_| ()).expect("pulled");
    let details = engine.image(&image).expect("an answer").expect("the image");
    assert_eq!(details.repo_tags, [image.as_str()]);
    assert!(details.is_for("linux"), "{details:?}");
    engine.renew_tag(&image).expect("tagged");
    let tagged = engine.image(&image).expect("an answer").expect("the image").tagged_at();
    let age = tagged.expect("the engine knows").elapsed().expect("it is past");
    assert!(age < LONG, "{age:?}");
}

#[test]
fn a_private_registry_wants_the_login_of_its_file() {
    let mut registry = Registry::private();
    let image = registry.push(BUSYBOX, "org/busybox:1");
    let engine = engine();
    let error = engine.pull(&image, None, None, |_| (), &mut |_| ()).expect_err("no login").to_string();
    assert!(error.contains("no basic auth credentials"), "{error}");
    let logins = Credentials::parse(registry.logins().as_bytes()).expect("logins");
    let auth = logins.header(&Reference::parse(&image));
    engine.pull(&image, None, auth.as_ref(), |_| (), &mut |_| ()).expect("pulled");
    assert!(engine.image(&image).expect("an answer").is_some());
    let wrong = registry.logins().replace("dGVzdGVyOnNlY3JldA==", "dGVzdGVyOndyb25n");
    let wrong = Credentials::parse(wrong.as_bytes()).expect("logins").header(&Reference::parse(&image));
    let error = engine.pull(&image, None, wrong.as_ref(), |_| (), &mut |_| ()).expect_err("a wrong password");
    assert!(error.is_refusal() && !error.to_string().contains("wrong"), "{error}");
}

#[test]
fn what_an_engine_lacks_is_loaded_from_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let (plain, packed) = (Tag::of(BUSYBOX, "plain:1"), Tag::of(BUSYBOX, "packed"));
    let save = |tag: &Tag, name: &str| {
        let path = folder.path().join(name).display().to_string();
        docker(&["save", "--output", &path, &tag.0]);
        docker(&["rmi", &tag.0]);
        path
    };
    save(&plain, "plain.tar");
    let path = save(&packed, "packed.tar");
    let zipped = Command::new("gzip").arg(&path).status().expect("there is a gzip command");
    assert!(zipped.success());
    let shelf = Shelf::open(folder.path()).expect("a shelf");
    let engine = engine();
    for tag in [&plain.0, &packed.0] {
        assert!(engine.image(tag).expect("an answer").is_none());
        let image = Reference::parse(tag);
        let archives: Vec<_> = shelf.archives_of(&image).collect();
        assert_eq!(archives.len(), 1, "{archives:?}");
        engine.load(archives[0], |_| (), &mut |_| ()).expect("loaded");
        assert!(engine.image(tag).expect("an answer").is_some());
    }
    // Of an archive that is no archive of images the engine says so.
    let cut = folder.path().join("cut.tar");
    fs::write(&cut, &fs::read(folder.path().join("plain.tar")).expect("a file")[..2000]).expect("a file");
    let error = engine.load(&cut, |_| (), &mut |_| ()).expect_err("cut").to_string();
    assert!(error.contains("cut.tar': "), "{error}");
}

/// A component that says which image it is of, and ends.
fn of(image: &str) -> Value {
    json!({"image": image, "command": ["echo", image]})
}

fn has(image: &str) -> bool {
    try_docker(&["image", "inspect", image]).0 == Some(0)
}

#[track_caller]
fn contains(ended: &Ended, code: i32, parts: &[&str]) {
    assert_eq!(ended.code, Some(code), "{}", ended.err());
    for part in parts {
        assert!(ended.err().contains(part), "no '{part}' in {}", ended.err());
    }
}

#[test]
fn a_pod_loads_its_images_from_a_folder_and_asks_no_registry() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = TcpListener::bind("127.0.0.1:0").expect("a port");
    registry.set_nonblocking(true).expect("it can be");
    let address = registry.local_addr().expect("bound");
    // The names are those of a registry that would be seen to be asked.
    let images = ["plain:1", "packed:2"].map(|name| Tag(format!("{address}/{name}")));
    for (image, archive) in images.iter().zip(["plain.tar", "packed.tar"]) {
        docker(&["tag", BUSYBOX, &image.0]);
        let path = folder.path().join(archive).display().to_string();
        docker(&["save", "--output", &path, &image.0]);
        docker(&["rmi", &image.0]);
    }
    let zipped = Command::new("gzip").arg(folder.path().join("packed.tar")).status();
    assert!(zipped.is_ok_and(|status| status.success()), "there is a gzip command");
    let pod = || Pod::new().mount(folder.path(), "/images:ro").flags("-logs -images /images");
    let never = json!({"image": images[1].0, "command": ["echo", images[1].0], "pull_policy": "never"});
    let ended = pod().init(&[of(&images[0].0)]).component("app", never).end();
    contains(&ended, 0, &["init-1: loading the image", "/images/plain.tar", "app: loading", "/images/packed.tar.gz"]);
    assert_eq!(ended.out(), format!("[out] init-1: {}\n[out] app: {}\n", images[0].0, images[1].0));
    assert!(!ended.err().contains("pulling"), "{}", ended.err());
    // The second time the engine has them.
    let ended = pod().component("app", of(&images[0].0)).end();
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    assert!(!ended.err().contains("loading"), "{}", ended.err());
    assert!(registry.accept().is_err(), "the registry was asked");

    let ended = pod().component("app", json!({"image": "podlike-test/nobodys", "pull_policy": "never"})).end();
    contains(&ended, 125, &["component 'app': the engine does not have the image 'podlike-test/nobodys', and with"]);
    let ended = Pod::new().component("app", of(BUSYBOX)).flags("-images /nowhere").end();
    contains(&ended, 2, &["-images: /nowhere is no folder"]);
}

#[test]
fn a_pod_finds_the_login_for_its_registry() {
    const SECRET: &str = "/run/secrets/podlike/dockerregistryauth.json";
    let mut registry = Registry::private();
    let image = registry.push(BUSYBOX, "org/private:1");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.json");
    fs::write(&file, registry.logins()).expect("a file");
    let pod = || Pod::new().component("app", of(&image)).flags("-logs");

    let ended = pod().end();
    contains(&ended, 125, &["component 'app': cannot pull its image", "no basic auth credentials"]);
    let wrong = folder.path().join("wrong.json");
    fs::write(&wrong, registry.logins().replace("dGVzdGVyOnNlY3JldA==", "dGVzdGVyOndyb25n")).expect("a file");
    let ended = pod().mount(&wrong, "/logins.json:ro").flags("-registry-auth /logins.json").end();
    contains(&ended, 125, &["component 'app': cannot pull its image"]);
    assert!(!ended.err().contains("dGVzdGVyOndyb25n"), "{}", ended.err());
    assert!(!has(&image));

    // The flag is stronger than the others.
    let with = |target: &str| pod().mount(&file, &format!("{target}:ro"));
    for pod in [
        with("/logins.json").mount(&wrong, &format!("{SECRET}:ro")).flags("-registry-auth=/logins.json"),
        with(SECRET),
        with("/docker/config.json").options("--env DOCKER_CONFIG=/docker"),
    ] {
        let ended = pod.end();
        contains(&ended, 0, &["app: pulling the image"]);
        assert_eq!(ended.out(), format!("[out] app: {image}\n"));
        docker(&["rmi", &image]);
    }

    let ended = pod().flags("-registry-auth /logins.json").end();
    contains(&ended, 2, &["cannot read /logins.json"]);
    fs::write(&file, "{\"auths\": []}").expect("a file");
    let ended = with("/logins.json").flags("-registry-auth /logins.json").end();
    contains(&ended, 2, &["/logins.json has no logins for registries"]);
}

#[test]
fn an_image_is_pulled_as_the_policy_says() {
    let mut registry = Registry::open();
    // Not what other tests tag: the engine keeps the time of the last tag with the image, not with its name.
    let own = own_busybox("policy");
    let image = registry.push(&own.0, "policy:1");
    // Runs a pod with this policy; whether it ended well, and whether it pulled.
    let run = |policy: &str, flags: &str| {
        let keys = json!({"image": image, "command": "true", "pull_policy": policy});
        let ended = Pod::new().component("app", keys).flags(flags).end();
        (ended.code, ended.err().contains("app: pulling the image"))
    };
    assert_eq!(run("never", ""), (Some(125), false));
    assert_eq!(run("missing", ""), (Some(0), true));
    assert_eq!(run("missing", ""), (Some(0), false));
    assert_eq!(run("always", ""), (Some(0), true));
    assert_eq!(run("never", "-pull"), (Some(0), true));
    // It was pulled a moment ago; a second later that is too long ago.
    assert_eq!(run("every_1h", ""), (Some(0), false));
    thread::sleep(Duration::from_secs(1));
    assert_eq!(run("every_1s", ""), (Some(0), true));
    // Of a registry that is away, what must be new is missed, and what is old does.
    drop(registry);
    docker(&["tag", &own.0, &image]);
    let _tag = Tag(image.clone());
    assert_eq!(run("always", ""), (Some(125), true));
    thread::sleep(Duration::from_secs(1));
    assert_eq!(run("every_1s", ""), (Some(0), true));
}

#[test]
fn an_image_for_another_platform_is_not_taken() {
    let keys = |platform: &str, policy: &str| json!({"image": BUSYBOX, "command": "true", "platform": platform, "pull_policy": policy});
    let ended = Pod::new().component("app", keys("linux/s390x", "never")).end();
    contains(&ended, 125, &["the engine does not have the image 'podlike-test/busybox' for the platform linux/s390x"]);
    assert!(!ended.err().contains("pulling"), "{}", ended.err());
    let architecture = docker(&["image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", BUSYBOX]);
    let ended = Pod::new().component("app", keys(&architecture, "missing")).end();
    contains(&ended, 0, &[]);
    // A registry that has it for no other gives what it has, which is not taken either.
    let mut registry = Registry::open();
    let image = registry.push(BUSYBOX, "platform:1");
    let keys = json!({"image": image, "command": "true", "platform": "linux/s390x"});
    let ended = Pod::new().component("app", keys).end();
    contains(&ended, 125, &["component 'app': there is no image '", "linux/s390x"]);
}
