//! A client in the network of a task: begins a request every [`PAUSE`], however long others take, each asked once of whom
//! Docker's DNS names first.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};

use crate::support::swarm::Pod;

/// Docker's DNS, in every network namespace of a container.
const DNS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11)), 53);
/// From the beginning of a request to that of the next.
const PAUSE: Duration = Duration::from_millis(100);
/// As long as a user would wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of a request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) began: Instant,
    /// When it was over.
    pub(crate) at: Instant,
    /// Why it failed.
    pub(crate) error: Option<String>,
}

pub(crate) struct Client {
    answers: Arc<Mutex<Vec<Answer>>>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Client {
    /// Asks a port of a name, as the containers of a task would.
    pub(crate) fn in_network_of(task: &Pod, name: &'static str, port: u16) -> Self {
        let pid = &task.node.inspect(&task.id)["State"]["Pid"];
        let network = File::open(task.node.path(&format!("/proc/{pid}/ns/net"))).expect("the network of a task");
        let (answers, over) = (Arc::<Mutex<Vec<Answer>>>::default(), Arc::<AtomicBool>::default());
        let (told, ended) = (answers.clone(), over.clone());
        let thread = thread::spawn(move || {
            setns(network, CloneFlags::CLONE_NEWNET).expect("root may go there");
            thread::scope(|scope| {
                while !ended.load(Ordering::Relaxed) {
                    scope.spawn(|| {
                        let began = Instant::now();
                        let error = ask(name, port).err().map(|error| error.to_string());
                        let answer = Answer { began, at: Instant::now(), error };
                        told.lock().expect("nobody panics").push(answer);
                    });
                    thread::sleep(PAUSE);
                }
            });
        });
        Self { answers, over, thread }
    }

    pub(crate) fn last(&self) -> Option<Answer> {
        self.answers.lock().expect("nobody panics").last().cloned()
    }

    /// Ends, and tells of all requests.
    pub(crate) fn ends(self) -> Vec<Answer> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("it does not panic");
        std::mem::take(&mut self.answers.lock().expect("nobody panics"))
    }
}

fn ask(name: &str, port: u16) -> io::Result<()> {
    let address = resolve(name)?;
    let failed = |error: io::Error| io::Error::other(format!("{address}: {error}"));
    let mut stream = TcpStream::connect_timeout(&(address, port).into(), PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text).map_err(failed)?;
    let is_whole = text.starts_with("HTTP/1.1 200 ") && ["front", "orders", "stock"].iter().all(|it| text.contains(it));
    if is_whole { Ok(()) } else { Err(io::Error::other(format!("{address} answered: {text}"))) }
}

/// The first IPv4 address that a name stands for: RFC 1035, a question in one packet and its answer.
fn resolve(name: &str) -> io::Result<IpAddr> {
    // An id, the flag that recursion is desired, one question.
    let mut question = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).expect("short"));
        question.extend_from_slice(label.as_bytes());
    }
    // The end of the name, type A, class IN.
    question.extend_from_slice(&[0, 0, 1, 0, 1]);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send_to(&question, DNS)?;
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer)?;
    let mut answers = buffer.get(question.len()..length).unwrap_or_default();
    // A name (Docker repeats it, or points to it), ten bytes of which the last two are the length, the address.
    let name_length = if answers.first().is_some_and(|byte| *byte >= 0xc0) { 2 } else { question.len() - 12 - 4 };
    answers = answers.get(name_length..).unwrap_or_default();
    match answers {
        [0, 1, _, _, _, _, _, _, 0, 4, a, b, c, d, ..] => Ok(Ipv4Addr::new(*a, *b, *c, *d).into()),
        _ => Err(io::Error::other(format!("{name} has no address"))),
    }
}
