//! How fast it is. See the library's module `bench`.

use std::process::ExitCode;

fn main() -> ExitCode {
    probata_tests::bench::main()
}
