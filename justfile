# One cargo line each. `just` alone lists them.

_list:
    @just --list

# Everything that CI runs.
check:
    bash .ci/run

# The tests.
test:
    cargo test --workspace

# Four institutions on this machine, a loan case, the verdicts, a live table.
devnet *arguments:
    cargo run --release --bin probata-node -- devnet {{arguments}}

# The pages of all crates.
doc:
    cargo doc --workspace --no-deps --open

# Idle figures of docs/BENCHMARKS.md.
bench:
    cargo bench -p probata-tests --bench verify
