//! References of images, resolved as Docker resolves them: `nginx` ─▶ `docker.io/library/nginx:latest`.

use std::fmt;

/// The registry of a reference that names none.
pub(super) const HUB: &str = "docker.io";
/// The Hub's name from before it had this one.
pub(super) const OLD_HUB: &str = "index.docker.io";
/// The Hub's images without an organisation are of this one.
const OFFICIAL: &str = "library/";
/// A reference in full: what it means, not how it was written, so that `nginx` and `index.docker.io/library/nginx:latest`
/// are equal. The rules are those of distribution's `reference` (`ParseAnyReference`, and `ParseDockerRef`, by which a
/// digest makes a tag void). An id, which is `sha256:` and 64 hexadecimal digits or these alone, has only a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    version: Version,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Version {
    Tag(String),
    Digest(String),
}

impl Reference {
    /// Reads a reference. It splits and does not judge: what breaks the grammar is for the engine to refuse.
    pub fn parse(text: &str) -> Self {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        if is_sha256(hex) {
            let version = Version::Digest(format!("sha256:{hex}"));
            return Self { registry: String::new(), repository: String::new(), version };
        }
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let version = match (digest, tag) {
            (Some(digest), _) => Version::Digest(digest.to_owned()),
            (None, tag) => Version::Tag(tag.unwrap_or("latest").to_owned()),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((OLD_HUB, rest)) => (HUB, rest),
            Some((host, rest)) if is_host(host) => (host, rest),
            _ => (HUB, name),
        };
        let official = if registry == HUB && !repository.contains('/') { OFFICIAL } else { "" };
        Self { registry: registry.to_owned(), repository: format!("{official}{repository}"), version }
    }

    /// The host of the registry, with its port if there is one: `docker.io`, `host:5000`. Empty for an id.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in the registry: `library/nginx`. Empty for an id.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Registry and repository, as the engine takes them.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The tag; none where there is a digest.
    pub fn tag(&self) -> Option<&str> {
        match &self.version {
            Version::Tag(tag) => Some(tag),
            Version::Digest(_) => None,
        }
    }

    /// The digest with its algorithm: `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        match &self.version {
            Version::Digest(digest) => Some(digest),
            Version::Tag(_) => None,
        }
    }

    /// Whether it is an id: it says which image, and not where it comes from.
    pub fn is_id(&self) -> bool {
        self.registry.is_empty()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, repository, version } = self;
        match version {
            Version::Digest(id) if self.is_id() => f.write_str(id),
            Version::Digest(digest) => write!(f, "{registry}/{repository}@{digest}"),
            Version::Tag(tag) => write!(f, "{registry}/{repository}:{tag}"),
        }
    }
}

fn is_sha256(hex: &str) -> bool {
    hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The part before the first `/` is a host if it can be nothing else.
fn is_host(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.contains(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_reference_is_resolved_as_docker_resolves_it() {
        for (text, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.29", "docker.io/library/nginx:1.29"),
            ("org/img:1", "docker.io/org/img:1"),
            ("docker.io/nginx", "docker.io/library/nginx:latest"),
            ("docker.io/org/team/img", "docker.io/org/team/img:latest"),
            ("host:5000/x", "host:5000/x:latest"),
            ("host:5000/org/x:2", "host:5000/org/x:2"),
            ("quay.io/x", "quay.io/x:latest"),
            ("localhost/x", "localhost/x:latest"),
            ("Host/x", "Host/x:latest"),
            ("[::1]:5000/x", "[::1]:5000/x:latest"),
            // Not a host and a port, but a name and a tag.
            ("localhost:5000", "docker.io/library/localhost:5000"),
            ("host:5000/x@sha256:ab", "host:5000/x@sha256:ab"),
            ("nginx:1@sha256:ab", "docker.io/library/nginx@sha256:ab"),
        ] {
            assert_eq!(Reference::parse(text).to_string(), full, "{text}");
            assert_eq!(Reference::parse(full), Reference::parse(text), "in full it is the same");
        }
    }

    #[test]
    fn all_spellings_of_one_image_are_equal() {
        let plain = Reference::parse("nginx");
        for same in ["nginx:latest", "library/nginx", "docker.io/library/nginx:latest", "index.docker.io/library/nginx"]
        {
            assert_eq!(Reference::parse(same), plain, "{same}");
        }
        for other in ["nginx:1", "org/nginx", "localhost/nginx", "quay.io/library/nginx", "nginx@sha256:ab"] {
            assert_ne!(Reference::parse(other), plain, "{other}");
        }
    }

    #[test]
    fn its_parts_can_be_asked_for() {
        let tagged = Reference::parse("host:5000/org/x:2");
        assert_eq!((tagged.registry(), tagged.repository()), ("host:5000", "org/x"));
        assert_eq!((tagged.tag(), tagged.digest(), tagged.is_id()), (Some("2"), None, false));
        let pinned = Reference::parse("x:2@sha256:ab");
        assert_eq!((pinned.tag(), pinned.digest(), pinned.is_id()), (None, Some("sha256:ab"), false));
    }

    #[test]
    fn an_id_comes_from_nowhere() {
        let id = Reference::parse(&format!("sha256:{HEX}"));
        assert_eq!(id, Reference::parse(HEX));
        assert!(id.is_id() && id.registry().is_empty() && id.repository().is_empty());
        assert_eq!(id.digest(), Some(format!("sha256:{HEX}").as_str()));
        assert!(!Reference::parse(&HEX[1..]).is_id() && !Reference::parse(&format!("x@sha256:{HEX}")).is_id());
    }

    #[test]
    fn nonsense_is_split_without_harm() {
        for text in ["", "/", ":", "@", "://", "a//b", "@sha256:", "é/x", "x:\r\n"] {
            let _ = Reference::parse(text).to_string();
        }
    }
}
