//! The replica: what it knows, and where each input goes. What it does with them is in [`crate::normal`],
//! [`crate::view_change`] and [`crate::catch_up`].

use crate::{
    Head, Input, Message, MessageBody, Output, Promise, Reason, RestoreError, Settings,
    catch_up::Ahead, input::check_key, message::PreparedCertificate, tally::Tally, timer::Timers,
    view_change::ViewChanges,
};
use probata_types::{
    Hash, Header, Height, Keypair, Millis, Now, Proposal, Seal, Signature, ValidatorIndex, View,
    mutated,
};

/// One validator's (or follower's) part in the protocol. See the crate's page and `docs/PROTOCOL.md`.
#[derive(Debug)]
pub struct Replica {
    pub(crate) settings: Settings,
    pub(crate) keypair: Option<Keypair>,
    pub(crate) head: Head,
    pub(crate) last_seal: Option<(Header, Seal)>,
    pub(crate) view: View,
    /// The least view of the next height: the own one, or what it entered before a crash (P20).
    pub(crate) floor: View,
    pub(crate) leaving: Option<View>,
    pub(crate) round: Round,
    pub(crate) prepared: Option<(PreparedCertificate, Proposal)>,
    pub(crate) executed: Option<(Hash, Header)>,
    pub(crate) view_changes: ViewChanges,
    pub(crate) new_view: Option<Message>,
    pub(crate) ahead: Ahead,
    /// Promises of heights to come.
    pub(crate) future: Vec<Promise>,
    pub(crate) timers: Timers,
    pub(crate) work: bool,
    pub(crate) halted: bool,
    /// Whether the next height is another set's (P24).
    pub(crate) over: bool,
    pub(crate) outputs: Vec<Output>,
}

/// What happened in the current view of the height being decided.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// The first proposal of the leader that held, its digest and the leader's signature.
    pub(crate) accepted: Option<Accepted>,
    pub(crate) tally: Tally,
    /// What this replica proposed here, now or before a restart.
    pub(crate) proposed: Option<Hash>,
    /// What this replica voted Prepare for here.
    pub(crate) prepare: Option<Hash>,
    /// What this replica voted Commit for here.
    pub(crate) commit: Option<Header>,
    /// Whether the driver was asked to propose.
    pub(crate) asked: bool,
    /// Whether others sealed this height with a block that this replica lacks.
    pub(crate) lacks_block: bool,
    /// Own messages, to be repeated.
    pub(crate) sent: Vec<Message>,
}

/// A proposal that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) digest: Hash,
    pub(crate) proposal: Proposal,
    /// The leader's signature as a PrePrepare; `None` if it came in a NewView.
    pub(crate) signature: Option<Signature>,
}

/// Where a replica stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The height being decided.
    pub height: Height,
    /// The view.
    pub view: View,
    /// Who leads it.
    pub leader: ValidatorIndex,
    /// The view that this replica asked for, while it is between two.
    pub leaving_for: Option<View>,
    /// Whether it is between two views.
    pub changing_view: bool,
    /// Prepare votes counted.
    pub prepares: usize,
    /// Commit votes counted.
    pub commits: usize,
}

impl Replica {
    /// A replica that goes on from a sealed head and the promises in its journal, oldest first (P20).
    /// One is made at each start of a node, and at each change of the validator set (P24).
    ///
    /// # Errors
    /// [`RestoreError`] if key and settings do not belong together.
    pub fn new(
        settings: Settings,
        keypair: Option<Keypair>,
        head: Head,
        promises: Vec<Promise>,
        now: Now,
    ) -> Result<(Self, Vec<Output>), RestoreError> {
        check_key(&settings, keypair.as_ref())?;
        assert!(settings.first <= head.height.next(), "the next height is this set's");
        let mut replica = Self {
            settings,
            keypair,
            view: head.view,
            floor: head.view,
            head,
            last_seal: None,
            leaving: None,
            round: Round::default(),
            prepared: None,
            executed: None,
            view_changes: ViewChanges::default(),
            new_view: None,
            ahead: Ahead::default(),
            future: Vec::new(),
            timers: Timers::new(now.monotonic),
            work: false,
            halted: false,
            over: false,
            outputs: Vec::new(),
        };
        replica.restore(promises, now)?;
        let outputs = replica.take_outputs();
        Ok((replica, outputs))
    }

