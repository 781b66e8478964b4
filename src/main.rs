//! The program: reads the environment, runs the command line, turns its outcome into an exit code.

use std::process::ExitCode;

use contactsd::{cli, settings};

fn main() -> ExitCode {
    let environment = settings::Environment::of_process();
    ExitCode::from(cli::run(std::env::args_os(), environment).code())
}
