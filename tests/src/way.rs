//! What a submission costs on its way, counted in instructions: what `cargo run --release --bin way` does.
//!
//! Times differ from machine to machine and from hour to hour; the instructions of one program for the same
//! submissions hardly do. So a change that makes the way of a record longer shows anywhere, however busy.
//!
//! ```text
//! prepare   four nodes in one thread, on real disks, seal loans drawn from a seed       (at full speed)
//! walk      they are opened again and seal the counted batches                          (under valgrind)
//! table     instructions of a submission at one node, by where they were spent
//! ```
//!
//! | module | what it is |
//! | --- | --- |
//! | `nodes` | the nodes, and the way: bytes, edge, mempool, consensus frames, contracts, ledger |
//! | `counted` | the two functions of which instructions are counted |
//! | `callgrind` | reads what valgrind wrote |
//! | `command` | preparing, walking, and the table |

mod callgrind;
mod command;
mod counted;
mod nodes;

pub use command::main;
