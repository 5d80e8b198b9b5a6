//! A stack: files of `docker stack deploy` → one tree in canonical form, that of `docker stack config`.
//!
//! ```text
//! files ─read.rs─▶ trees ─loader.rs─▶ canonical trees ─merge.rs─▶ the stack
//!                            │ along the tables of schema.rs, in the words of form.rs
//!                            ├─ references.rs  $VARIABLE         ├─ scalars.rs      numbers, durations, sizes
//!                            ├─ collections.rs lists, mappings   ├─ ports.rs, volumes.rs  the short syntaxes
//!                            ├─ environment.rs env files         └─ entries.rs      networks, volumes, secrets, configs
//! ```
//!
//! Canonical: the long syntaxes, keys in the order of docker/cli's structs, mappings of names sorted, what is zero left out
//! unless docker/cli has it behind a pointer, durations as Go prints them, memory as a text of bytes. What is canonical
//! stays the same when it is read again.

mod collections;
mod entries;
mod environment;
mod form;
mod loader;
mod merge;
mod ports;
mod read;
mod references;
mod scalars;
mod schema;
mod volumes;
mod words;

use std::path::{Path, PathBuf};

use self::form::Form;
use self::loader::{Loader, Notes, like};
pub use self::read::StackFile;
use self::read::{File, printed, same};
use super::{Error, Kind, Node, Place, Surroundings};

/// What becomes of references to variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// They stay as they are written. So does a whole value that needs them to be read: a number, a port, a volume.
    Keep,
    /// They stay in texts, with the escape `$$`. Where a number, a boolean, a duration, a size or a port is wanted, the
    /// environment says what they stand for; what it does not know stays as it is written.
    Typed,
    /// The environment says what all of them stand for. A number that needs an unknown one is left out.
    Resolve,
}

/// Whose service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A stack's: it is checked.
    Stack,
    /// The controller's, from a template: it is only decoded.
    Service,
    /// A component's, from a template: it is decoded as far as a stack's service has such keys.
    Component,
}

/// The files of a stack, read.
pub struct Stack<'a> {
    files: Vec<File>,
    folder: PathBuf,
    surroundings: &'a Surroundings,
    notes: Notes,
}

/// The `x-podlike` of a stack's files.
#[derive(Debug, Clone, PartialEq)]
pub struct Extensions<'a> {
    /// Those at the top, in the order of the files.
    pub top: Vec<&'a Node>,
    /// Those of services, each with the service's name, in the order of the files.
    pub services: Vec<(&'a str, &'a Node)>,
}

const EXTENSION: &str = "x-podlike";

impl<'a> Stack<'a> {
    /// Reads the first document of each file, and checks what no variable changes: the version, the sections, the names of
    /// services and the keys that they must not have.
    pub fn read(files: &[StackFile], surroundings: &'a Surroundings) -> Result<Self, Error> {
        let folder = files.first().and_then(|file| file.path.parent()).unwrap_or(Path::new(""));
        let folder = surroundings.path(folder, ".");
        let files = files.iter().map(|file| File::read(file, surroundings)).collect::<Result<Vec<_>, _>>()?;
        if let [first, others @ ..] = files.as_slice()
            && let Some(other) = others.iter().find(|other| !same(first.version, other.version))
        {
            let version = |file: &File| file.version.map_or_else(|| "no version".to_owned(), |it| format!("'3.{it}'"));
            let node = other.root.get("version").unwrap_or(&other.root);
            let why =
                format!("the files of a stack have one version: here {}, before {}", version(other), version(first));
            return Err(node.refused(why));
        }
        Ok(Self { files, folder, surroundings, notes: Notes::default() })
    }

    /// The stack, its files merged: `version` if a file has one, `services`, `networks`, `volumes`, `secrets`, `configs`,
    /// those that have entries.
    pub fn load(&self, references: References) -> Result<Node, Error> {
        let folder = self.folder.clone();
        let loader =
            Loader { role: Role::Stack, references, folder, surroundings: self.surroundings, notes: &self.notes };
        let mut whole: Option<Node> = None;
        for file in &self.files {
            let sections = loader.sections(&file.root)?;
            whole = Some(match whole {
                Some(base) => merge::merge(base, sections),
                None => sections,
            });
        }
        let mut stack = Node::made(Kind::Map(Vec::new()));
        if let Some(version) = self.files.iter().find_map(|file| file.version) {
            stack.put("version", printed(version).as_str().into());
        }
        for (section, entries) in whole.iter().flat_map(|whole| whole.map().unwrap_or_default()) {
            stack.put(section, entries.clone());
        }
        Ok(stack)
    }

