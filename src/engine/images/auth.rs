//! Logins of registries: a file as Docker keeps them ─▶ [`Credentials`] ─▶ the [`AuthHeader`] of one pull.
//!
//! Nothing here shows a secret: neither `Debug`, nor an error.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Reference;
use super::reference::{HUB, OLD_HUB};

/// The name of the Hub's registry proper.
const HUB_REGISTRY: &str = "registry-1.docker.io";
/// The historic address under which Docker keeps the login of the Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// With or without `=` at the end: files are also made by hand.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Logins by registry.
#[derive(Clone, Default)]
pub struct Credentials {
    logins: BTreeMap<String, Login>,
    helpers: bool,
}

/// What the engine gets, in its own spelling: the `AuthConfig` of the API.
#[derive(Clone, Serialize)]
struct Login {
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    password: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    identitytoken: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    registrytoken: String,
    serveraddress: String,
}

impl Credentials {
    /// Reads the text of a `config.json` of Docker's, or of a `.dockerconfigjson` of Kubernetes': `auths` maps a registry
    /// to `auth` (`USER:PASSWORD` in base64), to `username` and `password`, or to an `identitytoken`. A registry is a
    /// host or an address, such as `https://host/v1/`; whatever else the file has is passed over.
    pub fn parse(text: &[u8]) -> Result<Self, NotLogins> {
        let file: File = serde_json::from_slice(text).map_err(|error| NotLogins {
            line: error.line(),
            column: error.column(),
            is_json: error.is_data(),
        })?;
        let helpers = file.creds_store.is_some_and(|store| !store.is_empty())
            || !file.cred_helpers.unwrap_or_default().is_empty();
        let mut logins = BTreeMap::new();
        for (key, entry) in file.auths.unwrap_or_default() {
            let registry = registry_of(&key);
            let Some(login) = entry.and_then(|entry| entry.login(registry)).filter(|_| !registry.is_empty()) else {
                continue;
            };
            // What `docker login` writes today counts more than what it wrote once.
            if key == key_of(registry) {
                logins.insert(registry.to_owned(), login);
            } else {
                logins.entry(registry.to_owned()).or_insert(login);
            }
        }
        Ok(Self { logins, helpers })
    }

    /// These logins, and those of others for the registries that these have none for.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        for (registry, login) in others.logins {
            self.logins.entry(registry).or_insert(login);
        }
        self.helpers |= others.helpers;
        self
    }

    /// Whether there is no login.
    pub fn is_empty(&self) -> bool {
        self.logins.is_empty()
    }

    /// Whether the file leaves logins to programs (`credsStore`, `credHelpers`), which we cannot ask.
    pub fn has_helpers(&self) -> bool {
        self.helpers
    }

    /// What authorizes the pull of an image; none if there is no login for its registry.
    pub fn header(&self, image: &Reference) -> Option<AuthHeader> {
        let json = super::super::json(self.logins.get(image.registry())?);
        Some(AuthHeader(URL_SAFE.encode(json)))
    }
}

/// Only for which registries, and not what.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registries: Vec<_> = self.logins.keys().collect();
        f.debug_struct("Credentials").field("registries", &registries).field("helpers", &self.helpers).finish()
    }
}

/// The value of an `X-Registry-Auth` header. It comes from [`Credentials::header`] alone, so it is base64, and cannot end
/// the header.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthHeader(String);

impl AuthHeader {
    pub(in super::super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthHeader(secret)")
    }
}

/// A text that is no file of logins. It says where, and not what is there: that may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLogins {
    line: usize,
    column: usize,
    is_json: bool,
}

impl fmt::Display for NotLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, is_json } = self;
        write!(f, "line {line}, column {column}: ")?;
        if *is_json {
            f.write_str(
                "not a login as Docker keeps it, expected \"auths\": {\"HOST\": {…}} with \"auth\" (the base64 of \
                 USER:PASSWORD), with \"username\" and \"password\", or with \"identitytoken\"",
            )
        } else {
            f.write_str("not JSON, expected a file such as the config.json of `docker login`")
        }
    }
}

impl std::error::Error for NotLogins {}

#[derive(Deserialize)]
struct File {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    #[serde(rename = "credsStore")]
    creds_store: Option<String>,
    #[serde(rename = "credHelpers")]
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "user_and_password")]
    auth: Option<(String, String)>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl Entry {
    /// As the `docker` command has it: `auth` counts more than what is written out. Nothing at all is no login; a file
    /// with helpers is full of such.
    fn login(self, registry: &str) -> Option<Login> {
        let (username, password) =
            self.auth.unwrap_or_else(|| (self.username.unwrap_or_default(), self.password.unwrap_or_default()));
        let login = Login {
            username,
            password,
            identitytoken: self.identitytoken.unwrap_or_default(),
            registrytoken: self.registrytoken.unwrap_or_default(),
            serveraddress: key_of(registry).to_owned(),
        };
        let secrets = [&login.username, &login.password, &login.identitytoken, &login.registrytoken];
        secrets.iter().any(|secret| !secret.is_empty()).then_some(login)
    }
}

