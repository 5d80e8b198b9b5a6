//! `cap_add` and `cap_drop`: names of what a process may do beyond an ordinary one.

use crate::compose::{self, Error, Node};

/// The names that Linux has (`capabilities(7)`), without their `CAP_`. An engine may know newer ones.
const KNOWN: [&str; 42] = [
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYSLOG",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// Reads names as the engine takes them: in any case, with `CAP_` or without. One that is nearly known is refused; what is
/// far from all is left to the engine.
pub(super) fn capabilities(node: &Node) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for (item, written) in compose::texts(node)? {
        let name = written.to_ascii_uppercase();
        let name = name.strip_prefix("CAP_").unwrap_or(&name);
        if let Some(near) = compose::nearest(name, KNOWN).filter(|near| *near != name) {
            return Err(item.not(&written, format!("a capability, did you mean '{near}'?")));
        }
        names.push(written);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::valid;

    #[test]
    fn a_misspelt_capability_is_refused_and_an_unknown_one_left_to_the_engine() {
        for text in ["ALL", "[NET_ADMIN, cap_chown, CAP_SYS_TIME]", "TIME_TRAVEL"] {
            assert!(capabilities(&valid(text)).is_ok(), "{text}");
        }
        let error = capabilities(&valid("[CHOWN, NET_ADMN]")).expect_err("misspelt").to_string();
        assert_eq!(error, "line 1, column 9: [1]: 'NET_ADMN' is not a capability, did you mean 'NET_ADMIN'?");
    }
}
