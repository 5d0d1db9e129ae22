//! Why a command failed, with its exit code (those of `sysexits.h` where one fits).

use crate::sdk::{ClientError, DraftError, TimeError};
use std::{fmt::Display, path::Path};

/// Wrong usage, or something given does not fit.
pub(super) const USAGE: u8 = 64;
/// No node can be reached.
const UNAVAILABLE: u8 = 69;
/// A local failure.
const LOCAL: u8 = 70;
/// Not sealed yet.
const TRY_AGAIN: u8 = 75;

/// A command that did not do what it was asked.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
    pub(super) action: String,
}

impl Failure {
    /// Something given does not fit.
    pub(super) fn usage(message: impl Into<String>, action: impl Into<String>) -> Self {
        Self { code: USAGE, message: message.into(), action: action.into() }
    }

    /// This machine failed.
    pub(super) fn local(message: impl Into<String>) -> Self {
        let action = "see to this machine's disk and permissions, then try again";
        Self { code: LOCAL, message: message.into(), action: action.to_owned() }
    }

    /// A file that cannot be read or does not hold what it should.
    pub(super) fn file(path: &Path, error: &dyn Display) -> Self {
        Self::usage(format!("{}: {error}", path.display()), "check the path and the file")
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = match &error {
            ClientError::Unreachable(_) => UNAVAILABLE,
            ClientError::Pending { .. } => TRY_AGAIN,
            ClientError::Spool(_)
            | ClientError::Random(_)
            | ClientError::Signer(_)
            | ClientError::File { .. } => LOCAL,
            _ => USAGE,
        };
        Self { code, message: error.to_string(), action: error.action().to_owned() }
    }
}

impl From<DraftError> for Failure {
    fn from(error: DraftError) -> Self {
        ClientError::from(error).into()
    }
}

impl From<TimeError> for Failure {
    fn from(error: TimeError) -> Self {
        Self::usage(error.to_string(), "correct the argument")
    }
}
