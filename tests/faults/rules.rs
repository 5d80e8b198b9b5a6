//! What is expected of a pod whose call is answered otherwise than it should be.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::is_status;
use crate::support::fake_engine::Fault;

/// A fault by its name.
type Named = (&'static str, fn() -> Fault);

/// What can come instead of the answer.
pub(crate) const FAULTS: [Named; 15] = [
    ("404", || Fault::status(404, "on purpose")),
    ("409", || Fault::status(409, "on purpose")),
    ("429", || Fault::status(429, "on purpose")),
    ("500", || Fault::status(500, "on purpose")),
    ("503", || Fault::status(503, "on purpose")),
    ("hang", || Fault::Silence),
    ("cut before the head", || Fault::Cut),
    ("cut in the head", || Fault::CutInHead),
    ("cut in the body", || Fault::CutInBody),
    ("a byte a second", || Fault::Slow(Duration::from_secs(1))),
    ("a byte at a time, but in time", || Fault::Slow(Duration::from_micros(50))),
    ("garbage", || Fault::Garbage),
    ("nonsense", || Fault::NonsenseJson),
    ("a huge head", || Fault::HugeHead),
    ("a body without end", || Fault::HugeBody),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Start,
    Run,
    Stop,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "1 start",
            Self::Run => "2 run",
            Self::Stop => "3 stop",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// The first such call of the phase.
    Once,
    /// Every one from the phase's begin.
    Always,
    /// As always, but the engine has done it.
    AfterItsWork,
}

impl Times {
    pub(crate) const ALL: [Self; 3] = [Self::Once, Self::Always, Self::AfterItsWork];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Always => "always",
            Self::AfterItsWork => "after its work",
        }
    }
}

/// What becomes of the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never begins.
    Refused,
    /// A component cannot be started, or is lost.
    Failed,
    /// It makes do, and ends when and as it is told to.
    Lives,
}

impl Fate {
    pub(crate) fn ends_by_itself(self) -> bool {
        self != Self::Lives
    }

    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Refused => 2,
            Self::Failed => 125,
            Self::Lives => 0,
        }
    }
}

/// A cell: which call gets which fault.
#[derive(Clone, Debug)]
pub(crate) struct Spoilt {
    pub(crate) phase: Phase,
    pub(crate) call: String,
    pub(crate) what: &'static str,
    pub(crate) fault: Fault,
    pub(crate) times: Times,
    /// The output of the components is shown.
    pub(crate) shown: bool,
}

impl Spoilt {
    fn is(&self, status: u16) -> bool {
        is_status(&self.fault, status)
    }

    fn hangs(&self) -> bool {
        matches!(self.fault, Fault::Silence) || self.what == "a byte a second"
    }

    /// The true answer in the end.
    fn is_harmless(&self) -> bool {
        self.what == "a byte at a time, but in time"
    }

    fn verb(&self) -> &str {
        self.call.split(' ').next().unwrap_or_default()
    }

    fn ends(&self, tail: &str) -> bool {
        self.call.ends_with(tail)
    }

    fn begins(&self, head: &str) -> bool {
        self.call.starts_with(head)
    }

    /// Makes or unmakes something: it gets more time.
    fn is_work(&self) -> bool {
        let reads = self.verb() == "GET" || ["/attach", "/wait", "/kill"].iter().any(|tail| self.ends(tail));
        !reads || self.call == "GET /volumes"
    }

    /// Of what an earlier life left.
    pub(crate) fn is_sweep(&self) -> bool {
        self.verb() == "DELETE" && self.ends("old")
    }

    /// Podlike reads the body of the answer whole.
    fn body_is_read(&self) -> bool {
        (self.verb() == "GET" && self.call != "GET /_ping" && self.call != "GET /events")
            || self.call.contains("/create ")
            || self.call == "POST /images/load"
    }

    /// The answer is false in a way that nobody can see at the time: it is done, it is gone.
    pub(crate) fn is_lie(&self) -> bool {
        self.is_lie_of_success() || self.is(404)
    }

    fn is_lie_of_success(&self) -> bool {
        matches!(self.fault, Fault::CutInBody | Fault::NonsenseJson | Fault::HugeBody) && !self.body_is_read()
    }