    /// Every `x-podlike`, as it is written.
    pub fn extensions(&self) -> Extensions<'_> {
        let own = |node: &'_ Node| -> Option<usize> { node.map().ok()?.iter().position(|(key, _)| key == EXTENSION) };
        let mut found = Extensions { top: Vec::new(), services: Vec::new() };
        for File { root, .. } in &self.files {
            found.top.extend(own(root).map(|at| &root.map().unwrap_or_default()[at].1));
            let services = root.get("services").and_then(|services| services.map().ok()).unwrap_or_default();
            for (name, service) in services {
                let extension = own(service).map(|at| &service.map().unwrap_or_default()[at].1);
                found.services.extend(extension.map(|extension| (name.as_str(), extension)));
            }
        }
        found
    }

    /// The folder of the first file, absolute: relative paths are relative to it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What reading and loading warn of, with the places.
    pub fn notes(&self) -> Vec<(Place, String)> {
        self.notes.all()
    }
}

/// The controller's service of a pod, as a template prints it, in canonical form. It is decoded, not checked: keys that are
/// not known stay, and so do references. Relative paths are relative to the `folder`, an absolute one.
pub fn service(
    node: &Node,
    folder: &Path,
    surroundings: &Surroundings,
    notes: &mut Vec<(Place, String)>,
) -> Result<Node, Error> {
    decoded(Role::Service, node, folder, surroundings, notes)
}

/// A component, as a template prints it: canonical where a stack's service has the key, and every other key of Compose as
/// it is written.
pub fn component(
    node: &Node,
    folder: &Path,
    surroundings: &Surroundings,
    notes: &mut Vec<(Place, String)>,
) -> Result<Node, Error> {
    decoded(Role::Component, node, folder, surroundings, notes)
}

/// The keys that a stack's service can have.
pub fn service_keys() -> impl Iterator<Item = &'static str> {
    schema::SERVICE.fields.iter().map(|field| field.key)
}

fn decoded(
    role: Role,
    node: &Node,
    folder: &Path,
    surroundings: &Surroundings,
    notes: &mut Vec<(Place, String)>,
) -> Result<Node, Error> {
    let found = Notes::default();
    let loader = Loader { role, references: References::Keep, folder: folder.to_owned(), surroundings, notes: &found };
    let read = loader.service(&Form::Object(&schema::SERVICE), node);
    notes.extend(found.all());
    let read = read?;
    Ok(if read.is_null() { like(node, Kind::Map(Vec::new())) } else { read })
}

#[cfg(test)]
mod tests {
    use super::super::{valid, write};
    use super::*;

    fn read(files: &[(&str, &str)]) -> Result<Node, Error> {
        let file = |(path, text): &(&str, &str)| StackFile { path: path.into(), text: (*text).to_owned() };
        let files: Vec<_> = files.iter().map(file).collect();
        Stack::read(&files, &Surroundings::default())?.load(References::Typed)
    }

    type Decode = fn(&Node, &Path, &Surroundings, &mut Vec<(Place, String)>) -> Result<Node, Error>;

    /// What a template printed, as it is decoded, in one line; and its warnings.
    fn decoded(decode: Decode, text: &str) -> (Result<String, Error>, Vec<String>) {
        let mut notes = Vec::new();
        let surroundings = Surroundings::default();
        let read = decode(&valid(text), Path::new("/work"), &surroundings, &mut notes);
        let line = read.map(|read| write(&read).trim_end().replace('\n', "|"));
        (line, notes.into_iter().map(|(_, note)| note).collect())
    }

