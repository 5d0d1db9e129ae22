//! The real `probata-node`, built with the tests so that they always start the code that they test.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_node::command::main()
}
