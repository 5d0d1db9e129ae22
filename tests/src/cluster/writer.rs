//! Submissions for a cluster: consents of the sample case, each in a flow of its own.

use super::Cluster;
use crate::{
    consortium::{self, Purpose},
    trouble::Trouble,
    writer::case_folder,
};
use probata_client::{
    case::Case,
    sdk::{Author, Draft, DraftContext, FlowWriter, Names, limits::LIFETIME, sign},
};
use probata_types::{Hash, Submission, SubmissionHead, limits::RECORDS_PER_SUBMISSION};
use std::collections::BTreeMap;

/// An institution that submits.
pub struct Client {
    number: u16,
    draft: Draft,
}

impl Client {
    /// The institution with that number.
    ///
    /// # Errors
    /// [`Trouble`] if the sample case cannot be read.
    pub fn of(number: u16) -> Result<Self, Trouble> {
        let steps = Case::read(&case_folder())?.steps;
        let step = steps.into_iter().find(|step| step.draft.name == "consent");
        let draft = step.ok_or_else(|| Trouble::new("the sample case has no consent"))?.draft;
        Ok(Self { number, draft })
    }

    /// A new submission of one record, which opens a flow.
    ///
    /// # Errors
    /// [`Trouble`] if it cannot be made.
    pub fn submission(&self, cluster: &Cluster) -> Result<Submission, Trouble> {
        self.of_records(cluster, 1)
    }

    /// One of as many records as a submission may have, all in one flow.
    ///
    /// # Errors
    /// [`Trouble`] if it cannot be made.
    pub fn large(&self, cluster: &Cluster) -> Result<Submission, Trouble> {
        self.of_records(cluster, RECORDS_PER_SUBMISSION)
    }

    fn of_records(&self, cluster: &Cluster, count: usize) -> Result<Submission, Trouble> {
        let (genesis, folder) = (cluster.genesis(), case_folder());
        let author = Author {
            suite: genesis.suite(),
            chain: genesis.chain(),
            institution: consortium::institution(self.number),
        };
        let subject_key = consortium::subject_key();
        let now = cluster.now().wall;
        let context = DraftContext {
            suite: genesis.suite(),
            rule_pack: genesis.rule_pack().version,
            utc_offset_minutes: genesis.rule_pack().utc_offset_minutes,
            now,
            folder: &folder,
            subject_key: Some(&subject_key),
        };
        let institutions = (0..4).map(|it| (consortium::name(it), consortium::institution(it)));
        let mut names = Names { institutions: institutions.collect(), flows: BTreeMap::new() };
        let prepared = self.draft.prepare(&context, &mut names)?;
        let mut flow = FlowWriter::new(author, prepared.flow);
        let records = (0..count).map(|_| flow.append(prepared.statement.clone()).1).collect();
        let key = consortium::pair(self.number, Purpose::Submission);
        Ok(sign(records, &author, &key, now, LIFETIME)?)
    }

    /// The same submission with another head, signed anew.
    #[must_use]
    pub fn with_head(
        &self,
        mut submission: Submission,
        change: impl FnOnce(&mut SubmissionHead),
    ) -> Submission {
        change(&mut submission.head);
        let key = consortium::pair(self.number, Purpose::Submission);
        submission.signature = key.sign(&Hash(submission.head.id().0));
        submission
    }
}
