//! A component as the machine sees it: how far it has come, and what follows from that.

use std::time::Duration;

use crate::health::Health;
use crate::pod::{Need, Planned, Restart, Role, Until, When};

/// How far a component has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// For what it needs.
    Waiting,
    /// Its thread is at work.
    Starting,
    /// Its container runs.
    Running,
    /// Its container is being stopped, and will be started again.
    Halting,
    /// Between two lives.
    Resting,
    /// Its container is being stopped or removed, for good.
    Leaving,
    /// There is no container, and there will be none.
    Gone,
}

/// Why a component is halted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halted {
    /// Its probe says that it is dead, for this reason.
    Dead(String),
    /// The component at this position restarts, and it restarts with that.
    With(usize),
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
pub(super) struct Member {
    pub(super) name: String,
    /// What it waits for before its next life.
    pub(super) waits: Vec<Need>,
    pub(super) grace: Duration,
    pub(super) role: Role,
    pub(super) leader: bool,
    /// Whether it may end with 0 while the pod goes on: that is its role, or somebody waits for that.
    pub(super) finite: bool,
    /// Whether it only holds what others have.
    pub(super) holds: bool,
    /// Whether it is needed, and nobody requires it.
    pub(super) optional: bool,
    /// Whether somebody waits for its success, and nobody requires that.
    pub(super) may_fail: bool,
    restart: Restart,
    /// Whether a probe says when it is ready.
    pub(super) probed: bool,
    /// Whether it has probes at all.
    pub(super) watched: bool,
    pub(super) stage: Stage,
    pub(super) pulling: bool,
    pub(super) id: Option<String>,
    /// Its health, if it is known to have a check.
    pub(super) health: Option<Health>,
    /// What its probe says.
    pub(super) ready: bool,
    pub(super) was_ready: bool,
    /// Whether it was started once.
    pub(super) lived: bool,
    /// Whether its present life, or the one before its present start, has ended.
    pub(super) ended: bool,
    /// Whether it has ended for good.
    pub(super) done: bool,
    pub(super) halted: Option<Halted>,
    /// Who it restarts with as soon as it has started.
    pub(super) again: Option<usize>,
    /// The exit code of its last life that ended, if one has.
    pub(super) code: Option<i64>,
    /// The exit code that the engine told on the way, of its present life.
    pub(super) said: Option<i64>,
    /// How long that life took.
    pub(super) ran: Duration,
    /// How often it was started again.
    pub(super) restarts: u32,
    /// Restarts since it was last well.
    in_a_row: u32,
}

impl Member {
    /// One that has not been started. `others` are what others need of it.
    pub(super) fn new(planned: &Planned, others: &[Need]) -> Self {
        let probes = &planned.probes;
        let completes = others.iter().any(|need| need.until == Until::Succeeded);
        let optional = !others.is_empty() && !others.iter().any(|need| need.required);
        Self {
            name: planned.name.clone(),
            waits: planned.needs.clone(),
            grace: planned.grace,
            role: planned.role,
            leader: planned.leader,
            finite: planned.role == Role::Task || completes,
            holds: planned.is_holder(),
            optional,
            may_fail: optional && completes,
            restart: planned.restart,
            probed: probes.tell_readiness(),
            watched: !probes.is_empty(),
            stage: Stage::Waiting,
            pulling: false,
            id: None,
            health: None,
            ready: false,
            was_ready: false,
            lived: false,
            ended: false,
            done: false,
            halted: None,
            again: None,
            code: None,
            said: None,
            ran: Duration::ZERO,
            restarts: 0,
            in_a_row: 0,
        }
    }

    /// Whether it is in a life.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Starting | Stage::Running | Stage::Halting)
    }

    /// Whether it may still use what it needs.
    pub(super) fn is_there(&self) -> bool {
        (self.is_up() || self.stage == Stage::Leaving) && !self.ended
    }

    /// Whether it runs and is well, by all that checks it.
    pub(super) fn is_ready(&self) -> bool {
        let healthy = matches!(self.health, None | Some(Health::Healthy));
        self.stage == Stage::Running && healthy && (self.ready || !self.probed)
    }

    /// Whether somebody can say that it is well.
    pub(super) fn is_checked(&self) -> bool {
        self.health.is_some() || self.probed
    }

    pub(super) fn has_come_to(&self, until: Until) -> bool {
        match until {
            Until::Started => self.stage == Stage::Running || self.done,
            Until::Healthy => self.is_ready() && self.is_checked(),
            // One that has ended for good was ready before, or the pod ends.
            Until::Ready => self.is_ready() || self.done,
            Until::Succeeded => self.done && self.code == Some(0),
        }
    }

    /// Whether all is well with it, as far as others go: it has done its work, or is ready.
    pub(super) fn is_settled(&self) -> bool {
        self.done || self.is_ready()
    }

    /// Whether the engine's check says that it is ill, and nobody mends it.
    pub(super) fn is_lost(&self) -> bool {
        let runs = matches!(self.stage, Stage::Starting | Stage::Running);
        runs && self.role != Role::Sidecar && self.restart.when == When::No && self.health == Some(Health::Unhealthy)
    }

    /// Whether another life follows one that ended with this code, or that failed without one; `dead` if a probe ended it.
    pub(super) fn lives_on_after(&self, code: Option<i64>, dead: bool) -> bool {
        let wanted = match self.restart.when {
            When::No => false,
            // A restart that fails is tried again.
            When::Dead => dead || self.stage == Stage::Starting,
            When::Always => !(self.finite && code == Some(0)),
            When::OnFailure => code != Some(0),
        };
        wanted && self.lived && self.restart.at_most.is_none_or(|times| self.in_a_row < times)
    }

    /// A new life begins to be prepared.
    pub(super) fn begin(&mut self) {
        self.stage = Stage::Starting;
        self.pulling = false;
        self.ended = false;
        self.again = None;
    }

    /// It runs.
    pub(super) fn started(&mut self, checked: bool) {
        self.stage = Stage::Running;
        self.lived = true;
        // Only who restarts with others waits for them again.
        self.waits.retain(|need| need.restart);
        if checked {
            // The first check may have been told before.
            self.health.get_or_insert(Health::Starting);
        }
    }

    /// Its life has ended, with this code if it is known.
    pub(super) fn ended(&mut self, code: Option<i64>) {
        self.ended = true;
        self.said = None;
        self.health = None;
        self.ready = false;
        self.code = code.or(self.code);
        if self.ran >= self.restart.reset {
            self.in_a_row = 0;
        }
    }

    /// Rests before a restart of its own: how long.
    pub(super) fn rest(&mut self) -> Duration {
        let pause = self.restart.pause(self.in_a_row);
        self.in_a_row += 1;
        self.restarts += 1;
        self.stage = Stage::Resting;
        pause
    }
}