    #[test]
    fn files_of_one_stack_have_one_version() {
        let service = |version: &str| format!("{version}services: {{app: {{image: i}}}}\n");
        let (none, newest, three, old) =
            (service(""), service("version: '3.13'\n"), service("version: '3'\n"), service("version: '3.5'\n"));
        for (one, other) in [(&none, &newest), (&newest, &three), (&old, &old), (&none, &none)] {
            assert!(read(&[("a.yml", one), ("b.yml", other)]).is_ok(), "{one}{other}");
        }
        let error = read(&[("a.yml", &old), ("b.yml", &none)]).expect_err("two versions").to_string();
        assert!(error.starts_with("b.yml:1:1: ") && error.ends_with("here no version, before '3.5'"), "{error}");
    }

    #[test]
    fn each_key_that_a_stack_must_not_have_is_refused() {
        for (key, instead) in schema::FORBIDDEN {
            let text = format!("services: {{app: {{image: i, {key}: 1}}}}");
            let error = read(&[("a.yml", &text)]).expect_err(key).to_string();
            assert!(error.ends_with(&format!("services.app.{key}: it is forbidden in a stack: {instead}")), "{error}");
        }
    }

    #[test]
    fn a_number_of_a_variable_is_decimal_and_one_of_a_file_as_yaml_has_it() {
        let env = [("N".to_owned(), "010".to_owned())].into();
        let surroundings = Surroundings { env, ..Surroundings::default() };
        for (written, expected) in [("$N", "10"), ("010", "8"), ("4.0", "4"), ("0x10", "16")] {
            let text = format!("services: {{app: {{image: i, deploy: {{replicas: {written}}}}}}}");
            let stack = Stack::read(&[StackFile { path: "a.yml".into(), text }], &surroundings).expect("a stack");
            let loaded = write(&stack.load(References::Typed).expect("a stack"));
            assert!(loaded.contains(&format!("replicas: {expected}\n")), "{written}: {loaded}");
        }
    }

    #[test]
    fn paths_are_relative_to_the_folder_of_the_first_file() {
        let text = "services: {app: {image: i}}\nsecrets: {s: {file: x}}\n";
        for (path, expected) in [("sub/a.yml", "/home/sub/x"), ("/abs/a.yml", "/abs/x"), ("stdin", "/home/x")] {
            let surroundings = Surroundings { working_dir: "/home".into(), ..Surroundings::default() };
            let stack = Stack::read(&[StackFile { path: path.into(), text: text.to_owned() }], &surroundings);
            let loaded = stack.and_then(|stack| stack.load(References::Keep)).expect("a stack");
            let file = loaded.get("secrets").and_then(|it| it.get("s")?.get("file")).map(Node::text);
            assert_eq!(file, Some(Ok(expected.to_owned())));
        }
        let error = read(&[("stdin", "services: 5")]).expect_err("no mapping").to_string();
        assert!(error.starts_with("stdin:1:11: services: "), "{error}");
    }

    #[test]
    fn ranges_of_ports_are_refused_before_they_take_all_memory() {
        let ports = |number: usize| (1..=number).map(|port| format!("'{port}-65535', ")).collect::<Vec<_>>().concat();
        let text = |number| format!("services: {{app: {{image: i, ports: [{}]}}}}", ports(number));
        assert!(read(&[("a.yml", "services: {app: {image: i, ports: ['1-9999:1-9999']}}")]).is_ok());
        let error = read(&[("a.yml", &text(2000))]).expect_err("too many");
        assert!(matches!(error.problem, crate::compose::Problem::TooLarge(_)), "{error}");
    }

    #[test]
    fn extensions_are_found_and_not_loaded() {
        let text = "x-podlike: {a: $}\nservices: {b: {image: i, x-podlike: }, a: {image: i}, c: {image: i, x-podlike: {d: 1}}}\n";
        let file = |path: &str| StackFile { path: path.into(), text: text.to_owned() };
        let surroundings = Surroundings::default();
        let stack = Stack::read(&[file("a.yml"), file("b.yml")], &surroundings).expect("a stack");
        let extensions = stack.extensions();
        let files: Vec<_> = extensions.top.iter().map(|node| node.place.file().to_owned()).collect();
        assert_eq!(files, [Path::new("a.yml"), Path::new("b.yml")]);
        let services: Vec<_> = extensions.services.iter().map(|(name, node)| (*name, node.is_null())).collect();
        assert_eq!(services, [("b", true), ("c", false), ("b", true), ("c", false)]);
        let loaded = stack.load(References::Resolve).expect("nothing of the extension is read");
        assert_eq!(write(&loaded), "services:\n  a:\n    image: i\n  b:\n    image: i\n  c:\n    image: i\n");
    }

