//! Names of images: what is understood of a name is written as a name that means the same. Logins: nothing shows them.

use podlike::engine::{Credentials, Reference};
use serde_json::Value;

use super::dice::Dice;
use super::mutator;

const SECRET: &str = "HUNTERtwo";

#[rustfmt::skip]
const FRAGMENTS: [&[u8]; 26] = [
    b"/", b":", b"@", b"sha256:", b"@sha256:", b"docker.io/", b"index.docker.io/", b"library/", b"localhost", b"localhost:5000/",
    b":latest", b".", b"..", b"-", b"_", b"A", b"[::1]:5000/", b" ", b"\n", b"%2F", b"\xc3\xa9", b"?x=y", b"#", b"\0", b"//", b"@@",
];

/// The corpus: names first, then logins.
pub(crate) struct References {
    names: Vec<Vec<u8>>,
    logins: Vec<Vec<u8>>,
    taken: u64,
}

impl References {
    pub(crate) fn new() -> Self {
        let hex = "0123456789abcdef".repeat(4);
        let names = [
            "nginx",
            "nginx:1.27",
            "library/nginx",
            "docker.io/a/b:c",
            "index.docker.io/library/x",
            "localhost/x",
            "host:5000/a/b/c:t",
        ];
        let names = names.iter().map(|name| name.as_bytes().to_vec());
        let digests =
            [format!("x@sha256:{hex}"), format!("h:1/x:y@sha256:{hex}"), hex.clone(), format!("sha256:{hex}")];
        let names = names.chain(digests.map(String::into_bytes)).collect();
        let logins = [
            format!(r#"{{"auths": {{"h:1": {{"username": "me", "password": "{SECRET}"}}}}}}"#),
            format!(
                r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "bWU6SFVOVEVSdHdv"}}, "x": {{"identitytoken": "{SECRET}"}}}}}}"#
            ),
            format!(
                r#"{{"h:1": {{"registrytoken": "{SECRET}", "email": "a@b"}}, "credsStore": "desktop", "credHelpers": {{"a": "b"}}}}"#
            ),
        ];
        Self { names, logins: logins.map(String::into_bytes).to_vec(), taken: 0 }
    }

    fn name(&mut self, text: &str) -> Result<(), String> {
        let reference = Reference::parse(text);
        let written = reference.to_string();
        let again = Reference::parse(&written);
        self.taken += 1;
        if reference.tag().is_some() == reference.digest().is_some() {
            return Err("it has a tag and a digest, or none of them".to_owned());
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        // What breaks the grammar is the engine's to refuse.
        if again == reference || !text.chars().all(is_name) || !is_grammatical(text) {
            return Ok(());
        }
        Err(format!("{text:?} is written as {written:?}, which is read as {:?}", again.to_string()))
    }

    fn logins(&mut self, text: &[u8]) -> Result<(), String> {
        let shown = match Credentials::parse(text) {
            Ok(logins) => {
                let headers = ["h:1/x", "nginx", "x/y"].map(|name| logins.header(&Reference::parse(name)));
                self.taken += 1;
                format!("{logins:?} {headers:?}")
            }
            Err(error) => format!("{error} {error:?}"),
        };
        // The name of a registry is none, whatever a mutant has made of it.
        if has_secret(&shown)
            && !serde_json::from_str(&String::from_utf8_lossy(text)).is_ok_and(|document| is_a_key(&document))
        {
            Err(format!("a login is shown: {shown}"))
        } else {
            Ok(())
        }
    }
}

fn has_secret(text: &str) -> bool {
    text.contains(SECRET) || text.contains("SFVOVEVSdHdv")
}

/// Whether there is a secret in some key of a document.
fn is_a_key(document: &Value) -> bool {
    document.as_object().is_some_and(|map| map.iter().any(|(key, value)| has_secret(key) || is_a_key(value)))
}

/// Whether no part of a name is empty, and its marks stand where they may.
fn is_grammatical(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let parts_are_there = name.split(['/', ':']).all(|part| !part.is_empty());
    let tag_is_last = name.rsplit_once('/').map_or(name, |(_, last)| last).matches(':').count() <= 1;
    let hosts = name.rsplit_once('/').map_or("", |(host, _)| host);
    let ports = hosts.split_once('/').is_none_or(|(_, path)| !path.contains(':')) && hosts.matches(':').count() <= 1;
    let digest_is_whole = digest.is_none_or(|digest| !digest.is_empty() && !digest.contains(['@', '/']));
    parts_are_there && tag_is_last && ports && digest_is_whole
}

impl super::Target for References {
    const NAME: &'static str = "references";
    const MUTANTS: u64 = 60_000;

    fn corpus(&self) -> usize {
        self.names.len() + self.logins.len()
    }

    fn mutant(&mut self, seed: u64) -> Vec<u8> {
        let corpus = if seed.is_multiple_of(4) { &self.logins } else { &self.names };
        mutator::mutant(corpus, &FRAGMENTS, &mut Dice::new(seed))
    }

    fn attempt(&mut self, mutant: &[u8], seed: u64) -> Result<(), String> {
        if seed.is_multiple_of(4) { self.logins(mutant) } else { self.name(&String::from_utf8_lossy(mutant)) }
    }

    fn deep(&self) -> u64 {
        self.taken
    }
}
