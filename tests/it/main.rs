//! Whole-network tests: real processes, real meshes, real disks. See the library for what they share.
#![expect(clippy::print_stdout, reason = "tests show what they measured, with --nocapture")]

mod absence;
mod archive;
mod bench;
mod by_hand;
mod chain;
mod chaos;
mod crash;
mod devnet;
mod follow;
mod forged;
mod fsck;
mod governance;
mod hostile;
mod hours;
mod join;
mod kept;
mod model;
mod offline;
mod outage;
mod reshape;
mod restart;
mod scale;
mod sim;
mod sizes;
mod tidy;
mod vectors;
mod verifier;

/// The real `probata-node`.
const NODE: &str = env!("CARGO_BIN_EXE_test-node");
/// The real `probata`.
const PROBATA: &str = env!("CARGO_BIN_EXE_test-probata");
/// The simulator.
const SIM: &str = env!("CARGO_BIN_EXE_sim");
/// The search for deliberate mistakes.
const MUTANTS: &str = env!("CARGO_BIN_EXE_mutants");
