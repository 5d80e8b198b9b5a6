//! A Compose file with all that it draws in: `include`, `extends`, `.env`, interpolation. The result is plain: services
//! and top-level entries as they are meant, each value still knowing where it was written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::merge::merge;
use super::{Error, Kind, Node, Place, Problem, Source, Surroundings, dotenv, interpolate};

/// Files that draw in each other.
const DEEPEST: usize = 20;

/// The variable that names the project.
const NAME: &str = "COMPOSE_PROJECT_NAME";

/// Top-level keys that make a project.
const KEYS: [&str; 9] =
    ["configs", "include", "models", "name", "networks", "secrets", "services", "version", "volumes"];

/// Of a secret no more is said: the words may hold a part of it.
const MALFORMED: &str =
    "a variable in it is malformed, or required and not set: a variable is ${NAME}, $NAME, or $$ for a dollar sign";

/// A Compose project, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Project {
    /// `name`, or `COMPOSE_PROJECT_NAME`.
    pub name: Option<String>,
    /// `services`
    pub services: Vec<(String, Node)>,
    /// `volumes`
    pub volumes: Vec<(String, Node)>,
    /// `configs`
    pub configs: Vec<(String, Node)>,
    /// `secrets`
    pub secrets: Vec<(String, Node)>,
    /// What `.env` sets for each file, and the variable that names the project; the environment of the controller is
    /// stronger.
    pub dotenv: BTreeMap<PathBuf, BTreeMap<String, String>>,
    /// Variables that are not set, with their first place: they were taken for empty.
    pub unset: Vec<(Place, String)>,
    /// Top-level keys that have no meaning in a pod, and why.
    pub ignored: Vec<(Place, &'static str, &'static str)>,
}

impl Project {
    /// Reads the file at `path`, an absolute one, and all that it draws in. `asked_by` is where the path was written, for
    /// the error that there is no such file.
    pub fn load(path: &Path, asked_by: &Node, surroundings: &Surroundings) -> Result<Self, Error> {
        let mut loader = Loader::new(surroundings);
        let variables = loader.dotenv_of(&path.with_file_name(".env"))?;
        loader.file(path, asked_by, &variables)?;
        Ok(loader.project)
    }

    /// Reads a text that is no file of the controller.
    pub fn from_text(source: &Source, text: &str, surroundings: &Surroundings) -> Result<Self, Error> {
        let mut loader = Loader::new(surroundings);
        let variables = BTreeMap::new();
        let mut root = surroundings.parse(source, text)?;
        loader.name(&root, &variables)?;
        loader.interpolate(&mut root, &variables)?;
        loader.take(&root, &variables)?;
        Ok(loader.project)
    }
}

/// A service that is in no file, with what it extends: a service of a file that it names.
pub fn extended(service: &Node, surroundings: &Surroundings) -> Result<Node, Error> {
    if let Some(extends) = service.get("extends").filter(|extends| extends.get("file").is_none()) {
        return Err(extends.refused("there is no file here: name the one of the service, {file: PATH, service: NAME}"));
    }
    let mut loader = Loader::new(surroundings);
    loader.extended(service, service, &Variables::new(), &mut Vec::new())
}

/// The tree of a file that is no project of ours, its variables replaced by those of the environment; and the variables
/// that are not set, with their first place.
pub fn interpolated(
    source: &Source,
    text: &str,
    surroundings: &Surroundings,
) -> Result<(Node, Vec<(Place, String)>), Error> {
    let mut loader = Loader::new(surroundings);
    let mut root = surroundings.parse(source, text)?;
    loader.interpolate(&mut root, &Variables::new())?;
    Ok((root, loader.project.unset))
}

struct Loader<'a> {
    surroundings: &'a Surroundings,
    project: Project,
    /// The files that are being read, each drawn in by the one before.
    open: Vec<PathBuf>,
    /// Where each entry of a section is among those of the project.
    known: HashMap<(&'static str, String), usize>,
    /// The names of variables that are not set.
    unset: HashSet<String>,
}

type Variables = BTreeMap<String, String>;

impl<'a> Loader<'a> {
    fn new(surroundings: &'a Surroundings) -> Self {
        let (known, unset) = (HashMap::new(), HashSet::new());
        Self { surroundings, project: Project::default(), open: Vec::new(), known, unset }
    }

