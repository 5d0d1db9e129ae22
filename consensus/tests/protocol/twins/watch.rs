//! What must hold in every schedule, and what was seen not to.

use crate::{
    node::Node,
    recorder::Recorder,
    twins::{
        contradictions::{Heard, is_reported},
        edge::Edge,
        lemmas::{Lemma, Lemmas},
        partition::Cast,
    },
};
use probata_consensus::{Message, Status};
use probata_types::{Hash, Height};
use std::collections::{BTreeMap, BTreeSet};

/// What was promised and not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Broken {
    /// Two machines sealed different blocks at one height.
    Agreement,
    /// A block was taken with a seal that does not hold.
    Seal,
    /// A machine contradicted what it said before, or fell back.
    Promise,
    /// A proof of docs/PROTOCOL.md does not hold for the votes that were signed.
    Proof(Lemma),
    /// A fault was reported that proves nothing, or of one that runs once.
    Accusation,
    /// Two conflicting messages reached a correct replica, and it reported nothing.
    Unreported,
    /// A machine computed something else than a quorum.
    Divergence,
    /// After healing the correct ones did not go on within the time stated.
    Progress,
}

#[derive(Debug)]
pub(crate) struct Watch {
    recorders: Vec<Recorder>,
    lemmas: Lemmas,
    heard: Vec<Heard>,
    sealed: BTreeMap<Height, Hash>,
    blocks_checked: Vec<usize>,
    faults_checked: Vec<usize>,
    /// Each kind of violation once, with the first case of it.
    pub(crate) broken: BTreeMap<Broken, String>,
}

impl Watch {
    pub(crate) fn new(cast: &Cast) -> Self {
        let machines = cast.size();
        Self {
            recorders: (0..machines).map(|_| Recorder::default()).collect(),
            lemmas: Lemmas::new(cast.n()),
            heard: (0..machines).map(|_| Heard::default()).collect(),
            sealed: BTreeMap::new(),
            blocks_checked: vec![0; machines],
            faults_checked: vec![0; machines],
            broken: BTreeMap::new(),
        }
    }

    fn report(&mut self, broken: Broken, case: impl FnOnce() -> String) {
        self.broken.entry(broken).or_insert_with(case);
    }

    /// Heights of which a seal could be put together of what was said.
    pub(crate) fn sealed_heights(&self) -> usize {
        self.lemmas.sealed_heights()
    }

    /// Views that were opened with a proposal that had to be taken up.
    pub(crate) const fn demanded(&self) -> u64 {
        self.lemmas.demanded
    }

    /// Two machines have different blocks at a height.
    pub(crate) fn forked(&mut self, height: Height) {
        self.report(Broken::Agreement, || format!("two blocks at height {height}"));
    }

    /// A machine says something of its own. Twins keep their promises too, each by itself.
    pub(crate) fn said(&mut self, machine: usize, message: &Message) {
        if let Err(case) = self.recorders[machine].check(message) {
            self.report(Broken::Promise, || format!("machine {machine}: {case}"));
        }
        if let Err(lemma) = self.lemmas.note(message) {
            let place = (message.height(), message.view());
            self.report(Broken::Proof(lemma), || format!("machine {machine} at {place:?}"));
        }
    }

    /// A correct machine has taken a message of a twin.
    pub(crate) fn heard(
        &mut self,
        (machine, node): (usize, &Node),
        before: &Status,
        message: &Message,
        voted: Option<Hash>,
    ) {
        if let Some(place) = self.heard[machine].note(before, message, voted)
            && !is_reported(&node.faults, place)
        {
            self.report(Broken::Unreported, || format!("machine {machine} heard both: {place:?}"));
        }
    }

    pub(crate) fn lost_power(&mut self, machine: usize) {
        self.heard[machine].forget();
    }

    /// One header at each height, and every seal holds: of all machines, since a twin's seal is as
    /// good as any. Faults prove what they say, of twins only.
    pub(crate) fn check(&mut self, cast: &Cast, nodes: &[Node], edge: &mut Edge) {
        for (machine, node) in nodes.iter().enumerate() {
            for block in &node.blocks[self.blocks_checked[machine]..] {
                let (height, hash) = (block.header.height, block.header.hash());
                if *self.sealed.entry(height).or_insert(hash) != hash {
                    self.forked(height);
                }
                if let Err(error) = edge.judge_seal(block) {
                    self.report(Broken::Seal, || format!("machine {machine}: {error}"));
                }
            }
            self.blocks_checked[machine] = node.blocks.len();
            for fault in &node.faults[self.faults_checked[machine]..] {
                let of_twin = cast.twins().contains(&fault.validator.position());
                if !of_twin || edge.judge_fault(fault).is_err() {
                    self.report(Broken::Accusation, || format!("machine {machine}: {fault:?}"));
                }
            }
            self.faults_checked[machine] = node.faults.len();
            if node.diverged {
                self.report(Broken::Divergence, || format!("machine {machine}"));
            }
        }
    }

    /// The correct ones did not all get so far in time.
    pub(crate) fn stood_still(&mut self, cast: &Cast, nodes: &[Node]) {
        let stand = |machine: usize| {
            let status = nodes[machine].replica.as_ref().map(probata_consensus::Replica::status);
            format!("{} {status:?}", cast.name(machine))
        };
        self.report(Broken::Progress, || {
            (0..nodes.len()).map(stand).collect::<Vec<_>>().join("\n")
        });
    }

    /// Validators of which a fault was reported by a correct machine.
    pub(crate) fn accused(&self, cast: &Cast, nodes: &[Node]) -> usize {
        let correct = cast.correct().into_iter();
        let accused: BTreeSet<_> = correct
            .flat_map(|machine| nodes[machine].faults.iter().map(|fault| fault.validator))
            .collect();
        accused.len()
    }
}
