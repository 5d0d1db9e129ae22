//! Every bound of the node, with its unit and its reason.

use std::{num::NonZeroU64, time::Duration};

/// Bounds of the mesh: peers, connections, streams, frames, queues and waits.
pub mod mesh {
    use std::time::Duration;

    /// One kibibyte, in bytes.
    const KIB: usize = 1024;
    /// One mebibyte, in bytes.
    const MIB: usize = 1024 * KIB;

    /// Most peers that a node may have. A mesh is a full one, so this bounds tasks and
    /// queues; a consortium of this size would already vote too slowly.
    pub const MAX_PEERS: usize = 256;
    /// Most addresses of one peer: all are dialled at once, so each costs a socket.
    pub const MAX_ADDRESSES: usize = 8;
    /// Most addresses that a node listens on.
    pub const MAX_LISTEN: usize = 8;

    /// Longest frame of the consensus lane, in bytes: proposals travel there.
    pub const MAX_CONSENSUS_FRAME: usize = 16 * MIB;
    /// Longest frame of the bulk lane, in bytes: one submission at its largest, with room.
    pub const MAX_BULK_FRAME: usize = 4 * MIB;
    /// Longest request, in bytes: it names what is wanted, the submissions of a proposal at most, and carries
    /// none of it.
    pub const MAX_REQUEST: usize = 640 * KIB;
    /// Longest response, in bytes: a block at its largest, with its seal.
    pub const MAX_RESPONSE: usize = 32 * MIB;

    /// Frames that wait for one peer on one lane. The oldest gives way: what consensus said last
    /// replaces what it said before, and the sender of a bulk frame sends it again.
    pub const OUTBOX_FRAMES: usize = 1024;
    /// Bytes that wait for one peer on the consensus lane: two of the largest frames.
    pub const OUTBOX_CONSENSUS_BYTES: usize = 2 * MAX_CONSENSUS_FRAME;
    /// Bytes that wait for one peer on the bulk lane: four of the largest frames.
    pub const OUTBOX_BULK_BYTES: usize = 4 * MAX_BULK_FRAME;

    /// Frames of one peer on one lane that were read and not yet taken by the node. A peer whose
    /// frames are not taken is no longer read, and only that peer.
    pub const INBOX_FRAMES: usize = 64;
    /// Bytes of one peer on the consensus lane that were read, or are being read, and not yet taken.
    pub const INBOX_CONSENSUS_BYTES: usize = 2 * MAX_CONSENSUS_FRAME;
    /// Bytes of one peer on the bulk lane that were read, or are being read, and not yet taken.
    pub const INBOX_BULK_BYTES: usize = 2 * MAX_BULK_FRAME;
    /// Bytes reserved before any byte of a frame has come: a claimed length reserves no more.
    pub const FRAME_RESERVE: usize = 64 * KIB;
    /// First bytes of a frame that are copied to travel with its length, in bytes: what the
    /// multiplexer sends in one piece, so that a vote costs one packet and not two.
    pub const FRAME_HEAD: usize = 16 * KIB;

    /// Requests under way to one peer; a further one is told that the mesh is busy.
    pub const REQUESTS_TO_PEER: usize = 4;
    /// Requests of one peer being answered; a further one is refused. Twice what a peer may have
    /// under way, since it may ask again before we have closed what we answered. This many of the
    /// largest responses bound what a peer can make us hold.
    pub const REQUESTS_FROM_PEER: usize = 2 * REQUESTS_TO_PEER;
    /// Longest time from the stream of a request to the last byte of its response: the largest
    /// response at 10 Mbit/s takes 27 s.
    pub const SERVE_TIME: Duration = Duration::from_secs(60);
    /// Commands from handles that wait for the mesh task, which only ever does short work.
    pub const COMMANDS: usize = 64;
    /// Connected and disconnected notices that wait to be taken; more wait, merged, in the mesh.
    pub const PEER_EVENTS: usize = 64;

