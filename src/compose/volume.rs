//! A volume of a service, in the short syntax `[SOURCE:]TARGET[:OPTIONS]` and in the long one.

use super::{Error, Kind, Node, Place, byte_size, one_of};

/// A volume of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// What is mounted.
    pub content: Content,
    /// The absolute path in the component.
    pub target: String,
    /// Whether it can only be read.
    pub read_only: bool,
    /// `z` or `Z`: relabel the content for `SELinux`, shared or not.
    pub selinux: Option<char>,
    /// Where it was written.
    pub place: Place,
    /// Its path in the document.
    pub at: String,
}

/// What a [`Volume`] mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A volume by its name, or a new one without.
    Volume {
        /// The name.
        name: Option<String>,
        /// `nocopy`: don't fill a new one with what the image has there.
        nocopy: bool,
        /// `volume.subpath`
        subpath: Option<String>,
    },
    /// A path.
    Bind {
        /// As it is written.
        path: String,
        /// Whether it is a path of the controller and not of the host: it is not absolute.
        ours: bool,
        /// `rshared`, `rslave` …
        propagation: Option<String>,
        /// Whether the host gets a folder there if it has nothing.
        create: bool,
        /// `bind.recursive`: `enabled`, `disabled`, `writable` or `readonly`.
        recursive: Option<String>,
    },
    /// A file system in memory.
    Tmpfs {
        /// In bytes.
        size: Option<i64>,
        /// The mode of its root.
        mode: Option<u32>,
    },
    /// The files of an image.
    Image {
        /// Its reference.
        image: String,
        /// `image.subpath`
        subpath: Option<String>,
    },
}

const PROPAGATIONS: [&str; 6] = ["shared", "slave", "private", "rshared", "rslave", "rprivate"];
const CONSISTENCIES: [&str; 3] = ["consistent", "cached", "delegated"];

impl Volume {
    /// Reads the short or the long syntax.
    pub fn read(node: &Node) -> Result<Self, Error> {
        match node.kind {
            Kind::Map(_) => Self::long(node),
            _ => Self::short(node),
        }
    }

    fn new(node: &Node, content: Content, target: String) -> Self {
        Self { content, target, read_only: false, selinux: None, place: node.place.clone(), at: node.at.clone() }
    }