/// The fixed words of these errors are not told either: a place is all that [`NotLogins`] has.
fn user_and_password<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(String, String)>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let bytes = BASE64.decode(text.trim()).map_err(|_| D::Error::custom("not base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| D::Error::custom("not text"))?;
    let (user, password) = text.split_once(':').ok_or_else(|| D::Error::custom("no colon"))?;
    Ok(Some((user.to_owned(), password.trim_matches('\0').to_owned())))
}

/// The registry that a key means: a host, or an address that has it. All names of the Hub are one.
fn registry_of(key: &str) -> &str {
    let address = key.split_once("://").map_or(key, |(_, rest)| rest);
    match address.split('/').next().unwrap_or(address) {
        OLD_HUB | HUB_REGISTRY => HUB,
        host => host,
    }
}

/// The key under which `docker login` keeps the login of a registry.
fn key_of(registry: &str) -> &str {
    if registry == HUB { HUB_KEY } else { registry }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn credentials(text: &Value) -> Credentials {
        Credentials::parse(text.to_string().as_bytes()).expect("logins")
    }

    /// What the engine is told about a pull.
    fn told(credentials: &Credentials, image: &str) -> Option<Value> {
        let header = credentials.header(&Reference::parse(image))?;
        let json = URL_SAFE.decode(header.as_str()).expect("base64");
        Some(serde_json::from_slice(&json).expect("JSON"))
    }

    /// The user of the login that is used.
    fn user(credentials: &Credentials, image: &str) -> Option<String> {
        Some(told(credentials, image)?["username"].as_str().expect("a user").to_owned())
    }

    #[test]
    fn every_form_of_a_login_is_understood() {
        let ours = credentials(&json!({"auths": {
            "packed:1": {"auth": BASE64.encode("ann:a:b\0")},
            "unpadded:1": {"auth": BASE64.encode("ann:abc").trim_end_matches('='), "email": "ann@x"},
            "plain:1": {"username": "bob", "password": "pass"},
            "both:1": {"auth": BASE64.encode("ann:ab"), "username": "bob", "password": "pass"},
            "token:1": {"auth": BASE64.encode("carl:"), "identitytoken": "idt"},
            "bearer:1": {"registrytoken": "regt"},
        }}));
        let ann = |password: &str, host: &str| json!({"username": "ann", "password": password, "serveraddress": host});
        assert_eq!(told(&ours, "packed:1/x"), Some(ann("a:b", "packed:1")));
        assert_eq!(told(&ours, "unpadded:1/x"), Some(ann("abc", "unpadded:1")));
        assert_eq!(told(&ours, "both:1/x"), Some(ann("ab", "both:1")));
        assert_eq!(
            told(&ours, "plain:1/x"),
            Some(json!({"username": "bob", "password": "pass", "serveraddress": "plain:1"}))
        );
        assert_eq!(
            told(&ours, "token:1/x"),
            Some(json!({"username": "carl", "identitytoken": "idt", "serveraddress": "token:1"}))
        );
        assert_eq!(told(&ours, "bearer:1/x"), Some(json!({"registrytoken": "regt", "serveraddress": "bearer:1"})));
    }

    #[test]
    fn a_login_is_for_its_registry_however_the_key_is_written() {
        let login = |user: &str| json!({"username": user, "password": "x"});
        for key in ["host:5000", "https://host:5000", "http://host:5000/v1/", "host:5000/v2/"] {
            let ours = credentials(&json!({"auths": {key: login("ann")}}));
            assert_eq!(user(&ours, "host:5000/org/x:1"), Some("ann".into()), "{key}");
            for other in ["host/x", "host:5001/x", "x", "sub.host:5000/x"] {
                assert_eq!(user(&ours, other), None, "{key} {other}");
            }
        }
        for key in [HUB_KEY, "docker.io", "index.docker.io", "https://registry-1.docker.io/v2/"] {
            let ours = credentials(&json!({"auths": {key: login("ann")}}));
            for image in ["nginx", "org/img:1", "docker.io/org/img", "index.docker.io/library/nginx"] {
                assert_eq!(told(&ours, image).expect(key)["serveraddress"], HUB_KEY, "{key} {image}");
            }
            assert_eq!(user(&ours, "quay.io/nginx"), None);
        }
    }

    #[test]
    fn the_key_of_docker_login_counts_more_than_other_spellings() {
        let login = |user: &str| json!({"username": user, "password": "x"});
        let ours = credentials(&json!({"auths": {
            "docker.io": login("old"), HUB_KEY: login("new"), "https://index.docker.io/v1/access-token": login("none"),
            "host:1": login("new"), "http://host:1/v1/": login("old"), "a://host:1": login("old"),
        }}));
        assert_eq!(user(&ours, "nginx"), Some("new".into()));
        assert_eq!(user(&ours, "host:1/x"), Some("new".into()));
    }

    #[test]
    fn an_organisation_of_the_hub_is_not_taken_for_a_host() {
        let ours = credentials(&json!({"auths": {"acme": {"username": "ann", "password": "x"}}}));
        assert_eq!(user(&ours, "acme/app"), None, "a login must not go to another registry");
    }

    #[test]
    fn an_id_needs_no_login() {
        let ours = credentials(&json!({"auths": {"": {"username": "ann"}, "https:///v1/": {"username": "ann"}}}));
        assert!(ours.is_empty());
        assert!(told(&ours, &"a".repeat(64)).is_none());
    }

    #[test]
    fn the_first_of_two_files_has_the_word() {
        let login = |user: &str| json!({"username": user, "password": "x"});
        let first = credentials(&json!({"auths": {"https://a:1/v1/": login("first")}}));
        let second = json!({"auths": {"a:1": login("second"), "b:1": login("second")}, "credsStore": "desktop"});
        let both = first.or(credentials(&second));
        assert_eq!(user(&both, "a:1/x"), Some("first".into()));
        assert_eq!(user(&both, "b:1/x"), Some("second".into()));
        assert!(both.has_helpers());
    }

    #[test]
    fn files_without_logins_are_empty_and_helpers_are_noticed() {
        for empty in
            [json!({}), json!({"auths": null}), json!({"auths": {"h:1": {}, "i:1": null, "j:1": {"auth": ""}}})]
        {
            let ours = credentials(&empty);
            assert!(ours.is_empty() && !ours.has_helpers(), "{empty}");
        }
        assert!(!credentials(&json!({"credsStore": "", "credHelpers": {}})).has_helpers());
        assert!(credentials(&json!({"credsStore": "desktop"})).has_helpers());
        assert!(credentials(&json!({"credHelpers": {"h:1": "ecr"}, "HttpHeaders": {"X": "y"}})).has_helpers());
    }

    #[test]
    fn an_error_says_where_and_not_what() {
        let secret = "pa55word";
        for (text, line, json) in [
            (format!("{{\"auths\":\n {{\"h\": {{\"auth\": \"{secret}!\"}}}}}}"), 2, true),
            (format!("{{\"auths\":\n {{\"h\": {{\"auth\": \"{}\"}}}}}}", BASE64.encode(secret)), 2, true),
            (format!("{{\"auths\":\n {{\"h\": \"{secret}\"}}}}"), 2, true),
            (format!("{{\"auths\":\n {{\"h\": {{\"password\": [\"{secret}\"]}}}}}}"), 2, true),
            (format!("\"{secret}\""), 1, true),
            (format!("{{\"auths\": {secret}"), 1, false),
            (format!("{{\"auths\": {{\"h\": {{\"password\": \"{secret}"), 1, false),
            (String::new(), 1, false),
        ] {
            let error = Credentials::parse(text.as_bytes()).expect_err(&text);
            assert_eq!((error.line, error.is_json), (line, json), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains(secret), "{error} {error:?}");
        }
        assert!(Credentials::parse(b"\xff\xfe{}").is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let ours = credentials(&json!({"auths": {"h:1": {"username": "ann", "password": "pa55word"}}}));
        let header = ours.header(&Reference::parse("h:1/x")).expect("a login");
        assert_eq!(format!("{ours:?}"), r#"Credentials { registries: ["h:1"], helpers: false }"#);
        assert_eq!(format!("{header:?}"), "AuthHeader(secret)");
    }

    #[test]
    fn a_header_has_no_byte_that_could_end_it() {
        let ours =
            credentials(&json!({"auths": {"h:1": {"username": "a\r\nX: y", "password": "\u{e9}\n\u{0}~~~???"}}}));
        let header = ours.header(&Reference::parse("h:1/x")).expect("a login");
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
        assert!(header.as_str().bytes().all(safe), "{}", header.as_str());
        assert_eq!(user(&ours, "h:1/x"), Some("a\r\nX: y".into()));
    }
}
