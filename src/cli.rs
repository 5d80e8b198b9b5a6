//! The command line and the environment: Go-style flags (`-logs`, `-pids=false`) beside GNU ones. The only reader of
//! either.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use std::{env, fmt};

use argh::FromArgs;
use log::LevelFilter;

use crate::pod::{self, Nesting, Options, Policy, Restart, Rights, Watch};
use crate::version;

/// Runs a pod: the components that the labels of this container describe, in its network and other namespaces.
#[derive(FromArgs, Debug)]
#[argh(note = "One dash or two: -logs. Without a value a flag is on, -pids=false turns one off.")]
struct Arguments {
    /// stream the output of the components (default: false)
    #[argh(option, arg_name = "bool")]
    logs: Option<Switch>,
    /// share the PID namespace (default: true)
    #[argh(option, arg_name = "bool")]
    pids: Option<Switch>,
    /// share the IPC namespace (default: true)
    #[argh(option, arg_name = "bool")]
    ipc: Option<Switch>,
    /// share the controller's volumes and binds, but for the engine's socket (default: false)
    #[argh(option, arg_name = "bool")]
    volumes: Option<Switch>,
    /// pull every image, also those that the engine has (default: false)
    #[argh(option, arg_name = "bool")]
    pull: Option<Switch>,
    /// how far components may share a cgroup with the controller's limits: auto, pod, slice or none (default: auto)
    #[argh(option, arg_name = "how")]
    cgroup: Option<Nesting>,
    /// the profiles of components to run, separated by commas (default: none)
    #[argh(option, arg_name = "names")]
    profiles: Option<String>,
    /// a folder of image archives (docker save), for images that the engine lacks (default: none)
    #[argh(option, arg_name = "folder")]
    images: Option<PathBuf>,
    /// a file with the logins for registries, as Docker's config.json (default: none)
    #[argh(option, arg_name = "file")]
    registry_auth: Option<PathBuf>,
    /// the pause before the first restart of a component, such as 10s; it doubles with each (default: 10s)
    #[argh(option, arg_name = "time")]
    restart_delay: Option<Time>,
    /// the longest pause before a restart (default: 5m)
    #[argh(option, arg_name = "time")]
    restart_longest: Option<Time>,
    /// how long a component runs until its restarts are forgotten (default: 10m)
    #[argh(option, arg_name = "time")]
    restart_reset: Option<Time>,
    /// the time that the pod has to stop on TERM or INT, where no label says it (default: the container's own, or 10s)
    #[argh(option, arg_name = "time")]
    stop_timeout: Option<Time>,
    /// what components may not have: privileged, devices, host-namespaces, binds, all (default: none)
    #[argh(option, arg_name = "list")]
    deny: Vec<Rights>,
    /// what of that they may have, and nothing else (default: all)
    #[argh(option, arg_name = "list")]
    allow: Vec<Rights>,
    #[argh(subcommand)]
    command: Option<Subcommand>,
}

#[derive(FromArgs, Debug)]
#[argh(subcommand)]
enum Subcommand {
    Cgroup(Cgroup),
    Healthcheck(Healthcheck),
    Pause(Pause),
    Template(Template),
    Validate(Validate),
    Version(Version),
}

/// Print the health of the pod that runs in this container; exit with 0 if it is healthy, else with 1.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "healthcheck")]
struct Healthcheck {}

/// Do nothing until TERM or INT, for a container that only has to be there.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "pause")]
struct Pause {
    /// what a controller gives its guard: NAME CONTROLLER INSTANCE [VOLUME...]
    #[argh(positional, arg_name = "word")]
    words: Vec<String>,
}

/// Prepare the host's cgroups for components, in a container that the controller makes for it.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "cgroup")]
struct Cgroup {
    /// leaf MOUNT ID, slice SOCKET NAME [PROPERTY=VALUE], or stop SOCKET NAME
    #[argh(positional, arg_name = "word")]
    words: Vec<String>,
}

/// Not in this flavour of podlike: run the full image for templates.
#[cfg(not(feature = "template"))]
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "template")]
struct Template {}