    fn short(node: &Node) -> Result<Self, Error> {
        let text = node.text()?;
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, options) = match parts[..] {
            [target] => ("", target, ""),
            [source, target] => (source, target, ""),
            [source, target, options] => (source, target, options),
            _ => return Err(node.invalid("a volume: [SOURCE:]TARGET[:OPTIONS]")),
        };
        if !target.starts_with('/') {
            return Err(node.invalid("a volume: the target must be an absolute path, such as data:/var/lib/data"));
        }
        let content = match source {
            "" if parts.len() > 1 => return Err(node.invalid("a volume: the source is empty (is a variable not set?)")),
            "" => Content::Volume { name: None, nocopy: false, subpath: None },
            path if path.starts_with(['/', '.', '~']) => bind(path),
            name => Content::Volume { name: Some(volume_name(node, name)?), nocopy: false, subpath: None },
        };
        let mut volume = Self::new(node, content, target.to_owned());
        for option in options.split(',').filter(|option| !option.is_empty()) {
            match (option, &mut volume.content) {
                ("ro", _) => volume.read_only = true,
                ("rw" | "copy", _) => {}
                ("z" | "Z", _) => volume.selinux = option.chars().next(),
                ("nocopy", Content::Volume { nocopy, .. }) => *nocopy = true,
                (option, Content::Bind { propagation, .. }) if PROPAGATIONS.contains(&option) => {
                    *propagation = Some(option.to_owned());
                }
                (option, _) if CONSISTENCIES.contains(&option) => {}
                ("nocopy", _) => return Err(node.invalid("a volume: only a named volume can have 'nocopy'")),
                (option, _) if PROPAGATIONS.contains(&option) => {
                    return Err(node.invalid(format!("a volume: only a path of the host can have '{option}'")));
                }
                _ => {
                    return Err(node.invalid(format!(
                        "a volume: unknown option '{option}', known are ro, rw, z, Z, nocopy, {}",
                        PROPAGATIONS.join(", ")
                    )));
                }
            }
        }
        Ok(volume)
    }

    fn long(node: &Node) -> Result<Self, Error> {
        const KEYS: [&str; 9] =
            ["bind", "consistency", "image", "read_only", "readonly", "source", "target", "tmpfs", "type"];
        let kind = node.get("type").ok_or_else(|| node.missing("type"))?;
        let target = node.get("target").ok_or_else(|| node.missing("target"))?;
        let source = node.get("source").map(Node::text).transpose()?;
        let needs_source = || source.clone().ok_or_else(|| node.missing("source"));
        let content = match kind.text()?.as_str() {
            "volume" => {
                let name = |source: &Node| volume_name(source, &source.text()?);
                Content::Volume { name: node.get("source").map(name).transpose()?, nocopy: false, subpath: None }
            }
            "bind" => bind(&needs_source()?),
            "tmpfs" => Content::Tmpfs { size: None, mode: None },
            "image" => Content::Image { image: needs_source()?, subpath: None },
            "npipe" | "cluster" => return Err(kind.invalid("for a component on Linux: volume, bind, tmpfs or image")),
            _ => return Err(kind.invalid("a type of volume: volume, bind, tmpfs or image")),
        };
        if !target.text()?.starts_with('/') {
            return Err(target.invalid("the target of a volume: an absolute path"));
        }
        let mut volume = Self::new(node, content, target.text()?);
        for (key, value) in node.map()? {
            match key.as_str() {
                _ if value.is_null() => {}
                "type" | "source" | "target" | "consistency" => {}
                "read_only" | "readonly" => volume.read_only = value.bool()?,
                "bind" | "volume" | "tmpfs" | "image" => volume.details(key, kind, value)?,
                key if key.starts_with("x-") => {}
                key => return Err(node.unknown(key, KEYS.into_iter().chain(["volume"]))),
            }
        }
        volume.check(node)?;
        Ok(volume)
    }

    /// What the engine cannot do.
    fn check(&self, node: &Node) -> Result<(), Error> {
        let place = |of, key| node.get(of).and_then(|options| options.get(key)).unwrap_or(node);
        match &self.content {
            Content::Volume { name: None, subpath: Some(_), .. } => {
                Err(place("volume", "subpath").refused("it needs a 'source': a new volume has nothing in it"))
            }
            Content::Bind { create, recursive, .. } if self.selinux.is_some() && (!create || recursive.is_some()) => {
                Err(place("bind", "selinux").refused("it goes not with 'create_host_path: false' or 'recursive'"))
            }
            _ => Ok(()),
        }
    }

    /// Reads the mapping of options that belongs to the type.
    fn details(&mut self, of: &str, kind: &Node, node: &Node) -> Result<(), Error> {
        if kind.text()? != of {
            return Err(node.refused(format!("these are options of a {of}, and the type is {}", kind.text()?)));
        }
        for (key, value) in node.map()? {
            if value.is_null() || key.starts_with("x-") {
                continue;
            }
            let known: &[&str] = match (&mut self.content, key.as_str()) {
                (Content::Volume { nocopy, .. }, "nocopy") => {
                    *nocopy = value.bool()?;
                    continue;
                }
                (Content::Volume { subpath, .. } | Content::Image { subpath, .. }, "subpath") => {
                    *subpath = Some(value.text()?);
                    continue;
                }
                (Content::Volume { .. }, "labels") => continue,
                (Content::Bind { propagation, .. }, "propagation") => {
                    *propagation = Some(one_of(value, "a propagation", &PROPAGATIONS)?);
                    continue;
                }
                (Content::Bind { create, .. }, "create_host_path") => {
                    *create = value.bool()?;
                    continue;
                }
                (Content::Bind { recursive, .. }, "recursive") => {
                    *recursive = Some(one_of(value, "a recursion", &["enabled", "disabled", "writable", "readonly"])?);
                    continue;
                }
                (Content::Bind { .. }, "selinux") => {
                    self.selinux = one_of(value, "a relabelling", &["z", "Z"])?.chars().next();
                    continue;
                }
                (Content::Tmpfs { size, .. }, "size") => {
                    *size = Some(byte_size(value)?);
                    continue;
                }
                (Content::Tmpfs { mode, .. }, "mode") => {
                    *mode = Some(file_mode(value)?);
                    continue;
                }
                (Content::Volume { .. }, _) => &["labels", "nocopy", "subpath"],
                (Content::Bind { .. }, _) => &["create_host_path", "propagation", "recursive", "selinux"],
                (Content::Tmpfs { .. }, _) => &["mode", "size"],
                (Content::Image { .. }, _) => &["subpath"],
            };
            return Err(node.unknown(key, known.iter().copied()));
        }
        Ok(())
    }
}

fn bind(path: &str) -> Content {
    Content::Bind {
        path: path.to_owned(),
        ours: !path.starts_with('/'),
        propagation: None,
        create: true,
        recursive: None,
    }
}

