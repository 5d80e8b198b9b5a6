//! `podlike template`: stacks in, stacks of pods out.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::cli::{Settings, Transformation};
use crate::compose::stack::StackFile;
use crate::pod::Surroundings;
use crate::template::{self, Fetch};

use super::input::read;
use super::{Error, Outcome, version};

/// Transforms a stack and prints it, or writes it into a file. Warnings are told; no engine is needed.
pub fn template(settings: &Settings, transformation: &Transformation) -> Result<Outcome, Error> {
    let surroundings = Surroundings {
        working_dir: settings.working_dir.clone(),
        env: settings.env.clone(),
        ..Surroundings::default()
    };
    let file = |path: &PathBuf| -> Result<StackFile, Error> {
        // Errors name a file as it was named.
        let (known, text) = read(path, &surroundings.for_another())?;
        let path = if known.is_absolute() { path.clone() } else { known };
        Ok(StackFile { path, text })
    };
    let files = transformation.files.iter().map(file).collect::<Result<Vec<_>, _>>()?;
    let fetch = Fetch::new(&settings.env, transformation.offline);
    let transformed = template::transform(&files, &surroundings, &fetch, transformation.image.as_deref())?;
    for (place, note) in &transformed.notes {
        log::warn!("{place}: {note}");
    }
    if let Some(image) = &transformed.unnamed {
        log::warn!(
            "controllers have the image {image}, the Go program's: name yours with -image, or in a pod template"
        );
    }
    match &transformation.output {
        Some(path) => {
            write(path, &transformed.text).map_err(|source| Error::Output { path: path.clone(), source })?;
        }
        None => version::print(transformed.text.trim_end())?,
    }
    Ok(Outcome::Done)
}

/// Writes a file, which is the user's alone if it is new: what an `env_file` holds may be in it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
