//! Why a socket is closed to us: what `/proc` tells of who we are to the host.

use std::fs;
use std::path::Path;

/// The likeliest reason for which the engine's socket may not be used, and the way out.
pub(super) fn why_denied(root: &Path) -> String {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    reason(&read("proc/self/uid_map"), &read("proc/self/attr/current"))
}

/// The same, from our map of users and our security label.
fn reason(users: &str, label: &str) -> String {
    let label = label.trim_end_matches(['\0', '\n']);
    match (root_outside(users), label.split(':').nth(2)) {
        // One user alone stands for root: whose engine it is.
        (Some((user, 1)), _) => format!(
            "the engine is rootless, and root here is the user {user} of the host: mount this user's own socket, which is \
             $XDG_RUNTIME_DIR/docker.sock on the host"
        ),
        (Some((user, _)), _) => format!(
            "the engine remaps users, and root here is the user {user} of the host: run the controller with --userns=host, \
             or the engine with --group {user} or on TCP"
        ),
        // SELinux: USER:ROLE:TYPE:LEVEL; AppArmor has no colons.
        (None, Some(kind)) if !matches!(kind, "spc_t" | "unconfined_t") => format!(
            "SELinux confines the controller as {kind}: run it with --security-opt label=disable; else run it as root, or \
             with the group that owns the socket: --group-add"
        ),
        _ => "run the controller as root, or with the group that owns the socket: --group-add".to_owned(),
    }
}

/// Which user of the host root is, and how many follow it, where it is not root.
fn root_outside(users: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let numbers: Vec<u32> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        match numbers[..] {
            [0, outside, count] if outside != 0 => Some((outside, count)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "         0          0 4294967295\n";

    #[test]
    fn the_reason_is_the_map_of_users_or_the_label() {
        for (users, label, said) in [
            ("         0     100000      65536\n", "unconfined", "--group 100000"),
            ("0 1234 1\n1 100000 65536\n", "", "the user 1234 of the host: mount this user's own socket"),
            (HOST, "system_u:system_r:container_t:s0:c1,c2\0", "SELinux confines the controller as container_t"),
            (HOST, "system_u:system_r:spc_t:s0", "run the controller as root"),
            (HOST, "docker-default (enforce)\n", "run the controller as root"),
            ("", "", "run the controller as root"),
        ] {
            let reason = reason(users, label);
            assert!(reason.contains(said), "{users}{label}: {reason}");
        }
    }
}