    /// Connections to one peer: one in use, its twin, and room for some that were given up on and
    /// cannot be closed before the network takes their last bytes.
    pub const CONNECTIONS_PER_PEER: u32 = 8;
    /// Handshakes under way from outside. Strangers can fill this, so a node also dials.
    pub const PENDING_INCOMING: u32 = 256;
    /// Handshakes under way to outside: one per peer.
    pub const PENDING_OUTGOING: u32 = 256;
    /// Inbound streams negotiated on one connection that wait for the mesh task.
    pub const PENDING_STREAMS: usize = 16;
    /// Inbound streams of one connection under negotiation.
    pub const NEGOTIATING_STREAMS: usize = 32;
    /// Streams that yamux may hold on one connection. A node needs about 30. Yamux keeps 1 GiB of
    /// receive window per connection, sets aside 256 KiB for each of these streams, and lets the
    /// rest be claimed by streams that are read fast: so a *large* number here is what keeps
    /// the window that one peer can claim small (256 MiB), while the bounds above keep the number
    /// of streams small.
    pub const YAMUX_STREAMS: usize = 3072;

    /// Longest time to connect and shake hands: some six round trips of half a second. A try that began while
    /// the network was away says its first word again after one second, then after two more: a new try is
    /// sooner.
    pub const CONNECT_TIME: Duration = Duration::from_secs(3);
    /// Longest time to agree on the protocol of a stream.
    pub const NEGOTIATE_TIME: Duration = Duration::from_secs(10);
    /// A connection that carries no stream for this long is closed: a duplicate, or a peer of
    /// another chain. Longer than `BACKOFF_MAX`, so that a lane has time to be reopened.
    pub const IDLE_TIME: Duration = Duration::from_secs(15);
    /// Time between two pings of a connection.
    pub const PING_INTERVAL: Duration = Duration::from_secs(1);
    /// Another connection is tried beside one on which no ping came back for this long. TCP waits as long again
    /// as a network was away before it tries what it has, and a view change waits for one peer only.
    pub const SILENT_TIME: Duration = Duration::from_secs(3);
    /// Longest wait for the answer to a ping. Two in a row, and the connection is given up.
    pub const PING_TIMEOUT: Duration = Duration::from_secs(5);
    /// A new connection takes over the lanes of one older than this. A younger one is its twin
    /// from both sides dialling at once and is as good; an older one is most likely dead, since
    /// the peer would not have dialled otherwise.
    pub const TWIN_WINDOW: Duration = Duration::from_secs(5);

    /// First wait before dialling a peer, or reopening a lane, again.
    pub const BACKOFF_MIN: Duration = Duration::from_millis(100);
    /// Longest wait before dialling a peer, or reopening a lane, again.
    pub const BACKOFF_MAX: Duration = Duration::from_secs(1);
    /// A connection or lane that lasted this long was good: the next wait starts from the first.
    pub const STABLE_TIME: Duration = Duration::from_secs(10);
    /// A peer that broke the framing is refused for this long.
    pub const PENALTY: Duration = Duration::from_secs(10);
    /// Longest time to close connections when the mesh stops.
    pub const STOP_TIME: Duration = Duration::from_secs(1);

    const _: () = {
        assert!(OUTBOX_CONSENSUS_BYTES >= MAX_CONSENSUS_FRAME, "an empty queue takes any frame");
        assert!(OUTBOX_BULK_BYTES >= MAX_BULK_FRAME, "an empty queue takes any frame");
        assert!(INBOX_CONSENSUS_BYTES >= MAX_CONSENSUS_FRAME, "an empty budget covers any frame");
        assert!(INBOX_BULK_BYTES >= MAX_BULK_FRAME, "an empty budget covers any frame");
        assert!(MAX_RESPONSE <= u32::MAX as usize, "a length travels in four bytes");
        assert!(YAMUX_STREAMS * 256 * KIB < 1024 * MIB, "yamux refuses more");
        assert!(BACKOFF_MAX.as_millis() < IDLE_TIME.as_millis(), "a lane outlives its backoff");
        assert!(
            PING_INTERVAL.as_millis() * 2 < SILENT_TIME.as_millis(),
            "one late ping is no silence"
        );
    };
}