    /// A cell that is another one, or that would test nothing of ours.
    pub(crate) fn makes_sense(&self) -> bool {
        // A pull goes on as long as its body does, and an upload as long as something moves: only a signal ends them.
        let endless = match self.fault {
            Fault::Slow(_) => self.what == "a byte a second" && (self.begins("POST /images/") || self.verb() == "PUT"),
            Fault::Silence | Fault::HugeBody => self.begins("POST /images/"),
            _ => false,
        };
        let times = match self.times {
            Times::Always => true,
            // At the start nothing is tried again.
            Times::Once => self.phase != Phase::Start && !self.is_harmless(),
            // The true answer comes in the end, and where nothing is done there is no after.
            Times::AfterItsWork => {
                self.phase != Phase::Run
                    && self.is_work()
                    && self.verb() != "GET"
                    && !matches!(self.fault, Fault::Slow(_))
            }
        };
        // Two may ask first: who follows the output, and who waits for the end.
        let of_chance = self.phase == Phase::Run && self.times == Times::Once && self.is(404) && self.ends("/json");
        times && !endless && !of_chance
    }

    pub(crate) fn holds_up(&self) -> bool {
        self.hangs() || self.is_tried_till_the_end() || (self.is(409) && self.verb() == "DELETE")
    }

    /// A removal is tried until there is no more time, unless the engine refuses it: it may be away for a moment.
    fn is_tried_till_the_end(&self) -> bool {
        let cut = matches!(self.fault, Fault::Cut | Fault::CutInHead | Fault::Garbage | Fault::HugeHead);
        cut && self.begins("DELETE /containers/") && self.times != Times::Once
    }

    /// Of the container that opens a volume, whose removal is tried twice.
    fn is_openers_end(&self) -> bool {
        self.verb() == "DELETE" && self.ends(".opener")
    }

    pub(crate) fn fate(&self) -> Fate {
        if self.is_harmless() {
            return Fate::Lives;
        }
        match self.phase {
            Phase::Start => self.fate_at_start(),
            // Only a container that the engine does not know is lost.
            Phase::Run
                if self.is(404) && (self.ends("/wait") || self.begins("GET /containers/") && self.ends("/json")) =>
            {
                if self.call == "GET /containers/json" {
                    Fate::Lives
                } else {
                    Fate::Failed
                }
            }
            Phase::Run | Phase::Stop => Fate::Lives,
        }
    }

    fn fate_at_start(&self) -> Fate {
        match self.call.as_str() {
            "GET /version" => Fate::Lives,
            // Who only keeps last words does without them.
            call if call.ends_with("/attach") && !self.shown => Fate::Lives,
            "GET /_ping"
            | "GET /containers/controller/json"
            | "GET /info"
            | "GET /containers/json"
            | "GET /volumes"
                if !self.is_lie_of_success() =>
            {
                Fate::Refused
            }
            "GET /events" if !self.is_lie_of_success() => Fate::Refused,
            _ if self.is_lie_of_success() => Fate::Lives,
            // A removal of what is gone is done.
            call if call.starts_with("DELETE") && self.is(404) => Fate::Lives,
            // It is told that it is being removed, and that is so.
            "DELETE /containers/old" if self.times == Times::AfterItsWork && self.is(409) => Fate::Lives,
            _ if self.is_sweep() => Fate::Refused,
            // The second look finds it gone.
            _ if self.is_openers_end()
                && (self.times == Times::AfterItsWork || self.hangs() && self.what != "hang") =>
            {
                Fate::Lives
            }
            // An init component that has ended is removed while the others go on.
            "DELETE /containers/init-1" => Fate::Lives,
            // It is what the engine says of an image that it has not, and then it is got.
            call if call.starts_with("GET /images/") && self.is(404) => Fate::Lives,
            call if call.starts_with("POST /images/") && call.ends_with("/tag") => Fate::Lives,
            // A folder that is not there is made.
            call if call.starts_with("PUT") && self.is(404) && !call.contains(".opener/") => Fate::Lives,
            "POST /images/load" => Fate::Lives,
            _ => Fate::Failed,
        }
    }

