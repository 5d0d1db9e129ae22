//! The bounds of the tests, each with its unit and its reason.

use std::time::Duration;

/// First port that is tried: above the well-known ones, below those that systems give to outgoing
/// connections (from 32,768 on Linux).
pub const FIRST_PORT: u16 = 12_000;
/// Ports of one network: mesh ports from the first, API ports from 100 above, and the one that holds the block.
pub const PORTS_IN_BLOCK: u16 = 200;
/// Blocks that are tried; the last ends below 32,768.
pub const PORT_BLOCKS: u16 = 100;
/// Networks that run at the same time: five processes each, on machines of two processors.
pub const NETWORKS_AT_ONCE: usize = 1;
/// Longest wait for anything that a network must do: many view changes, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Pause between two looks at something that is waited for.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(25);
/// Longest wait for one answer of a node.
pub const ANSWER: Duration = Duration::from_secs(15);
/// Time of one attempt of the load's writers; then they start anew with the same bytes, so that no long
/// pause of the client hides that the network is back.
pub const ATTEMPT: Duration = Duration::from_secs(5);
/// Bytes of the end of a node's log that a failure shows.
pub const LOG_TAIL: usize = 3_000;
/// Steps of a committee in one thread for one block: some views of the largest committee, whose every
/// message is a step for each of the others.
pub const COMMITTEE_STEPS: usize = 100_000;
/// Events of one world of `scale`: a block of 87 validators is some 50,000.
pub const SCALE_EVENTS: u64 = 50_000_000;
