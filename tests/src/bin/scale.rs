//! Scale on paper and in virtual time. See the library's module `scale`.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_tests::scale::main()
}
