//! What a component *is*, whatever notation it was written in.

use std::time::Duration;

use crate::compose::Volume;

use super::{Dependency, FileCopy};

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
#[expect(clippy::struct_excessive_bools, reason = "they are the switches that Compose has")]
pub struct Component {
    /// The name within the pod.
    pub name: String,
    /// Its turn.
    pub stage: Stage,
    /// `image`
    pub image: String,
    /// `entrypoint`; none keeps the image's, an empty one clears it.
    pub entrypoint: Option<Vec<String>>,
    /// `command`; none keeps the image's.
    pub command: Option<Vec<String>>,
    /// `working_dir`
    pub working_dir: Option<String>,
    /// `environment`; a key without a value takes the controller's.
    pub environment: Vec<(String, Option<String>)>,
    /// `labels`
    pub labels: Vec<(String, String)>,
    /// `user`
    pub user: Option<String>,
    /// `tty`
    pub tty: bool,
    /// `stdin_open`
    pub stdin_open: bool,
    /// `healthcheck`; none keeps the image's.
    pub healthcheck: Option<Healthcheck>,
    /// `stop_signal`
    pub stop_signal: Option<String>,
    /// `stop_grace_period`
    pub stop_grace_period: Option<Duration>,
    /// `volumes`
    pub volumes: Vec<Volume>,
    /// `tmpfs`, as target and options.
    pub tmpfs: Vec<(String, String)>,
    /// `read_only`
    pub read_only: bool,
    /// `privileged`
    pub privileged: bool,
    /// `cap_add`
    pub cap_add: Vec<String>,
    /// `cap_drop`
    pub cap_drop: Vec<String>,
    /// `mem_limit` in bytes.
    pub mem_limit: Option<i64>,
    /// `oom_score_adj`
    pub oom_score_adj: Option<i64>,
    /// `depends_on`
    pub depends_on: Vec<Dependency>,
    /// What is copied in before it starts.
    pub copies: Vec<FileCopy>,
}

/// `healthcheck` of a component. What is none keeps the image's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// `disable: true` or `test: NONE`
    Disabled,
    /// A check, or parts of the image's changed.
    Check {
        /// `CMD` or `CMD-SHELL` and its arguments.
        test: Option<Vec<String>>,
        /// Between two checks.
        interval: Option<Duration>,
        /// For one check.
        timeout: Option<Duration>,
        /// Before failures count.
        start_period: Option<Duration>,
        /// Failures until unhealthy.
        retries: Option<u64>,
    },
}

impl Component {
    /// A component that is nothing but an image.
    pub fn new(name: &str, stage: Stage, image: &str) -> Self {
        Self {
            name: name.to_owned(),
            stage,
            image: image.to_owned(),
            entrypoint: None,
            command: None,
            working_dir: None,
            environment: Vec::new(),
            labels: Vec::new(),
            user: None,
            tty: false,
            stdin_open: false,
            healthcheck: None,
            stop_signal: None,
            stop_grace_period: None,
            volumes: Vec::new(),
            tmpfs: Vec::new(),
            read_only: false,
            privileged: false,
            cap_add: Vec::new(),
            cap_drop: Vec::new(),
            mem_limit: None,
            oom_score_adj: None,
            depends_on: Vec::new(),
            copies: Vec::new(),
        }
    }
}
