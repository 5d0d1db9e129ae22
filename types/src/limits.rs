//! The bounds of everything that travels or is stored, each with its unit and its reason.

/// Records in one submission. One signature then costs less than a thousandth of a verification each.
pub const RECORDS_PER_SUBMISSION: usize = 1_024;
/// Bytes of one record. Documents stay with the institution; rules need no more than this.
pub const RECORD_BYTES: usize = 4 * 1_024;
/// Bytes of one submission: what its records may take, and its head.
pub const SUBMISSION_BYTES: usize = RECORDS_PER_SUBMISSION * RECORD_BYTES / 2;
/// Bytes of one proposal. Fits a 16 MiB mesh frame with its certificate.
pub const PROPOSAL_BYTES: usize = 8 * 1_024 * 1_024;
/// Submissions in one proposal.
pub const SUBMISSIONS_PER_PROPOSAL: usize = 16_384;
/// Submissions in one batch: more would wait for more than one block.
pub const BATCH_SUBMISSIONS: usize = 1_024;
/// Bytes of all submissions of a batch: two of the largest.
pub const BATCH_BYTES: usize = 2 * SUBMISSION_BYTES;
/// Bytes of what is said about one submission that was not taken.
pub const PROBLEM_BYTES: usize = 4 * 1_024;
/// Records in one proposal: bounds the time of one execution.
pub const RECORDS_PER_PROPOSAL: usize = 65_536;
/// Bytes of one sealed block on the wire: the proposal, an outcome for each record, header and seal.
pub const BLOCK_BYTES: usize = 16 * 1_024 * 1_024;
/// Validators in a set. 87 institutions are expected; votes are all-to-all, so more would not serve.
pub const VALIDATORS: usize = 128;
/// Findings on one record.
pub const FINDINGS_PER_RECORD: usize = 32;
/// Documents of one record.
pub const DOCUMENTS_PER_RECORD: usize = 8;
/// Institutions that may submit to one flow.
pub const SUBMITTERS_PER_FLOW: usize = 32;
/// Bytes of one object that records build: it is read and written whole, and goes into evidence files.
/// (Epochs, the directory and the rule pack are bounded by their lists; evidence does not hold them.)
pub const OBJECT_BYTES: usize = 4 * 1_024;
/// Drawdowns of one facility that were ordered and not yet reported done.
pub const PENDING_DRAWDOWNS: usize = 8;
/// Guarantees of one facility: what fits its object with eight bearers of risk each.
pub const GUARANTEES_PER_FACILITY: usize = 4;
/// Borrowers and guarantors of one facility, for the count of contacts with each.
pub const DEBTORS_PER_FACILITY: usize = 16;
/// Versions of one model: what fits its object; then a new flow goes on.
pub const VERSIONS_PER_MODEL: usize = 32;
/// Keys that one institution has had.
pub const KEYS_PER_INSTITUTION: usize = 64;
/// Keys that one institution submits with when it joins. Later ones are rotated in by motions.
pub const SUBMISSION_KEYS: usize = 8;
/// Roles of an institution: as many as there are.
pub const ROLES: usize = 8;
/// Bytes of an institution's name: the longest registered ones have about 60 Chinese characters.
pub const NAME_BYTES: usize = 256;
/// Bytes of the name of an affiliation group.
pub const GROUP_BYTES: usize = 128;
/// Nodes of all institutions together. The mesh is full, so each costs every other one a connection.
pub const NODES: usize = 256;
/// Nodes of one institution that a motion admits: their proofs fit a record.
pub const NODES_PER_INSTITUTION: usize = 8;
/// Seats that one motion fills, or empties: with their proofs and a document they fit a record.
pub const SEATS_PER_MOTION: usize = 16;
/// Bytes of the reason of a motion.
pub const REASON_BYTES: usize = 256;
/// Hashes in a Merkle path: trees hold at most 2^64 leaves.
pub const MERKLE_PATH: usize = 64;
/// Siblings in a sparse-tree path: one for each bit of a key.
pub const SPARSE_PATH: usize = 256;
/// Bytes of an evidence file.
pub const EVIDENCE_BYTES: usize = 1_024 * 1_024;
/// Bytes of a fault file: two digests, two signatures and a key in hex take half of it.
pub const FAULT_FILE_BYTES: usize = 2 * 1_024;
/// Levels of nesting in an evidence file; the deepest genuine one has fewer than 16.
pub const EVIDENCE_DEPTH: usize = 32;
/// Events listed in an evidence file.
pub const EVIDENCE_EVENTS: usize = 4_096;
/// Validator-set changes in an evidence file.
pub const EVIDENCE_SETS: usize = 256;
/// Further places in the history that an evidence file shows: a court has one checkpoint, or a few.
pub const EVIDENCE_LINKS: usize = 4;
/// Bytes of a disclosed value: names, numbers and short texts; anything longer is a document.
pub const VALUE_BYTES: usize = 1_024;
/// Disclosed fields in an evidence file.
pub const DISCLOSURES: usize = 64;
/// The largest integer that every JSON reader keeps exact (RFC 7493, I-JSON): 2^53 - 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
