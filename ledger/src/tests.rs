//! The ledger as a whole.

mod archive;
mod commit;
mod crash;
mod fsck;
mod index;
mod older;
mod proofs;
mod rotten;
mod snapshot;
