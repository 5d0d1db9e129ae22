//! The time-bender: proposes times at the edge of what others accept, and beyond.

use super::{Liar, Voice};
use probata_consensus::{Message, MessageBody};
use probata_types::{Hash, Height, Proposal, ProposalParts, Timestamp, View};

pub(super) struct TimeBender {
    voice: Voice,
    /// What it last proposed, in place of what a correct validator would have.
    bent: Option<(Height, View, Proposal)>,
}

impl TimeBender {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice, bent: None }
    }

    fn bent(&mut self, height: Height, view: View, proposal: &Proposal) -> Proposal {
        if let Some((at, of, bent)) = &self.bent
            && (*at, *of) == (height, view)
        {
            return bent.clone();
        }
        let parameters = self.voice.genesis.parameters();
        let edge = parameters.precision.get() + parameters.message_delay.get();
        let near = self.voice.random.between(0, 400);
        let time = proposal.time.get();
        let time = match self.voice.random.place(6) {
            0 => time + edge - near,
            1 => time + edge + near,
            2 => time.saturating_sub(edge - near),
            3 => time.saturating_sub(edge + near),
            4 => time + 1_000 * near,
            // Before the parent, most likely.
            _ => time.saturating_sub(1_000 * near),
        };
        let bent =
            Proposal::from(ProposalParts { time: Timestamp::new(time), ..(**proposal).clone() });
        self.bent = Some((height, view, bent.clone()));
        bent
    }

    fn digest_of(&self, height: Height, view: View) -> Option<Hash> {
        let (at, of, bent) = self.bent.as_ref()?;
        ((*at, *of) == (height, view)).then(|| bent.digest())
    }
}

impl Liar for TimeBender {
    fn bend(&mut self, _to: usize, message: &Message) -> Vec<Message> {
        if !self.voice.is_own(message) {
            return vec![message.clone()];
        }
        match &message.body {
            MessageBody::PrePrepare { height, view, proposal } => {
                let (height, view) = (*height, *view);
                let proposal = self.bent(height, view, proposal);
                vec![self.voice.sign(MessageBody::PrePrepare { height, view, proposal })]
            }
            MessageBody::Prepare { height, view, .. } => match self.digest_of(*height, *view) {
                Some(digest) => {
                    let (height, view) = (*height, *view);
                    vec![self.voice.sign(MessageBody::Prepare { height, view, digest })]
                }
                None => vec![message.clone()],
            },
            // What its chain computed is of another proposal than the one that it showed.
            MessageBody::Commit { view, header }
                if self.digest_of(header.height, *view).is_some() =>
            {
                Vec::new()
            }
            _ => vec![message.clone()],
        }
    }

    /// It commits to what others computed of its bent proposal.
    fn hear(&mut self, message: &Message) -> Vec<(usize, Message)> {
        match &message.body {
            MessageBody::Commit { view, header }
                if self.digest_of(header.height, *view).is_some() =>
            {
                let answer = self.voice.sign(message.body.clone());
                self.voice.sender(message).map(|sender| (sender, answer)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}
