//! How tokio tasks speak to the chain thread: bounded commands in, answers and a status out.

use crate::{evidence::ProvenBlock, limits, membership::Membership, network::NodeId};
use probata_consensus::{Fault, Message};
use probata_ledger::OlderSlice;
use probata_types::{
    Header, Height, Millis, SealedBlock, Submission, Timestamp, ValidatorIndex, Verified, View,
    submission::SubmissionId,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{mpsc, oneshot, watch};

/// What tasks ask of the chain thread. Everything in it has passed the edge.
#[derive(Debug)]
pub enum Command {
    /// Admit submissions, each for itself; the answer says which, and its waiters when they are sealed.
    Submit {
        /// Checked at the edge.
        submissions: Vec<Verified<Submission>>,
        /// Who wants to know, in the same order; `None` for those that another node handed on.
        answer: Option<oneshot::Sender<Vec<Admission>>>,
    },
    /// A consensus message of a validator.
    Message {
        /// The message.
        message: Box<Verified<Message>>,
        /// The epoch whose set it was checked against.
        epoch: u32,
    },
    /// Blocks that a peer handed over, ascending; their seals are checked by the chain.
    Blocks {
        /// The peer.
        from: NodeId,
        /// At most [`limits::FETCH_BLOCKS`].
        blocks: Vec<SealedBlock>,
    },
    /// A peer could not hand over the blocks that were asked of it.
    FetchFailed {
        /// The peer.
        from: NodeId,
    },
    /// A peer says how high it is.
    PeerHead {
        /// The peer.
        from: NodeId,
        /// Its height.
        height: Height,
    },
    /// Enter older blocks, which are in the log, into what is derived.
    Older {
        /// The blocks.
        slice: OlderSlice,
        /// Is told when they are in.
        done: oneshot::Sender<()>,
    },
    /// Finish what is in hand, flush and end.
    Stop,
}

impl Command {
    /// What it costs the chain thread, in submissions to admit.
    pub fn weight(&self) -> usize {
        match self {
            Self::Submit { submissions, .. } => submissions.len().max(1),
            // Long enough that timers are looked at before anything else.
            Self::Older { .. } => limits::WEIGHT_AT_ONCE,
            _ => 1,
        }
    }
}

/// The first answer to a submission.
#[derive(Debug)]
pub enum Admission {
    /// Already sealed at this height: the first answer holds.
    Sealed(Height),
    /// In the mempool, or joined to the same submission there. The receiver gets the block once it is
    /// sealed; it is dropped if the submission expires unsealed.
    Pending(oneshot::Receiver<Arc<ProvenBlock>>),
    /// Not taken.
    Refused(Refusal),
}

/// Why a submission was not taken. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The institution has as many submissions waiting as it may.
    #[error("{pending} submissions of this institution are waiting, {quota} may")]
    Quota {
        /// Waiting now.
        pending: usize,
        /// Allowed.
        quota: usize,
    },
    /// The mempool is full.
    #[error("the mempool is full")]
    PoolFull,
    /// The idempotency key was used for another submission.
    #[error("the idempotency key was already used for submission {first}")]
    IdempotencyConflict {
        /// The submission that used it first.
        first: SubmissionId,
    },
    /// The blocks of as long as a submission lives are not all here yet: it could be sealed in one of them.
    #[error(
        "this node has the history from block {from} on, and cannot tell yet whether the submission is sealed before"
    )]
    History {
        /// The first block that is here.
        from: Height,
    },
    /// Its time is over, or its lifetime is longer than genesis allows.
    #[error("the submission expired at {expires_at}, or lives longer than {max_lifetime} ms")]
    Expiry {
        /// As signed.
        expires_at: Timestamp,
        /// From genesis.
        max_lifetime: Millis,
    },
    /// The contracts refuse the submission as a whole.
    #[error("code {code}")]
    Rejected {
        /// A failure code of the catalogue.
        code: probata_types::outcome::Code,
    },
    /// The chain thread has stopped, or stopped voting and sealing for a reason that people must see to.
    #[error("the node is stopping or halted")]
    Halted,
}

