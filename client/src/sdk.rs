//! The SDK: from documents to verified evidence, over HTTP.
//!
//! ```text
//! documents, values ──Draft──> statement + openings ──FlowWriter──> record ──sign──> submission
//!        openings on disk first ┘                                                      │ spool
//! evidence file <──light client checks── answer <── node after node, until the deadline ┘
//! ```
//!
//! Nothing that a node says is believed before the light client has checked it against the genesis
//! document. A node whose answer does not verify is named in the log, and the next one is asked.

mod answer;
mod beside;
mod client;
pub mod clock;
pub mod draft;
mod error;
mod flow;
mod governance;
mod http;
pub mod limits;
mod notary;
mod openings;
pub mod random;
mod receipt;
mod refresh;
mod seals;
mod sets;
mod signer;
mod spool;
mod submission;
mod submitting;
#[cfg(test)]
mod tests;
mod together;

pub use answer::{FoundFault, SealedHeader};
pub use beside::{FoundDocument, OnDisk, verify_on_disk};
pub use client::{Client, ClientConfig};
pub use clock::TimeError;
pub use draft::{Draft, DraftContext, DraftError, Names, Prepared};
pub use error::{ClientError, Failing, Refusal, Trial};
pub use flow::{Author, FlowWriter, Position, Statement};
pub use governance::FoundMotion;
pub use notary::{NotarisedRecord, Notary, Order, Submitter};
pub use openings::{OpeningBook, OpeningError, OpeningsFile, OpeningsFormat, write_evidence};
pub use receipt::Receipt;
pub use refresh::{write_absence, write_checkpoint};
pub use signer::{Signer, SignerError};
pub use spool::{Spool, SpoolError};
pub use submission::sign;
pub use submitting::Resumed;