    /// What is asked only of a pod that goes on.
    pub(crate) fn must_not_come(&self) -> Option<&'static str> {
        match (self.phase, self.fate()) {
            (Phase::Start, Fate::Refused) => Some("POST /containers/create"),
            (Phase::Start, Fate::Failed) if self.call.contains("web") && !self.ends("/start") => {
                Some("POST /containers/web/start")
            }
            _ => None,
        }
    }

    /// A stop that the engine does not get done takes longer than it may.
    pub(crate) fn may_force(&self) -> bool {
        self.holds_up()
    }

    /// The exit code of what has ended, and is gone, cannot be asked for again.
    pub(crate) fn may_lose(&self) -> bool {
        self.phase == Phase::Start && self.ends("init-1/wait") && self.is_lie_of_success()
    }

    pub(crate) fn limit(&self) -> RangeInclusive<Duration> {
        let seconds =
            |range: RangeInclusive<u64>| Duration::from_secs(*range.start())..=Duration::from_secs(*range.end());
        let fate = self.fate();
        match self.phase {
            Phase::Start if fate == Fate::Lives => seconds(0..=45),
            Phase::Start if self.is_openers_end() && self.holds_up() => seconds(0..=145),
            Phase::Start if self.is_sweep() && self.is(409) => seconds(0..=80),
            Phase::Start if self.hangs() && (self.is_work() || self.verb() == "PUT") => seconds(58..=80),
            // Once at the start, and once at the end.
            Phase::Start if self.hangs() => seconds(14..=50),
            // Megabytes are read before they are given up.
            Phase::Start if matches!(self.fault, Fault::HugeBody) => seconds(0..=34),
            Phase::Start => seconds(0..=20),
            Phase::Run => seconds(0..=if self.hangs() { 45 } else { 25 }),
            // The grace of 1 s and 10 s more, and 15 s for the removal by force, or for that of volumes.
            Phase::Stop => seconds(0..=if self.holds_up() || self.is(409) { 45 } else { 20 }),
        }
    }

    /// One of these is said.
    pub(crate) fn words(&self) -> Vec<&'static str> {
        const CALL: &str = "CALL";
        if self.is_harmless() {
            return Vec::new();
        }
        match (self.phase, self.fate()) {
            (Phase::Start, Fate::Refused) if self.is(404) => vec![CALL, "which the engine does not know"],
            (Phase::Start, Fate::Refused) if self.is(409) => vec![CALL, "/wait: the engine did not answer in time"],
            (Phase::Start, Fate::Failed) if self.is(404) => vec![CALL, "there is no volume"],
            (Phase::Start, Fate::Failed) if self.is_openers_end() => {
                vec![CALL, "/wait: the engine did not answer in time"]
            }
            (Phase::Start, Fate::Refused | Fate::Failed) => vec![CALL],
            (Phase::Run, Fate::Failed) => vec!["lost its container"],
            // Nobody has had the time to see it.
            (Phase::Run, _) if self.hangs() => Vec::new(),
            (Phase::Run, _) if self.ends("/kill") && (self.is_lie() || self.is(409)) => Vec::new(),
            (Phase::Run, _) if self.ends("/kill") => vec!["cannot forward SIGHUP"],
            (Phase::Run, _) if self.ends("/wait") => vec!["out of sight"],
            (Phase::Run, _) if self.ends("/attach") && !self.shown => Vec::new(),
            (Phase::Run, _) if self.ends("/attach") => vec!["web: its log"],
            (Phase::Run, _) if self.call == "GET /events" && self.is_lie_of_success() => Vec::new(),
            (Phase::Run, _) => vec!["cannot follow the engine's events", "out of sight"],
            (Phase::Stop, _) if self.ends("/stop") && !self.is_lie() && !self.hangs() => {
                vec!["cannot stop it", "may be left behind"]
            }
            _ => Vec::new(),
        }
    }

    /// Whether it is said; `CALL` stands for the call, by whatever id.
    pub(crate) fn is_told(&self, words: &str, err: &str) -> bool {
        if words != "CALL" {
            return err.contains(words);
        }
        let named = if self.is_lie_of_success() { "POST /containers/create" } else { self.call.as_str() };
        let mut parts = named.split(' ').take(2);
        let (verb, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let Some(tail) = path.strip_prefix("/containers/").filter(|tail| *tail != "json" && *tail != "create") else {
            return err.contains(&format!("{verb} {path}"));
        };
        let tail = tail.split_once('/').map(|(_, tail)| format!("/{tail}")).unwrap_or_default();
        err.split(&format!("{verb} /containers/")).skip(1).any(|rest| {
            let called = rest.split([':', ' ', '\n', ',']).next().unwrap_or_default();
            called.split_once('/').map(|(_, tail)| format!("/{tail}")).unwrap_or_default() == tail
        })
    }
}
