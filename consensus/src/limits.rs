//! The bounds of a replica, each with its unit and its reason.

/// Bytes of one message: a proposal at its largest with a certificate of a large committee. Fits a mesh frame.
pub const MESSAGE_BYTES: usize = 12 * 1_024 * 1_024;
/// Heights above the one being decided whose messages are kept for later. A faster validator is at most one
/// ahead before it needs this one's vote or somebody else's; further ahead, blocks are fetched instead.
pub const HEIGHTS_AHEAD: u64 = 1;
/// Proposals kept for later heights and views; the nearest ones stay. Two: the next height's, and a new view's.
pub const PROPOSALS_AHEAD: usize = 2;
/// Bodies of prepared proposals kept from view changes; the last ones shown stay. Two: the one that a new view
/// needs, and one that a liar shows besides. Both come again with the next repetition.
pub const BODIES_KEPT: usize = 2;
/// How often the view timeout doubles at most; the genesis cap ends it long before.
pub const DOUBLINGS: u32 = 20;
