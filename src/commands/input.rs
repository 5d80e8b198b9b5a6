//! What a command reads: a file, stdin, or a pipe.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::pod::Surroundings;

use super::Error;

/// What stdin is called.
pub(super) const STDIN: &str = "stdin";

/// The absolute path of a file, or a name for what is none, such as stdin, and its text.
pub(super) fn read(file: &Path, surroundings: &Surroundings) -> Result<(PathBuf, String), Error> {
    if file == Path::new("-") {
        let text = read_all(io::stdin()).map_err(|source| Error::System { doing: "read stdin", source })?;
        return Ok((STDIN.into(), text));
    }
    let path = surroundings.path(Path::new(""), &file.to_string_lossy());
    let text = match name_of_stream(&path) {
        Some(name) => File::open(&path).and_then(read_all).map(|text| (name, text)),
        None => surroundings.read(&path).map(|text| (path.clone(), text)),
    };
    text.map_err(|source| Error::File { path, source })
}

/// Where a process finds what was opened for it; that may be a file, too.
const OPENED: [&str; 3] = ["/dev/fd", "/dev/stdin", "/proc/self/fd"];

/// What a pipe is called, such as the shell's `/dev/fd/63` for `<(…)`: it is in no folder that paths are relative to.
fn name_of_stream(path: &Path) -> Option<PathBuf> {
    let is_stream = || fs::metadata(path).is_ok_and(|file| !file.is_file() && !file.is_dir());
    let name = path.file_name()?.to_string_lossy();
    match OPENED.iter().any(|opened| path.starts_with(opened)) || is_stream() {
        true if name == STDIN => Some(STDIN.into()),
        true => Some(format!("pipe {name}").into()),
        false => None,
    }
}

/// All of a stream, with the limit that files have.
fn read_all(stream: impl Read) -> io::Result<String> {
    const LARGEST: u64 = 4 << 20;
    let mut text = String::new();
    stream.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other("it is longer than 4 MiB"));
    }
    Ok(text)
}
