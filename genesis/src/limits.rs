//! The bounds of the genesis document and of the files of its ceremony, each with its unit and its
//! reason.

use probata_types::limits as types;
pub use probata_types::limits::{GROUP_BYTES, NAME_BYTES, NODES, ROLES, SUBMISSION_KEYS};

/// Bytes of a genesis document in JSON. The largest one allowed below takes about 2 MiB.
pub const GENESIS_BYTES: usize = 4 * 1_024 * 1_024;
/// Bytes of one signed entry in JSON. The largest one allowed below takes about 8 KiB.
pub const ENTRY_BYTES: usize = 64 * 1_024;
/// Bytes of a key file: five short fields.
pub const KEY_FILE_BYTES: usize = 4 * 1_024;
/// Bytes of a file of parameters: a dozen numbers and their comments.
pub const PARAMETERS_BYTES: usize = 64 * 1_024;
/// Bytes of a rule pack in JSON: a thousand dated rates and some numbers.
pub const RULE_PACK_BYTES: usize = 1_024 * 1_024;

/// Institutions. 87 are expected; each has a node or uses another's.
pub const INSTITUTIONS: usize = 256;
/// Nodes without a vote of one institution.
pub const MEMBER_NODES: usize = 8;
/// Proofs of possession in one entry: one for each key that it can name.
pub const PROOFS: usize = SUBMISSION_KEYS + 2 + MEMBER_NODES;

/// Bytes of the name of a chain.
pub const CHAIN_NAME_BYTES: usize = 64;

/// Smallest view timeout, in milliseconds: below it, a disk's sync alone would change the leader.
pub const VIEW_TIMEOUT_MIN: u64 = 50;
/// Largest view timeout cap, in milliseconds (one hour): a chain that waits longer is stopped.
pub const VIEW_TIMEOUT_CAP_MAX: u64 = 60 * 60 * 1_000;
/// Largest heartbeat, in milliseconds (one day): a light client could not tell silence from a fork.
pub const HEARTBEAT_MAX: u64 = 24 * 60 * 60 * 1_000;
/// Largest difference of clocks and largest travel time, in milliseconds (five minutes) each. The
/// time of a block is evidence: it must be nearer to the truth than the shortest period of the law,
/// a day.
pub const CLOCK_MAX: u64 = 5 * 60 * 1_000;
/// Largest lifetime of a submission, in milliseconds (30 days). A replay is remembered that long.
pub const SUBMISSION_LIFETIME_MAX: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Largest number of heights that a leader keeps in planned rotation.
pub const ROTATION_MAX: u64 = 1_000_000;
/// Smallest proposal, in bytes: the largest submission must fit in, with the head of the proposal.
pub const PROPOSAL_BYTES_MIN: usize = types::SUBMISSION_BYTES + 4 * 1_024;
/// Largest quota of submissions of one institution in a node's pool.
pub const PENDING_MAX: u64 = 65_536;

const _: () = {
    assert!(PROPOSAL_BYTES_MIN <= types::PROPOSAL_BYTES, "the largest submission fits a proposal");
    assert!(SUBMISSION_KEYS <= types::KEYS_PER_INSTITUTION, "the first keys fit the key history");
    assert!(types::VALIDATORS <= INSTITUTIONS, "every validator has an institution");
    assert!(INSTITUTIONS * 8 * 1_024 < GENESIS_BYTES, "a full document is not refused by its size");
};
