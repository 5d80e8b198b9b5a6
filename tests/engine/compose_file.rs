//! `pod.compose.file`: a project as people have it, from its file to what runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::real_engine::{Pod, Running, Volume, docker, exec, inspect};

const COMPOSE: &str = r#"
name: ${PROJECT:?is the name of the project}
include: [monitoring/compose.yaml]

x-logging: &logging
  logging: {driver: json-file, options: {max-size: "1m"}}
x-service: &service
  <<: *logging
  image: ${IMAGE:-podlike-test/busybox}
  restart: unless-stopped
  networks: [back]

services:
  db:
    <<: *service
    command: [sh, -c, "sleep 1; touch /tmp/healthy; exec tail -f /dev/null"]
    environment:
      PASSWORD_FILE: /run/secrets/db-password
    healthcheck:
      test: test -e /tmp/healthy
      interval: 200ms
      timeout: 5s
      retries: 50
    volumes: ["db-data:/var/lib/db"]
    secrets: [db-password]
    expose: ["5432"]

  migrate:
    <<: *service
    restart: "no"
    command: sh -c 'echo "schema $${SCHEMA}" >/var/lib/db/schema'
    environment: [SCHEMA]
    volumes: ["db-data:/var/lib/db"]
    depends_on:
      db: {condition: service_healthy}

  web:
    extends: {file: common/base.yaml, service: listener}
    <<: *service
    build: .
    container_name: web
    hostname: web
    ports: ["8080:80"]
    env_file: [web.env]
    volumes:
      - ./site:/site
      - "db-data:/db:ro"
    configs:
      - app
      - {source: inline, target: /etc/inline.conf, mode: 0440}
      - {source: mode, target: /etc/mode}
    secrets:
      - api-key
      - {source: db-password, target: password, uid: "1000", mode: 0400}
    depends_on:
      db: {condition: service_healthy}
      migrate: {condition: service_completed_successfully}

  debug:
    <<: *service
    profiles: [debug]
    command: tail -f /dev/null

networks:
  back: {}
volumes:
  db-data:
    labels: {of: the project}
configs:
  app: {file: ./conf/app.conf}
  inline: {content: "level = ${LEVEL}\n"}
  mode: {environment: MODE}
secrets:
  db-password: {file: ./secrets/db-password}
  api-key: {environment: API_KEY}
"#;

const PASSWORD: &str = "the-password-of-the-project";
const API_KEY: &str = "the-api-key-of-the-project";