    /// Takes one input and says what to do about it, in order: what to persist first, then the rest.
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        assert!(self.outputs.is_empty(), "every step hands over its outputs");
        if let Err(reason) = self.dispatch(now, input) {
            self.outputs.push(Output::Ignored(reason));
        }
        self.take_outputs()
    }

    fn dispatch(&mut self, now: Now, input: Input) -> Result<(), Reason> {
        if self.over {
            return Err(Reason::EpochOver);
        }
        if let Input::Sealed { header, seal } = input {
            return self.on_sealed(now, header, seal);
        }
        if self.settings.me.is_none() {
            return Err(Reason::Follower);
        }
        if self.halted {
            return Err(Reason::Halted);
        }
        match input {
            Input::Tick => self.on_tick(now),
            Input::Message(message) => self.on_message(now, message.into_inner()),
            Input::Work(work) => {
                self.on_work(now, work);
                Ok(())
            }
            Input::Proposed(proposal) => self.on_proposed(now, proposal),
            Input::Executed { digest, header } => self.on_executed(now, digest, header),
            Input::Censored => self.on_censored(now),
            Input::Sealed { .. } => unreachable!("handled above"),
        }
    }

    /// Sorts a message by where it belongs: behind, here, or ahead (P17, P18, P19).
    pub(crate) fn on_message(&mut self, now: Now, message: Message) -> Result<(), Reason> {
        if Some(message.from) == self.settings.me {
            return Err(Reason::Duplicate);
        }
        let (height, mine) = (message.height(), self.height());
        if let MessageBody::Head { header, .. } = &message.body {
            return self.on_head(now, message.from, header.height);
        }
        if height < mine {
            self.help_laggard(now, &message);
            return Err(Reason::Old);
        }
        if let MessageBody::ViewChange { .. } = &message.body {
            return self.on_view_change(now, message);
        }
        if height > mine {
            self.note_claim(now, message.from, height);
            return self.keep(message);
        }
        if let MessageBody::NewView { .. } = &message.body {
            return self.on_new_view(now, message);
        }
        if message.view() < self.view && !mutated!(OldViewAccepted) {
            return Err(Reason::Old);
        }
        if message.view() > self.view {
            return self.keep(message);
        }
        let Message { from, signature, body } = message;
        match body {
            MessageBody::PrePrepare { proposal, .. } => {
                self.on_pre_prepare(now, from, proposal, signature)
            }
            MessageBody::Prepare { digest, .. } => self.on_prepare(now, from, digest, signature),
            MessageBody::Commit { header, .. } => self.on_commit(now, from, header, signature),
            _ => unreachable!("handled above"),
        }
    }

    /// The monotonic time at which [`Input::Tick`] is next due; `None` for one that never votes.
    pub fn deadline(&self) -> Option<Millis> {
        if self.settings.me.is_none() || self.halted || self.over {
            return None;
        }
        let timers = [self.propose_due(), self.view_due(), self.repeat_due()];
        timers.into_iter().flatten().min()
    }

    /// Where the replica stands.
    pub fn status(&self) -> Status {
        let (prepares, commits) = self.round.tally.counts();
        Status {
            height: self.height(),
            view: self.view,
            leader: self.leader(),
            leaving_for: self.leaving,
            changing_view: self.leaving.is_some(),
            prepares,
            commits,
        }
    }

    /// The height being decided.
    pub(crate) fn height(&self) -> Height {
        self.head.height.next()
    }

    pub(crate) fn leader(&self) -> ValidatorIndex {
        self.leader_of(self.height(), self.view)
    }

    /// P3.
    pub(crate) fn leader_of(&self, height: Height, view: View) -> ValidatorIndex {
        self.settings.set.leader(height, view, self.settings.rotation)
    }

    pub(crate) fn me(&self) -> ValidatorIndex {
        self.settings.me.expect("only a validator gets here: dispatch turns followers away")
    }

    /// P1.
    pub(crate) fn quorum(&self) -> usize {
        self.settings.set.quorum()
    }

    pub(crate) fn persist(&mut self, promise: Promise) {
        self.outputs.push(Output::Persist(promise));
    }

    pub(crate) fn signed(&self, body: MessageBody) -> Message {
        let keypair = self.keypair.as_ref().expect("a validator has its key: `new` checked");
        Message::sign(self.settings.suite, &self.settings.chain, self.me(), keypair, body)
    }

    /// Sends a message to all, now and again while the height is open (P16).
    pub(crate) fn say(&mut self, now: Now, message: Message) {
        self.round.sent.push(message.clone());
        self.timers.said(now.monotonic);
        self.outputs.push(Output::Broadcast(message));
    }

    /// What this step asks for: promises first, then the rest in its order. Persisting something earlier
    /// than it was asked for is always safe, and one sync then does for all of it.
    fn take_outputs(&mut self) -> Vec<Output> {
        let mut outputs = std::mem::take(&mut self.outputs);
        outputs.sort_by_key(|output| !matches!(output, Output::Persist(_)));
        outputs
    }
}
