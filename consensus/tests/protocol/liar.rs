//! Validators that do not keep to the protocol. Each has a node of its own, and bends what that sends.

use crate::{
    fixtures::{commit, header_of, prepare, set, sign},
    rng::Rng,
};
use probata_consensus::{Message, MessageBody};
use probata_types::{Hash, Header, Proposal, Timestamp, ValidatorIndex};

/// How a validator lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Says nothing.
    Mute,
    /// Leads with two proposals, shown to one half each, and votes for both.
    Equivocator,
    /// Says yes to every proposal and every header that anybody speaks of.
    YesToAll,
    /// Shows its certificates in view changes, but never the proposals that they are for.
    Withholder,
    /// Votes now and then for things that nobody proposed, and asks for views that nobody needs.
    Noise,
}

impl Lie {
    pub(crate) fn drawn(rng: &mut Rng) -> Self {
        let all = [Self::Mute, Self::Equivocator, Self::YesToAll, Self::Withholder, Self::Noise];
        all[rng.place(all.len())]
    }
}

/// What liar `me` sends to `to` where a correct validator would send `message`.
pub(crate) fn bend(
    lie: Lie,
    (n, me): (usize, usize),
    to: ValidatorIndex,
    message: &Message,
    rng: &mut Rng,
) -> Vec<Message> {
    match lie {
        Lie::Mute => Vec::new(),
        Lie::YesToAll => vec![message.clone()],
        Lie::Equivocator => match &message.body {
            MessageBody::PrePrepare { view, proposal, .. } if to.0 % 2 == 1 => {
                let other = other_proposal(proposal);
                let header = header_of(&other, &set(n));
                let view = view.get();
                let body = crate::fixtures::pre_prepare(&other, view);
                [body, prepare(&other, view), commit(&header, view)]
                    .map(|body| sign(me, body))
                    .to_vec()
            }
            _ => vec![message.clone()],
        },
        Lie::Withholder => {
            let mut message = message.clone();
            if let MessageBody::ViewChange { proposal, .. } = &mut message.body {
                *proposal = None;
            }
            vec![message]
        }
        Lie::Noise => {
            let mut all = vec![message.clone()];
            if rng.chance(200) {
                let digest = Hash([to.0.to_be_bytes()[1]; 32]);
                let (height, view) = (message.height(), message.view());
                all.push(sign(me, MessageBody::Prepare { height, view, digest }));
                let target = view.saturating_add(rng.between(1, 9));
                let body = MessageBody::ViewChange {
                    height,
                    view: target,
                    prepared: None,
                    proposal: None,
                };
                all.push(sign(me, body));
            }
            all
        }
    }
}

/// What one that says yes to all answers to a message.
pub(crate) fn agree(me: usize, message: &Message) -> Option<Message> {
    match &message.body {
        MessageBody::Prepare { height, view, digest } => {
            let body = MessageBody::Prepare { height: *height, view: *view, digest: *digest };
            Some(sign(me, body))
        }
        MessageBody::PrePrepare { view, proposal, .. } => {
            Some(sign(me, prepare(proposal, view.get())))
        }
        MessageBody::Commit { view, header } => Some(sign(me, yes_to(header, view.get()))),
        _ => None,
    }
}

fn yes_to(header: &Header, view: u64) -> MessageBody {
    commit(header, view)
}

fn other_proposal(proposal: &Proposal) -> Proposal {
    let mut other = proposal.clone();
    other.time = Timestamp::new(other.time.get() + 1);
    other
}
