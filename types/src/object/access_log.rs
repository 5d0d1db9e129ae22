//! The log of accesses in one system of an institution.

use crate::{Text, Timestamp};
use serde::{Deserialize, Serialize};

/// What the records of a log add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessLog {
    /// The system.
    pub system: Text<64>,
    /// Accesses allowed, not masked.
    pub allowed: u64,
    /// Accesses allowed with parts masked.
    pub masked: u64,
    /// Accesses denied.
    pub denied: u64,
    /// Accesses without a consent where one was needed, or after it was revoked.
    pub without_consent: u64,
    /// Rows touched.
    pub rows: u64,
    /// The latest access.
    pub last_at: Timestamp,
}
