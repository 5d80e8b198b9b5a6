//! The engine room's images on a real engine: registries, and archives where there is none.

use std::process::id;

use podlike::engine::{Credentials, Engine, Host, Reference, Shelf};

use crate::support::real_engine::{BUSYBOX, LONG, docker, try_docker};
use crate::support::registry::Registry;

fn engine() -> Engine {
    Engine::connect(Host::parse(None).expect("an address")).expect("an engine")
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
    std::fs::write(&path, [0; 1024]).expect("a file");
    let tag = Tag(format!("podlike-test-{}/{name}", id()));
    docker(&["import", &path.display().to_string(), &tag.0]);
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
    let zipped = std::process::Command::new("gzip").arg(&path).status().expect("there is a gzip command");
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
    std::fs::write(&cut, &std::fs::read(folder.path().join("plain.tar")).expect("a file")[..2000]).expect("a file");
    let error = engine.load(&cut, |_| (), &mut |_| ()).expect_err("cut").to_string();
    assert!(error.contains("cut.tar': "), "{error}");
}
