//! Every bound of the node, with its unit and its reason.

/// Bounds of the mesh: peers, connections, streams, frames, queues and waits.
pub mod mesh {
    use std::time::Duration;

    /// One kibibyte, in bytes.
    const KIB: usize = 1024;
    /// One mebibyte, in bytes.
    const MIB: usize = 1024 * KIB;

    /// Most peers that a configuration may name. A mesh is a full one, so this bounds tasks and
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
    /// Longest request, in bytes: it names what is wanted and carries none of it.
    pub const MAX_REQUEST: usize = 64 * KIB;
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

    /// Longest time to connect and shake hands.
    pub const CONNECT_TIME: Duration = Duration::from_secs(10);
    /// Longest time to agree on the protocol of a stream.
    pub const NEGOTIATE_TIME: Duration = Duration::from_secs(10);
    /// A connection that carries no stream for this long is closed: a duplicate, or a peer of
    /// another chain. Longer than `BACKOFF_MAX`, so that a lane has time to be reopened.
    pub const IDLE_TIME: Duration = Duration::from_secs(15);
    /// Time between two pings of a connection.
    pub const PING_INTERVAL: Duration = Duration::from_secs(5);
    /// Longest wait for the answer to a ping. Two in a row, and the connection is given up.
    pub const PING_TIMEOUT: Duration = Duration::from_secs(5);
    /// A new connection takes over the lanes of one older than this. A younger one is its twin
    /// from both sides dialling at once and is as good; an older one is most likely dead, since
    /// the peer would not have dialled otherwise.
    pub const TWIN_WINDOW: Duration = Duration::from_secs(5);

    /// First wait before dialling a peer, or reopening a lane, again.
    pub const BACKOFF_MIN: Duration = Duration::from_millis(100);
    /// Longest wait before dialling a peer, or reopening a lane, again.
    pub const BACKOFF_MAX: Duration = Duration::from_secs(5);
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
    };
}

// The chain thread and its neighbours.

/// Commands that wait for the chain thread: submissions and blocks. A full queue is answered with 503.
pub const CHAIN_COMMANDS: usize = 4_096;
/// Consensus messages that wait for the chain thread. Enough for a few rounds of a large committee.
pub const CHAIN_PRIORITY_COMMANDS: usize = 4_096;
/// Blocks of one fetch. With blocks at their largest, the response's bound in bytes ends it earlier.
pub const FETCH_BLOCKS: usize = 256;
/// Bytes of block data after which a fetch response takes no further block.
pub const FETCH_BYTES: usize = 12 * 1_024 * 1_024;
/// Longest wait for a fetch, in milliseconds; then another peer is asked.
pub const FETCH_DEADLINE_MS: u64 = 10_000;
/// Faults kept in memory for the API; one validator gives rise to at most a few.
pub const FAULTS_KEPT: usize = 256;
/// Bytes of the journal after which it is rewritten with only what still matters.
pub const JOURNAL_BYTES: usize = 16 * 1_024 * 1_024;
/// Own submissions that are handed on again in one go while they wait, so that a lost frame does not lose them.
pub const RESENT_SUBMISSIONS: usize = 256;
/// Time between two rounds of handing waiting submissions on again, in milliseconds.
pub const RESEND_INTERVAL_MS: u64 = 1_000;
/// Time between two announcements of this node's height while nothing happens, in milliseconds.
pub const ANNOUNCE_INTERVAL_MS: u64 = 1_000;
/// Proposals and blocks whose signatures are being checked at once: one for each core of a small machine.
pub const CHECKS_AT_ONCE: usize = 2;