/// Make pods of the services of a stack that have templates (x-podlike), and print the stack for docker stack deploy. Several
/// files are merged. Ends with 0, or with 2 if it cannot be done.
#[cfg(feature = "template")]
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "template")]
struct Template {
    /// files of a stack, or - for stdin
    #[argh(positional, arg_name = "file")]
    files: Vec<PathBuf>,
    /// fetch nothing: a template at an address is an error, or its fallback is taken (default: false)
    #[argh(option, arg_name = "bool")]
    offline: Option<Switch>,
    /// the image of controllers whose templates name none (default: rycus86/podlike, of the version in VERSION or latest)
    #[argh(option, arg_name = "image")]
    image: Option<String>,
    /// write into a file and not to stdout
    #[argh(option, short = 'o', arg_name = "file")]
    output: Option<PathBuf>,
}

/// Which stack is to be transformed, and how.
#[cfg(feature = "template")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transformation {
    /// The files, `-` for stdin; at least one.
    pub files: Vec<PathBuf>,
    /// Nothing is fetched.
    pub offline: bool,
    /// The image of controllers whose templates name none.
    pub image: Option<String>,
    /// Where the result goes; none for stdout.
    pub output: Option<PathBuf>,
}

/// Check labels, or a stack, Compose or label file, and print what would be run with the flags of podlike, which it takes, too.
/// Ends with 0 if it can be run, else with 2.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "validate")]
struct Validate {
    /// a stack, Compose or label file, or - for stdin (default: the labels of this container)
    #[argh(option, short = 'f', arg_name = "file")]
    file: Option<PathBuf>,
    /// print JSON (default: false)
    #[argh(option, arg_name = "bool")]
    json: Option<Switch>,
}

/// What is to be checked, and how the result is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// A file, or `-` for stdin; none for the labels of our own container.
    pub file: Option<PathBuf>,
    /// As JSON, and not as text.
    pub json: bool,
}

/// Print the version, and what the engine is and can.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "version")]
struct Version {
    /// ask the engine, too (default: false)
    #[argh(option, arg_name = "bool")]
    engine: Option<Switch>,
}

/// A boolean as Go's `strconv.ParseBool` reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Switch(bool);

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Self(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Self(false)),
            _ => Err("expected true or false".to_owned()),
        }
    }
}

/// A duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time(Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        pod::time(text).map(Self)
    }
}

/// For words behind `pause` that are not a controller's.
const NO_WATCH: &str = "pause takes no words but those that a controller gives its guard: NAME CONTROLLER INSTANCE";

/// The flags that take a boolean, which may be left out.
const SWITCHES: [&str; 8] = ["engine", "ipc", "json", "logs", "offline", "pids", "pull", "volumes"];
/// Those of them that belong to a subcommand.
const OF_SUBCOMMANDS: [&str; 3] = ["engine", "json", "offline"];

/// The flags that take another value.
const VALUES: [&str; 10] = [
    "allow",
    "cgroup",
    "deny",
    "images",
    "profiles",
    "registry-auth",
    "restart-delay",
    "restart-longest",
    "restart-reset",
    "stop-timeout",
];
/// The flags of subcommands that take a value, by their short names.
const VALUES_OF_SUBCOMMANDS: [(&str, &str); 3] = [("f", "file"), ("image", "image"), ("o", "output")];

/// How a pod is to be read and run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags {
    /// What the plan depends on.
    pub options: Options,
    /// `-profiles`: components that have some run only with one of these.
    pub profiles: Vec<String>,
    /// `-images`: where archives of images are.
    pub images: Option<PathBuf>,
    /// `-registry-auth`: where logins for registries are.
    pub registry_auth: Option<PathBuf>,
}

