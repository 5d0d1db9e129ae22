//! Submissions that a leader leaves out: they are handed to all, and then another leader is asked for (P11).

use super::{Chain, ChainError, Effect};
use probata_consensus::Input;
use probata_types::{Millis, Now, SubmissionId, ValidatorIndex, View};

/// Who leads, and what this node knows against it.
#[derive(Debug, Default)]
pub(super) struct Leading {
    /// The epoch, the view and the leader in it.
    of: Option<(u32, View, ValidatorIndex)>,
    /// From when this node has seen it lead.
    since: Millis,
    /// The submission that was last handed to all because this one had left it out for half the time.
    handed_on: Option<SubmissionId>,
    /// Whether it was found to censor.
    censors: bool,
}

impl Chain {
    /// A submission that has waited longer than `inclusion_deadline` under one leader, while blocks with room
    /// were made, is left out on purpose, or its leader does not work: either way another leader is asked
    /// for. Before that all validators are handed it: whoever alone holds it would complain alone.
    ///
    /// A wish for another view ends with its height, and a censor seals on. So this is said at each height that
    /// this node decides, until the leader changes or the submission is sealed.
    pub(super) fn complain_of_censorship(&mut self, now: Now) -> Result<(), ChainError> {
        let status = self.replica.status();
        let of = Some((self.membership.epoch.number, status.view, status.leader));
        if self.leading.of != of {
            self.leading = Leading { of, since: now.monotonic, ..Leading::default() };
        }
        let Some((id, admitted_at)) = self.mempool.oldest() else { return Ok(()) };
        let from = admitted_at.max(self.leading.since);
        if self.last_commit <= from || self.last_block_full {
            return Ok(());
        }
        let (waited, deadline) =
            (now.monotonic.since(from), self.genesis.parameters().inclusion_deadline.get());
        if waited > deadline / 2 && self.leading.handed_on != Some(id) {
            self.leading.handed_on = Some(id);
            let submission = self.mempool.get(&id).expect("the oldest one waits").clone();
            self.effects.push(Effect::Forward(vec![submission]));
        }
        if waited <= deadline || status.changing_view {
            return Ok(());
        }
        if !self.leading.censors {
            self.leading.censors = true;
            tracing::warn!(
                %id,
                leader = %status.leader,
                "a submission waited past the inclusion deadline while blocks were made"
            );
        }
        self.step(now, Input::Censored)
    }
}
