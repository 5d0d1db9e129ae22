//! The censor: knows nothing of what one institution submits, so that it never proposes it. It votes for it
//! where others do, as it would otherwise be found out at once.

use super::{Liar, Voice};
use crate::consortium;
use probata_types::{Height, InstitutionId, Submission};

pub(super) struct Censor {
    victim: InstitutionId,
}

impl Censor {
    pub(super) fn new(mut voice: Voice) -> Self {
        let number = voice.random.place(voice.set(Height::new(1)).size() + 1);
        Self { victim: consortium::institution(u16::try_from(number).expect("a few validators")) }
    }
}

impl Liar for Censor {
    fn takes(&mut self, submission: &Submission) -> bool {
        submission.head.institution != self.victim
    }
}