/// A folder with the project, and the names of the project and of its volume.
fn project() -> (tempfile::TempDir, String, Volume) {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    let folder = tempfile::tempdir().expect("a folder");
    // Other users look into it, too.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let name = format!("podlike-test-{}-project-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let dotenv = format!("PROJECT={name}\nLEVEL=debug\nMODE=of-the-file\nSCHEMA='version 7'\nAPI_KEY={API_KEY}\n");
    for (path, text) in [
        ("compose.yaml", COMPOSE),
        (".env", &dotenv),
        ("web.env", "FROM_FILE=${LEVEL}\n"),
        (
            "common/base.yaml",
            "services: {listener: {image: other, stop_grace_period: 1m30s, environment: [BASE=yes], \
             command: \"sh -c 'cat /site/page /db/schema; exec tail -f /dev/null'\", volumes: ['./shared:/shared:ro']}}",
        ),
        ("common/shared/file", "of the base"),
        (
            "monitoring/compose.yaml",
            "services: {agent: {image: podlike-test/busybox, command: 'sh -c \"cat /conf/agent; exec tail -f /dev/null\"', \
             volumes: ['.:/conf:ro']}}",
        ),
        ("monitoring/agent", "of the agent\n"),
        ("site/page", "of the site\n"),
        ("conf/app.conf", "of the app"),
        ("secrets/db-password", PASSWORD),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    let volume = Volume(format!("{name}_db-data"));
    (folder, name, volume)
}

#[track_caller]
fn runs(pod: &Running) {
    pod.says("[out] web: of the site\n[out] web: schema version 7\n").says("[out] agent: of the agent");
}

/// The source of what a container has at a path.
fn source(container: &Value, target: &str) -> Value {
    let mounts = container["Mounts"].as_array().cloned().unwrap_or_default();
    mounts
        .into_iter()
        .find(|mount| mount["Destination"] == target)
        .map(|mut mount| mount["Source"].take())
        .unwrap_or_default()
}

#[test]
fn a_project_runs_as_it_is() {
    let (folder, _, volume) = project();
    let pod = Pod::new()
        .options("--env MODE=of-the-controller")
        .mount(folder.path(), "/project:ro")
        .label("pod.compose.file", "/project/compose.yaml")
        .flags("-logs")
        .run();
    runs(&pod);
    let web = pod.of("web");
    let look = "for file in /app /etc/inline.conf /etc/mode /run/secrets/api-key /run/secrets/password; do
            echo $(stat -c '%a %u' $file) $(cat $file)
        done; cat /shared/file; echo; echo $BASE $FROM_FILE";
    let seen = format!(
        "444 0 of the app\n440 0 level = debug\n444 0 of-the-controller\n444 0 {API_KEY}\n400 1000 {PASSWORD}\nof the base\nyes debug"
    );
    assert_eq!(exec(&web, look), seen);
    assert_eq!(exec(&pod.of("db"), "cat $PASSWORD_FILE"), PASSWORD);

    let names = exec(&web, "sed -n 's/^127.0.0.1\t\\(.*agent.*\\)/\\1/p' /etc/hosts");
    let mut names: Vec<_> = names.split_whitespace().collect();
    names.sort_unstable();
    assert_eq!(names, ["agent", "db", "migrate", "web"]);

    let seen = inspect(&web);
    let host = |path: &str| json!(folder.path().join(path).display().to_string());
    assert_eq!(source(&seen, "/site"), host("site"));
    assert_eq!(source(&seen, "/shared"), host("common/shared"));
    assert_eq!(source(&inspect(&pod.of("agent")), "/conf"), host("monitoring"));
    assert_eq!(seen["Config"]["StopTimeout"], 90);
    assert_eq!(seen["HostConfig"]["LogConfig"]["Config"]["max-size"], "1m");
    // It is writable, whatever the controller may do with it.
    exec(&web, "echo written >/site/new");
    assert_eq!(fs::read_to_string(folder.path().join("site/new")).expect("a file"), "written\n");
    let labels: Value = serde_json::from_str(&docker(&["volume", "inspect", &volume.0])).expect("JSON");
    assert_eq!(labels[0]["Labels"]["of"], "the project");

    let running = pod.container.components();
    for (name, there) in [("db", true), ("web", true), ("agent", true), ("debug", false), ("migrate", false)] {
        assert_eq!(running.iter().any(|line| line.contains(&format!(".podlike.{name} "))), there, "{running:?}");
    }
    let plan = docker(&["exec", pod.name(), "/podlike", "validate", "--json"]);
    assert!(!plan.contains(PASSWORD) && !plan.contains(API_KEY), "{plan}");
    let ended = pod.stop();
    let told = ended.err();
    for (at, why) in [
        ("networks", "the pod has the controller's network"),
        ("services.db.expose", "localhost"),
        ("services.db.networks", "controller's"),
        ("services.web.build", "builds nothing"),
        ("services.web.container_name", "CONTROLLER.podlike.NAME"),
        ("services.web.hostname", "controller's service"),
        ("services.web.ports", "publish ports on the controller's service"),
    ] {
        let warns = |line: &str| {
            line.starts_with("podlike: warning: /project/compose.yaml:")
                && line.contains(&format!(": {at}: ignored"))
                && line.contains(why)
        };
        assert_eq!(told.lines().filter(|line| warns(line)).count(), 1, "{at}: {told}");
    }
    for text in ["restart: ignored", "services.debug", "is not set", PASSWORD, API_KEY] {
        assert!(!told.contains(text), "{text}: {told}");
    }
}

#[test]
fn a_project_that_only_the_controller_has_is_copied_where_it_was_bound() {
    let (folder, _, _volume) = project();
    let pod =
        Pod::new().label("pod.compose.file", "project/compose.yaml").flags("-logs -profiles debug,other").create();
    let from = folder.path().display().to_string();
    docker(&["cp", &from, &format!("{}:/project", pod.name)]);
    let pod = pod.start();
    runs(&pod);
    pod.tells("podlike: debug: started");
    exec(&pod.of("web"), "echo written >/site/new");
    assert!(!folder.path().join("site/new").exists());
    let ended = pod.stop();
    for (component, source, target) in [
        ("web", "/project/site", "/site"),
        ("web", "/project/common/shared", "/shared"),
        ("agent", "/project/monitoring", "/conf"),
    ] {
        let told = format!("warning: component '{component}': {source} is on no mount of the controller");
        let copied = format!("it is copied to {target} instead");
        assert!(ended.err().lines().any(|line| line.contains(&told) && line.contains(&copied)), "{}", ended.err());
    }
}

#[test]
fn a_project_that_cannot_be_is_refused_with_its_place() {
    let (folder, ..) = project();
    fs::remove_file(folder.path().join(".env")).expect("a file");
    let pod = |path: &str| Pod::new().mount(Path::new(folder.path()), "/project:ro").label("pod.compose.file", path);
    let ended = pod("/project/compose.yaml").end();
    assert_eq!(ended.code, Some(2), "{}", ended.err());
    let place = "error: /project/compose.yaml:2:7: name: ";
    assert!(ended.err().contains(place) && ended.err().contains("is the name of the project"), "{}", ended.err());
    let ended = pod("/project/compose.yml").end();
    assert_eq!(ended.code, Some(2), "{}", ended.err());
    assert!(ended.err().contains("label 'pod.compose.file'") && ended.err().contains("mount it"), "{}", ended.err());
}
