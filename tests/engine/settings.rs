//! Every setting that this engine can apply, as the engine tells it back field by field; and what it or this machine
//! cannot, in its own words.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::{Map, Value, json};

use crate::support::real_engine::{BUSYBOX, Pod, Volume, docker, exec, inspect, sh, stays, with};

/// A file system in memory on the host, whose mounts are told to others or not. Dropped, it is gone.
struct Mounted(tempfile::TempDir);

impl Mounted {
    /// `propagation` is an option of `mount`, such as `--make-shared`.
    fn new(propagation: &str) -> Self {
        let this = Self(tempfile::tempdir().expect("a folder"));
        for words in [["-t", "tmpfs", "podlike-test"].as_slice(), &[propagation]] {
            let done = Command::new("mount").args(words).arg(this.0.path()).status();
            assert!(done.is_ok_and(|status| status.success()), "mount {words:?}");
        }
        this
    }

    fn path(&self) -> String {
        self.0.path().display().to_string()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// What is kept for controllers in version 1 of cgroups only.
fn has_cgroups_v1() -> bool {
    docker(&["info", "--format", "{{.CgroupVersion}}"]) == "1"
}

/// A disk of this machine.
fn disk() -> String {
    let disks = fs::read_dir("/sys/block").expect("there is one");
    let mut paths: Vec<_> = disks.flatten().map(|disk| Path::new("/dev").join(disk.file_name())).collect();
    paths.retain(|path| path.exists());
    paths.iter().max().expect("a disk").display().to_string()
}

/// Holds the fields in which a container is unlike another one against those that were asked for.
#[track_caller]
fn differs(plain: &Value, other: &Value, wanted: &Value) {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let (plain, other, wanted) = (fields(plain), fields(other), fields(wanted));
    let seen: Map<String, Value> = other.into_iter().filter(|(key, value)| plain.get(key) != Some(value)).collect();
    let keys: BTreeSet<&String> = seen.keys().chain(wanted.keys()).collect();
    let wrong = keys.into_iter().filter(|key| seen.get(*key) != wanted.get(*key));
    let wrong: Vec<_> = wrong.map(|key| format!("{key}: {:?}, not {:?}", seen.get(key), wanted.get(key))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The mounts of a container by their targets, without what only the engine knows.
fn mounts(container: &Value) -> Map<String, Value> {
    let all = container["Mounts"].as_array().cloned().unwrap_or_default();
    let told = |mut mount: Value| {
        let target = mount["Destination"].as_str().unwrap_or_default().to_owned();
        if mount["Type"] == "volume" {
            mount["Source"].take();
        }
        (target, json!([mount["Type"], mount["Name"], mount["Source"], mount["RW"], mount["Propagation"]]))
    };
    all.into_iter().map(told).collect()
}

const PROFILE: &str =
    r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}"#;

/// What is under `/settings` of the controller.
fn settings() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("app.env", "OF_FILE=one two\nINHERITED\n"),
        ("raw.env", "RAW=${NOT} \"read\"\n"),
        ("app.labels", "of.the=file\n"),
        ("seccomp.json", PROFILE),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// Keys of a component, and the fields that the engine must tell because of them.
struct Asked {
    keys: Value,
    config: Value,
    host: Value,
}

const SECOND: u64 = 1_000_000_000;

fn process() -> Asked {
    let script = "echo of the terminal; trap 'exit 0' USR1; sleep 1000 & wait";
    Asked {
        keys: json!({
            "entrypoint": ["sh", "-c"],
            "command": [script],
            "user": "1000:1000",
            "working_dir": "/home",
            "environment": {"NUMBER": 80, "TRUTH": true, "EMPTY": "", "INHERITED": null},
            "env_file": ["/settings/app.env", {"path": "/settings/raw.env", "format": "raw"}, {"path": "/no", "required": false}],
            "labels": ["mine=yes", "bare"],
            "label_file": "/settings/app.labels",
            "healthcheck": {"test": "exit 0", "interval": "90s", "timeout": "1m30s", "start_period": "1ms", "retries": 7},
            "stop_signal": "SIGUSR1",
            "stop_grace_period": "1m1s",
            "tty": true,
            "stdin_open": true,
            "init": true,
            "attach": false,
            "pull_policy": "never",
            "platform": "linux",
            "logging": {"driver": "json-file", "options": {"max-size": "1m", "max-file": 2}},
            "x-mine": "left alone",
        }),
        config: json!({
            "User": "1000:1000",
            "WorkingDir": "/home",
            "Env": [
                "OF_FILE=one two",
                "INHERITED=of-the-controller",
                "RAW=${NOT} \"read\"",
                "EMPTY=",
                "NUMBER=80",
                "TRUTH=true",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ],
            "Entrypoint": ["sh", "-c"],
            "Cmd": [script],
            "Labels": {"mine": "yes", "bare": "", "of.the": "file", "podlike.component": "all"},
            "Healthcheck": {
                "Test": ["CMD-SHELL", "exit 0"], "Interval": 90 * SECOND, "Timeout": 90 * SECOND, "StartPeriod": 1_000_000,
                "Retries": 7,
            },
            "StopSignal": "SIGUSR1",
            "StopTimeout": 61,
            "Tty": true,
            "OpenStdin": true,
        }),
        host: json!({"Init": true, "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}}),
    }
}

fn rights() -> Asked {
    let seccomp = format!("seccomp={PROFILE}");
    Asked {
        keys: json!({
            "group_add": [10, "root"],
            "privileged": false,
            "read_only": true,
            "cap_add": ["CAP_NET_ADMIN"],
            "cap_drop": ["CAP_CHOWN"],
            "security_opt": ["no-new-privileges", "seccomp=/settings/seccomp.json", "label=disable", "systempaths=unconfined"],
            "devices": ["/dev/null:/dev/nothing:rw", {"source": "/dev/zero", "target": "/dev/nulls", "permissions": "r"}, "/dev/full"],
            "device_cgroup_rules": ["c 1:3 mr", "b *:* m"],
            "sysctls": {"kernel.msgmax": 65536, "net.ipv4.ip_default_ttl": "63"},
            "runtime": "io.containerd.runc.v2",
            "isolation": "default",
            "ipc": "private",
            "pid": "private",
            "uts": "host",
            "userns_mode": "host",
        }),
        config: json!({}),
        host: json!({
            "GroupAdd": ["10", "root"],
            "ReadonlyRootfs": true,
            "CapAdd": ["CAP_NET_ADMIN"],
            "CapDrop": ["CAP_CHOWN"],
            "SecurityOpt": ["no-new-privileges", seccomp, "label=disable"],
            "MaskedPaths": [],
            "ReadonlyPaths": [],
            "Devices": [
                {"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing", "CgroupPermissions": "rw"},
                {"PathOnHost": "/dev/zero", "PathInContainer": "/dev/nulls", "CgroupPermissions": "r"},
                {"PathOnHost": "/dev/full", "PathInContainer": "/dev/full", "CgroupPermissions": "rwm"},
            ],
            "DeviceCgroupRules": ["c 1:3 mr", "b *:* m"],
            "Sysctls": {"kernel.msgmax": "65536", "net.ipv4.ip_default_ttl": "63"},
            "Runtime": "io.containerd.runc.v2",
            "Isolation": "default",
            "IpcMode": "private",
            "PidMode": "",
            "UTSMode": "host",
            "UsernsMode": "host",
        }),
    }
}

fn limits() -> Asked {
    let disk = disk();
    let rate = |rate: Value| json!([{"path": disk, "rate": rate}]);
    let told = |rate: u64| json!([{"Path": disk, "Rate": rate}]);
    let (keys, host) = if has_cgroups_v1() {
        let keys = json!({"mem_swappiness": 10, "oom_kill_disable": true, "cgroup": "private"});
        (keys, json!({"MemorySwappiness": 10, "OomKillDisable": true, "CgroupnsMode": "private"}))
    } else {
        (json!({}), json!({}))
    };
    let more = json!({
        "ulimits": {"nofile": 1024, "core": {"soft": 0, "hard": -1}},
        "shm_size": "8m",
        "mem_limit": "64m",
        "mem_reservation": "32mb",
        "memswap_limit": 128 << 20,
        "cpu_shares": 512,
        "cpus": "0.25",
        "cpuset": "0",
        "pids_limit": 50,
        "oom_score_adj": 500,
        "blkio_config": {
            "device_read_bps": rate(json!("512mb")),
            "device_write_bps": rate(json!(1_000_000_000)),
            "device_read_iops": rate(json!(20_000)),
            "device_write_iops": rate(json!("30000")),
        },
    });
    let more_told = json!({
        "Ulimits": [{"Name": "core", "Soft": 0, "Hard": -1}, {"Name": "nofile", "Soft": 1024, "Hard": 1024}],
        "ShmSize": 8 << 20,
        "Memory": 64 << 20,
        "MemoryReservation": 32 << 20,
        "MemorySwap": 128 << 20,
        "CpuShares": 512,
        "NanoCpus": SECOND / 4,
        "CpusetCpus": "0",
        "PidsLimit": 50,
        "OomScoreAdj": 500,
        "BlkioDeviceReadBps": told(512 << 20),
        "BlkioDeviceWriteBps": told(1_000_000_000),
        "BlkioDeviceReadIOps": told(20_000),
        "BlkioDeviceWriteIOps": told(30_000),
    });
    Asked { keys: with(keys, more), config: json!({}), host: with(host, more_told) }
}

/// `[named, other]` are volumes, `[bound, shared]` folders of the host.
fn files([named, other]: [&str; 2], [bound, shared]: [&str; 2], keeper: &str) -> Asked {
    Asked {
        keys: json!({
            "tmpfs": ["/scratch:size=1m,mode=1770", "/tmp"],
            "volume_driver": "local",
            "volumes": [
                "/anonymous",
                format!("{named}:/named:nocopy"),
                {"type": "volume", "source": other, "target": "/other", "read_only": true, "volume": {"nocopy": true}},
                format!("{bound}:/bound:ro"),
                {"type": "bind", "source": shared, "target": "/shared", "bind": {"propagation": "rslave"}},
                {"type": "bind", "source": bound, "target": "/there", "bind": {"create_host_path": false}},
                {"type": "bind", "source": bound, "target": "/alone", "bind": {"recursive": "disabled"}},
                {"type": "tmpfs", "target": "/memory", "tmpfs": {"size": "2m", "mode": 0o1750}},
            ],
            "volumes_from": ["keeper:ro"],
        }),
        config: json!({"Volumes": {"/anonymous": {}}}),
        host: json!({
            "Tmpfs": {"/scratch": "size=1m,mode=1770", "/tmp": ""},
            "VolumeDriver": "local",
            "VolumesFrom": [format!("{keeper}:ro")],
            "Binds": [
                format!("{named}:/named:nocopy"),
                format!("{other}:/other:ro,nocopy"),
                format!("{bound}:/bound:ro"),
                format!("{shared}:/shared:rslave"),
            ],
            "Mounts": [
                {"Type": "bind", "Source": bound, "Target": "/there"},
                {"Type": "bind", "Source": bound, "Target": "/alone", "BindOptions": {"NonRecursive": true}},
                {"Type": "tmpfs", "Target": "/memory", "TmpfsOptions": {"SizeBytes": 2 << 20, "Mode": 0o1750}},
            ],
        }),
    }
}

/// What a component does with all that, beside what the engine tells of it.
const LOOK: &str = "cat /proc/sys/kernel/msgmax; ulimit -n
    df -k /memory /scratch /dev/shm | awk 'NR>1 {print $2}'
    stat -c %a /memory /scratch
    id -G
    test -c /dev/nothing && mkdir /tmp/x 2>&1
    hostname
    cat /proc/1/comm";

fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    name.trim_end().to_owned()
}

#[test]
fn the_engine_tells_back_every_setting_that_was_asked_for_and_no_other() {
    let (settings, folder, shared) =
        (settings(), tempfile::tempdir().expect("a folder"), Mounted::new("--make-shared"));
    let (named, other) = (Volume::new(&[]), Volume::new(&[]));
    let (bound, shared_path) = (folder.path().display().to_string(), shared.path());
    let pod = Pod::new();
    let files = files([&named.0, &other.0], [&bound, &shared_path], &pod.of("keeper"));
    let parts = [process(), rights(), limits(), files];
    let all = parts.iter().fold(json!({"image": BUSYBOX}), |all, part| with(all, part.keys.clone()));
    let pod = pod
        .options("--env INHERITED=of-the-controller")
        .mount(settings.path(), "/settings:ro")
        .component("all", all)
        .component("keeper", with(sh("echo of keeper; exec tail -f /dev/null"), json!({"volumes": ["/kept"]})))
        .component("plain", stays())
        .flags("-logs")
        .run();
    for name in ["all", "keeper", "plain"] {
        pod.tells(&format!("podlike: {name}: started"));
    }
    let [seen, plain, keeper] = ["all", "plain", "keeper"].map(|name| inspect(&pod.of(name)));

    let [config, host] = [|part: &Asked| part.config.clone(), |part: &Asked| part.host.clone()]
        .map(|of| parts.iter().fold(json!({}), |all, part| with(all, of(part))));
    let labels = with(plain["Config"]["Labels"].clone(), config["Labels"].clone());
    differs(&plain["Config"], &seen["Config"], &with(config, json!({"Labels": labels})));
    differs(&plain["HostConfig"], &seen["HostConfig"], &host);

    let anonymous = mounts(&seen)["/anonymous"][1].clone();
    let kept = mounts(&keeper)["/kept"][1].clone();
    let wanted = json!({
        "/anonymous": ["volume", anonymous, null, true, ""],
        "/named": ["volume", named.0, null, true, ""],
        "/other": ["volume", other.0, null, false, ""],
        "/kept": ["volume", kept, null, false, ""],
        "/bound": ["bind", null, bound, false, "rprivate"],
        "/shared": ["bind", null, shared_path, true, "rslave"],
        "/there": ["bind", null, bound, true, "rprivate"],
        "/alone": ["bind", null, bound, true, "rprivate"],
        "/memory": ["tmpfs", null, "", true, ""],
    });
    assert_eq!(Value::from(mounts(&seen)), wanted);

    let refused = "mkdir: can't create directory '/tmp/x': Operation not permitted";
    let name = host_name();
    let done = format!("65536\n1024\n2048\n1024\n8192\n1750\n1770\n1000 0 10\n{refused}\n{name}\ndocker-init");
    assert_eq!(exec(&pod.of("all"), LOOK), done);
    // The network, and so its settings, are the pod's.
    assert_eq!(exec(&pod.of("plain"), "cat /proc/sys/net/ipv4/ip_default_ttl"), "63");
    let ended = pod.says("[out] keeper: of keeper").stop();
    assert!(!ended.out().contains("of the terminal"), "{}", ended.out());
    let warnings: Vec<_> = ended.err().lines().filter(|line| line.contains("warning")).map(str::to_owned).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].ends_with("component 'all' sets net.ipv4.ip_default_ttl for the whole pod: they share the network")
    );
}

#[test]
fn settings_that_exclude_those_are_told_back_too() {
    let pod = Pod::new();
    let deploy =
        json!({"resources": {"limits": {"cpus": 0.5, "memory": "50M", "pids": 20}, "reservations": {"memory": "20M"}}});
    let cases = [
        (
            "far",
            json!({
                "pid": "host", "ipc": "host", "cgroup_parent": "/docker", "init": false, "healthcheck": {"disable": true},
                "cpu_period": "50ms", "cpu_quota": 25000, "mem_limit": "64m", "memswap_limit": -1, "oom_score_adj": 7,
            }),
            json!({
                "PidMode": "host", "IpcMode": "host", "CgroupParent": "/docker", "Init": false,
                "CpuPeriod": 50000, "CpuQuota": 25000, "Memory": 64 << 20, "MemorySwap": -1, "OomScoreAdj": 7,
                // What the engine adds where a namespace is the host's.
                "SecurityOpt": ["label=disable"],
            }),
        ),
        (
            "lends",
            json!({"pid": "private", "ipc": "shareable", "shm_size": 1 << 20, "deploy": deploy}),
            json!({
                "PidMode": "", "IpcMode": "shareable", "ShmSize": 1 << 20, "NanoCpus": SECOND / 2, "Memory": 50 << 20,
                "MemorySwap": 100 << 20, "MemoryReservation": 20 << 20, "PidsLimit": 20,
            }),
        ),
        (
            "near",
            json!({"pid": "service:lends", "ipc": "service:lends", "network_mode": "service:lends"}),
            json!({"PidMode": "container:LENDS", "IpcMode": "container:LENDS"}),
        ),
        ("none", json!({"ipc": "none", "shm_size": "1m"}), json!({"IpcMode": "none", "ShmSize": 1 << 20})),
    ];
    let pod = cases.iter().fold(pod, |pod, (name, keys, _)| pod.component(name, with(stays(), keys.clone())));
    // The donor of everybody that says nothing, and so the first in order.
    let pod = pod.component("donor", stays()).component("plain", stays()).run();
    for name in ["far", "lends", "near", "none", "plain"] {
        pod.tells(&format!("podlike: {name}: started"));
    }
    let (plain, lends) = (inspect(&pod.of("plain")), inspect(&pod.of("lends")));
    for (name, _, wanted) in &cases {
        let seen = inspect(&pod.of(name));
        let wanted = wanted.to_string().replace("LENDS", lends["Id"].as_str().expect("an id"));
        differs(&plain["HostConfig"], &seen["HostConfig"], &serde_json::from_str(&wanted).expect("JSON"));
        assert_eq!(seen["Config"].get("Healthcheck"), (*name == "far").then_some(&json!({"Test": ["NONE"]})), "{name}");
    }
    for kind in ["pid", "ipc", "net"] {
        assert_eq!(pod.namespace(Some("near"), kind), pod.namespace(Some("lends"), kind), "{kind}");
    }
    let ended = pod.stop();
    assert!(!ended.err().contains("warning"), "{}", ended.err());
}

/// An engine may leave out a setting with a warning, which is passed on.
#[test]
fn what_the_engine_discards_is_told() {
    let weight = json!({"blkio_config": {"weight": 300}});
    let pod = Pod::new().component("app", with(stays(), weight)).run();
    pod.tells("podlike: app: started");
    let seen = inspect(&pod.of("app"))["HostConfig"]["BlkioWeight"].clone();
    let ended = pod.stop();
    let warned = ended.err().contains("the engine warns: Your kernel does not support Block I/O weight");
    assert_eq!(warned, seen != 300, "{seen}: {}", ended.err());
}

/// | setting | who cannot | code | words |
/// |---|---|---|---|
/// | `annotations`, `healthcheck.start_interval`, `volume.subpath`, an image as a volume, `bind.recursive: readonly`, a device by its CDI name | an engine older than the setting | 2 | an engine with API 1.43 or newer is needed … |
/// | `gpus`, `deploy` with devices | an engine without a driver for them | 125 | could not select device driver |
/// | `runtime: nobody` | an engine without that runtime | 125 | Unknown runtime specified |
/// | `isolation: hyperv` | Linux | 125 | linux only supports 'default' |
/// | `storage_opt: {size: …}` | overlay2 on another file system than XFS with `pquota` | 125 | --storage-opt is supported only for overlay over xfs |
/// | `propagation: rslave` of a mount that is private | the kernel | 125 | not a shared or slave mount |
/// | `create_host_path: false` and no such path | the engine | 125 | bind source path does not exist |
/// | `cpu_rt_runtime` below a cgroup that has none | cgroup v1, whose parents must have it too | 125 | `cpu.rt_runtime_us` |
/// | `sysctls` that are the host's | the runtime | 125 | not in a separate kernel namespace |
/// | `devices` that are not there | the engine | 125 | no such file or directory |
/// | `platform` of another machine, and no pull | the engine's image is not for it | 125 | does not have the image |
///
/// `privileged` is in `component.rs`: a machine in a machine may not give all capabilities away.
#[test]
fn settings_that_cannot_be_are_refused_in_words() {
    const TOO_OLD: &str = "an engine with API 1.";
    let private = Mounted::new("--make-private");
    let volume = |volume: Value| json!({"volumes": [volume]});
    let gpu = json!({"resources": {"reservations": {"devices": [{"capabilities": ["gpu"]}]}}});
    let rslave = json!({"type": "bind", "source": private.path(), "target": "/x", "bind": {"propagation": "rslave"}});
    let missing =
        json!({"type": "bind", "source": "/no/such/path", "target": "/x", "bind": {"create_host_path": false}});
    let older = |minor| Some((1, minor)) > api();
    let mut cases = vec![
        (json!({"gpus": "all"}), 125, "could not select device driver"),
        (json!({"deploy": gpu}), 125, "could not select device driver"),
        (json!({"runtime": "nobody"}), 125, "nobody"),
        (json!({"isolation": "hyperv"}), 125, "linux only supports 'default'"),
        (volume(rslave), 125, "not a shared or slave mount"),
        (volume(missing), 125, "bind source path does not exist: /no/such/path"),
        (json!({"sysctls": {"vm.swappiness": 1}}), 125, "vm.swappiness"),
        (json!({"devices": ["/dev/no-such-device"]}), 125, "/dev/no-such-device"),
        (json!({"platform": "linux/s390x", "pull_policy": "never"}), 125, "for the platform linux/s390x"),
    ];
    for (minor, keys) in [
        (43, json!({"annotations": {"a": "b"}})),
        (44, json!({"healthcheck": {"test": "true", "start_interval": "1s"}})),
        (44, volume(json!({"type": "bind", "source": "/tmp", "target": "/x", "bind": {"recursive": "readonly"}}))),
        (44, json!({"devices": ["vendor.com/class=device"]})),
        (45, volume(json!({"type": "volume", "source": "x", "target": "/x", "volume": {"subpath": "a"}}))),
        (48, volume(json!({"type": "image", "source": BUSYBOX, "target": "/x"}))),
    ] {
        if older(minor) {
            cases.push((keys, 2, TOO_OLD));
        }
    }
    if docker(&["info", "--format", "{{.Driver}} {{.DriverStatus}}"]).starts_with("overlay2 [[Backing Filesystem ext") {
        cases.push((json!({"storage_opt": {"size": "1G"}}), 125, "supported only for overlay over xfs"));
    }
    if has_cgroups_v1() {
        cases.push((json!({"cpu_rt_period": "1s", "cpu_rt_runtime": "1ms"}), 125, "cpu.rt_runtime_us"));
    }
    let refused = |(keys, code, words): &(Value, i32, &str)| {
        let ended = Pod::new().component("app", with(stays(), keys.clone())).end();
        let told = ended.err();
        assert_eq!(ended.code, Some(*code), "{keys}: {told}");
        assert!(told.lines().any(|line| line.contains("error: ") && line.contains(words)), "{keys}: {told}");
        assert!(told.contains("component 'app'") || told.contains("label 'pod.component.app'"), "{keys}: {told}");
    };
    // An engine does several at a time.
    thread::scope(|threads| {
        for part in cases.chunks(cases.len().div_ceil(3)) {
            threads.spawn(|| part.iter().for_each(refused));
        }
    });
}

/// The newest version of the API that the engine has.
fn api() -> Option<(u32, u32)> {
    let version = docker(&["version", "--format", "{{.Server.APIVersion}}"]);
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
