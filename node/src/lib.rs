//! Run a validator or a member node: mesh, mempool, chain thread, HTTP API, devnet.

pub mod limits;
pub mod network;
