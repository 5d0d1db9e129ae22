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

# Measures the loads of docs/BENCHMARKS.md and rewrites their tables there, some ten minutes: on a machine that does nothing else.
bench *arguments:
    cargo run --profile dist --bin probata-bench -- tables --document docs/BENCHMARKS.md {{arguments}}

# Idle figures of docs/BENCHMARKS.md: verifying evidence, reading genesis.
bench-verify:
    cargo bench -p probata-tests --bench verify

# Records a second and latency to verified evidence, on a network of its own: `just load --rate 500`.
load *arguments:
    cargo run --profile dist --bin probata-bench -- {{arguments}}

# Instructions of a submission at a node, by valgrind, on any machine; also in docs/BENCHMARKS.md.
instructions *arguments:
    cargo run --release --bin way -- --document docs/BENCHMARKS.md {{arguments}}

# The tables of docs/SCALE.md, from the costs in tests/src/scale/costs.rs: some minutes.
scale *arguments:
    cargo run --release --bin scale -- --jobs 2 --write docs/SCALE.md {{arguments}}

# Every schedule of the twins (docs/PROTOCOL.md), about half an hour.
twins:
    PROBATA_TWINS=full cargo test --release -p probata-consensus --test protocol twins::explored -- --nocapture

# Lines of consensus that its own tests reach: see CONTRIBUTING.md.
coverage *arguments:
    cargo llvm-cov -p probata-consensus --ignore-filename-regex '/types/src/' --fail-under-lines 95 {{arguments}}

# The model's longest runs (docs/PROTOCOL.md), a few minutes.
model:
    cargo run --release --bin model -- --heights 2 --views 3
    cargo run --release --bin model -- --heights 2 --views 2 --lose-blocks

# Worlds drawn from seeds: `just sim 17`, `just sim --seeds 0..2000 --jobs 2`.
sim *arguments:
    cargo run --release --bin sim -- {{arguments}}

# 50,000 worlds, from a number that changes every day.
sim-nightly jobs="2":
    cargo run --release --locked --bin sim -- --seeds "$(date +%Y%m%d)00000..+50000" --jobs {{jobs}}

# The forged corpus anew; every file changes (tests/vectors/README.md).
forge:
    cargo run --release --bin forge -- tests/vectors/evidence

# Evidence changed at random by the million: none is found consistent that says something else.
tamper *arguments:
    cargo run --release --bin tamper -- --count 1000000 {{arguments}}

# The second verifier: its tests, and its page in a browser.
verifier:
    cd verifier && npm ci && npm test && npm run build && npm run browser

# For each deliberate mistake the first world that shows it (docs/SIMULATOR.md).
mutants *arguments:
    RUSTC_WORKSPACE_WRAPPER="$PWD/tests/mutants/rustc" cargo run --release --bin mutants -- {{arguments}}
