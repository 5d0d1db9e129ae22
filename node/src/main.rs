//! The `probata-node` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_node::command::main()
}