/// What the chain thread says of itself after every command that changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainStatus {
    /// Last sealed height.
    pub height: Height,
    /// The first block that is here; 1 unless the node began from a snapshot and older ones are still to come.
    pub history_from: Height,
    /// Last sealed header; `None` before the first block.
    pub header: Option<Header>,
    /// View of this node.
    pub view: View,
    /// Who leads the next height in this view.
    pub leader: ValidatorIndex,
    /// This node's place among the validators; `None` for a member node.
    pub me: Option<ValidatorIndex>,
    /// Whether the node is between two views.
    pub changing_view: bool,
    /// Views left without a seal since the start of the process.
    pub view_changes: u64,
    /// Submissions waiting.
    pub pending_submissions: usize,
    /// The highest height that a peer has spoken of.
    pub highest_seen: Height,
    /// Wall-clock time of the last seal or heartbeat at this node; of a block that peers handed over, or
    /// that was there at the start, its block time.
    pub sealed_at: Timestamp,
    /// How far this node's clock is ahead of a quorum's (behind, if negative), in milliseconds; `None` if
    /// it is within what genesis allows.
    pub clock_off_ms: Option<i64>,
    /// Why the node no longer votes or follows, if it does not.
    pub halted: Option<String>,
    /// Faults seen, newest last, at most [`limits::FAULTS_KEPT`].
    pub faults: Vec<Arc<Fault>>,
    /// How many faults the chain has recorded.
    pub faults_on_chain: u64,
    /// Who takes part in deciding the next block.
    pub membership: Arc<Membership>,
    /// How high each peer says it is.
    pub peers: BTreeMap<NodeId, Height>,
}

/// The way to the chain thread. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ChainHandle {
    commands: mpsc::Sender<Command>,
    priority: mpsc::Sender<Command>,
    status: watch::Receiver<ChainStatus>,
}

/// The chain thread's end of a [`ChainHandle`].
#[derive(Debug)]
pub struct CommandQueue {
    /// Submissions and blocks.
    pub commands: mpsc::Receiver<Command>,
    /// Consensus messages and the stop: never behind the others.
    pub priority: mpsc::Receiver<Command>,
}

impl ChainHandle {
    /// A handle and its queue.
    pub fn new(status: watch::Receiver<ChainStatus>) -> (Self, CommandQueue) {
        let (commands, commands_out) = mpsc::channel(limits::CHAIN_COMMANDS);
        let (priority, priority_out) = mpsc::channel(limits::CHAIN_PRIORITY_COMMANDS);
        let queue = CommandQueue { commands: commands_out, priority: priority_out };
        (Self { commands, priority, status }, queue)
    }

    /// Offers submissions that passed the edge; the answers are in the same order.
    pub async fn submit(&self, submissions: Vec<Verified<Submission>>) -> Vec<Admission> {
        let count = submissions.len();
        let all = |refusal: Refusal| -> Vec<Admission> {
            (0..count).map(|_| Admission::Refused(refusal.clone())).collect()
        };
        let (answer, admissions) = oneshot::channel();
        let command = Command::Submit { submissions, answer: Some(answer) };
        if self.commands.try_send(command).is_err() {
            return all(Refusal::PoolFull);
        }
        admissions.await.unwrap_or_else(|_| all(Refusal::Halted))
    }

    /// Sends a command, waiting for room: back-pressure on the task that brings it.
    /// Answers `false` when the chain thread has ended.
    pub async fn send(&self, command: Command) -> bool {
        match command {
            Command::Message { .. } | Command::Stop => self.priority.send(command).await.is_ok(),
            other => self.commands.send(other).await.is_ok(),
        }
    }

    /// The newest status.
    pub fn status(&self) -> ChainStatus {
        self.status.borrow().clone()
    }

    /// A receiver that wakes on every change of the status.
    pub fn watch(&self) -> watch::Receiver<ChainStatus> {
        self.status.clone()
    }
}
