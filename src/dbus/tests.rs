//! The client against messages of a real bus, and against a bus at the other end of a socket.

use super::fake::{LET_IN, bus, empty, recorded};
use super::*;

fn message(bytes: &[u8]) -> Message {
    let head = Head::read(bytes[..HEAD].try_into().expect("a head")).expect("a head");
    assert_eq!(HEAD + head.rest(), bytes.len());
    head.message(&bytes[HEAD..]).expect("a message")
}

const PATIENCE: Duration = Duration::from_secs(20);

fn start_body() -> Body {
    let properties = [
        ("MemoryMax", Value::Number(64 << 20)),
        ("TasksMax", Value::Number(40)),
        ("AllowedCPUs", Value::Bytes(vec![1])),
        ("Description", Value::Text("pod".to_owned())),
    ];
    Body::new().text("podlike-rec_1.slice").text("fail").properties(&properties).no_units()
}

fn to_systemd(member: &str, body: Body) -> Call<'_> {
    Call {
        destination: "org.freedesktop.systemd1",
        path: "/org/freedesktop/systemd1",
        interface: "org.freedesktop.systemd1.Manager",
        member,
        body,
    }
}

/// What of a message does not depend on who sends it: the last bytes are the arguments.
fn arguments(bytes: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(bytes[4..8].try_into().expect("four")) as usize;
    &bytes[bytes.len() - length..]
}

#[test]
fn calls_are_written_as_systemd_s_own_client_writes_them() {
    let stop = Body::new().text("podlike-rec_1.slice").text("replace");
    for (call, recorded) in [
        (to_systemd("StartTransientUnit", start_body()), recorded!("start.call")),
        (to_systemd("StopUnit", stop), recorded!("stop.call")),
    ] {
        let ours = call.bytes(2);
        assert_eq!(arguments(&ours), arguments(&recorded), "{}", call.member);
        // The bus has added who sent it.
        let (ours, theirs) = (message(&ours), message(&recorded));
        assert_eq!((&ours.member, ours.texts()), (&theirs.member, theirs.texts()));
        assert_eq!(ours, theirs);
    }
}

#[test]
fn what_a_real_bus_sent_is_understood() {
    let answer = message(&recorded!("job.answer"));
    assert_eq!((answer.kind, answer.answers), (Kind::Answer, Some(2)));
    assert_eq!(answer.texts(), ["/org/freedesktop/systemd1/job/447"]);
    let removed = message(&recorded!("job-removed.signal"));
    assert_eq!((removed.kind, removed.member.as_deref()), (Kind::Signal, Some("JobRemoved")));
    assert_eq!(removed.texts(), ["/org/freedesktop/systemd1/job/447", "podlike-rec_1.slice", "done"]);
    let exists = message(&recorded!("unit-exists.error"));
    assert_eq!((exists.kind, exists.error.as_deref()), (Kind::Error, Some("org.freedesktop.systemd1.UnitExists")));
}

#[test]
fn a_list_of_units_is_its_names() {
    let list = recorded!("list.answer");
    assert_eq!(message(&list).units().expect("units"), ["podlike-rec_5.slice", "podlike-rec_66.slice"]);
    let body = Body::new().texts(&[]).texts(&["podlike-rec_*.slice"]);
    let ours = to_systemd("ListUnitsByPatterns", body).bytes(2);
    assert_eq!(arguments(&ours), arguments(&recorded!("list.call")));
    assert!(message(&recorded!("job.answer")).units().is_err());
    // Cut anywhere in its arguments, it is an error.
    let start = list.len() - arguments(&list).len();
    let head = Head::read(list[..HEAD].try_into().expect("a head")).expect("a head");
    for end in start..list.len() - 1 {
        assert!(head.message(&list[HEAD..end]).expect("a message").units().is_err(), "{end}");
    }
}