/// What the environment sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// All of it, for what pods take from the controller's environment.
    pub env: BTreeMap<String, String>,
    /// The folder that we are in.
    pub working_dir: PathBuf,
    /// `DOCKER_CONFIG`: the folder of Docker's `config.json`, which has logins for registries.
    pub docker_config: Option<PathBuf>,
    /// `DOCKER_HOST`: the address of the engine.
    pub docker_host: Option<String>,
    /// `DOCKER_TLS_VERIFY`, if it is not empty: with TLS, and the engine has to show who it is.
    pub docker_tls_verify: bool,
    /// `DOCKER_TLS`, if it is not empty: with TLS, whoever answers.
    pub docker_tls: bool,
    /// `DOCKER_CERT_PATH`: the folder with the certificates; without one it is `DOCKER_CONFIG`, else `~/.docker`.
    pub docker_cert_path: PathBuf,
    /// `PODLIKE_CONTAINER_ID`: which container this is, where that cannot be found out.
    pub container_id: Option<String>,
    /// `PODLIKE_LOG`: how much is said: `error`, `warn`, `info`, `debug`.
    pub log: LevelFilter,
    /// Unless `NO_COLOR` is set: colour on a terminal.
    pub colour: bool,
}

impl Settings {
    /// Reads the environment of this process.
    pub fn read() -> Self {
        let value = |key| env::var(key).ok().filter(|value: &String| !value.is_empty());
        let home = || PathBuf::from(value("HOME").unwrap_or_else(|| "/root".to_owned()));
        Self {
            env: env::vars_os()
                .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            working_dir: env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            docker_config: value("DOCKER_CONFIG").map(PathBuf::from),
            docker_host: value("DOCKER_HOST"),
            docker_tls_verify: value("DOCKER_TLS_VERIFY").is_some(),
            docker_tls: value("DOCKER_TLS").is_some(),
            docker_cert_path: value("DOCKER_CERT_PATH")
                .or_else(|| value("DOCKER_CONFIG"))
                .map_or_else(|| home().join(".docker"), PathBuf::from),
            container_id: value("PODLIKE_CONTAINER_ID"),
            log: value("PODLIKE_LOG").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::Info),
            colour: value("NO_COLOR").is_none(),
        }
    }
}

fn flags(arguments: &Arguments) -> Flags {
    let names = arguments.profiles.as_deref().unwrap_or_default().split(',').map(str::trim);
    Flags {
        options: options(arguments),
        profiles: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        images: arguments.images.clone(),
        registry_auth: arguments.registry_auth.clone(),
    }
}

