//! The command line and the environment: Go-style flags (`-logs`, `-pids=false`) beside GNU ones. The only reader of
//! either.

use std::str::FromStr;
use std::{env, fmt};

use argh::FromArgs;
use log::LevelFilter;

use crate::pod::Options;
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
    #[argh(subcommand)]
    command: Option<Subcommand>,
}

#[derive(FromArgs, Debug)]
#[argh(subcommand)]
enum Subcommand {
    Healthcheck(Healthcheck),
    Pause(Pause),
    Version(Version),
}

/// Print the health of the pod that runs in this container; exit with 0 if it is healthy, else with 1.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "healthcheck")]
struct Healthcheck {}

/// Do nothing until TERM or INT, for a container that only has to be there.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "pause")]
struct Pause {}

/// Print the version.
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "version")]
struct Version {}

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

/// The flags that take a boolean, which may be left out.
const SWITCHES: [&str; 5] = ["ipc", "logs", "pids", "pull", "volumes"];

/// What the environment sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `DOCKER_HOST`: the address of the engine.
    pub docker_host: Option<String>,
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
        Self {
            docker_host: value("DOCKER_HOST"),
            container_id: value("PODLIKE_CONTAINER_ID"),
            log: value("PODLIKE_LOG").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::Info),
            colour: value("NO_COLOR").is_none(),
        }
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
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run a pod.
    Run(Options),
    /// Print the health of the pod.
    Healthcheck,
    /// Do nothing.
    Pause,
    /// Print the version.
    Version,
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
        Ok(arguments) => Ok(match &arguments.command {
            None => Command::Run(options(&arguments)),
            Some(Subcommand::Healthcheck(_)) => Command::Healthcheck,
            Some(Subcommand::Pause(_)) => Command::Pause,
            Some(Subcommand::Version(_)) => Command::Version,
        }),
        Err(exit) if exit.status.is_ok() => {
            Ok(Command::Help(format!("{}\n\npodlike {}", exit.output.trim_end(), version::long())))
        }
        Err(exit) => Err(Error(format!("{}; see podlike --help", exit.output.trim_end()))),
    }
}

/// Go's `flag` notation as GNU's: one dash or two, `-flag=value`, and a switch without a value is on.
fn normalised(words: &[String]) -> Result<Vec<String>, Error> {
    let mut result = Vec::new();
    for (position, word) in words.iter().enumerate() {
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            result.push(word.clone());
            continue;
        };
        let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
        if SWITCHES.contains(&name) {
            let next = words.get(position + 1).filter(|next| value.is_none() && next.parse::<Switch>().is_ok());
            if let Some(next) = next {
                return Err(Error(format!("-{name} {next}: a value needs an equals sign: -{name}={next}")));
            }
            result.extend([format!("--{name}"), value.unwrap_or("true").to_owned()]);
        } else {
            result.push(match flag {
                "h" | "help" => "--help".to_owned(),
                "version" => "version".to_owned(),
                _ => word.clone(),
            });
        }
    }
    Ok(result)
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
        ] {
            assert_eq!(parsed(line), Ok(Command::Run(options)), "{line}");
        }
    }

    #[test]
    fn usage_errors_say_what_is_wrong() {
        for (line, part) in [
            ("-nope", "-nope"),
            ("-pids=maybe", "expected true or false"),
            ("-pids false", "-pids=false"),
            ("sidecar", "sidecar"),
        ] {
            let Error(text) = parsed(line).expect_err(line);
            assert!(text.contains(part), "{line}: {text}");
        }
    }

    #[test]
    fn help_names_every_switch() {
        for line in ["-h", "-help", "--help"] {
            let Ok(Command::Help(text)) = parsed(line) else { panic!("no help") };
            for switch in SWITCHES {
                assert!(text.contains(&format!("--{switch}")), "{switch}");
            }
        }
    }

    #[test]
    fn subcommands() {
        assert_eq!(parsed("healthcheck"), Ok(Command::Healthcheck));
        assert_eq!(parsed("pause"), Ok(Command::Pause));
        assert_eq!(parsed("version"), Ok(Command::Version));
        assert_eq!(parsed("--version"), Ok(Command::Version));
    }
}
