//! How tokio tasks speak to the chain thread: bounded commands in, answers and a status out.

use crate::{evidence::ProvenBlock, limits, membership::Membership, network::NodeId};
use probata_consensus::{Fault, Message};
use probata_ledger::OlderSlice;
use probata_types::{
    Header, Height, Millis, SealedBlock, Submission, Timestamp, ValidatorIndex, Verified, View,
    submission::SubmissionId,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{
    sync::{
        Mutex, OwnedSemaphorePermit, Semaphore,
        mpsc::{self, error::TrySendError},
        oneshot, watch,
    },
    time::timeout,
};

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
    /// More waits at this node than is sealed soon.
    #[error("more waits to be judged and sealed than takes a second or two")]
    Busy,
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
    /// Records of these.
    pub pending_records: usize,
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
    commands: mpsc::Sender<Queued>,
    priority: mpsc::Sender<Command>,
    /// A permit for each record of clients that may be on its way to the chain thread.
    room: Arc<Semaphore>,
    /// Whose turn it is to wait for room: who came first has it first.
    turn: Arc<Mutex<()>>,
    /// The same for records that other nodes hand on.
    room_for_peers: Arc<Semaphore>,
    status: watch::Receiver<ChainStatus>,
}

/// Room for submissions on their way to the chain thread, from before they are checked until they are taken up.
#[derive(Debug)]
pub struct Room {
    /// Given back when dropped.
    _permits: OwnedSemaphorePermit,
}

/// A command that waits, and the room that its submissions take meanwhile.
#[derive(Debug)]
struct Queued {
    command: Command,
    room: Option<Room>,
}

/// The chain thread's end of a [`ChainHandle`].
#[derive(Debug)]
pub struct CommandQueue {
    /// Submissions and blocks.
    commands: mpsc::Receiver<Queued>,
    /// Consensus messages and the stop: never behind the others.
    priority: mpsc::Receiver<Command>,
}

impl CommandQueue {
    /// The next command; `None` when nobody is left who could send one.
    pub async fn next(&mut self) -> Option<Command> {
        tokio::select! {
            biased;
            command = self.priority.recv() => command,
            queued = self.commands.recv() => queued.map(Queued::take),
        }
    }

    /// A command that is there already.
    pub fn waiting(&mut self) -> Option<Command> {
        let other = |_| self.commands.try_recv().map(Queued::take);
        self.priority.try_recv().or_else(other).ok()
    }
}

impl Queued {
    /// The command, which makes room for others.
    fn take(self) -> Command {
        drop(self.room);
        self.command
    }
}

impl ChainHandle {
    /// A handle and its queue.
    pub fn new(status: watch::Receiver<ChainStatus>) -> (Self, CommandQueue) {
        let (commands, commands_out) = mpsc::channel(limits::CHAIN_COMMANDS);
        let (priority, priority_out) = mpsc::channel(limits::CHAIN_PRIORITY_COMMANDS);
        let queue = CommandQueue { commands: commands_out, priority: priority_out };
        let room = |records| Arc::new(Semaphore::new(records));
        let handle = Self {
            commands,
            priority,
            room: room(limits::CHAIN_RECORDS),
            turn: Arc::default(),
            room_for_peers: room(limits::HANDED_ON_RECORDS),
            status,
        };
        (handle, queue)
    }

    /// Room for submissions of clients with so many records, before they are checked: as soon as there is some and what
    /// waits for a block is soon done. A node that checks more than it can have sealed has no time left to seal.
    ///
    /// # Errors
    /// [`Refusal::Busy`] after [`limits::ROOM_WAIT`].
    pub async fn room_for(&self, records: usize) -> Result<Room, Refusal> {
        let room = async {
            let _turn = self.turn.lock().await;
            let permits = Arc::clone(&self.room).acquire_many_owned(permits(records)).await;
            let is_soon_done = |it: &ChainStatus| it.pending_records < limits::BACKLOG_RECORDS;
            // If the chain thread has ended, it is for `submit` to say so.
            let _ = self.status.clone().wait_for(is_soon_done).await;
            Some(Room { _permits: permits.ok()? })
        };
        timeout(limits::ROOM_WAIT, room).await.ok().flatten().ok_or(Refusal::Busy)
    }

    /// Room for submissions that another node hands on, as soon as there is some; what is not taken meanwhile is handed
    /// on again.
    pub async fn room_for_peers(&self, records: usize) -> Option<Room> {
        let permits = Arc::clone(&self.room_for_peers).acquire_many_owned(permits(records)).await;
        Some(Room { _permits: permits.ok()? })
    }

