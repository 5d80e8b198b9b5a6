//! What was built.

use std::env::consts::{ARCH, OS};

/// The version of podlike.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The repository of the controller's image, where templates name none.
pub const IMAGE: &str = "rycus86/podlike";

/// What is in it: `full` has everything, `edge` neither templates nor TLS, and between them are `edge+template` and
/// `edge+tls`.
pub const FLAVOUR: &str = match (cfg!(feature = "template"), cfg!(feature = "tls")) {
    (true, true) => "full",
    (true, false) => "edge+template",
    (false, true) => "edge+tls",
    (false, false) => "edge",
};

/// What a build without templates answers where some are asked for.
pub const NO_TEMPLATES: &str = if cfg!(feature = "tls") {
    "this is podlike's edge+tls flavour, without templates: run the full image for that"
} else {
    "this is podlike's edge flavour, without templates: run the full image for that"
};

/// What a build without TLS answers where it is asked for.
pub const NO_TLS: &str = if cfg!(feature = "template") {
    "this is podlike's edge+template flavour, without TLS: run the full image for that"
} else {
    "this is podlike's edge flavour, without TLS: run the full image for that"
};

/// Version, flavour and target.
pub fn long() -> String {
    let libc = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    format!("{VERSION} {FLAVOUR} ({ARCH}-{OS}-{libc})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_told_with_the_name_of_the_flavour() {
        assert!(long().starts_with(&format!("{VERSION} {FLAVOUR} (")), "{}", long());
        for (built, words) in [(cfg!(feature = "template"), NO_TEMPLATES), (cfg!(feature = "tls"), NO_TLS)] {
            assert_eq!(words.contains(&format!(" {FLAVOUR} flavour, ")), !built, "{words}");
        }
        assert_eq!(FLAVOUR == "full", cfg!(all(feature = "template", feature = "tls")));
        assert_eq!(FLAVOUR == "edge", !cfg!(any(feature = "template", feature = "tls")));
    }
}
