//! What mutants are made of: the golden cases, Compose projects, and every value that stands behind a key in them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::dice::Dice;

/// All that a pod is read from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct World {
    pub(crate) labels: BTreeMap<String, String>,
    /// For `podlike validate`.
    pub(crate) document: Option<String>,
    /// Files of the controller, by path.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) profiles: Vec<String>,
    /// Whether it holds the [`SECRET`], which nothing may show.
    #[serde(skip)]
    pub(crate) is_secret: bool,
}

/// What stands in the place of a password.
pub(crate) const SECRET: &str = "HUNTERtwo";

impl World {
    /// Every text of it.
    pub(crate) fn texts(&mut self) -> Vec<&mut String> {
        self.labels.values_mut().chain(self.files.values_mut()).chain(&mut self.document).collect()
    }

    pub(crate) fn size(&self) -> usize {
        let labels = self.labels.iter().map(|(key, text)| key.len() + text.len()).sum::<usize>();
        labels + self.files.values().chain(&self.document).map(String::len).sum::<usize>()
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("label", &self.labels), ("file", &self.files)];
        for (what, texts) in parts {
            for (key, text) in texts {
                writeln!(f, "=== {what} {key:?}\n{text:?}\n{text}")?;
            }
        }
        if let Some(document) = &self.document {
            writeln!(f, "=== document\n{document:?}\n{document}")?;
        }
        writeln!(f, "=== profiles {:?}", self.profiles)
    }
}

pub(crate) struct Corpus {
    pub(crate) worlds: Vec<World>,
    /// Which of them make a plan.
    valid: Vec<bool>,
    /// Every key with every value that it has somewhere.
    pub(crate) pool: Vec<Entry>,
}

impl Corpus {
    /// One of the worlds; seldom one that is refused as it is.
    pub(crate) fn world(&self, dice: &mut Dice) -> World {
        loop {
            let at = dice.roll(self.worlds.len());
            if self.valid[at] || dice.one_in(8) {
                return self.worlds[at].clone();
            }
        }
    }
}

/// An entry of a mapping.
pub(crate) struct Entry {
    /// What the mapping is: the key that it stands behind.
    pub(crate) of: String,
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl Corpus {
    pub(crate) fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/labels");
        let mut paths: Vec<_> =
            fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|yml| yml == "yml"));
        paths.sort();
        let mut worlds: Vec<World> = paths
            .iter()
            .map(|path| {
                let text = fs::read_to_string(path).expect("a case");
                serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            })
            .collect();
        assert!(worlds.len() > 30, "only {} cases were found", worlds.len());
        worlds.extend(PROJECTS.iter().map(|files| project(files)));
        let labels = [("pod.component.app", EVERYTHING), ("pod.component.db", "image: db")];
        let labels = labels.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
        worlds.push(World { labels, files: project(PROJECTS[0]).files, ..World::default() });
        let valid = paths.iter().map(|path| !path.to_string_lossy().contains("error-"));
        let valid: Vec<bool> = valid.chain(std::iter::repeat(true)).take(worlds.len()).collect();
        let mut pool = Vec::new();
        for text in worlds.clone().iter_mut().flat_map(World::texts) {
            if let Some(value) = tree(text) {
                collect(&value, "", &mut pool);
            }
        }
        Self { worlds, valid, pool }
    }
}

/// A text as a tree, if it is one.
pub(crate) fn tree(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

/// What a mapping is: a service, or what stands behind this key.
pub(crate) fn sort<'a>(entries: &Map<String, Value>, behind: &'a str) -> &'a str {
    if entries.contains_key("image") && behind != "image" { "(service)" } else { behind }
}

fn collect(value: &Value, behind: &str, pool: &mut Vec<Entry>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                pool.push(Entry { of: sort(entries, behind).to_owned(), key: key.clone(), value: value.clone() });
                collect(value, key, pool);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, behind, pool)),
        _ => {}
    }
}

/// The world of a Compose project, its first file the one that is asked for.
fn project(files: &[(&str, &str)]) -> World {
    World {
        labels: [("pod.compose.file".to_owned(), files[0].0.to_owned())].into(),
        files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
        ..World::default()
    }
}

