//! `examples/podtemplate.sh` with a `docker` and a `podlike` that only note what they are asked, a sentence each.

#![allow(clippy::panic, reason = "a test fails by a panic")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Notes its words, the variable `COLOUR` and its stdin, prints a stack, and ends as it is told to.
const FAKE: &str = r#"#!/bin/sh
me=$(basename "$0")
[ "$1" != stack ] || me=deploy
printf '%s\n' "$@" >"$NOTES/$me"
cat >"$NOTES/$me.stdin"
env >"$NOTES/$me.env"
[ "$me" = deploy ] || printf '%s' "${PRINTS-services: {\}}"
exit "$(cat "$NOTES/$me.code" 2>/dev/null || echo 0)"
"#;

/// A folder with a blank in its name, and the fake commands.
struct Place {
    root: TempDir,
    env: Vec<(String, String)>,
}

impl Place {
    fn with(commands: &[&str]) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        for folder in ["bin", "notes", "our work/sub", "else where"] {
            fs::create_dir_all(root.path().join(folder)).expect("a folder");
        }
        for command in commands {
            let path = root.path().join("bin").join(command);
            fs::write(&path, FAKE).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        }
        Self { root, env: Vec::new() }
    }

    /// With an image only.
    fn without_podlike() -> Self {
        Self::with(&["docker"])
    }

    fn with_podlike() -> Self {
        Self::with(&["docker", "podlike"])
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This command ends with this exit code: `docker`, `podlike`, or `deploy` for `docker stack deploy`.
    fn failing(self, command: &str, code: i32) -> Self {
        fs::write(self.note(&format!("{command}.code")), code.to_string()).expect("a file");
        self
    }

    fn note(&self, name: &str) -> PathBuf {
        self.root.path().join("notes").join(name)
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("our work")
    }

    fn file(&self, path: &str) -> PathBuf {
        let path = self.root.path().join(path);
        fs::write(&path, "services: {}").expect("a file");
        path
    }

    fn run_with(&self, stdin: &str, words: &[&str]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.root.path().join("bin").display());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/podtemplate.sh");
        let mut child = Command::new("sh")
            .arg(script)
            .args(words)
            .current_dir(self.home())
            .env_clear()
            .env("PATH", path)
            .env("HOME", "/home/me")
            .env("NOTES", self.root.path().join("notes"))
            .envs(self.env.clone())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
        child.wait_with_output().expect("an end")
    }

    fn run(&self, words: &[&str]) -> Output {
        self.run_with("", words)
    }

    /// What a command was asked; nothing if nobody did.
    fn asked(&self, command: &str) -> Vec<String> {
        fs::read_to_string(self.note(command)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn stdin_of(&self, command: &str) -> String {
        fs::read_to_string(self.note(&format!("{command}.stdin"))).expect("it was asked")
    }

    /// The values of an option of `docker run`.
    fn values(&self, option: &str) -> Vec<String> {
        self.asked("docker").windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].clone()).collect()
    }

    /// The words behind those of `docker run`.
    fn words_in(&self, image: &str) -> Vec<String> {
        let words = self.asked("docker");
        let image = words.iter().position(|word| word == image).unwrap_or_else(|| panic!("no {image} in {words:?}"));
        words[image + 1..].to_vec()
    }
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn fails(output: &Output, code: i32, part: &str) {
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{err}");
    assert!(err.contains(part), "no '{part}' in {err}");
}

const IMAGE: &str = "rycus86/podlike:latest";

// Templates.

#[test]
fn the_podlike_of_this_machine_comes_first() {
    let place = Place::with_podlike();
    for words in [&["template", "-offline", "a b.yml", "-", "*"][..], &["-offline", "a b.yml", "-", "*"]] {
        assert_eq!(succeeds(&place.run_with("from stdin", words)), "services: {}");
        assert_eq!(place.asked("podlike"), ["template", "-offline", "a b.yml", "-", "*"]);
        assert_eq!(place.stdin_of("podlike"), "from stdin");
    }
    assert!(place.asked("docker").is_empty());
}

