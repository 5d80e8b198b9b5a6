//! What was built.

use std::env::consts::{ARCH, OS};

/// The version of podlike.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The repository of the controller's image, where templates name none.
pub const IMAGE: &str = "rycus86/podlike";

/// Version and target.
pub fn long() -> String {
    let libc = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    format!("{VERSION} ({ARCH}-{OS}-{libc})")
}