/// A service that has every key in one of its forms.
const EVERYTHING: &str = r"
image: demo/app:1@sha256:0123456789abcdef0123456789abcdef
annotations: {a: b}
attach: false
blkio_config: {weight: 300, weight_device: [{path: /dev/sda, weight: 400}], device_read_bps: [{path: /dev/sda, rate: '1mb'}], device_write_iops: [{path: /dev/sda, rate: 30}]}
cap_add: [ALL]
cap_drop: [NET_ADMIN, SYS_ADMIN]
cgroup: host
cgroup_parent: m-executor-abcd
command: bundle exec 'thin -p 3000'
label_file: /srv/label.env
configs: [one, {source: two, target: /etc/two, uid: '103', gid: 103, mode: 0440}]
cpu_period: 100ms
cpu_quota: 50000
cpu_rt_period: 11000
cpu_rt_runtime: '400ms'
cpu_shares: 73
cpuset: 0,1
depends_on: {db: {condition: service_healthy, restart: true, required: false}}
deploy: {replicas: 2, resources: {limits: {memory: 1.5gb, pids: -1}, reservations: {cpus: 0.25, memory: 512m, devices: [{capabilities: [nvidia-compute], driver: nvidia, count: 2, options: {virtualization: false}}]}}}
device_cgroup_rules: ['c 1:3 mr', 'a 7:* rmw']
devices: ['/dev/ttyUSB0:/dev/ttyUSB0', '/dev/sda:/dev/xvda:rwm', 'vendor1.com/device=gpu', {source: /dev/a, target: /dev/b, permissions: r}]
dns: [8.8.8.8]
entrypoint: [php, -d, memory_limit=-1]
env_file: [{path: /srv/raw.env, format: raw}, {path: ./none.env, required: false}]
environment: [RACK_ENV=development, SHOW=true, USER_INPUT, EMPTY=]
expose: ['3000']
external_links: [redis]
extra_hosts: {somehost: 162.242.195.82}
gpus: [{driver: 3dfx, count: 2, capabilities: [gpu]}, {device_ids: ['0']}]
group_add: [mail, 1000]
healthcheck: {test: [CMD, curl, -f, 'http://localhost'], interval: 1m30s, timeout: 10s, retries: 3, start_period: 40s, start_interval: 5s, disable: false}
hostname: authors
init: true
ipc: shareable
isolation: default
labels: {com.example.number: 42, com.docker.swarm.x: y}
logging: {driver: syslog, options: {syslog-address: 'tcp://192.168.0.42:123'}}
mem_limit: 1.5gb
mem_reservation: 512 MiB
mem_swappiness: 60
memswap_limit: 2g
network_mode: service:db
networks: {some: {aliases: [alias1]}}
oom_kill_disable: true
oom_score_adj: -500
pid: service:db
pids_limit: -1
platform: linux/arm64/v8
ports: ['3000', {target: 80, published: '8080', protocol: tcp}]
privileged: false
profiles: []
pull_policy: every_1w2d
read_only: on
restart: always
runtime: runc
scale: 1
secrets: [{source: s1, target: my_secret, uid: '1', gid: '1', mode: 0777}, s2]
security_opt: [label:user:USER, 'seccomp=unconfined', 'seccomp:/srv/seccomp.json']
shm_size: 64M
stdin_open: yes
stop_grace_period: 1m30s
stop_signal: SIGRTMIN+3
storage_opt: {size: 1G}
sysctls: [net.core.somaxconn=1024]
tmpfs: [/run, '/tmp:mode=755,uid=1009,size=64m']
tty: true
ulimits: {nproc: 65535, nofile: {soft: 20000, hard: 40000}}
user: someone:group
userns_mode: host
uts: host
volume_driver: local
volumes: [/anonymous, 'datavolume:/var/lib/mysql', '/opt/data:/x:rshared,z', '~/configs:/etc/configs/:ro', {type: volume, source: db, target: /data, volume: {nocopy: true, subpath: sub}}, {type: bind, source: /a, target: /b, read_only: true, bind: {propagation: rprivate, create_host_path: false, recursive: readonly, selinux: z}}, {type: tmpfs, target: /t, tmpfs: {size: 16m, mode: 01777}}, {type: image, source: alpine, target: /i, image: {subpath: etc}}]
volumes_from: [db:ro, 'container:other']
working_dir: /code
x-foo: bar
";

