//! Shows that the simulator finds deliberate mistakes. In an ordinary build there are none to find.

use std::process::ExitCode;

#[cfg(mutants)]
fn main() -> ExitCode {
    probata_tests::sim::mutants::main()
}

#[cfg(not(mutants))]
#[expect(clippy::print_stderr, reason = "a command speaks to its user")]
fn main() -> ExitCode {
    eprintln!(
        "error: this build holds no deliberate mistakes; `just mutants` makes one that does, which is\n  \
         RUSTC_WORKSPACE_WRAPPER=$PWD/tests/mutants/rustc cargo run --release --bin mutants"
    );
    ExitCode::from(2)
}
