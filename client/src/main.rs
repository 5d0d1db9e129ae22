//! `probata`: submit records, fetch evidence, and verify it, offline too.

mod command;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    command::run(command::Cli::parse())
}