fn options(arguments: &Arguments) -> Options {
    let default = Options::default();
    let chosen = |switch: Option<Switch>, default| switch.map_or(default, |switch| switch.0);
    Options {
        pids: chosen(arguments.pids, default.pids),
        ipc: chosen(arguments.ipc, default.ipc),
        volumes: chosen(arguments.volumes, default.volumes),
        pull: chosen(arguments.pull, default.pull),
        logs: chosen(arguments.logs, default.logs),
        cgroup: arguments.cgroup.unwrap_or(default.cgroup),
        restart: Restart {
            delay: arguments.restart_delay.map_or(default.restart.delay, |time| time.0),
            longest: arguments.restart_longest.map_or(default.restart.longest, |time| time.0),
            reset: arguments.restart_reset.map_or(default.restart.reset, |time| time.0),
            ..default.restart
        },
        stop_timeout: arguments.stop_timeout.map(|time| time.0),
        policy: Policy::of(&arguments.deny, &arguments.allow),
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run a pod.
    Run(Flags),
    /// Say what would be run.
    Validate(Flags, Validation),
    /// Print the health of the pod.
    Healthcheck,
    /// Make pods of services with templates.
    #[cfg(feature = "template")]
    Template(Transformation),
    /// Do nothing, but what a guard does.
    Pause(Option<Watch>),
    /// Prepare cgroups.
    Cgroup(Vec<String>),
    /// Print the version, and if this says so what the engine is.
    Version(Flags, bool),
    /// Print this help.
    Help(String),
}

/// A command line that is not understood, in words for its writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads the command line of this process.
pub fn read() -> Result<Command, Error> {
    let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    parse(&words)
}

fn parse(words: &[String]) -> Result<Command, Error> {
    let words = normalised(words)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match Arguments::from_args(&["podlike"], &words) {
        #[cfg(feature = "template")]
        Ok(Arguments { command: Some(Subcommand::Template(Template { files, .. })), .. }) if files.is_empty() => {
            // The word alone asks how it is used; with flags, a list of files was empty.
            if words.len() > 1 {
                return Err(Error("no file is named; see podlike template --help".to_owned()));
            }
            parse(&["template".to_owned(), "--help".to_owned()])
        }
        Ok(arguments) => Ok(match &arguments.command {
            None => Command::Run(flags(&arguments)),
            Some(Subcommand::Validate(Validate { file, json })) => Command::Validate(
                flags(&arguments),
                Validation { file: file.clone(), json: json.is_some_and(|json| json.0) },
            ),
            #[cfg(feature = "template")]
            Some(Subcommand::Template(Template { files, offline, image, output })) => {
                Command::Template(Transformation {
                    files: files.clone(),
                    offline: offline.is_some_and(|offline| offline.0),
                    image: image.clone().filter(|image| !image.is_empty()),
                    output: output.clone(),
                })
            }
            #[cfg(not(feature = "template"))]
            Some(Subcommand::Template(Template {})) => return Err(Error(version::NO_TEMPLATES.to_owned())),
            Some(Subcommand::Healthcheck(_)) => Command::Healthcheck,
            Some(Subcommand::Pause(Pause { words })) => match Watch::parse(words) {
                None if !words.is_empty() => return Err(Error(NO_WATCH.to_owned())),
                watch => Command::Pause(watch),
            },
            Some(Subcommand::Cgroup(Cgroup { words })) => Command::Cgroup(words.clone()),
            Some(Subcommand::Version(Version { engine })) => {
                Command::Version(flags(&arguments), engine.is_some_and(|engine| engine.0))
            }
        }),
        Err(exit) if exit.status.is_ok() => {
            Ok(Command::Help(format!("{}\n\npodlike {}", exit.output.trim_end(), version::long())))
        }
        Err(exit) => Err(Error(format!("{}; see podlike --help", exit.output.trim_end()))),
    }
}

/// Go's `flag` notation as GNU's: one dash or two, `-flag=value`, and a switch without a value is on. The flags of the pod
/// come first, so that they may stand behind a subcommand, too; the files of a stack come last, so that one may be `-`.
fn normalised(words: &[String]) -> Result<Vec<String>, Error> {
    let (mut of_the_pod, mut result, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let takes_files = result.first().is_some_and(|first| first == "template");
        // Whatever stands behind it, there is one answer.
        if takes_files && cfg!(not(feature = "template")) {
            break;
        }
        if takes_files && word == "--" {
            files.extend(words.by_ref().cloned());
            break;
        }
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).filter(|flag| !flag.is_empty())
        else {
            (if takes_files { &mut files } else { &mut result }).push(word.clone());
            continue;
        };
        let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
        let mut valued = |name: &str| {
            let value = value.map(str::to_owned).or_else(|| words.next().cloned());
            value.map(|value| [format!("--{name}"), value]).ok_or_else(|| Error(format!("--{name} needs a value")))
        };
        if SWITCHES.contains(&name) {
            let next = words.peek().filter(|next| value.is_none() && next.parse::<Switch>().is_ok());
            if let Some(next) = next {
                return Err(Error(format!("-{name} {next}: a value needs an equals sign: -{name}={next}")));
            }
            let to = if OF_SUBCOMMANDS.contains(&name) { &mut result } else { &mut of_the_pod };
            to.extend([format!("--{name}"), value.unwrap_or("true").to_owned()]);
        } else if let Some((_, name)) =
            VALUES_OF_SUBCOMMANDS.iter().find(|(short, long)| name == *short || name == *long)
        {
            result.extend(valued(name)?);
        } else if VALUES.contains(&name) {
            of_the_pod.extend(valued(name)?);
        } else {
            result.push(match flag {
                "h" | "help" => "--help".to_owned(),
                "version" => "version".to_owned(),
                _ => word.clone(),
            });
        }
    }
    of_the_pod.extend(result);
    if !files.is_empty() {
        of_the_pod.push("--".to_owned());
        of_the_pod.extend(files);
    }
    Ok(of_the_pod)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Error> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn flags_as_go_and_gnu_write_them() {
        let default = Options::default();
        for (line, options) in [
            ("", default),
            ("-logs", Options { logs: true, ..default }),
            ("--logs -pids=false", Options { logs: true, pids: false, ..default }),
            ("--ipc=0 -volumes=true", Options { ipc: false, volumes: true, ..default }),
            ("-pull=T --logs=False", Options { pull: true, ..default }),
            ("-cgroup pod", Options { cgroup: Nesting::Pod, ..default }),
            ("--cgroup=slice", Options { cgroup: Nesting::Slice, ..default }),
            ("-stop-timeout 30", Options { stop_timeout: Some(Duration::from_secs(30)), ..default }),
            (
                "-restart-delay=500ms -restart-longest 1m -restart-reset=1h",
                Options {
                    restart: Restart {
                        delay: Duration::from_millis(500),
                        longest: Duration::from_mins(1),
                        reset: Duration::from_hours(1),
                        ..default.restart
                    },
                    ..default
                },
            ),
        ] {
            assert_eq!(parsed(line), Ok(Command::Run(Flags { options, ..Flags::default() })), "{line}");
        }
    }

    #[test]
    fn no_flag_takes_back_what_another_one_forbids() {
        let policy =
            |deny: &str, allow: &str| Policy::of(&[deny.parse().expect("a list")], &[allow.parse().expect("a list")]);
        for (line, expected) in [
            ("", policy("privileged,binds", "all")),
            ("-deny=", policy("privileged,binds", "all")),
            ("--deny=devices", policy("privileged,devices,binds", "all")),
            ("-allow all --allow=all", policy("privileged,binds", "all")),
            ("-allow=", policy("privileged,binds", "none")),
            ("-allow binds,privileged -allow binds,devices", policy("privileged,binds", "binds")),
        ] {
            for command in ["", "validate"] {
                match parsed(&format!("-deny privileged,binds {command} {line}")) {
                    Ok(Command::Run(flags) | Command::Validate(flags, _)) => {
                        assert_eq!(flags.options.policy, expected, "{command} {line}");
                    }
                    other => panic!("{line}: {other:?}"),
                }
            }
        }
        assert!(parsed("-deny").is_err(), "a list is not to be forgotten");
    }

    #[test]
    fn usage_errors_say_what_is_wrong() {
        for (line, part) in [
            ("-nope", "-nope"),
            ("-pids=maybe", "expected true or false"),
            ("-pids false", "-pids=false"),
            ("sidecar", "sidecar"),
            ("-cgroup=all", "'all' is no way to place cgroups: expected auto, pod, slice or none"),
            ("-cgroup", "needs a value"),
            ("-deny privilegd", "did you mean 'privileged'?"),
            ("-deny -logs", "'-logs' cannot be forbidden"),
            ("-allow=bind", "did you mean 'binds'?"),
            ("-restart-delay=soon", "'soon' is no duration"),
        ] {
            let Error(text) = parsed(line).expect_err(line);
            assert!(text.contains(part), "{line}: {text}");
        }
    }

    #[test]
    fn help_names_every_switch() {
        for line in ["-h", "-help", "--help"] {
            let Ok(Command::Help(text)) = parsed(line) else { panic!("no help") };
            for switch in SWITCHES.iter().chain(&VALUES).filter(|switch| !OF_SUBCOMMANDS.contains(switch)) {
                assert!(text.contains(&format!("--{switch}")), "{switch}");
            }
        }
    }

    #[test]
    fn flags_with_a_value() {
        let expected = Flags {
            profiles: vec!["a".to_owned(), "b".to_owned()],
            images: Some("/images".into()),
            registry_auth: Some("auth.json".into()),
            ..Flags::default()
        };
        for line in [
            "-profiles a,b -images /images -registry-auth auth.json",
            "--profiles=a,,b --images=/images --registry-auth=auth.json",
        ] {
            assert_eq!(parsed(line), Ok(Command::Run(expected.clone())), "{line}");
        }
        assert!(parsed("-images").is_err());
    }

    #[test]
    fn a_validation_takes_the_flags_of_a_pod() {
        let flags = Flags {
            options: Options { volumes: true, ..Options::default() },
            profiles: vec!["a".to_owned()],
            ..Flags::default()
        };
        let validation = |file: Option<&str>, json| Validation { file: file.map(Into::into), json };
        for (line, validation) in [
            ("-volumes -profiles a validate -f x.yml --json", validation(Some("x.yml"), true)),
            ("validate -volumes --file=x.yml -profiles=a", validation(Some("x.yml"), false)),
            ("validate -f - -volumes=true -profiles a", validation(Some("-"), false)),
            ("validate -volumes -profiles a", validation(None, false)),
        ] {
            assert_eq!(parsed(line), Ok(Command::Validate(flags.clone(), validation)), "{line}");
        }
    }

    #[test]
    fn subcommands() {
        assert_eq!(parsed("healthcheck"), Ok(Command::Healthcheck));
        assert_eq!(parsed("pause"), Ok(Command::Pause(None)));
        let Ok(Command::Pause(Some(watch))) = parsed("pause (memory) c0ffee 17 a b") else { panic!("a watch") };
        assert_eq!((watch.over.as_str(), watch.instance.as_str(), watch.volumes.len()), ("c0ffee", "17", 2));
        assert!(watch.needs_heir());
        for nonsense in ["pause x", "pause (guard) c0ffee", "pause web c0ffee 17"] {
            assert_eq!(parsed(nonsense), Err(Error(NO_WATCH.to_owned())), "{nonsense}");
        }
        let words = ["stop", "/bus", "a.slice"].map(str::to_owned).into();
        assert_eq!(parsed("cgroup stop /bus a.slice"), Ok(Command::Cgroup(words)));
        for (line, engine) in
            [("version", false), ("--version", false), ("version -engine", true), ("version --engine=false", false)]
        {
            assert_eq!(parsed(line), Ok(Command::Version(Flags::default(), engine)), "{line}");
        }
    }

    #[cfg(not(feature = "template"))]
    #[test]
    fn a_flavour_without_templates_lists_the_subcommand_and_says_what_it_is() {
        for line in ["template", "template a.yml -o", "-logs template --help", "template -nope -- x"] {
            assert_eq!(parsed(line), Err(Error(version::NO_TEMPLATES.to_owned())), "{line}");
        }
        let Ok(Command::Help(text)) = parsed("--help") else { panic!("no help") };
        assert!(text.contains("\n  template          Not in this flavour"), "{text}");
    }

    #[cfg(feature = "template")]
    #[test]
    fn a_transformation_takes_files_and_stdin() {
        let template = |files: &[&str], offline: bool, output: Option<&str>| {
            let files = files.iter().map(PathBuf::from).collect();
            let image = offline.then(|| "demo/podlike".to_owned());
            Ok(Command::Template(Transformation { files, offline, image, output: output.map(PathBuf::from) }))
        };
        for (line, expected) in [
            ("template a.yml", template(&["a.yml"], false, None)),
            ("template a.yml -offline -image demo/podlike b.yml", template(&["a.yml", "b.yml"], true, None)),
            ("template --offline=false -o out.yml -", template(&["-"], false, Some("out.yml"))),
            ("template -output=out.yml - b.yml", template(&["-", "b.yml"], false, Some("out.yml"))),
            ("template -o out.yml -- -a.yml --", template(&["-a.yml", "--"], false, Some("out.yml"))),
        ] {
            assert_eq!(parsed(line), expected, "{line}");
        }
        for line in ["template", "template --help", "template a.yml -h"] {
            assert!(matches!(parsed(line), Ok(Command::Help(text)) if text.contains("Usage")), "{line}");
        }
        for (line, part) in [
            ("template -offline", "no file"),
            ("template -nope a.yml", "-nope"),
            ("template a.yml -o", "--output"),
            ("template a.yml -image", "--image"),
        ] {
            let Error(text) = parsed(line).expect_err(line);
            assert!(text.contains(part), "{line}: {text}");
        }
    }
}