    #[test]
    fn a_component_keeps_what_a_stack_does_not_have() {
        for (text, expected) in [
            ("{mem_limit: 64m, cpus: 0.5, image: s}", "image: s|mem_limit: 64m|cpus: 0.5"),
            ("{sysctls: {a: 1024}, shm_size: 64m}", "shm_size: 64m|sysctls:|  a: \"1024\""),
            ("{devices: [{source: /a, target: /b}]}", "devices:|- source: /a|  target: /b"),
            ("{env_file: [{path: a.env, required: false}]}", "env_file:|- path: a.env|  required: false"),
            ("{Image: s, COMMAND: a b}", "command:|- a|- b|image: s"),
            ("{stop_grace_period: 1d}", "stop_grace_period: 1d"),
            (
                "{depends_on: {b: {condition: service_healthy}, a: }}",
                "depends_on:|  a: null|  b:|    condition: service_healthy",
            ),
            ("{depends_on: [a]}", "depends_on:|- a"),
            ("{}", "{}"),
            ("", "{}"),
        ] {
            assert_eq!(decoded(component, text), (Ok(expected.to_owned()), vec![]), "{text}");
        }
    }

    #[test]
    fn what_a_template_prints_is_decoded_and_not_checked() {
        for (text, expected) in [
            ("{image: x, labels: , volumes: [], deploy: , ports: }", "image: x"),
            ("{command: [--listen, 80, true]}", "command:|- --listen|- \"80\"|- \"true\""),
            ("{environment: {A: true, B: 1.50, C: }}", "environment:|  A: \"true\"|  B: \"1.5\"|  C: null"),
            ("{cap_add: [A, A], unknown: {a: 1}}", "cap_add:|- A|unknown:|  a: 1"),
            ("{deploy: {replicas: '$N', other: 1}}", "deploy:|  replicas: $N|  other: 1"),
            ("{depends_on: {db: {condition: service_healthy}}}", "depends_on:|- db"),
            ("{volumes: ['./a:/b']}", "volumes:|- type: bind|  source: /work/a|  target: /b"),
            ("{ports: ['$P:80', 81]}", "ports:|- $P:80|- mode: ingress|  target: 81|  protocol: tcp"),
        ] {
            assert_eq!(decoded(service, text), (Ok(expected.to_owned()), vec![]), "{text}");
        }
        for text in
            ["text", "{privileged: 'true'}", "{deploy: {replicas: '2'}}", "{environment: [A=1, 5]}", "{labels: 5}"]
        {
            assert!(decoded(service, text).0.is_err() && decoded(component, text).0.is_err(), "{text}");
        }
        assert!(decoded(service, "{stop_grace_period: 1d}").0.is_err());
        let error =
            decoded(component, "{depends_on: {a: {condition: service_completed}}}").0.expect_err("no condition");
        assert!(error.to_string().contains("'service_completed' is not a condition"), "{error}");
    }

    #[test]
    fn a_dollar_sign_that_docker_will_not_take_is_a_warning() {
        let (line, notes) = decoded(component, "{command: ['echo $(date)']}");
        assert_eq!(line, Ok("command:|- echo $(date)".to_owned()));
        assert!(notes.len() == 1 && notes[0].contains("docker stack deploy refuses it"), "{notes:?}");
    }

    #[test]
    fn an_env_file_that_is_not_here_is_the_controllers() {
        let (line, notes) = decoded(component, "{env_file: /nowhere/a.env, environment: [A=1]}");
        assert_eq!(line, Ok("environment:|  A: \"1\"|env_file:|- /nowhere/a.env".to_owned()));
        assert_eq!(notes, ["/nowhere/a.env is not here: the controller reads it"]);
        assert!(decoded(service, "{env_file: /nowhere/a.env}").0.is_err());
    }
}
