//! Try to break it: a simulator, a model, real processes under fire, hostile inputs, vectors.
//!
//! What the tests start is real: node processes with their meshes, disks and signatures, made by the
//! devnet's own ceremony. This library holds what they share.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`network`] | real node processes on loopback: start, kill, stop, ask, wait |
//! | [`writer`] | signed submissions of real drafts |
//! | [`load`] | several writers at once, and what was acknowledged to them |
//! | [`segments`] | a block log in smaller parts than a node writes |
//! | [`check`] | what must hold afterwards, seen from outside |
//! | [`consortium`], [`committee`] | fixed keys and a genesis; real chains in one thread, without sockets |
//! | [`mod@aged`] | evidence as it is after ten years |
//! | [`forge`], [`tamper`] | evidence that somebody has worked on: by hand, and at random by the million; programs |
//! | [`cluster`], [`disk`], [`store`] | real chains in a false world: cut links, lying peers, disks that forget |
//! | [`sim`] | whole worlds drawn from one seed, with everything that goes wrong in them |
//! | [`governance`], [`council`] | motions and ballots; real processes that decide by them |
//! | [`model`] | the protocol as a small model, of which every state is looked at |
//! | [`seed`] | random choices that can be repeated |
//! | [`chaos`] | real processes under fire, as a program |
//! | [`mod@bench`] | how fast it is, as a program |
//! | [`way`] | what a submission costs in instructions, as a program |
//! | [`scale`] | how far it goes, on paper and in virtual time, as a program |

pub mod aged;
pub mod bench;
pub mod chaos;
pub mod check;
pub mod cluster;
pub mod committee;
pub mod consortium;
pub mod council;
pub mod disk;
mod document;
mod figures;
pub mod forge;
mod gate;
pub mod governance;
mod history;
pub mod limits;
pub mod load;
mod machine;
pub mod model;
pub mod network;
pub mod ports;
pub mod scale;
pub mod seed;
pub mod segments;
pub mod sim;
pub mod store;
pub mod tamper;
pub mod trouble;
mod watch;
pub mod way;
pub mod writer;

pub use trouble::{Trouble, ensure};
