//! `podlike template` as people call it: arguments, stdin, streams, exit codes.

#![cfg(feature = "template")]
#![allow(clippy::panic, reason = "a test fails by a panic")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const STACK: &str = "services:
  app:
    image: demo/app
    x-podlike:
      templates: side.yml
";

/// A folder with a stack and its template.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("stack.yml"), STACK).expect("a file");
    fs::write(folder.path().join("side.yml"), "side: {image: '{{ .Service.Name }}/side', ports: [80]}")
        .expect("a file");
    folder
}

fn template(folder: &Path, args: &[&str], stdin: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_podlike"))
        .arg("template")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("podlike");
    // It may end before it has read it.
    _ = process.stdin.take().expect("its stdin").write_all(stdin.as_bytes());
    process.wait_with_output().expect("its end")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn a_stack_goes_to_stdout_and_warnings_to_stderr() {
    let folder = folder();
    for (args, stdin, name) in
        [(&["stack.yml"][..], "", "stack.yml"), (&["-"], STACK, "stdin"), (&["-offline", "-"], STACK, "stdin")]
    {
        let output = template(folder.path(), args, stdin);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{err}");
        assert!(out.contains("      pod.component.side: |\n        image: app/side\n"), "{out}");
        let warning = "'ports' is left out";
        assert!(
            err.contains(warning) && err.contains(&format!("{name}:5:18: service 'app': templates side.yml")),
            "{err}"
        );
        assert!(!out.contains(warning), "{out}");
    }
}

#[test]
fn a_stack_may_come_from_a_pipe() {
    let folder = folder();
    for (path, stdin) in [("/dev/stdin", STACK), ("/dev/fd/0", STACK), ("/proc/self/fd/0", STACK)] {
        let output = template(folder.path(), &[path], stdin);
        let err = text(&output.stderr);
        // The template is sought in the working directory.
        assert_eq!(output.status.code(), Some(0), "{path}: {err}");
        assert!(text(&output.stdout).contains("pod.component.side"), "{path}");
        let name = if path == "/dev/stdin" { "stdin" } else { "pipe 0" };
        assert!(err.contains(&format!(" {name}:5:18: ")), "{err}");
    }
}

#[test]
fn a_file_below_dev_is_a_file() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let stack = folder.path().join("stack.yml");
    fs::write(&stack, STACK).expect("a file");
    fs::write(folder.path().join("side.yml"), "side: {image: demo/side}").expect("a file");
    let output = template(Path::new("/"), &[&stack.to_string_lossy()], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("image: demo/side"));
}

#[test]
fn a_stack_may_go_into_a_file() {
    let folder = folder();
    let output = template(folder.path(), &["-o", "out.yml", "stack.yml"], "");
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""));
    let printed = template(folder.path(), &["stack.yml"], "");
    assert_eq!(fs::read(folder.path().join("out.yml")).expect("a file"), printed.stdout);
    let mode = |name: &str| fs::metadata(folder.path().join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode("out.yml"), 0o600, "what an env_file holds may be in it");
    fs::set_permissions(folder.path().join("out.yml"), fs::Permissions::from_mode(0o644)).expect("a mode");
    template(folder.path(), &["-o", "out.yml", "stack.yml"], "");
    assert_eq!(mode("out.yml"), 0o644, "a file that is there keeps its mode");
    let output = template(folder.path(), &["-o", "no/folder/out.yml", "stack.yml"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot write no/folder/out.yml"), "{}", text(&output.stderr));
}

#[test]
fn the_image_of_controllers_can_be_chosen() {
    let folder = folder();
    let goes = "podlike: warning: controllers have the image rycus86/podlike:latest, the Go program's: name yours with \
                -image, or in a pod template\n";
    for (args, image, warning) in [
        (&["stack.yml"][..], "rycus86/podlike:latest", goes),
        (&["-image", "demo/podlike:2", "stack.yml"], "demo/podlike:2", ""),
        (&["stack.yml", "--image=demo/podlike"], "demo/podlike", ""),
        (&["--image=", "stack.yml"], "rycus86/podlike:latest", goes),
        (&["--image=rycus86/podlike:latest", "stack.yml"], "rycus86/podlike:latest", ""),
    ] {
        let output = template(folder.path(), args, "");
        let out = text(&output.stdout);
        assert!(out.contains(&format!("\n    image: {image}\n")), "{out}");
        let told = text(&output.stderr);
        assert!(told.ends_with(warning) && told.contains("the Go program") != warning.is_empty(), "{args:?}: {told}");
    }
}

#[test]
fn an_error_is_one_line_and_nothing_on_stdout() {
    let folder = folder();
    fs::write(folder.path().join("side.yml"), "side:\n  image: {{ .Service.Imag }}").expect("a file");
    for (args, message) in [
        (
            &["stack.yml"][..],
            "stack.yml:5:18: service 'app': templates side.yml: template: side.yml:2:20: executing \"side.yml\" at <.Service.Imag>: can't evaluate field Imag in type *types.ServiceConfig",
        ),
        (&["none.yml"], "none.yml: No such file or directory"),
        (&["-nope", "stack.yml"], "-nope"),
    ] {
        let output = template(folder.path(), args, "");
        let err = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(message) && err.trim_end().lines().count() == 1, "{err}");
    }
}

#[test]
fn an_error_names_an_address_without_its_login() {
    let folder = folder();
    for (address, named) in [
        ("http://me:hunter2@host:0x/t.yml?hunter2", "templates http://host:0x/t.yml?…: "),
        ("http://me:hun/hunter2@host/t.yml#hunter2", "templates http://host/t.yml?…: "),
        ("http://me:hunter2@host/t@1/t.yml", "templates http://host/t@1/t.yml: "),
    ] {
        let stack = STACK.replace("side.yml", &format!("{{http: '{address}'}}"));
        let output = template(folder.path(), &["-offline", "-"], &stack);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(named) && !err.contains("hunter2"), "{err}");
    }
}

#[test]
fn without_files_it_says_how_it_is_used() {
    for args in [&[][..], &["--help"], &["-h"]] {
        let output = template(Path::new("/"), args, "");
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).starts_with("Usage: podlike template"), "{}", text(&output.stdout));
    }
}
