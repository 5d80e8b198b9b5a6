//! Whose users components have. Who joins namespaces of the controller must be in its user namespace, or in the host's,
//! which owns them all; where the engine remaps users (`userns-remap`) these are two.
//!
//! | controller | component | |
//! |---|---|---|
//! | remapped | – | the controller's: the engine sees to it |
//! | remapped | `host` | it may join whom it likes, but nobody who is remapped may join it |
//! | `host` | – | `host` |
//! | `host` | `private` | refused: it cannot join the network |
//!
//! Tried on Docker 20.10, 26.1 and 28.5. A rootless engine is in a user namespace as a whole: nobody can tell the difference.

use std::collections::HashMap;

use super::super::component::{Namespace, Userns};
use super::{Component, Controller, Error, PodSpec, Warning};

/// The word of the API.
const HOST: &str = "host";

/// Who has whose users.
pub(super) struct Users {
    /// Whether the engine has users for containers that are not the host's.
    remapped: bool,
    /// Whether the controller has the host's.
    host: bool,
}

impl Users {
    /// Fails where the engine would refuse what was asked for.
    pub(super) fn choose(spec: &PodSpec, controller: &Controller, warnings: &mut Vec<Warning>) -> Result<Self, Error> {
        let users = Self { remapped: controller.engine.userns_remap, host: controller.host.userns_mode == HOST };
        let by_name: HashMap<&str, &Component> = spec.components.iter().map(|it| (it.name.as_str(), it)).collect();
        for component in &spec.components {
            if let Some((key, why)) = users.refused(component, &by_name) {
                let said = component.said(key);
                let (place, at) = (Box::new(said.place.clone()), said.at.clone());
                return Err(Error::Userns { place, at, why });
            }
            let own = component.userns == Some(Userns::Private);
            if own && !users.remapped && controller.engine.is_known() {
                warnings.push(Warning::NoUserns { component: component.name.clone() });
            }
        }
        let strangers = spec.components.iter().filter(|component| users.remapped && users.is_host(component));
        let strangers: Vec<String> = strangers.map(|component| component.name.clone()).collect();
        if !strangers.is_empty() {
            warnings.push(Warning::RemappedFiles { components: strangers });
        }
        Ok(users)
    }

    /// The user namespace of a component, or of what podlike itself runs, as requests name it.
    pub(super) fn mode(&self, component: Option<&Component>) -> String {
        let host = component.map_or(self.host, |component| self.is_host(component));
        if host { HOST.to_owned() } else { String::new() }
    }

    /// Whether a component has other users than the controller, so that the others cannot join it.
    pub(super) fn is_apart(&self, component: &Component) -> bool {
        self.remapped && self.is_host(component) != self.host
    }

    fn is_host(&self, component: &Component) -> bool {
        self.host || component.userns == Some(Userns::Host)
    }

    /// What the engine would refuse to a component, and why.
    fn refused(
        &self,
        component: &Component,
        by_name: &HashMap<&str, &Component>,
    ) -> Option<(&'static str, &'static str)> {
        if !self.remapped {
            return None;
        }
        if self.is_host(component) {
            let private = self.host && component.userns == Some(Userns::Private);
            return private.then_some((
                "userns_mode",
                "the controller has the host's users (--userns=host), and who shares its network must have them too",
            ));
        }
        let is_host = |namespace: &Option<Namespace>| match namespace {
            Some(Namespace::Engine(mode)) => mode == HOST,
            Some(Namespace::Component(name)) => by_name.get(name.as_str()).is_some_and(|other| self.is_host(other)),
            None => false,
        };
        if component.request.host_config.privileged {
            return Some(("privileged", "the engine remaps users, and takes this only with 'userns_mode: host'"));
        }
        let keys = [("pid", &component.pid), ("ipc", &component.ipc)];
        keys.into_iter().find(|(_, namespace)| is_host(namespace)).map(|(key, _)| {
            (key, "the engine remaps users, and this namespace is the host's users': it takes 'userns_mode: host'")
        })
    }
}
