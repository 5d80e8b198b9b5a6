//! The binary: parse, dispatch, report, exit.

use std::process::ExitCode;

use podlike::cli::{self, Command, Settings};
use podlike::commands;
use podlike::report::{self, Voice};

fn main() -> ExitCode {
    let settings = Settings::read();
    let command = cli::read();
    // A pause has nothing to say, and no other thread may take its signals.
    let voice = (!matches!(command, Ok(Command::Pause(_)))).then(|| Voice::open(settings.log, settings.colour));
    let outcome = match command {
        Ok(Command::Run(flags)) => commands::run(&settings, &flags),
        Ok(Command::Validate(flags, validation)) => commands::validate(&settings, &flags, &validation),
        #[cfg(feature = "template")]
        Ok(Command::Template(transformation)) => commands::template(&settings, &transformation),
        Ok(Command::Healthcheck) => commands::healthcheck(&settings),
        Ok(Command::Pause(watch)) => commands::pause(&settings, watch.as_ref()),
        Ok(Command::Cgroup(words)) => commands::cgroup(&words),
        Ok(Command::Version(flags, engine)) => commands::version(&settings, flags.options, engine),
        Ok(Command::Help(text)) => commands::help(&text),
        Err(error) => Err(error.into()),
    };
    if let Some(voice) = &voice {
        voice.take_time();
    }
    let code = report::exit(&outcome);
    if let Some(voice) = voice {
        voice.finish();
    }
    code.into()
}
