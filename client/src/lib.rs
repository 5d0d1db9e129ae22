//! Submit records, and check the answer yourself: SDK, light client, the `probata` command.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`light`] | the light client: pure, it decides from an evidence file, documents and the genesis alone |
//! | [`document`] | the stock digests that bind a file's bytes |
//! | `sdk` | drafts, submissions, nodes; needs the feature `http` |
//! | `case` | the sample loan case, submitted and stored; needs the feature `http` |
//! | `command` | the `probata` command; needs the feature `http` |
//!
//! Without the feature `http` the crate is the light client alone, and does no I/O.
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod document;
pub mod light;

#[cfg(feature = "http")]
pub mod case;
#[cfg(feature = "http")]
pub mod command;
#[cfg(feature = "http")]
pub mod sdk;