#[test]
fn else_a_container_of_the_image_is_run() {
    for (place, image) in [
        (Place::without_podlike(), IMAGE),
        (Place::without_podlike().env("PODLIKE_VERSION", "1.0"), "rycus86/podlike:1.0"),
        (Place::with_podlike().env("PODLIKE_VERSION", "1.0"), "rycus86/podlike:1.0"),
        (Place::with_podlike().env("PODLIKE_IMAGE", "mine:1"), "mine:1"),
        (Place::with_podlike().env("PODLIKE_IMAGE", "mine:1").env("PODLIKE_VERSION", "2"), "mine:1"),
    ] {
        assert_eq!(succeeds(&place.run(&["template", "--offline", "a b.yml"])), "services: {}");
        assert!(place.asked("podlike").is_empty());
        assert_eq!(place.words_in(image), ["template", "--offline", "a b.yml"]);
    }
}

#[test]
fn a_container_has_our_folder_and_our_user_and_no_more() {
    let place = Place::without_podlike();
    succeeds(&place.run(&["a.yml"]));
    let here = place.home().display().to_string();
    let us = fs::metadata(place.note("docker")).expect("noted");
    let mount = |path: &str| format!("type=bind,\"source={path}\",\"target={path}\",readonly");
    assert!(place.values("--mount").contains(&mount(&here)));
    assert_eq!(place.values("--workdir"), [here]);
    assert_eq!(place.values("--user"), [format!("{}:{}", us.uid(), us.gid())]);
    assert_eq!(place.values("--cap-drop"), ["ALL"]);
    let asked = place.asked("docker");
    assert_eq!(asked[..2], ["run", "--rm"]);
    for word in ["--read-only", "--no-healthcheck"] {
        assert!(asked.iter().any(|asked| asked == word), "{word}");
    }
    for word in ["--interactive", "--tty", "-t", "-it"] {
        assert!(!asked.iter().any(|asked| asked == word), "{word}");
    }
}

#[test]
fn a_container_sees_the_folders_of_files_elsewhere() {
    let place = Place::without_podlike();
    let (inside, outside) = (place.file("our work/sub/in.yml"), place.file("else where/out.yml"));
    let odd = place.root.path().join("a,\"b\":c");
    fs::create_dir(&odd).expect("a folder");
    let real = place.root.path().join("sub");
    fs::create_dir(&real).expect("a folder");
    place.file("sub/real.yml");
    symlink("../sub/real.yml", place.home().join("link.yml")).expect("a link");
    let odd_file = odd.join("x.yml").display().to_string();
    let words = ["sub/in.yml", "../else where/out.yml", &odd_file, "link.yml", "../nothing/x.yml"];
    succeeds(&place.run(&words));
    assert_eq!(place.words_in(IMAGE)[1..], words);
    let mounts = place.values("--mount");
    let folder = |path: &Path| path.parent().expect("a folder").display().to_string();
    for path in
        [folder(&inside), folder(&outside), real.display().to_string(), odd.display().to_string().replace('"', "\"\"")]
    {
        assert!(
            mounts.contains(&format!("type=bind,\"source={path}\",\"target={path}\",readonly")),
            "{path} {mounts:?}"
        );
    }
    let mut once = mounts.clone();
    once.dedup();
    assert_eq!(once, mounts);
    assert!(mounts.iter().all(|mount| !mount.contains("nothing")));
}

#[test]
fn a_container_has_no_folders_with_a_line_break() {
    let place = Place::without_podlike();
    fails(&place.run(&["a.yml", "../two\n/etc/x.yml"]), 2, "a line break");
    fails(&place.run(&["deploy", "-c", "../two\n/etc/x.yml", "shop"]), 2, "a line break");
    assert!(place.asked("docker").is_empty() && place.asked("deploy").is_empty());
}

#[test]
fn a_container_gets_stdin_where_it_is_asked_for() {
    let place = Place::without_podlike();
    succeeds(&place.run_with("from stdin", &["template", "a.yml", "-"]));
    assert!(place.asked("docker").iter().any(|word| word == "--interactive"));
    assert_eq!(place.stdin_of("docker"), "from stdin");
    succeeds(&place.run_with("from stdin", &["template", "a.yml"]));
    assert_eq!(place.stdin_of("docker"), "");
}

