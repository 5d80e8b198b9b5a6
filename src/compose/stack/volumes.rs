//! The volumes of a service, and the paths of a stack's files. The short syntax is docker/cli's (`loader/volume.go`), which
//! takes what stands before the first `:` for a path if it looks like one, also like one of Windows.

use super::References;
use super::loader::{Loader, like};
use super::references::{Hidden, default_in_front};
use super::schema::MOUNT;
use crate::compose::{Error, Kind, Node};

/// Options of a path in the short syntax.
const PROPAGATIONS: [&str; 6] = ["shared", "slave", "private", "rshared", "rslave", "rprivate"];

impl Loader<'_> {
    /// Volumes in the long syntax, their paths absolute.
    pub(super) fn volumes(&self, node: &Node) -> Result<Node, Error> {
        let volume = |item: &Node| match &item.kind {
            Kind::Map(_) => self.long_volume(item),
            Kind::Text(text) => self.short_volume(item, text),
            _ => Err(item.expected("a volume such as data:/var/lib/data")),
        };
        let mut volumes = Vec::new();
        for item in node.list()? {
            match volume(item) {
                Err(_) if self.is_open(item) => {}
                read => volumes.push(read?),
            }
        }
        Ok(like(node, Kind::List(volumes)))
    }

    fn long_volume(&self, item: &Node) -> Result<Node, Error> {
        if self.checks() && item.get("type").is_none() {
            return Err(item.missing("type"));
        }
        let mut volume = self.object(&MOUNT, item)?;
        if volume.get("type").and_then(|kind| kind.text().ok()).as_deref() != Some("bind") {
            return Ok(volume);
        }
        let source = volume.get("source").ok_or_else(|| item.missing("source"))?;
        let text = source.text()?;
        let hidden = if self.references == References::Resolve { Hidden::plain(text) } else { Hidden::tried(text) };
        let path = self.source(&hidden, &hidden.text);
        let source = like(source, Kind::Text(path));
        volume.put("source", source);
        Ok(volume)
    }

    fn short_volume(&self, item: &Node, text: &str) -> Result<Node, Error> {
        let hidden = self.hidden(item, text)?;
        // What a variable in front stands for may be a name or a path.
        if hidden.text.contains(':') && hidden.text.starts_with(|c| hidden.is_variable(c)) {
            let bind = |default: &str| is_path(default).then(|| self.source(&Hidden::plain(String::new()), default));
            return Ok(like(item, Kind::Text(with_default(text, bind))));
        }
        let parts = parts(&hidden.text);
        let (source, target, options) = match parts.as_slice() {
            _ if parts.iter().any(String::is_empty) => return Err(item.invalid(EMPTY)),
            [target] => ("", target.as_str(), ""),
            [source, target] => (source.as_str(), target.as_str(), ""),
            [source, target, options] => (source.as_str(), target.as_str(), options.as_str()),
            _ => return Err(item.invalid("a volume: [SOURCE:]TARGET[:OPTIONS]")),
        };
        let is_bind = is_path(source);
        let source = if is_bind { self.source(&hidden, source) } else { hidden.shown(source) };
        // Which options a variable stands for Docker will know.
        if options.contains(|c| hidden.is_variable(c)) {
            let written = [source.as_str(), &hidden.shown(target), &hidden.shown(options)].join(":");
            return Ok(like(item, Kind::Text(written)));
        }
        let options: Vec<String> = options.split(',').map(|option| hidden.shown(option)).collect();
        let told = |option: &str| options.iter().any(|known| known == option);
        let text = |text: &str| like(item, Kind::Text(text.to_owned()));
        let mut volume = like(item, Kind::Map(Vec::new()));
        volume.put("type", text(if is_bind { "bind" } else { "volume" }));
        if !source.is_empty() {
            volume.put("source", text(&source));
        }
        volume.put("target", text(&hidden.shown(target)));
        if options.iter().rfind(|option| ["ro", "rw"].contains(&option.as_str())).is_some_and(|option| option == "ro") {
            volume.put("read_only", like(item, Kind::Bool(true)));
        }
        let mut put = |of: &str, key: &str, value: Kind| {
            volume.put(of, like(item, Kind::Map(vec![(key.to_owned(), like(item, value))])));
        };
        if let Some(propagation) = options.iter().rfind(|option| PROPAGATIONS.contains(&option.as_str())) {
            put("bind", "propagation", Kind::Text(propagation.clone()));
        }
        if told("nocopy") {
            put("volume", "nocopy", Kind::Bool(true));
        }
        Ok(volume)
    }

    /// The source of a bind mount: `~` is the user's home, what is relative is joined with the folder of the stack.
    fn source(&self, hidden: &Hidden, path: &str) -> String {
        let home = self.surroundings.env.get("HOME");
        match (path.strip_prefix('~'), home) {
            (Some(rest), Some(home)) => hidden.shown(&format!("{home}{rest}")),
            (Some(_), None) => hidden.shown(path),
            (None, _) => self.path(hidden, path),
        }
    }

    /// A path, absolute. One that begins with a variable stays as it is written, but for a path that is its default.
    pub(super) fn path(&self, hidden: &Hidden, path: &str) -> String {
        if path.starts_with(|c| hidden.is_variable(c)) {
            let file = |default: &str| Some(self.path(&Hidden::plain(String::new()), default));
            return with_default(&hidden.shown(path), file);
        }
        if path.is_empty() || is_absolute(path) {
            return hidden.shown(path);
        }
        // A variable may stand for many folders, of which '..' leaves the last.
        if path.contains("..") && path.contains(|c| hidden.is_variable(c)) {
            return format!("{}/{}", self.folder.display(), hidden.shown(path.trim_start_matches("./")));
        }
        let absolute = self.surroundings.path(&self.folder, &format!("./{path}"));
        hidden.shown(&absolute.to_string_lossy())
    }
}

/// What begins with a variable, its default as the path that it is, if any. Those who read it know no folder of ours.
fn with_default(text: &str, path: impl Fn(&str) -> Option<String>) -> String {
    let Some((before, default, after)) = default_in_front(text) else { return text.to_owned() };
    // What follows may go on with the last name of the path; an absolute one ends with no blank name.
    let is_whole = after == "}" || after.starts_with("}/") || after.starts_with("}:");
    let goes_on = !matches!(default.rsplit('/').next(), Some("" | "." | ".." | "~"));
    match path(default).filter(|_| (is_whole || goes_on) && !default.contains('$')) {
        Some(path) => format!("{before}{path}{after}"),
        None => text.to_owned(),
    }
}

const EMPTY: &str = "a volume: nothing stands before or behind a ':' (is a variable not set?)";

/// The parts between the colons; that of a Windows drive, one letter before it, is none.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    // Docker takes so short a text for a target.
    if text.len() <= 2 {
        return vec![text.to_owned()];
    }
    for c in text.chars() {
        match parts.last_mut() {
            Some(part) if c != ':' || is_drive(part) => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts
}

/// Whether a text is the letter of a Windows drive.
fn is_drive(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
}

/// Whether a source is a path.
fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~']) || source.starts_with(r"\\") || has_drive(source)
}

fn has_drive(path: &str) -> bool {
    path.split_once(':').is_some_and(|(drive, _)| is_drive(drive))
}

/// Whether a path is absolute, on Linux or on Windows.
fn is_absolute(path: &str) -> bool {
    let on_drive = has_drive(path) && path.split_once(':').is_some_and(|(_, rest)| rest.starts_with(['/', '\\']));
    path.starts_with('/') || path.starts_with(r"\\") || on_drive
}
