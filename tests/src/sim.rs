//! Whole worlds drawn from one seed: real chains with real signatures on a false clock, network and disk,
//! with everything that goes wrong in them. `docs/SIMULATOR.md` says how to read what comes of it.
//!
//! ```text
//!   seed ──► Plan: committee, network, clocks, liars, troubles     (a Reduction takes things out)
//!              │
//!              ▼
//!   World: the bad time ──► healed ──► progress within a bound ──► audit ──► Report
//!              │ after every event: one history, seals hold, promises are on disk before
//!              │ they are said, nobody contradicts what it said, nothing acknowledged is lost
//!              ▼
//!   Trace: the story in words, and a hash of everything that happened
//! ```

mod clients;
mod clock;
pub mod command;
mod liars;
#[cfg(mutants)]
pub mod mutants;
mod network;
mod panics;
mod plan;
mod play;
mod promises;
mod report;
mod roster;
mod shrink;
mod trace;
mod world;

pub use clock::Clock;
pub use liars::Lie;
pub use network::{Latency, Shape, Weather};
pub use plan::{Family, Left, Motion, Plan, Planned, Reduction, Step, Trouble};
pub use play::play;
pub use report::{Counts, Report, Verdict};
pub use shrink::{Smallest, shrink};
pub use trace::{Level, Trace};
pub use world::run;
