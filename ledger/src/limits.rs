//! The bounds of what is kept, each with its unit and its reason.

use probata_types::limits::BLOCK_BYTES;

/// Bytes after which the block log begins a new segment file: small enough to scan at every start,
/// large enough that a year of a busy chain is some tens of thousands of files.
pub const SEGMENT_BYTES: u64 = 64 * 1_024 * 1_024;
/// Bytes of one block in the log: what may travel may be kept, and what cannot be compressed is a little longer then.
pub const BLOCK_FRAME_BYTES: usize = BLOCK_BYTES + BLOCK_BYTES / 64;
/// Places in a torn frame that look like a last frame and are summed to tell damage from a crash: at
/// the largest frame this takes a second or two.
pub const LAST_FRAMES: usize = 1_024;
/// Bytes of all records of the consensus journal that one sync writes: a proposal with its certificate
/// and the votes around it take less than half.
pub const JOURNAL_FRAME_BYTES: usize = 64 * 1_024 * 1_024;
/// Bytes of the whole journal when it is opened; it is pruned at each sealed height, so a larger file
/// is not one of ours.
pub const JOURNAL_BYTES: u64 = 1_024 * 1_024 * 1_024;
/// Files of the storage that are held open: two segments, the journal and the checkpoint are in use
/// at any time, the others serve readers of old blocks.
pub const OPEN_FILES: usize = 64;
/// Bytes of derived entries held in memory before they go to the store. Twice this can be in memory,
/// and some three times that with the maps and lists around them: one layer filling, one draining.
pub const CHECKPOINT_BYTES: usize = 36 * 1_024 * 1_024;
/// Blocks whose derived entries are held in memory, of each of two layers: what must be executed again after a crash, at
/// most a millisecond each besides their records. A layer costs the store nearly as much with a thousand records as with ten
/// thousand, so few blocks a layer cost a chain of small blocks dearly.
pub const CHECKPOINT_BLOCKS: u64 = 1_024;
/// Bytes of one frame of the checkpoint file; the largest entry (an object of the state) takes far less.
pub const CHECKPOINT_FRAME_BYTES: usize = 4 * 1_024 * 1_024;
/// Entries of one page of a search: bounds what one reader takes from the store at once.
pub const SEARCH_PAGE: usize = 1_000;
/// Keys, and heights, of one request for proofs: bounds how long the writer can wait for a reader.
pub const PROOFS: usize = 1_024;
/// Entries that a check of the whole ledger reads from a store at a time, for each tree that it compares: a few
/// megabytes of the largest kind.
pub const FSCK_CHUNK: usize = 512;
/// Bytes of blocks that a check has read and is not done with; in memory they take a few times as much. Four of the largest.
pub const FSCK_AHEAD_BYTES: usize = 64 * 1_024 * 1_024;
/// Blocks that wait before each of its workers, and as many behind: enough that one slow block stops nobody.
pub const FSCK_AHEAD_BLOCKS: usize = 16;
/// Findings that a check lists; it counts the others.
pub const FSCK_FINDINGS: usize = 1_000;
/// Bytes of one chunk of a snapshot, unless a single object needs more: what a peer that lies can make a joining
/// node fetch in vain, and a small part of what one response holds.
pub const CHUNK_BYTES: usize = 4 * 1_024 * 1_024;
/// Bytes of a chunk with one object of the largest kind.
pub const CHUNK_MAX_BYTES: usize = CHUNK_BYTES + 64;
/// Chunks of a snapshot: parted by 16, they are at least a quarter of a MiB on average, so this is a state
/// of 64 GiB or more, and naming them takes 20 MiB at most.
pub const SNAPSHOT_CHUNKS: usize = 262_144;
/// Bytes of chunks that a restore puts into the store at once: large enough that the store has little to merge. In memory they
/// take some four times that, for each worker.
pub const RESTORE_BYTES: usize = 16 * 1_024 * 1_024;
/// Threads of a restore, at most: they bound its memory.
pub const RESTORE_WORKERS: usize = 4;
/// Changes of the validator set from genesis to a snapshot: one a week for twenty years.
pub const SNAPSHOT_SETS: usize = 1_024;
/// Segments that never go to the archive: the one that is written, and those that hold the newest blocks.
pub const ARCHIVE_KEPT_SEGMENTS: usize = 2;
/// Bytes of a segment: one begins when the one before has its size, so it may be longer by one frame.
pub const ARCHIVE_SEGMENT_BYTES: usize = 64 * 1_024 * 1_024 + BLOCK_FRAME_BYTES + 1_024;
/// Bytes of an entry of the list of archived segments: an object's name, and four numbers.
pub const ARCHIVE_ENTRY_BYTES: usize = 512;
/// Bytes that are read from the archive at once: a request costs more than they do.
pub const ARCHIVE_WINDOW_BYTES: u64 = 1_024 * 1_024;
/// Such parts that are kept in memory, 32 MiB.
pub const ARCHIVE_WINDOWS: usize = 32;
/// Bytes of a manifest: what one response of the mesh holds.
pub const MANIFEST_BYTES: usize = 32 * 1_024 * 1_024;
/// Entries read from the store at once while a snapshot is cut: some megabytes of the largest.
pub const SNAPSHOT_SCAN: usize = 256;
/// Bytes of older blocks that are written to the log as one segment: held in memory until then, and what is fetched again
/// after a crash.
pub const OLDER_SEGMENT_BYTES: usize = 16 * 1_024 * 1_024;
/// Bytes of older blocks that are entered at once: the chain waits for that, some hundredths of a second.
pub const OLDER_SLICE_BYTES: usize = 512 * 1_024;
