//! Whole-network tests: real processes, real meshes, real disks. See the library for what they share.

mod crash;
mod tidy;

/// The real `probata-node`.
const NODE: &str = env!("CARGO_BIN_EXE_test-node");
