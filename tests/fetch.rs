//! Templates from addresses: the room's own fetching against servers and proxies of the test, a sentence each.

#![cfg(all(feature = "template", feature = "tls"))]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use podlike::template::Fetch;
use support::tls::{Authority, Front};
use support::web::{Identity, Web, Wish, header, ok, status, to};
use tempfile::TempDir;

/// More than enough on this machine alone.
const SOON: Duration = Duration::from_secs(10);
/// For those that never answer.
const BRIEF: Duration = Duration::from_millis(300);

/// In each login and each answer that no message may have.
const SECRET: &str = "hunter2";

fn with(pairs: &[(&str, &str)]) -> Fetch {
    let env: BTreeMap<_, _> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Fetch::new(&env, false).with_timeout(SOON)
}

fn plain() -> Fetch {
    with(&[])
}

#[track_caller]
fn gets(fetch: &Fetch, url: &str, text: &str) {
    assert_eq!(fetch.get(url, false).expect("a text"), text);
}

/// It fails in these words, which name no secret.
#[track_caller]
fn fails(fetch: &Fetch, url: &str, parts: &[&str]) -> String {
    let error = fetch.get(url, false).expect_err("no text").to_string();
    for part in parts {
        assert!(error.contains(part), "no '{part}' in: {error}");
    }
    assert!(error.starts_with("cannot fetch ") && !error.contains(SECRET), "{error}");
    error
}

/// The host is asked for, not ours: only a proxy knows it.
fn far(web: &Web, path: &str) -> String {
    web.localhost(path).replace("localhost", "podlike.test")
}

fn file(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    fs::write(&path, text).expect("a file");
    (folder, path.display().to_string())
}

// Answers.

#[test]
fn a_text_comes_as_it_is() {
    let web = Web::http(|_| ok("a: {{ .Service }} ü\n"));
    gets(&plain(), &web.url("/t.yml"), "a: {{ .Service }} ü\n");
    gets(&plain(), &web.url("/t.yml").replace("http", "HTTP"), "a: {{ .Service }} ü\n");
    let seen = web.seen();
    assert!(seen[0].starts_with("GET /t.yml HTTP/1.1\r\n"), "{}", seen[0]);
    assert_eq!(header(&seen[0], "host"), Some(web.address().to_string().as_str()));
    assert_eq!(header(&seen[0], "authorization"), None);
}

#[test]
fn what_a_request_cannot_hold_is_encoded_and_a_fragment_is_kept() {
    let web = Web::http(|_| ok(""));
    gets(&plain(), &web.url("/ä b/%41?q=a b&c=%20#part"), "");
    gets(&plain(), &web.url("?q"), "");
    let lines: Vec<_> = web.seen().iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect();
    assert_eq!(lines, ["GET /%C3%A4%20b/%41?q=a%20b&c=%20 HTTP/1.1", "GET /?q HTTP/1.1"]);
}

#[test]
fn only_status_200_counts() {
    for code in [201, 204, 206, 304, 400, 401, 404, 500, 503] {
        let web = Web::http(move |_| status(code, "", if matches!(code, 204 | 304) { "" } else { SECRET }));
        fails(&plain(), &web.url("/t@1"), &[&web.url("/t@1: "), &format!("status {code}, expected 200")]);
    }
}

