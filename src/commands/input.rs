//! What a command reads: a file, or stdin.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::pod::Surroundings;

use super::Error;

/// What stdin is called.
pub(super) const STDIN: &str = "stdin";

/// The absolute path of a file, or a name for stdin, and its text.
pub(super) fn read(file: &Path, surroundings: &Surroundings) -> Result<(PathBuf, String), Error> {
    if file == Path::new("-") {
        let text = read_stdin().map_err(|source| Error::System { doing: "read stdin", source })?;
        return Ok((STDIN.into(), text));
    }
    let path = surroundings.path(Path::new(""), &file.to_string_lossy());
    match surroundings.read(&path) {
        Ok(text) => Ok((path, text)),
        Err(source) => Err(Error::File { path, source }),
    }
}

/// All of stdin, with the limit that files have.
fn read_stdin() -> io::Result<String> {
    const LARGEST: u64 = 4 << 20;
    let mut text = String::new();
    io::stdin().take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other("it is longer than 4 MiB"));
    }
    Ok(text)
}
