//! Cases of what can go wrong, all run at a time: an ordinary call is given up after 15 s, one that makes the engine work
//! after 60 s.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use super::controller::Ended;
use super::fake_engine::Fault;

/// What the test waits for at most: longer than any case may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(100);

/// How long a case may take, in seconds. The upper ends leave room for a busy machine.
pub(crate) const SOON: RangeInclusive<u64> = 0..=14;
pub(crate) const QUICK: RangeInclusive<u64> = 15..=29;
pub(crate) const WORK: RangeInclusive<u64> = 60..=75;

/// The answers. What is wrong with the body only is no fault where only the head counts.
pub(crate) fn faults() -> [(&'static str, Fault); 7] {
    [
        ("500", Fault::status(500, "on purpose")),
        ("silence", Fault::Silence),
        ("cut", Fault::Cut),
        ("cut in the head", Fault::CutInHead),
        ("garbage", Fault::Garbage),
        ("a huge head", Fault::HugeHead),
        ("a head that trickles", Fault::Slow(Duration::from_secs(1))),
    ]
}

pub(crate) fn bodies() -> [(&'static str, Fault); 3] {
    [("cut in the body", Fault::CutInBody), ("nonsense", Fault::NonsenseJson), ("a body without end", Fault::HugeBody)]
}

/// Runs all at a time; fails with the names of those that failed, and why.
pub(crate) fn all<T: Sync>(cases: &[T], name: impl Fn(&T) -> &str + Sync, run: impl Fn(&T) + Sync) {
    let failed: Vec<&str> = thread::scope(|scope| {
        let threads: Vec<_> = cases
            .iter()
            .map(|case| {
                let (name, run) = (&name, &run);
                let thread = thread::Builder::new().name(name(case).to_owned());
                let work = move || catch_unwind(AssertUnwindSafe(|| run(case))).is_err();
                (name(case), thread.spawn_scoped(scope, work).expect("a thread"))
            })
            .collect();
        let mut failed = Vec::new();
        for (name, thread) in threads {
            if thread.join().unwrap_or(true) {
                failed.push(name);
            }
        }
        failed
    });
    assert!(failed.is_empty(), "{} of {} failed, see above: {failed:#?}", failed.len(), cases.len());
}

pub(crate) fn check(case: &str, ended: &Ended, code: i32, takes: &RangeInclusive<u64>) {
    assert_eq!(ended.code, Some(code), "{case}: {}", ended.err());
    assert!(takes.contains(&ended.took.as_secs()), "{case}: took {:?}, not {takes:?} s\n{}", ended.took, ended.err());
}
