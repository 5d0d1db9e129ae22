//! The simulator: whole chains in worlds drawn from a number.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_tests::sim::command::main()
}
