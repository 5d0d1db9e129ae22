//! `probata`: submit records, fetch evidence, and verify it, offline too.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_client::command::main()
}