// The chain thread and its neighbours.

/// Commands that wait for the chain thread: submissions and blocks. A full queue is answered with 503.
pub const CHAIN_COMMANDS: usize = 4_096;
/// Records of clients that are being checked or wait for the chain thread: some tenths of a second of work. What comes
/// meanwhile waits before its signatures are looked at.
pub const CHAIN_RECORDS: usize = 2_048;
/// The same of records that peers hand on; beyond, peers are read no further. More than of clients, since each peer hands
/// on what its clients bring, and what a proposal names should have been checked before.
pub const HANDED_ON_RECORDS: usize = 4 * CHAIN_RECORDS;
/// How long a client waits for that room until it is told to come back: with what it waits then, it has its answer before
/// it asks another node.
pub const ROOM_WAIT: Duration = Duration::from_secs(1);
/// Most of that room that one batch takes, however many records it has: four of the largest are under way at once.
pub const ROOM_AT_ONCE: usize = CHAIN_RECORDS / 4;
/// Records that wait for a block, from which on no more are taken from clients: about a second of work on two cores,
/// and so what comes in during a view change. A client that has no answer for three seconds asks another node, and to
/// answer all those again takes the time that sealing needs.
pub const BACKLOG_RECORDS: usize = 4_096;
/// Consensus messages that wait for the chain thread. Enough for a few rounds of a large committee.
pub const CHAIN_PRIORITY_COMMANDS: usize = 4_096;
/// Blocks of one fetch. With blocks at their largest, the response's bound in bytes ends it earlier.
pub const FETCH_BLOCKS: usize = 256;
/// Bytes of block data after which a fetch response takes no further block.
pub const FETCH_BYTES: usize = 12 * 1_024 * 1_024;
/// Longest wait for a fetch, in milliseconds; then another peer is asked.
pub const FETCH_DEADLINE_MS: u64 = 10_000;
/// How long one peer is waited for while another could be asked, in milliseconds: a peer that stalls must not
/// hold up the catching up. At 10 Mbit/s two megabytes have come by then, and the rest is not lost.
pub const FETCH_PATIENCE_MS: u64 = 2_000;
/// How long a peer is not asked after it failed, in milliseconds, doubled each time it fails again.
pub const FETCH_REST_MS: u64 = 250;
/// What that doubles up to, in milliseconds.
pub const FETCH_REST_MAX_MS: u64 = 60_000;
/// Faults kept in memory for the API; one validator gives rise to at most a few.
pub const FAULTS_KEPT: usize = 256;
/// How long each place among the validators waits longer than the one before it until it records a fault,
/// in milliseconds: by then the other one's record is sealed everywhere.
pub const FAULT_REPORT_INTERVAL_MS: u64 = 2_000;
/// Faults of one key that wait to be recorded. One is enough to act on; a few show that it was no accident.
pub const FAULT_REPORTS_PER_KEY: usize = 4;
/// Data security level of such a record: everybody may know.
pub const FAULT_REPORT_LEVEL: u8 = 1;
/// Bytes of the journal after which it is rewritten with only what still matters.
pub const JOURNAL_BYTES: usize = 16 * 1_024 * 1_024;
/// Bytes of one frame of the consensus lane: a message, and its kind.
pub const CONSENSUS_FRAME_BYTES: usize = probata_consensus::limits::MESSAGE_BYTES + 4;
/// Bytes of submissions from which on a proposal names them instead of holding them: below, naming saves
/// nothing and could cost a request.
pub const NAMED_FROM_BYTES: usize = 16 * 1_024;
/// How far above the last sealed height a proposal may be that is made whole: the chain keeps those of the next two heights,
/// and may have sealed two more when one is whole.
pub const PROPOSALS_AHEAD: u64 = 4;
/// How long the submissions that a proposal names are waited for before they are asked for: the time to check
/// what was handed on with it.
pub const NAMED_WAIT: Duration = Duration::from_millis(50);
/// Longest wait for the submissions of a proposal that were asked for.
pub const NAMED_DEADLINE: Duration = Duration::from_secs(2);
/// Bytes of submissions that are handed on in one frame; one that is larger has a frame of its own.
pub const HANDED_ON_BYTES: usize = 256 * 1_024;
/// Own submissions that are handed on again in one go while they wait, so that a lost frame does not lose them.
pub const RESENT_SUBMISSIONS: usize = 256;
/// Bytes of them after which that round ends: two of the largest.
pub const RESENT_BYTES: usize = 2 * SUBMISSION_CANONICAL_BYTES;
/// Bytes of a proposal that are not submissions: its head, and their count.
pub const PROPOSAL_HEAD_BYTES: usize = 256;
/// Time between two rounds of handing waiting submissions on again and of announcing this node's height, in
/// milliseconds.
pub const RESEND_INTERVAL_MS: u64 = 1_000;
/// Time between two lines of the log about what one peer sends and nobody can use: it may send as
/// much as it likes.
pub const COMPLAINT_INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait for the mesh to close its connections when the node stops: it takes [`mesh::STOP_TIME`].
pub const MESH_WAIT: Duration = Duration::from_secs(5);
/// Proposals and blocks whose signatures are being checked at once: one for each core of a small machine.
pub const CHECKS_AT_ONCE: usize = 2;