    /// Offers submissions that passed the edge; the answers are in the same order.
    pub async fn submit(
        &self,
        submissions: Vec<Verified<Submission>>,
        room: Room,
    ) -> Vec<Admission> {
        let count = submissions.len();
        let all = |refusal: Refusal| -> Vec<Admission> {
            (0..count).map(|_| Admission::Refused(refusal.clone())).collect()
        };
        let (answer, admissions) = oneshot::channel();
        let command = Command::Submit { submissions, answer: Some(answer) };
        match self.commands.try_send(Queued { command, room: Some(room) }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return all(Refusal::Busy),
            Err(TrySendError::Closed(_)) => return all(Refusal::Halted),
        }
        admissions.await.unwrap_or_else(|_| all(Refusal::Halted))
    }

    /// Offers submissions that another node handed on and that passed the edge. Answers `false` when the chain thread
    /// has ended.
    pub async fn handed_on(&self, submissions: Vec<Verified<Submission>>, room: Room) -> bool {
        let command = Command::Submit { submissions, answer: None };
        self.commands.send(Queued { command, room: Some(room) }).await.is_ok()
    }

    /// Sends a command, waiting for its place: back-pressure on the task that brings it.
    /// Answers `false` when the chain thread has ended.
    pub async fn send(&self, command: Command) -> bool {
        match command {
            Command::Message { .. } | Command::Stop => self.priority.send(command).await.is_ok(),
            command => self.commands.send(Queued { command, room: None }).await.is_ok(),
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

/// What so many records take of the room: a part of it at most, or a large batch would never find it empty enough while
/// small ones come.
fn permits(records: usize) -> u32 {
    u32::try_from(records.min(limits::ROOM_AT_ONCE)).expect("the room is small")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::TestLedger;
    use futures::FutureExt as _;

    fn status(pending_records: usize) -> ChainStatus {
        ChainStatus {
            height: Height::ZERO,
            history_from: Height::new(1),
            header: None,
            view: View::ZERO,
            leader: ValidatorIndex(0),
            me: None,
            changing_view: false,
            view_changes: 0,
            pending_submissions: pending_records,
            pending_records,
            highest_seen: Height::ZERO,
            sealed_at: Timestamp::ZERO,
            clock_off_ms: None,
            halted: None,
            faults: Vec::new(),
            faults_on_chain: 0,
            membership: TestLedger::new().membership(),
            peers: BTreeMap::new(),
        }
    }

    #[tokio::test]
    async fn there_is_room_until_it_is_taken_and_when_it_is_given_back() {
        let (status_in, watched) = watch::channel(status(0));
        let (chain, queue) = ChainHandle::new(watched);
        let most = limits::ROOM_AT_ONCE;
        // However large a batch is, it takes a part.
        let mut large = Vec::new();
        for _ in 1..limits::CHAIN_RECORDS / most {
            large.push(chain.room_for(limits::CHAIN_RECORDS).await.unwrap());
        }
        let one = chain.room_for(1).await.unwrap();
        let rest = chain.room_for(most - 1).await.unwrap();
        assert_eq!(chain.room_for(1).await.unwrap_err(), Refusal::Busy);
        let (two, then) = (chain.clone(), chain.clone());
        let two = tokio::spawn(async move { two.room_for(2).await });
        tokio::task::yield_now().await;
        let then = tokio::spawn(async move { then.room_for(1).await });
        drop(one);
        tokio::task::yield_now().await;
        assert!(!two.is_finished() && !then.is_finished(), "nobody goes before who came first");
        drop(rest);
        assert!(two.await.unwrap().is_ok() && then.await.unwrap().is_ok());
        drop(large);
        let waits = chain.room_for(2 * most);
        status_in.send_replace(status(limits::BACKLOG_RECORDS));
        assert_eq!(waits.await.unwrap_err(), Refusal::Busy);
        let waits = tokio::spawn(async move { chain.room_for(1).await });
        tokio::task::yield_now().await;
        status_in.send_replace(status(limits::BACKLOG_RECORDS - 1));
        assert!(waits.await.unwrap().is_ok());
        drop(queue);
    }

    #[tokio::test]
    async fn what_peers_hand_on_has_room_of_its_own() {
        let (_status, watched) = watch::channel(status(limits::BACKLOG_RECORDS));
        let (chain, mut queue) = ChainHandle::new(watched);
        let mut rooms = Vec::new();
        for _ in 0..limits::HANDED_ON_RECORDS / limits::ROOM_AT_ONCE {
            rooms.push(chain.room_for_peers(2 * limits::ROOM_AT_ONCE).await.unwrap());
        }
        assert!(chain.room_for_peers(1).now_or_never().is_none());
        assert!(chain.handed_on(Vec::new(), rooms.pop().unwrap()).await);
        assert!(chain.room_for_peers(1).now_or_never().is_none(), "it waits for the chain thread");
        assert!(matches!(queue.next().await, Some(Command::Submit { answer: None, .. })));
        assert!(chain.room_for_peers(1).await.is_some());
    }
}
