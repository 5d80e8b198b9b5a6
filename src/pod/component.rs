//! What a component *is*, whatever notation it was written in.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::compose::{Node, Place, Volume};
use crate::engine::types::{ApiVersion, CreateRequest};

use super::FileCopy;
use super::hook::Hook;
use super::needs::{Dependency, Need};
use super::probe::Probes;
use super::projection::Projection;
use super::restart::{self, Restart, When};
use super::role::Role;

/// The folder of Docker's secrets.
pub(super) const SECRETS: &str = "/run/secrets/";

/// When a component has its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before every main component: one after the other, each to success.
    Init,
    /// As soon as its needs are met; its end is the end of the pod.
    Main,
}

/// A container that podlike runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// The name within the pod.
    pub name: String,
    /// Its turn.
    pub stage: Stage,
    /// The settings that the engine gets as they are. What depends on the controller or on other components is added by
    /// the plan.
    pub request: CreateRequest,
    /// `platform`
    pub platform: Option<String>,
    /// `pull_policy`
    pub pull: Pull,
    /// `labels` and `label_file`
    pub labels: Vec<(String, String)>,
    /// `attach`: whether its output is streamed with `-logs`.
    pub attach: bool,
    /// `stop_grace_period`
    pub stop_grace_period: Option<Duration>,
    /// `volumes`
    pub volumes: Vec<Volume>,
    /// `volumes_from`: a component, and whether its volumes can only be read.
    pub volumes_from: Vec<(String, bool)>,
    /// `ipc`
    pub ipc: Option<Namespace>,
    /// `pid`
    pub pid: Option<Namespace>,
    /// `oom_score_adj`
    pub oom_score_adj: Option<i64>,
    /// `depends_on`
    pub depends_on: Vec<Dependency>,
    /// `x-podlike-role`, or the label of its name.
    pub role: Role,
    /// `x-podlike-leader`, or the label that names it: its exit code is the pod's.
    pub leader: bool,
    /// What it says of its restarts.
    pub asked: restart::Asked,
    /// `secrets` and `configs`
    pub projections: Vec<Projection>,
    /// What is copied in before it starts.
    pub copies: Vec<FileCopy>,
    /// What not every engine has.
    pub features: Vec<Feature>,
    /// `userns_mode`
    pub userns: Option<Userns>,
    /// Where it says what an engine that remaps users may refuse, or a policy, by key.
    pub said: Vec<(&'static str, Said)>,
    /// `post_start`
    pub post_start: Vec<Hook>,
    /// `pre_stop`
    pub pre_stop: Vec<Hook>,
    /// `x-podlike-probes`
    pub probes: Probes,
}

/// Whose namespace a component has, where it says so itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespace {
    /// As the engine spells it: `host`, `private`, `shareable`, `none`, `container:NAME`.
    Engine(String),
    /// `service:NAME`: another component's.
    Component(String),
}

/// Whose users a component has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Userns {
    /// The host's.
    Host,
    /// Those that the engine has for containers.
    Private,
}

/// Where a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its path in its document.
    pub at: String,
    /// The document and the line.
    pub place: Place,
}

impl Said {
    /// Where the key of this value stands.
    pub(super) fn of(value: &Node) -> Self {
        Self { at: value.at.clone(), place: value.key.clone() }
    }
}

/// When an image is pulled that the engine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// Not at all: only one that it does not have.
    Missing,
    /// At every start.
    Always,
    /// Never, not even one that it does not have.
    Never,
    /// When it is older than this.
    After(Duration),
}

impl Serialize for Pull {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing => to.serialize_str("missing"),
            Self::Always => to.serialize_str("always"),
            Self::Never => to.serialize_str("never"),
            Self::After(age) => to.serialize_str(&format!("after {} s", age.as_secs())),
        }
    }
}

/// A setting that needs a newer engine than the oldest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// What it is, in words.
    pub what: &'static str,
    /// Its path in its document.
    pub at: String,
    /// Where it was asked for.
    pub place: Place,
    /// The first version of the API that has it.
    pub since: ApiVersion,
}

impl Component {
    /// A component that is nothing but an image.
    pub fn new(name: &str, stage: Stage, image: &str) -> Self {
        Self {
            name: name.to_owned(),
            stage,
            request: CreateRequest { image: image.to_owned(), ..CreateRequest::default() },
            platform: None,
            pull: Pull::Missing,
            labels: Vec::new(),
            attach: true,
            stop_grace_period: None,
            volumes: Vec::new(),
            volumes_from: Vec::new(),
            ipc: None,
            pid: None,
            oom_score_adj: None,
            depends_on: Vec::new(),
            role: Role::default(),
            leader: false,
            asked: restart::Asked::default(),
            projections: Vec::new(),
            copies: Vec::new(),
            features: Vec::new(),
            userns: None,
            said: Vec::new(),
            post_start: Vec::new(),
            pre_stop: Vec::new(),
            probes: Probes::default(),
        }
    }

    /// Where it says what it asks for by this key: what was noted last.
    pub(super) fn said(&self, key: &str) -> &Said {
        let said = self.said.iter().rev().find(|(noted, _)| *noted == key);
        said.map(|(_, said)| said).expect("who asks for something says where")
    }

    /// Whether it may be started more than once in a life of the pod: by its policy, or with one that it needs.
    pub(super) fn may_restart(&self, needs: &[Need]) -> bool {
        self.policy(Restart::default()).when != When::No || needs.iter().any(|need| need.restart)
    }

    /// Its restart policy, with the times of `otherwise` where it says none.
    pub(super) fn policy(&self, otherwise: Restart) -> Restart {
        self.asked.policy(self.role, self.probes.liveness.is_some(), otherwise)
    }

    /// Where its secrets and configs are mounted: the folder of Docker's secrets as a whole, others one by one.
    pub(super) fn projected_at(&self) -> Vec<&str> {
        let folder = SECRETS.trim_end_matches('/');
        let in_folder = self.projections.iter().any(|it| it.target.starts_with(SECRETS));
        let others = self.projections.iter().map(|it| it.target.as_str()).filter(|target| !target.starts_with(SECRETS));
        in_folder.then_some(folder).into_iter().chain(others).collect()
    }
}