// Snapshots, and joining from peers.

/// Blocks between two snapshots, unless `node.toml` says otherwise: at a block a second 14 hours, in which a state
/// of some gigabytes is written once.
pub const SNAPSHOT_BLOCKS: NonZeroU64 = NonZeroU64::new(50_000).expect("it is not zero");
/// Snapshots kept, unless `node.toml` says otherwise: who began to join from the last but one can end it.
pub const SNAPSHOTS_KEPT: usize = 2;
/// Most snapshots that a node may be told to keep: each is as large as the state.
pub const SNAPSHOTS_KEPT_MAX: usize = 64;
/// Bytes of one part of a manifest, as it is asked for: as much as a chunk.
pub const MANIFEST_PART_BYTES: usize = 4 * 1_024 * 1_024;
/// Requests for chunks under way to one peer: the next one is on its way while one is checked.
pub const JOIN_WINDOW: usize = 2;
/// Requests for chunks under way to all peers: with the largest chunks 64 MiB in memory.
pub const JOIN_AT_ONCE: usize = 16;
/// Longest wait for a chunk, a block or a part of a manifest: 4 MiB at 1.2 Mbit/s take so long.
pub const JOIN_DEADLINE: Duration = Duration::from_secs(30);
/// Failures of a peer in a row, with no chunk of anybody in between, after which it counts as one that does not have the
/// snapshot: it may be connected and never answer.
pub const JOIN_FAILURES: usize = 4;
/// How long a peer is not asked after it could not hand over what was asked of it.
pub const JOIN_REST: Duration = Duration::from_secs(2);
/// Time between two looks at who is there to be asked.
pub const JOIN_PAUSE: Duration = Duration::from_millis(200);
/// How long peers may be connected without offering a snapshot until the node begins from the first block: in a
/// network that has just begun, nobody has one.
pub const JOIN_PATIENCE: Duration = Duration::from_secs(20);
/// Time between two lines of the log about how far joining has come.
pub const JOIN_LOG_INTERVAL: Duration = Duration::from_secs(5);
/// Older blocks asked for at first; then twice as many each time, as long as an answer holds them, up to [`FETCH_BLOCKS`].
pub const OLDER_FIRST_BLOCKS: u64 = 16;
/// How much longer fetching older blocks rests than it works: the node has better to do.
pub const OLDER_REST_SHARE: u32 = 3;
/// Longest rest after one answer, and how long a peer is not asked after it could not hand over older blocks; doubled each
/// time.
pub const OLDER_REST: Duration = Duration::from_secs(5);
/// What that doubles up to: it may get them itself meanwhile.
pub const OLDER_REST_MAX: Duration = Duration::from_secs(600);
/// Time between two looks at who is there to be asked for older blocks.
pub const OLDER_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause of the thread that writes a snapshot after a chunk: it rests as long as it worked.
pub const SNAPSHOT_REST_MAX: Duration = Duration::from_secs(1);

