//! The program: reads the environment, runs the command line, turns its outcome into an exit code.

use std::process::ExitCode;

use contactsd::{cli, settings};

fn main() -> ExitCode {
    let environment = settings::Environment::of_process();
    #[cfg(feature = "failpoints")]
    if let Some(spec) = environment.get(contactsd::failpoints::VARIABLE) {
        contactsd::failpoints::install(spec).expect("a test arms failpoints that there are");
    }
    ExitCode::from(cli::main(std::env::args_os(), environment).code())
}