/// Projects, each a list of files.
const PROJECTS: [&[(&str, &str)]; 4] = [
    &[
        (
            "/srv/compose.yml",
            r#"
name: shop
x-base: &base
  image: ${REGISTRY:-docker.io}/shop/base:${TAG:?no tag}
  environment: &env {A: '1', B: "${B-two}", HOME: , LONG: "${LONG}${LONG}"}
  logging: {driver: json-file}
include:
  - db/compose.yml
  - {path: [queue.yml], env_file: [queue.env]}
services:
  web:
    <<: *base
    environment: {<<: *env, C: $TAG}
    env_file: [app.env, {path: raw.env, format: raw}, {path: none.env, required: false}]
    label_file: label.env
    secrets: [password, {source: token, target: /run/token, mode: 0400}]
    configs: [motd]
    volumes: ['data:/data', './here:/here:ro', {type: volume, source: cache, target: /cache}]
    depends_on: {db: {condition: service_healthy}, worker: {condition: service_started, required: false}}
    profiles: ["", web]
    security_opt: ['seccomp=seccomp.json']
  worker:
    extends: {service: base, file: common.yml}
    command: work --queue "a b"
    profiles: [full]
  api:
    extends: web
    healthcheck: {disable: true}
    volumes: ['other:/data']
volumes:
  data: {driver: local, driver_opts: {type: none}, labels: [a=b], name: the-data}
  cache: {external: true}
  other:
secrets:
  password: {file: ./password.txt}
  token: {environment: TOKEN}
configs:
  motd: {content: "hello ${NAME:-nobody}"}
networks: {default: {driver: overlay}}
"#,
        ),
        (
            "/srv/db/compose.yml",
            "services:\n  db:\n    image: postgres:16\n    healthcheck: {test: 'pg_isready', interval: 5s}\n    env_file: .env\n",
        ),
        ("/srv/db/.env", "PGUSER=app\nPGPASSWORD=\"a b\\n\" # x\n"),
        ("/srv/queue.yml", "services:\n  queue: {image: 'queue:${QUEUE_TAG}', init: yes, ulimits: {nofile: 1024}}\n"),
        ("/srv/queue.env", "QUEUE_TAG=3\n"),
        (
            "/srv/common.yml",
            "services:\n  base: {image: common, extends: {service: root}, cap_add: [A], labels: {x: y}}\n  root: {image: root, cap_add: [B], environment: [R=1], tmpfs: /run}\n",
        ),
        ("/srv/.env", "TAG=1.2\nLONG='a long one'\nexport B: \"${TAG}-b\"\n"),
        ("/srv/app.env", "A=$HOME/x\nexport B='it\\'s'\n\n# a comment\nC=\"two\nlines\"\nD\n"),
        ("/srv/raw.env", "X=\"as it is\" # all\nY=$Z\n"),
        ("/srv/label.env", "com.example.a=b\n"),
        ("/srv/password.txt", "x\n"),
        ("/srv/seccomp.json", "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}\n"),
    ],
    &[
        ("/a.yml", "include: [b.yml]\nservices: {a: {image: x, extends: {file: b.yml, service: b}}}\n"),
        ("/b.yml", "include: [c.yml]\nservices: {b: {image: x, extends: {file: c.yml, service: c}}}\n"),
        ("/c.yml", "include: [a.yml]\nservices: {c: {image: x, extends: {file: a.yml, service: a}}}\n"),
    ],
    &[
        ("/a.yml", "include: [b.yml, c.yml]\nservices: {a: {image: x, extends: {service: d, file: d.yml}}}\n"),
        ("/b.yml", "include: [d.yml]\n"),
        ("/c.yml", "include: [d.yml]\n"),
        ("/d.yml", "services: {d: {image: x, volumes: ['v:/v']}}\nvolumes: {v: }\n"),
    ],
    &[
        (
            "/compose.yml",
            "services:\n  a: {image: x, network_mode: 'service:b', pid: 'service:b', ipc: 'service:b', volumes_from: [b], depends_on: [b, c]}\n  b: {image: x, ipc: shareable, shm_size: 64m}\n  c: {image: x, depends_on: {b: {condition: service_completed_successfully}}}\n",
        ),
        ("/.env", "A=1\nB=$A$A\nC=\"$B$B\"\n"),
    ],
];
