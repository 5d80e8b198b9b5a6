//! The binary: parse, dispatch, report, exit.

use std::process::ExitCode;

use podlike::cli::{self, Command, Settings};
use podlike::commands;
use podlike::report::{self, Voice};

fn main() -> ExitCode {
    let settings = Settings::read();
    let voice = Voice::open(settings.log, settings.colour);
    let outcome = match cli::read() {
        Ok(Command::Run(options)) => commands::run(&settings, options),
        Ok(Command::Healthcheck) => commands::healthcheck(&settings),
        Ok(Command::Version) => commands::version(),
        Ok(Command::Help(text)) => commands::help(&text),
        Err(error) => Err(error.into()),
    };
    let code = report::exit(&outcome);
    voice.finish();
    code.into()
}