#[test]
fn a_length_chunks_or_the_end_of_the_connection_end_a_text() {
    let chunked =
        Web::http(|_| b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n".into());
    gets(&plain(), &chunked.url("/"), "abc");
    let closed = Web::http(|_| b"HTTP/1.0 200 OK\r\n\r\nabc".into());
    gets(&plain(), &closed.url("/"), "abc");
}

#[test]
fn half_of_a_text_is_none() {
    let short = Web::http(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhunter2".into());
    fails(&plain(), &short.url("/"), &["the connection ended before the answer did"]);
    let chunked = Web::http(|_| b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhunter2".into());
    fails(&plain(), &chunked.url("/"), &["the connection ended before the answer did"]);
}

#[test]
fn a_text_is_utf8_and_an_answer_is_http() {
    let latin = Web::http(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xe9".into());
    fails(&plain(), &latin.url("/"), &["no text in UTF-8"]);
    let other = Web::http(|_| b"220 hunter2 ESMTP\r\n\r\n".into());
    fails(&plain(), &other.url("/"), &["no HTTP"]);
    let chunk = Web::http(|_| b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhunter2\r\n".into());
    fails(&plain(), &chunk.url("/"), &["the length of a chunk is not a number"]);
    let nothing = Web::http(|_| Vec::new());
    fails(&plain(), &nothing.url("/"), &["the connection ended before the answer did"]);
}

#[test]
fn a_long_text_is_refused_whether_it_says_its_length_or_not() {
    let exact = Web::http(|_| ok(&"x".repeat(4 << 20)));
    assert_eq!(plain().get(&exact.url("/"), false).expect("a text").len(), 4 << 20);
    let long = Web::http(|_| ok(&"x".repeat((4 << 20) + 1)));
    fails(&plain(), &long.url("/"), &["the answer is longer than 4 MiB"]);
    let endless = Web::streaming(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(b"8\r\n01234567\r\n").is_ok() {}
    });
    fails(&plain().with_longest(1000), &endless.url("/"), &["the answer is longer than 1000 bytes"]);
}

// Time.

#[test]
fn a_server_that_says_nothing_is_left() {
    // It reads until the other side hangs up.
    let silent = Web::streaming(|_, stream| drop(stream.read(&mut [0])));
    let start = Instant::now();
    fails(&plain().with_timeout(BRIEF), &silent.url("/"), &["no complete answer in 300ms"]);
    assert!(start.elapsed() < SOON);
}

#[test]
fn a_server_that_drips_is_left_too() {
    let dripping = Web::streaming(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(BRIEF / 10);
        }
    });
    let start = Instant::now();
    fails(&plain().with_timeout(BRIEF), &dripping.url("/"), &["no complete answer in 300ms"]);
    assert!(start.elapsed() < SOON);
}

#[test]
fn the_time_is_for_all_redirects_together() {
    let slow = Web::http(|head| {
        thread::sleep(BRIEF / 5);
        to(&format!("/{}", head.len()))
    });
    fails(&plain().with_timeout(BRIEF), &slow.url("/"), &["no complete answer in 300ms"]);
    assert!(slow.seen().len() < 8, "{:?}", slow.seen());
}

#[test]
fn the_time_is_for_a_tunnel_and_what_is_in_it_together() {
    let (timeout, pause) = (BRIEF * 5, BRIEF * 4);
    let proxy = Web::streaming(move |_, stream| {
        thread::sleep(pause);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.read(&mut [0]).is_ok_and(|read| read > 0) {}
    });
    let start = Instant::now();
    let fetch = with(&[("HTTPS_PROXY", &proxy.url(""))]).with_timeout(timeout);
    fails(&fetch, "https://podlike.test/", &["no complete answer in 1.5s"]);
    assert!(start.elapsed() < timeout + pause, "{:?}", start.elapsed());
}

// Connections.

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    fails(&plain(), &format!("http://me:{SECRET}@{free}/t"), &[&format!("http://{free}/t: connection refused")]);
    fails(&plain().with_timeout(BRIEF), "http://nothing.invalid/t?token=hunter2", &["http://nothing.invalid/t?…: "]);
}

#[test]
fn what_is_no_address_is_said_without_its_login() {
    for (url, part) in [
        ("ftp://me:hunter2@host/x", "expected http:// or https://"),
        ("host/x", "expected http:// or https://"),
        ("http://", "no host"),
        ("http://me:hunter2@/x", "no host"),
        ("http://bücher.test/", "xn--"),
        ("http://ho st/", "no host"),
        ("http://[::1/", "no host"),
        ("http://host:123456/", "port"),
        ("http://me:hun/hunter2@host/", "port"),
        ("http://host:80a/", "port"),
    ] {
        fails(&plain(), url, &["it is no address: ", part]);
    }
}

#[test]
fn offline_nothing_is_asked() {
    let web = Web::http(|_| ok("x"));
    let offline = Fetch::new(&BTreeMap::new(), true);
    fails(&offline, &web.url("/t"), &[&web.url("/t: -offline forbids it")]);
    assert!(web.seen().is_empty());
}

// Redirects.

#[test]
fn redirects_are_followed_in_every_notation() {
    for location in
        ["/b/there", "there", "../b/there", "./x/../there", "there?q=1", "//HOST/b/there", "http://HOST/b/there#x"]
    {
        for code in [301, 302, 303, 307, 308] {
            let web = Web::http(move |head| {
                let host = header(head, "host").unwrap_or_default();
                let location = location.replace("HOST", host);
                if head.contains("GET /b/there") {
                    ok("found")
                } else {
                    status(code, &format!("Location: {location}\r\n"), "")
                }
            });
            gets(&plain(), &web.url("/b/here?old=1"), "found");
        }
    }
}

#[test]
fn ten_redirects_are_enough() {
    let counting = |most: usize| {
        move |head: &str| match head.len() - head.find(" HTTP").unwrap_or_default() {
            _ if head.starts_with(&format!("GET /{} ", "x".repeat(most))) => ok("end"),
            _ => to(&format!("{}x", head.split(' ').nth(1).unwrap_or_default())),
        }
    };
    gets(&plain(), &Web::http(counting(10)).url("/"), "end");
    let web = Web::http(counting(11));
    fails(&plain(), &web.url("/"), &["more than 10 redirects"]);
    assert_eq!(web.seen().len(), 11);
}

#[test]
fn redirects_lead_somewhere() {
    for (location, part) in [
        ("", "it names no address"),
        ("Location: ftp://x/\r\n", "expected http"),
        ("Location: http://:1/\r\n", "no host"),
    ] {
        let web = Web::http(move |_| status(302, location, SECRET));
        fails(&plain(), &web.url("/t"), &["a redirect that leads nowhere", part]);
    }
    let gone = Web::http(|head| if head.starts_with("GET /a ") { to("/b?hunter2") } else { status(404, "", "") });
    fails(&plain(), &gone.url("/a"), &[&gone.url("/a: redirected to "), &gone.url(": status 404")]);
}

#[test]
fn a_redirect_out_of_tls_is_not_followed_and_one_into_it_is() {
    let identity = Identity::issued(Wish::default());
    let (_folder, pem) = file(&identity.pem);
    let web = Web::http(|_| ok(SECRET));
    let there = web.url("/x");
    let secure = Web::https(&identity, move |head| if head.starts_with("GET /out ") { to(&there) } else { ok("in") });
    let fetch = with(&[("SSL_CERT_FILE", &pem)]);
    fails(&fetch, &secure.url("/out"), &["a redirect from https to http is not followed"]);
    assert!(fetch.get(&secure.url("/out"), true).is_err());
    assert!(web.seen().is_empty());
    let there = secure.url("/in");
    gets(&fetch, &Web::http(move |_| to(&there)).url("/"), "in");
}

// Logins.

/// `me:p@ss` in base64.
const ME: &str = "Basic bWU6cEBzcw==";

#[test]
fn a_login_of_the_address_is_sent() {
    let web = Web::http(|head| match header(head, "authorization") {
        Some(ME) => ok("welcome"),
        _ => status(401, "WWW-Authenticate: Basic realm=hunter2\r\n", ""),
    });
    let url = web.url("/t");
    gets(&plain(), &url.replace("//", "//me:p%40ss@"), "welcome");
    gets(&plain(), &url.replace("//", "//m%65:p@ss@"), "welcome");
    fails(&plain(), &url, &["status 401", "USER:PASSWORD"]);
    let error = fails(&plain(), &url.replace("//", "//me:hunter2@"), &["status 401"]);
    assert!(error.starts_with(&format!("cannot fetch {url}: ")), "{error}");
    plain().get(&url.replace("//", "//me@"), false).expect_err("no password");
    assert_eq!(header(&web.seen()[4], "authorization"), Some("Basic bWU6"));
}

#[test]
fn a_login_stays_with_its_server() {
    let other = Web::http(|_| ok("other"));
    let there = other.url("/");
    let web = Web::http(move |head| {
        let host = header(head, "host").unwrap_or_default().replace("127.0.0.1", "localhost");
        match head.split(' ').nth(1) {
            Some("/other-port") => to(&there),
            Some("/other-name") => to(&format!("http://{host}/")),
            Some("/same") => to("/"),
            Some("/same-in-full") => to(&format!("http://{}/", host.replace("localhost", "127.0.0.1"))),
            Some("/another") => to(&format!("http://you:pw@{host}/")),
            _ => ok("own"),
        }
    });
    for (path, expected) in
        [("/other-name", None), ("/same", Some(ME)), ("/same-in-full", Some(ME)), ("/another", Some("Basic eW91OnB3"))]
    {
        gets(&plain(), &web.url(path).replace("//", "//me:p%40ss@"), "own");
        let seen = web.seen();
        let [.., first, last] = seen.as_slice() else { panic!("two requests") };
        assert_eq!((header(first, "authorization"), header(last, "authorization")), (Some(ME), expected), "{path}");
    }
    gets(&plain(), &web.url("/other-port").replace("//", "//me:p%40ss@"), "other");
    assert_eq!(header(&other.seen()[0], "authorization"), None);
}

// Certificates.

#[test]
fn a_private_authority_is_known_by_the_file_or_the_folder_of_the_environment() {
    let identity = Identity::issued(Wish::default());
    let web = Web::https(&identity, |_| ok("secure"));
    let hint = ["unknown authority", "SSL_CERT_FILE", "or say insecure: true"];
    fails(&plain(), &web.url("/t"), &hint);
    let (folder, pem) = file(&format!("a comment\n{}", identity.pem));
    gets(&with(&[("SSL_CERT_FILE", &pem)]), &web.url("/t"), "secure");
    gets(&with(&[("SSL_CERT_FILE", &pem)]), &web.localhost("/t").replace("https", "HTTPS"), "secure");
    let folders = format!("/nothing:{}", folder.path().display());
    gets(&with(&[("SSL_CERT_DIR", &folders)]), &web.url("/t"), "secure");
    let (_folder, other) = file(&Identity::issued(Wish::default()).pem);
    fails(&with(&[("SSL_CERT_FILE", &other)]), &web.url("/t"), &hint);
    assert_eq!(web.seen().len(), 3, "nobody asks one that is not trusted");
}

#[test]
fn a_file_that_cannot_be_read_is_told_of_where_it_matters() {
    let web = Web::https(&Identity::issued(Wish::default()), |_| ok("secure"));
    let fetch = with(&[("SSL_CERT_FILE", "/nothing/ca.pem"), ("SSL_CERT_DIR", "/nowhere")]);
    fails(
        &fetch,
        &web.url("/"),
        &["SSL_CERT_FILE: cannot read /nothing/ca.pem: No such", "SSL_CERT_DIR: cannot read /nowhere"],
    );
    let (_folder, empty) = file("nothing");
    fails(&with(&[("SSL_CERT_FILE", &empty)]), &web.url("/"), &["SSL_CERT_FILE: there is no certificate in "]);
    assert_eq!(fetch.get(&web.url("/"), true).expect("a text"), "secure");
}

#[test]
fn insecure_is_for_one_address_alone() {
    let web = Web::https(&Identity::own(Wish { foreign: true, ..Wish::default() }), |_| ok("text"));
    let fetch = plain();
    assert_eq!(fetch.get(&web.url("/"), true).expect("a text"), "text");
    fails(&fetch, &web.url("/"), &["certificate"]);
    let there = web.url("/");
    let web = Web::http(move |_| to(&there));
    assert_eq!(fetch.get(&web.url("/"), true).expect("a text, also after a redirect"), "text");
}

#[test]
fn a_named_certificate_is_for_its_host_and_its_time_only() {
    for (wish, part) in [
        (Wish { expired: true, ..Wish::default() }, "has expired"),
        (Wish { foreign: true, ..Wish::default() }, "is for another host"),
    ] {
        for identity in [Identity::issued(wish), Identity::own(wish), Identity::own(Wish { authority: true, ..wish })] {
            let web = Web::https(&identity, |_| ok("text"));
            let (_folder, pem) = file(&identity.pem);
            fails(&with(&[("SSL_CERT_FILE", &pem)]), &web.url("/"), &[part]);
            assert_eq!(plain().get(&web.url("/"), true).expect("a text"), "text");
        }
    }
}

#[test]
fn a_self_signed_certificate_is_trusted_where_the_file_names_it() {
    for authority in [false, true] {
        let identity = Identity::own(Wish { authority, ..Wish::default() });
        let web = Web::https(&identity, |_| ok("text"));
        fails(&plain(), &web.url("/"), &["unknown authority", "insecure: true"]);
        let (_folder, pem) = file(&identity.pem);
        gets(&with(&[("SSL_CERT_FILE", &pem)]), &web.url("/"), "text");
        let (_folder, other) = file(&Identity::own(Wish { authority, ..Wish::default() }).pem);
        plain().get(&web.url("/"), false).expect_err("another");
        fails(&with(&[("SSL_CERT_FILE", &other)]), &web.url("/"), &["its certificate"]);
    }
}

#[test]
fn https_asks_for_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/", listener.local_addr().expect("bound"));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.write_all(&status(400, "", SECRET)).expect("written");
        stream
    });
    fails(&plain(), &url, &["no TLS connection: the server does not speak it"]);
    drop(server.join());
    let secure = Web::https(&Identity::own(Wish::default()), |_| ok(SECRET));
    fails(&plain(), &secure.url("/").replace("https", "http"), &["the server speaks TLS (is it https://?)"]);
}

