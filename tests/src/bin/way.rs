//! What a submission costs, in instructions. See the library's module `way`.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_tests::way::main()
}
