//! The bounds of the SDK, each with its unit and its reason.

use std::time::Duration;

/// Nodes that a client may know. The consortium expects fewer members than this.
pub const NODES: usize = 128;

/// Bytes of one answer of a node. 1,024 evidence files of 12 KiB, and room for long event lists.
pub const ANSWER_BYTES: usize = 64 * 1_024 * 1_024;

/// Bytes of an error answer that are read; a message and what to do fit many times over.
pub const ERROR_BYTES: usize = 64 * 1_024;

/// Characters of a node's message that are kept in an error; a hostile node may send any text.
pub const MESSAGE_CHARACTERS: usize = 300;

/// Time to open a connection. A node further away than this is as good as down.
pub const CONNECT: Duration = Duration::from_secs(3);

/// Time that a node is asked to hold a submission before it answers "pending".
pub const WAIT: Duration = Duration::from_secs(10);

/// One in so many parts of the time left is kept for the answer to travel: a node that was asked to hold
/// a submission until the very deadline could never say that it is pending.
pub const ANSWER_SHARE: u32 = 8;

/// Time that a node has for its first answer before another one is asked; doubles with each round, up to
/// [`WAIT`] and [`REQUEST`]. A node may be up and stand still: nobody should wait for it much longer than for
/// a view change, and with the bytes of a slow line under way the next rounds are longer.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Time for one request beyond [`WAIT`]: sending up to 2 MiB and reading the answer.
pub const REQUEST: Duration = Duration::from_secs(30);

/// Requests with submissions that are under way from a client to one node. What comes meanwhile waits and goes together: at
/// the edge of a node a submission costs a quarter in a batch of 64 (`docs/BENCHMARKS.md`, instructions).
pub const REQUESTS_TO_NODE: usize = 16;

/// Submissions of several calls that go in one request; of one call there may be more. With all requests under way that a
/// client may have these are some 2,000, which a node on a small machine seals within a second.
pub const TOGETHER: usize = 128;

/// First pause after every node has failed once; doubles from there. Long enough for a view change.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(100);

/// Longest pause between two rounds; a network that comes back is found within this time.
pub const BACKOFF_LAST: Duration = Duration::from_secs(5);

/// Longest `Retry-After` that is honoured; a hostile node must not put a client to sleep.
pub const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Time within which a call must have its verified answer, unless the caller says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Time after signing during which a submission may be sealed, unless the caller says otherwise.
/// Longer than [`DEADLINE`], so that a retry after a crash still finds it valid.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// Submissions that wait in a spool. Beyond this somebody must look why none gets through.
pub const SPOOLED: usize = 4_096;

/// Bytes of a draft file; its records take 4 KiB each in the end.
pub const DRAFT_BYTES: u64 = 4 * 1_024 * 1_024;

/// Bytes of a document that is read into memory to digest it.
pub const DOCUMENT_BYTES: u64 = 256 * 1_024 * 1_024;

/// Pages that are fetched to list one flow or search; at 200 entries a page, more than a facility has.
pub const PAGES: usize = 512;

/// Entries asked for on one page; the most that a node gives.
pub const PAGE: usize = 200;
