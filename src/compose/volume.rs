//! The short syntax of a volume: `[SOURCE:]TARGET[:OPTIONS]`.

use super::{Error, Node};

/// A volume of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// What is mounted.
    pub source: Source,
    /// The absolute path in the component.
    pub target: String,
    /// Options as written, such as `ro` or `rshared`.
    pub options: Vec<String>,
}

/// What a [`Volume`] mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A new volume without a name.
    Anonymous,
    /// A volume by its name.
    Named(String),
    /// A path of the host.
    Bind(String),
}

/// The options of the short syntax that an engine knows.
const OPTIONS: [&str; 15] = [
    "ro",
    "rw",
    "z",
    "Z",
    "nocopy",
    "copy",
    "shared",
    "slave",
    "private",
    "rshared",
    "rslave",
    "rprivate",
    "consistent",
    "cached",
    "delegated",
];

impl Volume {
    /// Reads the short syntax.
    pub fn short(node: &Node) -> Result<Self, Error> {
        let text = node.text()?;
        let invalid = |expected: &str| node.invalid(expected);
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, options) = match parts[..] {
            [target] => ("", target, ""),
            [source, target] => (source, target, ""),
            [source, target, options] => (source, target, options),
            _ => return Err(invalid("a volume: [SOURCE:]TARGET[:OPTIONS]")),
        };
        if !target.starts_with('/') {
            return Err(invalid("a volume: the target must be an absolute path"));
        }
        let source = match source {
            "" if parts.len() > 1 => return Err(invalid("a volume: the source is empty")),
            "" => Source::Anonymous,
            path if path.starts_with('/') => Source::Bind(path.to_owned()),
            path if path.starts_with(['.', '~']) => {
                return Err(invalid("a volume: the source must be a name or an absolute path of the host"));
            }
            name => Source::Named(name.to_owned()),
        };
        let options: Vec<String> = options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        if let Some(unknown) = options.iter().find(|option| !OPTIONS.contains(&option.as_str())) {
            return Err(invalid(&format!(
                "a volume: unknown option '{unknown}', known are ro, rw, z, Z, nocopy and the propagations"
            )));
        }
        Ok(Self { source, target: target.to_owned(), options })
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn short(text: &str) -> Result<Volume, Error> {
        Volume::short(&parse(text).expect("valid"))
    }

    #[test]
    fn the_three_sources() {
        let volume = |source, target: &str, options: &[&str]| Volume {
            source,
            target: target.to_owned(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
        };
        assert_eq!(short("/data"), Ok(volume(Source::Anonymous, "/data", &[])));
        assert_eq!(short("db:/data:ro,z"), Ok(volume(Source::Named("db".into()), "/data", &["ro", "z"])));
        assert_eq!(short("/srv:/data"), Ok(volume(Source::Bind("/srv".into()), "/data", &[])));
    }

    #[test]
    fn what_is_no_volume_is_refused() {
        for text in ["data", "db:data", "./x:/data", "a:/b:ro:x", "db:/data:rx", "':/data'"] {
            assert!(short(text).is_err(), "{text}");
        }
    }
}
