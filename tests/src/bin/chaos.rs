//! Real processes under fire. See the library's module `chaos`.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_tests::chaos::main()
}