/// The engine's rule.
fn volume_name(node: &Node, name: &str) -> Result<String, Error> {
    let known = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(known) {
        return Ok(name.to_owned());
    }
    let hint = if name.contains('/') { " (a path begins with '/', './' or '~/')" } else { "" };
    Err(node.not(name, format!("the name of a volume: letters, digits, '_', '.' and '-'{hint}")))
}

/// The mode of a file: octal, as `0440`, `"440"` or the number that Compose's loader makes of the first.
pub fn file_mode(node: &Node) -> Result<u32, Error> {
    let text = node.text()?;
    let octal = match &node.kind {
        Kind::Number(number) if !number.starts_with('0') => node.integer().ok(),
        _ => i64::from_str_radix(text.trim_start_matches("0o"), 8).ok(),
    };
    let mode = octal.and_then(|mode| u32::try_from(mode).ok()).filter(|mode| *mode <= 0o7777);
    mode.ok_or_else(|| node.invalid("the mode of a file: octal digits such as 0440"))
}

#[cfg(test)]
mod tests {
    use super::super::yaml::valid;
    use super::*;

    fn read(text: &str) -> Result<Volume, Error> {
        Volume::read(&valid(text))
    }

    fn named(name: Option<&str>) -> Content {
        Content::Volume { name: name.map(str::to_owned), nocopy: false, subpath: None }
    }

    #[test]
    fn the_three_sources_of_the_short_syntax() {
        for (text, content) in
            [("/data", named(None)), ("db:/data:ro,z", named(Some("db"))), ("/srv:/data:rslave", bind("/srv"))]
        {
            let volume = read(text).expect(text);
            assert_eq!(volume.target, "/data", "{text}");
            match (volume.content, content) {
                (Content::Bind { path, propagation, .. }, Content::Bind { path: expected, .. }) => {
                    assert_eq!((path, propagation.as_deref()), (expected, Some("rslave")));
                }
                (content, expected) => assert_eq!(content, expected, "{text}"),
            }
            assert_eq!((volume.read_only, volume.selinux), (text.contains("ro,z"), text.contains(",z").then_some('z')));
        }
    }

    #[test]
    fn the_long_syntax_of_each_type() {
        let volume =
            read("{type: volume, source: db, target: /data, volume: {nocopy: true, subpath: a/b}}").expect("volume");
        let content = Content::Volume { name: Some("db".into()), nocopy: true, subpath: Some("a/b".into()) };
        assert_eq!(volume.content, content);
        let volume = read("{type: tmpfs, target: /data, tmpfs: {size: 64m, mode: 01777}}").expect("tmpfs");
        assert_eq!(volume.content, Content::Tmpfs { size: Some(64 << 20), mode: Some(0o1777) });
        let volume =
            read("{type: bind, source: ./x, target: /x, read_only: yes, bind: {create_host_path: true, selinux: Z}}");
        let volume = volume.expect("bind");
        assert_eq!((volume.read_only, volume.selinux), (true, Some('Z')));
        assert!(matches!(volume.content, Content::Bind { create: true, .. }));
        let volume = read("{type: image, source: app, target: /x, image: {subpath: d}}").expect("image");
        assert_eq!(volume.content, Content::Image { image: "app".into(), subpath: Some("d".into()) });
    }

    #[test]
    fn what_is_no_volume_is_refused() {
        for text in [
            "data",
            "db:data",
            "a:/b:ro:x",
            "db:/data:rx",
            "':/data'",
            "db:/data:rshared",
            "/srv:/data:nocopy",
            "{type: volume}",
            "{type: bind, target: /x}",
            "{type: npipe, source: x, target: /x}",
            "{type: volume, target: /x, bind: {propagation: rshared}}",
            "{type: bind, source: /x, target: /x, bind: {propagation: round}}",
            "{type: tmpfs, target: /x, tmpfs: {sise: 1}}",
            "{type: tmpfs, target: x}",
            "a/b:/c",
            "{type: volume, source: /x, target: /x}",
            "{type: volume, target: /x, volume: {subpath: a}}",
            "{type: bind, source: /x, target: /x, bind: {create_host_path: false, selinux: Z}}",
            "{typ: tmpfs, target: /x}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn modes_are_octal() {
        for (text, mode) in [("0440", 0o440), ("'440'", 0o440), ("288", 0o440), ("0o400", 0o400)] {
            assert_eq!(file_mode(&valid(text)), Ok(mode), "{text}");
        }
        for text in ["rw", "0999", "-1", "99999"] {
            assert!(file_mode(&valid(text)).is_err(), "{text}");
        }
    }
}
