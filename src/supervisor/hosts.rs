//! The names by which the services of a Compose file know each other: lines of `/etc/hosts`, which the engine mounts in
//! the controller and in all who share its network.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The file, as every container has it.
pub(super) const HOSTS: &str = "/etc/hosts";

/// Lets names stand for the network that all share, unless they are known already.
pub(super) fn add(hosts: &Path, names: &[String]) -> io::Result<()> {
    let text = fs::read_to_string(hosts)?;
    let is_known = |name: &String| {
        let entries = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        entries.into_iter().any(|entry| entry.split_whitespace().skip(1).any(|known| known == name))
    };
    let new: Vec<&str> = names.iter().filter(|name| !is_known(name)).map(String::as_str).collect();
    if new.is_empty() {
        return Ok(());
    }
    // The file is a mount: it can be written, and not replaced.
    let mut file = OpenOptions::new().append(true).open(hosts)?;
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file.write_all(format!("{end}127.0.0.1\t{}\n", new.join(" ")).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_added_once_and_what_is_known_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let hosts = folder.path().join("hosts");
        fs::write(&hosts, "10.0.0.1 cache # db").expect("a file");
        let names = ["cache", "db", "web"].map(str::to_owned);
        for _ in 0..2 {
            add(&hosts, &names).expect("it can be written");
            assert_eq!(fs::read_to_string(&hosts).expect("text"), "10.0.0.1 cache # db\n127.0.0.1\tdb web\n");
        }
        assert!(add(&folder.path().join("none"), &names).is_err());
    }
}