#[test]
fn a_server_that_hangs_up_without_a_word_has_ended_its_text_unless_it_is_too_short() {
    let identity = Identity::issued(Wish::default());
    let (_folder, pem) = file(&identity.pem);
    let fetch = with(&[("SSL_CERT_FILE", &pem)]);
    let ended = Web::https(&identity, |_| b"HTTP/1.1 200 OK\r\n\r\nabc".into()).without_goodbye();
    gets(&fetch, &ended.url("/"), "abc");
    let short = Web::https(&identity, |_| b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc".into()).without_goodbye();
    fails(&fetch, &short.url("/"), &["the connection ended before the answer did"]);
}

// Proxies.

#[test]
fn plain_http_goes_through_a_proxy_that_is_told_the_whole_address() {
    let proxy = Web::http(|_| ok("by proxy"));
    let login = proxy.url("").replace("//", "//you:pw@");
    gets(&with(&[("HTTP_PROXY", &login)]), "http://me:p%40ss@podlike.test:81/a?b", "by proxy");
    let head = &proxy.seen()[0];
    assert!(head.starts_with("GET http://podlike.test:81/a?b HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(head, "host"), Some("podlike.test:81"));
    assert_eq!(header(head, "authorization"), Some(ME));
    assert_eq!(header(head, "proxy-authorization"), Some("Basic eW91OnB3"));
    gets(&with(&[("http_proxy", &proxy.address().to_string())]), "http://podlike.test", "by proxy");
    assert!(proxy.seen()[1].starts_with("GET http://podlike.test/ HTTP/1.1\r\n"), "{}", proxy.seen()[1]);
    assert_eq!(header(&proxy.seen()[1], "proxy-authorization"), None);
}

#[test]
fn a_proxy_may_speak_tls() {
    let identity = Identity::issued(Wish::default());
    let (_folder, pem) = file(&identity.pem);
    let proxy = Web::https(&identity, |_| ok("by proxy"));
    let fetch = with(&[("HTTP_PROXY", &proxy.url("")), ("SSL_CERT_FILE", &pem)]);
    gets(&fetch, "http://podlike.test/", "by proxy");
    assert!(proxy.seen()[0].starts_with("GET http://podlike.test/ "), "{}", proxy.seen()[0]);
    fails(&with(&[("HTTP_PROXY", &proxy.url(""))]), "http://podlike.test/", &["unknown authority"]);
}

#[test]
fn https_goes_through_the_tunnel_of_a_proxy() {
    let identity = Identity::issued(Wish::default());
    let (_folder, pem) = file(&identity.pem);
    let web = Web::https(&identity, |_| ok("through"));
    let proxy = Web::tunnel(web.address());
    let login = proxy.url("").replace("//", "//you:pw@");
    let fetch = with(&[("https_proxy", &login), ("SSL_CERT_FILE", &pem)]);
    gets(&fetch, &far(&web, "/t").replace("//", "//me:p%40ss@"), "through");
    let head = &proxy.seen()[0];
    assert!(head.starts_with(&format!("CONNECT podlike.test:{} HTTP/1.1\r\n", web.address().port())), "{head}");
    assert_eq!(header(head, "proxy-authorization"), Some("Basic eW91OnB3"));
    assert_eq!(header(head, "authorization"), None);
    let head = &web.seen()[0];
    assert!(head.starts_with("GET /t HTTP/1.1\r\n"), "{head}");
    assert_eq!((header(head, "authorization"), header(head, "proxy-authorization")), (Some(ME), None));
    let unknown = with(&[("https_proxy", &login)]);
    fails(&unknown, &far(&web, "/t"), &["unknown authority"]);
}

#[test]
fn a_tunnel_may_lead_through_a_proxy_with_tls() {
    let identity = Identity::issued(Wish::default());
    let web = Web::https(&identity, |_| ok("through"));
    let (proxy, authority) = (Web::tunnel(web.address()), Authority::new());
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("proxy.sock");
    pass_on(&socket, proxy.address());
    let front = Front::new(&authority.server(None, None), &socket);
    let address = front.host().replace("tcp", "https");
    let both = [&*identity.pem, &authority.pem].concat();
    for (pem, result) in [(&both, Ok("through")), (&identity.pem, Err("unknown authority"))] {
        let (_folder, pem) = file(pem);
        let fetch = with(&[("HTTPS_PROXY", &address), ("SSL_CERT_FILE", &pem)]);
        match result {
            Ok(text) => gets(&fetch, &far(&web, "/t"), text),
            Err(part) => drop(fails(&fetch, &far(&web, "/t"), &[part])),
        }
    }
    assert_eq!((proxy.seen().len(), web.seen().len()), (1, 1));
}

/// Passes on what comes to a socket.
fn pass_on(socket: &Path, to: SocketAddr) {
    let listener = UnixListener::bind(socket).expect("a socket");
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(to).expect("it listens");
            let (mut up, mut down) = (near.try_clone().expect("a copy"), far.try_clone().expect("a copy"));
            thread::spawn(move || drop(io::copy(&mut up, &mut &far)));
            thread::spawn(move || drop(io::copy(&mut down, &mut &near)));
        }
    });
}