const _: () = assert!(JOIN_WINDOW <= mesh::REQUESTS_TO_PEER, "the mesh lets so many through");

// The edge, the mempool and the HTTP API.

/// Bytes of one submission in canonical form: its records, its head and its signature.
pub const SUBMISSION_CANONICAL_BYTES: usize = probata_types::limits::SUBMISSION_BYTES + 1_024;
/// Bytes of one submission in JSON, which doubles digests and spells out names.
pub const SUBMISSION_JSON_BYTES: usize = 4 * probata_types::limits::SUBMISSION_BYTES;
/// Levels of nesting in the JSON of a submission; the deepest genuine one has fewer than 12.
pub const SUBMISSION_JSON_DEPTH: usize = 24;
/// Bytes that are decoded without a worker thread: a few submissions in canonical form, or one in JSON.
pub const DECODED_AT_ONCE: usize = 8 * 1_024;
/// Submissions that are parsed and checked at once, and no more than half of the processor's threads: the work is all
/// processor time, and the chain thread needs its own.
pub const EDGE_WORKERS: usize = 4;
/// Threads that check one large proposal. More would take the processor from the chain thread.
pub const CHECK_THREADS: usize = 4;
/// Submissions below which a further thread costs more than it saves: about 5 ms of checking.
pub const CHECK_SHARE: usize = 256;
/// Bytes of one batch of submissions in canonical form.
pub const BATCH_CANONICAL_BYTES: usize = probata_types::limits::BATCH_BYTES + 8;
/// Those who wait for one submission: its sender's retries, while the first connection still hangs.
pub const WAITERS_PER_SUBMISSION: usize = 64;
/// Time between two looks at what has no event of its own (expiry, resending, catching up), in milliseconds.
pub const HOUSEKEEPING_INTERVAL_MS: u64 = 250;
/// Bytes of submissions that wait in memory.
pub const MEMPOOL_BYTES: usize = 256 * 1_024 * 1_024;
/// Submissions that wait in memory.
pub const MEMPOOL_SUBMISSIONS: usize = 131_072;
/// Commands, a submission counting as one, that the chain thread takes in a row before it executes what it
/// accepted, looks at its timers and tells its status.
pub const WEIGHT_AT_ONCE: usize = 256;
/// How much later than its block a submission may say that it was made, in milliseconds, at the very most: rule
/// packs allow some seconds. A node that began from a snapshot looks so much further back for what is sealed.
pub const SUBMITTED_EARLY_MS: u64 = 3_600_000;
/// Blocks between two lines of progress while the derived state is rebuilt.
pub const PROGRESS_BLOCKS: u64 = 1_000;
/// Time between two lines of progress of a check, where there is no terminal.
pub const FSCK_LINES: Duration = Duration::from_secs(5);
/// Time between two changes of the text beside the bar of a check: as fast as it can be read.
pub const FSCK_TEXTS: Duration = Duration::from_millis(200);
/// Reads of the archive at once: half of those of the ledger, so that a slow archive leaves the others to what is here.
pub const ARCHIVE_READS: usize = API_READERS / 2;
/// Longest wait for a part of an archived segment, a MiB: at 10 Mbit/s it takes one second.
pub const ARCHIVE_READ_TIME: Duration = Duration::from_secs(5);
/// How long an archive that did not answer in time is not asked again.
pub const ARCHIVE_REST: Duration = Duration::from_secs(5);
/// Longest time for a whole segment, 80 MiB at most, to be put there or read back: at 2 Mbit/s.
pub const ARCHIVE_SEGMENT_TIME: Duration = Duration::from_secs(360);
/// Seconds after which to ask a node again for what it cannot read from its archive: its operator must act first.
pub const RETRY_ARCHIVED_SECONDS: u32 = 60;
/// Milliseconds of a day.
pub const DAY_MS: u64 = 24 * 3_600_000;
/// Chunks between two lines of progress while a snapshot is restored.
pub const PROGRESS_CHUNKS: usize = 256;
/// Buckets of a histogram of times: 1 ms doubled up to 33 s.
pub const HISTOGRAM_BUCKETS: u16 = 16;
/// Flows whose state one proof shows, in evidence of a submission: readers hold the writer up meanwhile.
pub const FLOWS_PER_PROOF: usize = 64;
/// Entries read at once when the events of a flow are listed.
pub const EVENTS_PAGE: usize = 512;
/// How much the threads of the API give way to the others, as `nice` counts: with 5 they have a third of the share of a
/// thread that seals, where the processor does not suffice for all.
pub const API_NICE: i32 = 5;
/// The same of the threads that write what is derived to the store, and of those of its engine. They have much to do all at
/// once, every few seconds, and time for it until the next layer is full.
pub const STORE_NICE: i32 = 5;
/// Connections to the API. Each costs some 20 KiB while it is idle.
pub const API_CONNECTIONS: usize = 2_048;
/// Requests under way at once, those that wait for their seal included; more are told to come back.
pub const API_REQUESTS: usize = 1_024;
/// Reads of the ledger at once: disk work, each with at most a few blocks of 16 MiB in memory.
pub const API_READERS: usize = 8;
/// Longest wait for a turn to read.
pub const API_READ_WAIT: Duration = Duration::from_secs(5);
/// Kibibytes of bodies held at once (128 MiB): submissions of the largest kind, 16 at a time.
pub const API_BODY_BUDGET_KIB: usize = 128 * 1_024;
/// Longest time for a body to arrive: the largest one at 8 Mbit/s takes 8 s.
pub const API_BODY_TIME: Duration = Duration::from_secs(10);
/// Longest time for the head of a request to arrive, and for an idle connection to ask again.
pub const API_HEAD_TIME: Duration = Duration::from_secs(30);
/// Longest wait for the chain thread to say whether it takes a submission.
pub const API_ADMISSION_TIME: Duration = Duration::from_secs(5);
/// Wait for the seal of a submission, unless its sender says otherwise.
pub const API_WAIT_DEFAULT: Duration = Duration::from_secs(10);
/// Longest wait for the seal of a submission that its sender may ask for.
pub const API_WAIT_MAX: Duration = Duration::from_secs(30);
/// Longest time of a request: body, check, admission, seal, and two reads.
pub const API_REQUEST_TIME: Duration = Duration::from_secs(75);
/// Items on a page, unless the request says otherwise.
pub const API_PAGE_DEFAULT: usize = 50;
/// Bytes of the newest blocks' proofs that are kept in memory, to answer those who send a submission again: at a few hundred
/// bytes a submission some ten seconds of a flood.
pub const RECENT_BYTES: usize = 16 * 1_024 * 1_024;
/// Most items on a page.
pub const API_PAGE: usize = 200;
/// Bytes of blocks read for one page of a flow; the page then ends early. A second of work.
pub const API_PAGE_BYTES: usize = 64 * 1_024 * 1_024;
/// Submissions remembered as waiting: as many as the mempool takes.
pub const WAITING_KEPT: usize = MEMPOOL_SUBMISSIONS;
/// Seconds after which a client that was told to come back may do so: a few blocks.
pub const RETRY_AFTER_SECONDS: u32 = 1;
/// Seconds after which to ask a node again for what is still to come to it: some thousands of blocks.
pub const RETRY_HISTORY_SECONDS: u32 = 10;
/// Seconds after which to ask a halted node again: people must act first.
pub const RETRY_HALTED_SECONDS: u32 = 60;
/// Longest time for which a client that was refused in the middle of its body may go on sending it.
pub const API_LINGER_TIME: Duration = Duration::from_secs(2);
/// Bytes of such a body that are read and forgotten: some more than the largest that is taken.
pub const API_LINGER_BYTES: usize = 16 * 1_024 * 1_024;
/// Longest wait for requests under way when the API stops.
pub const API_STOP_TIME: Duration = Duration::from_secs(5);
/// Pause after a connection could not be accepted.
pub const API_ACCEPT_PAUSE: Duration = Duration::from_millis(100);