    /// Reads a file into the project.
    fn file(&mut self, path: &Path, asked_by: &Node, variables: &Variables) -> Result<(), Error> {
        let root = self.enter(path, asked_by, variables)?;
        self.take(&root, variables)?;
        self.open.pop();
        Ok(())
    }

    /// Reads a file's tree, its variables replaced.
    fn enter(&mut self, path: &Path, asked_by: &Node, variables: &Variables) -> Result<Node, Error> {
        let is_first = self.open.is_empty();
        if let Some(start) = self.open.iter().position(|open| open == path) {
            let around: Vec<_> = self.open[start..].iter().map(|open| open.display().to_string()).collect();
            let why = format!("files draw in each other in a circle: {} → {}", around.join(" → "), path.display());
            return Err(asked_by.refused(why));
        }
        if self.open.len() == DEEPEST {
            return Err(asked_by.refused("files draw in each other more than 20 deep"));
        }
        self.open.push(path.to_owned());
        let text = self.surroundings.read_for(asked_by, path)?;
        let mut root = self.surroundings.parse(&Source::file(path), &text)?;
        if is_first {
            self.name(&root, variables)?;
        }
        self.interpolate(&mut root, variables)?;
        let name = self.project.name.iter().map(|name| (NAME.to_owned(), name.clone()));
        let known = variables.clone().into_iter().chain(name).collect();
        self.project.dotenv.insert(path.to_owned(), known);
        Ok(root)
    }

    /// The file that was asked for names the project, not what it includes; the environment is stronger. All other values
    /// may use the name.
    fn name(&mut self, root: &Node, variables: &Variables) -> Result<(), Error> {
        let chosen = self.surroundings.env.get(NAME).or_else(|| variables.get(NAME));
        self.project.name = match (chosen.filter(|name| !name.is_empty()), root.get("name")) {
            (Some(name), _) if is_project_name(name) => Some(name.clone()),
            (Some(_), _) => return Err(root.refused(format!("the variable {NAME} is not {A_PROJECT_NAME}"))),
            (None, Some(name)) => {
                let mut name = name.clone();
                self.interpolate(&mut name, variables)?;
                let text = name.text()?;
                if !text.is_empty() && !is_project_name(&text) {
                    return Err(name.invalid(A_PROJECT_NAME));
                }
                Some(text).filter(|text| !text.is_empty())
            }
            (None, None) => None,
        };
        Ok(())
    }

    /// Takes over what a file declares.
    fn take(&mut self, root: &Node, variables: &Variables) -> Result<(), Error> {
        for (key, value) in root.map()? {
            match key.as_str() {
                "networks" if !value.is_null() => {
                    self.project.ignored.push((value.key.clone(), "networks", "the pod has the controller's network"));
                }
                "models" if !value.is_null() => {
                    self.project.ignored.push((value.key.clone(), "models", "podlike runs no models"));
                }
                key if key.starts_with("x-") || KEYS.contains(&key) => {}
                key => return Err(root.unknown(key, KEYS)),
            }
        }
        if let Some(include) = root.get("include") {
            self.include(include, variables)?;
        }
        if let Some(services) = root.get("services") {
            for (name, service) in services.map()? {
                let service = self.extended(service, services, variables, &mut Vec::new())?;
                self.add("services", name, service)?;
            }
        }
        for key in ["volumes", "configs", "secrets"] {
            if let Some(section) = root.get(key) {
                for (name, value) in section.map()? {
                    self.add(key, name, value.clone())?;
                }
            }
        }
        Ok(())
    }

