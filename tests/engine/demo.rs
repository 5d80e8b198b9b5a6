//! The pod of the README: an application on 127.0.0.1 behind a caching reverse proxy.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process;

use crate::support::controller::Launch;
use crate::support::real_engine::{LONG, SOCKET, docker, image, try_docker, until};

/// Not removed by `--rm` if the test fails.
struct Name(String);

impl Drop for Name {
    fn drop(&mut self) {
        for container in containers(&self.0) {
            try_docker(&["rm", "--force", "--volumes", &container]);
        }
    }
}

fn containers(name: &str) -> Vec<String> {
    let filter = format!("name=^/{name}(\\.podlike\\..+)?$");
    let format = "{{.Names}}";
    let names = docker(&["ps", "--all", "--filter", &filter, "--format", format]);
    names.lines().map(str::to_owned).collect()
}

fn page(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.write_all(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn the_pod_of_the_readme_serves_its_page_and_ends_without_a_trace() {
    let name = Name(format!("web-{}", process::id()));
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sidecar/nginx.conf");
    let mut words = vec!["run", "--rm", "--name", &name.0, "--publish", "127.0.0.1::80"];
    let socket = format!("{SOCKET}:{SOCKET}:ro");
    let mount = format!("{}:/var/conf/nginx.conf:ro", configuration.display());
    words.extend(["-v", &socket, "-v", &mount]);
    let labels = [
        "podlike-test=demo",
        "pod.component.app={image: demo/app, environment: [HTTP_HOST=127.0.0.1, HTTP_PORT=12000]}",
        "pod.component.proxy=image: demo/nginx",
        "pod.copy.proxy=/var/conf/nginx.conf:/etc/nginx/conf.d/default.conf",
    ];
    words.extend(labels.iter().flat_map(|label| ["--label", label]));
    let image = image();
    words.extend([image.as_str(), "-logs"]);
    let path = std::env::var("PATH").expect("a path");
    let run = Launch::new("docker", &format!("unix://{SOCKET}"), "").env("PATH", &path).args(&words).start();

    run.until_stderr_contains("podlike: proxy: started", LONG);
    run.until_stdout_contains("[out] app: listening on 127.0.0.1:12000", LONG);
    let address = docker(&["port", &name.0, "80"]);
    let mut answer = String::new();
    until("the page is there", || {
        answer = page(&address).unwrap_or_default();
        answer.starts_with("HTTP/1.1 200")
    });
    assert!(answer.contains("X-Cache-Status: MISS"), "{answer}");
    assert!(answer.contains("listening on 127.0.0.1:12000"), "{answer}");
    let answer = page(&address).expect("a page");
    assert!(answer.contains("X-Cache-Status: HIT"), "{answer}");
    assert_eq!(containers(&name.0).len(), 3);

    docker(&["kill", "--signal", "TERM", &name.0]);
    let ended = run.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.err());
    for (line, output) in [("[err] app: ", ended.err()), ("[out] proxy: ", ended.out())] {
        assert!(output.contains(line), "no '{line}' in {output}");
    }
    assert_eq!(containers(&name.0), Vec::<String>::new());
}