#[test]
fn a_container_gets_the_variables_by_name_and_as_they_are() {
    let mut place =
        Place::without_podlike().env("TOKEN", "one\nEVIL=two three").env("HTTPS_PROXY", "http://me:pw@proxy");
    // Names that a careless script would have for itself.
    let own = [
        "path", "image", "files", "stack", "word", "name", "value", "output", "options", "stdin", "rest", "left", "old",
    ];
    for name in own {
        place = place.env(name, "the user's");
    }
    succeeds(&place.run(&["deploy", "-c", "a.yml,b.yml", "--quiet", "shop"]));
    let names = place.values("--env");
    for name in ["TOKEN", "HTTPS_PROXY", "HOME"].iter().chain(&own) {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    for name in ["PATH", "PWD", "OLDPWD", "SHLVL", "_", "EVIL"] {
        assert!(!names.iter().any(|known| known == name), "{name}");
    }
    let words = place.asked("docker").join(" ");
    assert!(!words.contains("two three") && !words.contains("pw@") && !words.contains("the user's"), "{words}");
    for command in ["docker", "deploy"] {
        let env = fs::read_to_string(place.note(&format!("{command}.env"))).expect("it was asked");
        for name in own {
            assert!(env.lines().any(|line| line == format!("{name}=the user's")), "{command}: {name}\n{env}");
        }
    }
}

#[test]
fn a_container_has_the_certificates_that_the_environment_names() {
    let place = Place::without_podlike();
    let (file, folder) = (place.file("else where/ca.pem"), place.root.path().join("else where"));
    let folders = format!("/nothing:{}", folder.display());
    let place = place.env("SSL_CERT_FILE", &file.display().to_string()).env("SSL_CERT_DIR", &folders);
    succeeds(&place.run(&["a.yml"]));
    let mounts = place.values("--mount").join(" ");
    for path in [file, folder] {
        assert!(mounts.contains(&format!("\"source={}\"", path.display())), "{mounts}");
    }
    assert!(!mounts.contains("/nothing"));
    assert!(place.values("--env").iter().any(|name| name == "SSL_CERT_FILE"));
}

#[test]
fn the_stack_goes_into_a_file_if_it_is_asked_for() {
    for place in [Place::without_podlike(), Place::with_podlike()] {
        for words in [["a.yml", "-o", "o ut.yml"], ["--output", "o ut.yml", "a.yml"]] {
            assert_eq!(succeeds(&place.run(&words)), "");
            let path = place.home().join("o ut.yml");
            assert_eq!(fs::read_to_string(&path).expect("a file"), "services: {}\n");
            fs::remove_file(&path).expect("there");
        }
        let place = place.failing("docker", 2).failing("podlike", 2);
        fails(&place.run(&["a.yml", "--output=out.yml"]), 2, "");
        assert!(!place.home().join("out.yml").exists());
    }
}

#[test]
fn the_exit_code_is_that_of_the_template() {
    for code in [2, 125] {
        fails(&Place::without_podlike().failing("docker", code).run(&["template", "a.yml"]), code, "");
        fails(&Place::with_podlike().failing("podlike", code).run(&["template", "a.yml"]), code, "");
    }
}

// Deploys.

#[test]
fn a_stack_is_deployed_with_the_options_of_docker() {
    let place = Place::with_podlike().env("PRINTS", "services:\n  a: {image: 'x\\n'}\n");
    let files =
        ["-c", "a b.yml", "--compose-file", "c.yml", "-cd.yml", "-c=e.yml", "--compose-file=f.yml,g.yml", "-c", "-"];
    let rest = ["-d", "--detach=false", "--prune", "-q", "--resolve-image", "never", "--with-registry-auth", "my shop"];
    let words: Vec<&str> = ["deploy"].iter().chain(&files[..4]).chain(&rest).chain(&files[4..]).copied().collect();
    succeeds(&place.run_with("from stdin", &words));
    let read = ["template", "a b.yml", "c.yml", "d.yml", "e.yml", "f.yml", "g.yml", "-"];
    assert_eq!(place.asked("podlike"), read);
    assert_eq!(place.stdin_of("podlike"), "from stdin");
    let expected: Vec<&str> = ["stack", "deploy", "--compose-file", "-"].iter().chain(&rest).copied().collect();
    assert_eq!(place.asked("deploy"), expected);
    assert_eq!(place.stdin_of("deploy"), "services:\n  a: {image: 'x\\n'}\n");
}

#[test]
fn a_comma_is_part_of_a_name_where_there_is_such_a_file() {
    let place = Place::with_podlike();
    place.file("our work/it's,two.yml");
    succeeds(&place.run(&["deploy", "-c", "it's,two.yml", "-c", "it's.yml,o.yml", "--offline", "shop"]));
    assert_eq!(place.asked("podlike"), ["template", "--offline", "it's,two.yml", "it's.yml", "o.yml"]);
    assert_eq!(place.asked("deploy"), ["stack", "deploy", "--compose-file", "-", "shop"]);
}

#[test]
fn nothing_is_deployed_where_the_template_fails_or_is_silent() {
    for place in [Place::without_podlike().failing("docker", 2), Place::with_podlike().failing("podlike", 2)] {
        fails(&place.run(&["deploy", "-c", "a.yml", "shop"]), 2, "");
        assert!(place.asked("deploy").is_empty());
    }
    let silent = Place::with_podlike().env("PRINTS", "");
    fails(&silent.run(&["deploy", "-c", "a.yml", "shop"]), 2, "nothing is deployed");
    assert!(silent.asked("deploy").is_empty());
}

#[test]
fn the_exit_code_is_that_of_the_deploy() {
    for place in [Place::without_podlike(), Place::with_podlike()] {
        fails(&place.failing("deploy", 7).run(&["deploy", "-c", "a.yml", "shop"]), 7, "");
    }
}

#[test]
fn options_of_the_past_are_left_out_or_refused() {
    let place = Place::with_podlike();
    for words in [
        &["deploy", "--orchestrator", "swarm", "-c", "a", "shop"][..],
        &["deploy", "--orchestrator=swarm", "-c", "a", "shop"],
    ] {
        let output = place.run(words);
        succeeds(&output);
        assert!(String::from_utf8_lossy(&output.stderr).contains("--orchestrator is left out"));
        assert_eq!(place.asked("deploy"), ["stack", "deploy", "--compose-file", "-", "shop"]);
        fs::remove_file(place.note("deploy")).expect("noted");
    }
    for (option, value) in
        [("--orchestrator", "all"), ("--kubeconfig", "x"), ("--namespace", "x"), ("--bundle-file", "x")]
    {
        fails(&place.run(&["deploy", option, value, "-c", "a", "shop"]), 2, option);
        fails(&place.run(&["deploy", &format!("{option}={value}"), "-c", "a", "shop"]), 2, option);
    }
    assert!(place.asked("deploy").is_empty());
}

#[test]
fn the_image_of_controllers_can_be_chosen() {
    let place = Place::with_podlike();
    for image in [&["--image", "mine/podlike:1"][..], &["-image=mine/podlike:1"]] {
        let rest = ["-c", "a.yml", "shop"];
        succeeds(&place.run(&["deploy"].iter().chain(image).chain(&rest).copied().collect::<Vec<_>>()));
        let read: Vec<&str> = ["template"].iter().chain(image).chain(&["a.yml"]).copied().collect();
        assert_eq!(place.asked("podlike"), read);
        assert_eq!(place.asked("deploy"), ["stack", "deploy", "--compose-file", "-", "shop"]);
        succeeds(&place.run(&[image, &["a.yml"]].concat()));
        assert_eq!(place.asked("podlike"), read);
        fails(&place.run(image), 2, "no file is named");
    }
}

// Usage.

#[test]
fn what_is_missing_is_said() {
    let place = Place::with_podlike();
    fails(&place.run(&[]), 2, "Usage:");
    for (words, part) in [
        (&["template"][..], "no file is named"),
        (&["--offline"], "no file is named"),
        (&["template", "a", "-o"], "-o needs a file"),
        (&["deploy", "shop"], "no file is named with -c"),
        (&["deploy", "shop", "-c"], "-c needs a value"),
    ] {
        fails(&place.run(words), 2, part);
    }
    assert!(place.asked("podlike").is_empty() && place.asked("deploy").is_empty());
    // The commands of this machine but for docker, which it may have.
    let nothing = Place::with(&[]);
    for command in ["sh", "awk", "basename", "cat", "dirname", "id", "sed", "sort", "tr"] {
        let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(command));
        let found = found.iter().find(|path| path.exists()).expect("a usual command");
        symlink(found, nothing.root.path().join("bin").join(command)).expect("a link");
    }
    let bin = nothing.root.path().join("bin").display().to_string();
    let nothing = nothing.env("PATH", &bin);
    fails(&nothing.run(&["template", "a.yml"]), 2, "there is no docker command");
    fails(&nothing.run(&["deploy", "-c", "a.yml", "shop"]), 2, "there is no docker command");
    assert!(succeeds(&nothing.run(&["--help"])).starts_with("Usage:"));
}

#[test]
fn help_is_given_everywhere() {
    for words in [&["help"][..], &["-h"], &["--help"], &["template", "-h"], &["deploy", "--help"], &["a.yml", "-help"]]
    {
        let out = succeeds(&Place::with_podlike().run(words));
        assert!(out.starts_with("Usage: podtemplate template") && out.contains("--with-registry-auth"), "{out}");
    }
}
