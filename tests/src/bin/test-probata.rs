//! The real `probata`, built with the tests so that they always run the code that they test.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_client::command::main()
}
