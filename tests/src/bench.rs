//! How fast it is: what `cargo run --release --bin probata-bench` does.
//!
//! A network of real processes on this machine, real signed records of several institutions, and latency from when
//! a submission was due to when the light client has verified what became of it.
//!
//! | module | what it is |
//! | --- | --- |
//! | `profile` | the shapes of load |
//! | `ground` | the network that is measured |
//! | `scene`, `workload`, `supply` | who submits, the records, and submissions of them made ahead |
//! | `run`, `drive`, `timeline` | sending them at a pace; latencies, second by second |
//! | `keeper`, `usage`, `slopes` | what the processes use meanwhile, what is done to them, whether anything grows |
//! | `grow`, `join` | what a network that has grown can do, and how a node joins it |
//! | `tables`, `hardware` | the short set of loads and the machine, for the document |
//! | `live`, `result`, `table`, `plot` | what is shown, printed and drawn |

mod command;
mod drive;
mod ground;
mod grow;
mod hardware;
mod join;
mod keeper;
mod live;
mod plot;
mod profile;
mod result;
mod run;
pub(crate) mod scene;
mod slopes;
pub(crate) mod supply;
mod table;
mod tables;
mod timeline;
mod usage;
mod workload;

pub use command::main;
