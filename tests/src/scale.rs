//! Scale on paper and in virtual time: what `cargo run --release --bin scale` does, and docs/SCALE.md shows.
//!
//! ```text
//!   Costs (measured) ──┬──► model: closed form ─────────────────┐
//!                      │                                        ├──► side by side, difference in per cent
//!   Setting ───────────┴──► world: production replicas, real ───┘
//!   (n, round trip, load)   messages and signatures; links, processors and disks as queues
//!
//!   Costs, growth ──► years: disk, memory, restart and join for ten years, and when each bound is met
//! ```
//!
//! | module | what it is |
//! | --- | --- |
//! | `costs` | what one machine needs for what, each figure with its source |
//! | `setting` | how many validators, how far apart, under which load |
//! | `supply` | submissions of the sample case's records, in the mix of a year |
//! | `model` | the closed form |
//! | `queues`, `pool`, `validator`, `world` | the simulation |
//! | `compare` | both, side by side |
//! | `years`, `bounds` | ten years |
//! | `page` | the tables of docs/SCALE.md |

mod bounds;
mod command;
mod compare;
mod costs;
mod model;
mod page;
mod pool;
mod queues;
mod setting;
mod supply;
mod validator;
mod world;
mod years;

pub use command::main;
pub use compare::{Row, compare};
pub use costs::Costs;
pub use model::{Bound, Model};
pub use setting::{Load, Setting};
pub use world::Seen;

/// By how many per cent model and simulation may differ.
pub const AGREE: f64 = 20.0;