    /// `include`: paths, or entries `{path, env_file, project_directory}`.
    fn include(&mut self, include: &Node, variables: &Variables) -> Result<(), Error> {
        const KEYS: [&str; 3] = ["env_file", "path", "project_directory"];
        for item in include.list()? {
            let (node, env_files) = match &item.kind {
                Kind::Map(entries) => {
                    if let Some((key, _)) = entries.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
                        return Err(item.unknown(key, KEYS));
                    }
                    if let Some(directory) = item.get("project_directory") {
                        return Err(directory.refused("relative paths are always those of the file that has them"));
                    }
                    (item.get("path").ok_or_else(|| item.missing("path"))?, item.get("env_file"))
                }
                _ => (item, None),
            };
            let node = match &node.kind {
                Kind::List(paths) if paths.len() == 1 => &paths[0],
                Kind::List(_) => return Err(node.expected("one path: files are included one by one")),
                _ => node,
            };
            let path = self.surroundings.path(node.place.folder(), &node.text()?);
            let mut own = match env_files {
                None => self.dotenv_of(&path.with_file_name(".env"))?,
                Some(files) => {
                    let mut own = Variables::new();
                    for file in super::strings(files)? {
                        let path = self.surroundings.path(files.place.folder(), &file);
                        if !self.surroundings.has(&path) {
                            return Err(files.refused(format!("there is no file {}", path.display())));
                        }
                        own.extend(self.dotenv_of(&path)?);
                    }
                    own
                }
            };
            let lengths = variables.iter().map(|(key, value)| key.len() + value.len());
            self.charge(node, variables.len(), lengths.sum())?;
            own.extend(variables.clone());
            self.file(&path, node, &own)?;
        }
        Ok(())
    }

    /// A service with what it extends, of its own file (`services`) or of another one.
    fn extended(
        &mut self,
        service: &Node,
        services: &Node,
        variables: &Variables,
        on_the_way: &mut Vec<String>,
    ) -> Result<Node, Error> {
        let Some(extends) = service.get("extends") else { return Ok(service.clone()) };
        // Of many services, each is looked for among all.
        self.charge(extends, services.map().map_or(0, <[_]>::len) / 16, 0)?;
        let (name, file) = match &extends.kind {
            Kind::Map(entries) => {
                if let Some((key, _)) = entries.iter().find(|(key, _)| key != "service" && key != "file") {
                    return Err(extends.unknown(key, ["file", "service"]));
                }
                (extends.get("service").ok_or_else(|| extends.missing("service"))?, extends.get("file"))
            }
            _ => (extends, None),
        };
        let other = name.text()?;
        let base = if let Some(file) = file {
            let path = self.surroundings.path(file.place.folder(), &file.text()?);
            let own = self.open.last() == Some(&path);
            let root = if own { None } else { Some(self.enter(&path, file, variables)?) };
            let found = match &root {
                Some(root) => {
                    let services = root.get("services").ok_or_else(|| root.missing("services"))?;
                    let base = in_services(services, &other, name)?;
                    self.extended(base, services, variables, &mut Vec::new())?
                }
                None => self.base(&other, name, services, variables, on_the_way)?,
            };
            if !own {
                self.open.pop();
            }
            found
        } else {
            self.base(&other, name, services, variables, on_the_way)?
        };
        let mut whole = merge(base, service.clone(), "");
        if let Kind::Map(entries) = &mut whole.kind {
            entries.retain(|(key, _)| key != "extends");
        }
        whole.move_to(service.at.clone());
        whole.charge(&self.surroundings.budget)?;
        Ok(whole)
    }

    /// The service of the same file that another one extends.
    fn base(
        &mut self,
        other: &str,
        name: &Node,
        services: &Node,
        variables: &Variables,
        on_the_way: &mut Vec<String>,
    ) -> Result<Node, Error> {
        if on_the_way.len() == DEEPEST {
            return Err(name.refused(format!("services extend each other more than {DEEPEST} deep")));
        }
        if let Some(start) = on_the_way.iter().position(|known| known == other) {
            let around = on_the_way[start..].join(" → ");
            return Err(name.refused(format!("services extend each other in a circle: {around} → {other}")));
        }
        on_the_way.push(other.to_owned());
        let base = in_services(services, other, name)?;
        self.extended(base, services, variables, on_the_way)
    }

    /// The pairs of a file such as `.env`, if it is there.
    fn dotenv_of(&self, path: &Path) -> Result<Variables, Error> {
        if !self.surroundings.has(path) {
            return Ok(Variables::new());
        }
        let refused = |line, why: String| {
            let place = std::sync::Arc::new(Source::file(path)).place(line, 1);
            Error::new(&place, "", Problem::Refused(why))
        };
        let text = self.surroundings.read(path).map_err(|error| refused(1, format!("cannot read it: {error}")))?;
        let pairs = dotenv(&text, &self.surroundings.budget, &mut |name| self.surroundings.env.get(name).cloned());
        let pairs = pairs.map_err(|(line, words)| refused(line, words))?;
        Ok(pairs.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    /// Adds an entry; a name that is taken by another file is an error, as it is for Compose.
    fn add(&mut self, section: &'static str, name: &str, node: Node) -> Result<(), Error> {
        let to = match section {
            "services" => &mut self.project.services,
            "volumes" => &mut self.project.volumes,
            "configs" => &mut self.project.configs,
            _ => &mut self.project.secrets,
        };
        let at = *self.known.entry((section, name.to_owned())).or_insert(to.len());
        match to.get(at) {
            Some((_, other)) if other.kind == node.kind => Ok(()),
            Some((_, other)) => Err(node.refused(format!("'{name}' is declared at {} too", other.key))),
            None => {
                to.push((name.to_owned(), node));
                Ok(())
            }
        }
    }

    /// Takes from the budget of all that is drawn in.
    fn charge(&self, node: &Node, values: usize, bytes: usize) -> Result<(), Error> {
        self.surroundings.budget.take(values, bytes).map_err(|problem| Error::new(&node.place, &node.at, problem))
    }

    /// Replaces the variables in every value below a node.
    fn interpolate(&mut self, node: &mut Node, variables: &Variables) -> Result<(), Error> {
        match &mut node.kind {
            Kind::List(items) => items.iter_mut().try_for_each(|item| self.interpolate(item, variables)),
            Kind::Map(entries) => entries.iter_mut().try_for_each(|(_, value)| self.interpolate(value, variables)),
            Kind::Text(text) if text.contains('$') => {
                let place = &node.place;
                // What looks like a variable may be a part of the secret.
                let secret = node.at.starts_with("secrets.");
                let (known, unset) = (&mut self.unset, &mut self.project.unset);
                let budget = &self.surroundings.budget;
                let surroundings = self.surroundings;
                let own = self.project.name.as_ref();
                let mut lookup = |name: &str| {
                    let set = surroundings.env.get(name).or_else(|| variables.get(name));
                    set.or_else(|| own.filter(|_| name == NAME)).cloned().or_else(|| surroundings.kept(name))
                };
                let replaced = interpolate(text, budget, &mut lookup, &mut |name| {
                    let name = if secret { "…" } else { name };
                    if known.insert(name.to_owned()) {
                        unset.push((place.clone(), name.to_owned()));
                    }
                });
                *text = replaced.map_err(|why| {
                    let why = if secret && !budget.is_spent() { MALFORMED.to_owned() } else { why };
                    Error::new(&node.place, &node.at, Problem::Refused(why))
                })?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

const A_PROJECT_NAME: &str = "the name of a project: lowercase letters, digits, '_' and '-'";

fn is_project_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(is_plain) && text.chars().all(|c| is_plain(c) || "_-".contains(c))
}

fn in_services<'a>(services: &'a Node, name: &str, asked_by: &Node) -> Result<&'a Node, Error> {
    let known = services.map()?.iter().map(|(name, _)| name.as_str());
    services.get(name).ok_or_else(|| {
        let hint = super::nearest(name, known).map_or(String::new(), |near| format!(", did you mean '{near}'?"));
        asked_by.refused(format!("there is no service '{name}'{hint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_extend_a_large_one_are_refused_before_they_take_all_memory() {
        let variables = (0..1000).map(|number| format!("A{number}, ")).collect::<Vec<_>>().concat();
        let services = (0..1000).map(|number| format!("  s{number}: {{extends: base}}\n")).collect::<Vec<_>>().concat();
        let text = format!("services:\n  base: {{image: x, environment: [{variables}]}}\n{services}");
        let error = Project::from_text(&Source::default(), &text, &Surroundings::default()).expect_err("too large");
        assert!(matches!(error.problem, Problem::TooLarge(_)), "{error}");
    }
    #[test]
    fn services_that_extend_each_other_end_after_twenty() {
        let chain = |length: usize| {
            let links = (0..length).map(|number| format!("  s{number}: {{extends: s{}}}\n", number + 1));
            let text = format!("services:\n{}  s{length}: {{image: x}}\n", links.collect::<String>());
            Project::from_text(&Source::default(), &text, &Surroundings::default())
        };
        assert_eq!(chain(20).map(|project| project.services.len()), Ok(21));
        for length in [21, 30] {
            let error = chain(length).expect_err("too long");
            assert_eq!((error.at.as_str(), error.place.line), ("services.s20.extends", 22), "{error}");
        }
    }
}