#[test]
fn what_is_no_proxy_is_told() {
    let proxy = Web::http(|_| b"220 hunter2 ESMTP\r\n\r\n".into());
    let fetch = with(&[("HTTPS_PROXY", &proxy.url(""))]);
    fails(&fetch, "https://podlike.test/", &[&format!("the proxy {} does not answer as one", proxy.url(""))]);
    let eager = Web::http(|_| b"HTTP/1.1 200 OK\r\n\r\nhunter2".into());
    let fetch = with(&[("HTTPS_PROXY", &eager.url(""))]);
    fails(&fetch, "https://podlike.test/", &[&format!("the proxy {} does not answer as one", eager.url(""))]);
}

#[test]
fn no_proxy_is_asked_for_what_the_environment_excepts_or_what_is_our_own() {
    let (web, proxy) = (Web::http(|_| ok("direct")), Web::http(|_| ok("by proxy")));
    let (url, address) = (web.url("/"), proxy.url(""));
    gets(&with(&[("HTTP_PROXY", &address)]), &url, "direct");
    let fetch = with(&[("HTTP_PROXY", &address), ("NO_PROXY", "other.test,.invalid")]);
    gets(&fetch, "http://podlike.test/", "by proxy");
    fails(&fetch.with_timeout(BRIEF), "http://nothing.invalid/", &["http://nothing.invalid/: "]);
    assert_eq!(proxy.seen().len(), 1);
    let secure = with(&[("HTTPS_PROXY", &address)]);
    fails(&secure.with_timeout(BRIEF), "http://nothing.invalid/", &[]);
    assert_eq!(proxy.seen().len(), 1);
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_login() {
    let proxy = Web::http(|_| status(407, "", SECRET));
    let login = proxy.url("").replace("//", "//you:hunter2@");
    let fetch = with(&[("HTTP_PROXY", &login), ("HTTPS_PROXY", &login)]);
    let refused = format!("the proxy {} does not connect to it: status 407", proxy.url(""));
    fails(&fetch, "https://podlike.test/t", &[&refused, "USER:PASSWORD"]);
    fails(&fetch, "http://podlike.test/t", &["status 407"]);
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let nobody = format!("http://you:{SECRET}@{free}");
    let fetch = with(&[("HTTP_PROXY", &nobody), ("HTTPS_PROXY", &nobody)]);
    let refused = format!("connection refused (through the proxy http://{free})");
    fails(&fetch, "https://podlike.test/t", &[&refused]);
    fails(&fetch, "http://podlike.test/t", &[&refused]);
    let socks = with(&[("HTTP_PROXY", "socks5://you:hunter2@podlike.test")]);
    fails(&socks, "http://podlike.test/t", &["HTTP_PROXY is no proxy that could be used"]);
}
