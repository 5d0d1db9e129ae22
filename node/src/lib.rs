//! Run a validator or a member node: mesh, mempool, chain thread, HTTP API, devnet.

pub mod api;
pub mod archive;
pub mod bodies;
pub mod chain;
pub mod command;
pub mod config;
pub mod devnet;
pub mod edge;
pub mod evidence;
pub mod fsck;
pub mod genesis_command;
pub mod handle;
pub mod join;
pub mod limits;
pub mod membership;
pub mod mempool;
pub mod metrics;
pub mod network;
pub mod run;
pub mod snapshot;
pub mod snapshots;
pub mod stop;
pub mod wire;

/// Blocks are made on one thread and let go on another, by the hundred thousand small pieces: the system's allocator
/// spends twice as long on that, and keeps more of it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[cfg(test)]
mod fixtures;
