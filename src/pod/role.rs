//! What a component is to its pod: whose end is the pod's end, and who only helps.

use serde::Serialize;

use crate::compose::{self, Node};

/// The role of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Its end is the end of the pod.
    #[default]
    Essential,
    /// It helps the others: it is ready before they start, stops after them, and does not decide the end of the pod.
    Sidecar,
    /// It has something to do, and may end with 0 while the pod goes on.
    Task,
}

impl Role {
    /// Whether it is the one that a component has who says nothing.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape is serde's")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Reads a role.
    pub(super) fn read(node: &Node) -> Result<Self, compose::Error> {
        match node.text()?.as_str() {
            "essential" => Ok(Self::Essential),
            "sidecar" => Ok(Self::Sidecar),
            "task" => Ok(Self::Task),
            _ => Err(node.invalid("a role: essential, sidecar or task")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::compose::valid;

    use super::*;

    #[test]
    fn a_role_is_one_of_three_words() {
        assert_eq!(Role::read(&valid("sidecar")), Ok(Role::Sidecar));
        let error = Role::read(&valid("main")).expect_err("no role").to_string();
        assert_eq!(error, "line 1, column 1: 'main' is not a role: essential, sidecar or task");
    }
}