#[test]
fn no_cut_and_no_change_of_a_byte_is_a_panic() {
    for bytes in [recorded!("job-removed.signal"), recorded!("unit-exists.error"), recorded!("list.answer")] {
        for at in 0..bytes.len() {
            for value in [0, 1, 7, 0x7f, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                let Ok(head) = Head::read(changed[..HEAD].try_into().expect("a head")) else { continue };
                for rest in [&changed[HEAD..], &changed[HEAD..HEAD + (changed.len() - HEAD) / 2]] {
                    let _ = head.message(rest).map(|message| (message.texts(), message.units().is_ok()));
                }
            }
        }
    }
}

#[test]
fn the_other_byte_order_is_read() {
    // An answer to 1 without arguments: one field, a number.
    let bytes = [&b"B\x02\0\x01\0\0\0\0\0\0\0\x09\0\0\0\x08"[..], b"\x05\x01u\0\0\0\0\x01"].concat();
    assert_eq!(message(&bytes).answers, Some(1));
}

#[test]
fn a_signal_that_comes_before_the_answer_is_not_lost() {
    let (new, removed, answer) =
        (recorded!("job-new.signal"), recorded!("job-removed.signal"), recorded!("job.answer"));
    let (stream, thread) = bus(LET_IN, vec![empty(), empty(), vec![new, removed, answer]]);
    let mut bus = Bus::open(stream, PATIENCE).expect("let in");
    bus.subscribe("type='signal'").expect("subscribed");
    let answer = bus.call(&to_systemd("StartTransientUnit", start_body())).expect("an answer");
    let job = answer.texts();
    let removed = bus.signal(|signal| signal.member.as_deref() == Some("JobRemoved")).expect("a signal");
    assert_eq!(removed.texts()[0], job[0]);
    let seen = thread.join().expect("the bus");
    assert_eq!(seen, ["AUTH EXTERNAL", "DATA", "BEGIN", "Hello", "AddMatch", "StartTransientUnit"]);
}

#[test]
fn who_is_not_let_in_is_told_so() {
    let (stream, thread) = bus(&["REJECTED EXTERNAL"], Vec::new());
    let error = Bus::open(stream, PATIENCE).expect_err("refused");
    assert_eq!(error.to_string(), "D-Bus does not let us in: it answered 'REJECTED EXTERNAL'");
    thread.join().expect("the bus");
}

#[test]
fn an_error_that_answers_a_call_is_told_in_its_words() {
    let (stream, thread) = bus(LET_IN, vec![empty(), vec![recorded!("access-denied.error")]]);
    let mut bus = Bus::open(stream, PATIENCE).expect("let in");
    let error = bus.call(&to_systemd("StopUnit", Body::new())).expect_err("refused");
    assert_eq!(error.to_string(), "StopUnit was refused: Permission denied (org.freedesktop.DBus.Error.AccessDenied)");
    assert_eq!(error.name(), Some("org.freedesktop.DBus.Error.AccessDenied"));
    thread.join().expect("the bus");
}

#[test]
fn a_bus_that_ends_or_says_nothing_holds_nobody_up() {
    let (stream, thread) = bus(LET_IN, vec![empty()]);
    let mut gone = Bus::open(stream, PATIENCE).expect("let in");
    thread.join().expect("the bus");
    assert!(matches!(gone.call(&to_systemd("StopUnit", Body::new())), Err(Error::Broken { .. })));
    let (stream, silent) = UnixStream::pair().expect("a pair");
    let begun = Instant::now();
    assert!(matches!(Bus::open(stream, Duration::from_millis(100)), Err(Error::TimedOut)));
    assert!(begun.elapsed() < PATIENCE);
    drop(silent);
    let error = Bus::connect(Path::new("/no/such/socket"), PATIENCE).expect_err("no socket");
    assert_eq!(error.to_string(), "cannot connect to D-Bus at /no/such/socket");
}

#[test]
fn what_is_not_dbus_is_said() {
    let (stream, thread) = bus(LET_IN, vec![vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()]]);
    let error = Bus::open(stream, PATIENCE).expect_err("nonsense");
    assert_eq!(error.to_string(), "the answer is not one of D-Bus: no byte order");
    thread.join().expect("the bus");
}
