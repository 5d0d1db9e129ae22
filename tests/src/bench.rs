//! How fast it is: what `cargo run --release --bin probata-bench` does.
//!
//! A network of real processes on this machine, real signed records of several institutions, and latency from when
//! a submission was due to when the light client has verified what became of it.
//!
//! | module | what it is |
//! | --- | --- |
//! | `profile` | the shapes of load |
//! | `workload`, `supply` | the records, and submissions of them made ahead |
//! | `drive`, `timeline` | sending them at a pace; latencies, second by second |
//! | `usage` | what the processes use |
//! | `result`, `plot` | what is printed and drawn |

mod command;
mod drive;
mod plot;
mod profile;
mod result;
pub(crate) mod scene;
pub(crate) mod supply;
mod timeline;
mod usage;
mod workload;

pub use command::main;
