//! Where loans are told: the chain, who submits to it, and what its members share.

use crate::{
    consortium::{self, Purpose},
    network::Network,
    trouble::Trouble,
};
use probata_client::sdk::{Author, clock};
use probata_genesis::{Genesis, KeyFile, KeyUse, SubjectKey};
use probata_types::{
    Hash, InstitutionId, Keypair, List, Record, Submission, SubmissionHead, Timestamp,
    submission::{IdempotencyKey, records_root},
};
use std::collections::BTreeMap;

/// Who submits: the bank, the guarantor and the data provider of a devnet.
const NAMES: [&str; 3] = ["bank", "guarantor", "data"];
/// Milliseconds that a submission may wait from when it is made.
const LIFETIME_MS: u64 = 6 * 3_600_000;

/// An institution that submits.
#[derive(Debug, Clone)]
pub(crate) struct Submitter {
    /// The place of its node.
    pub(crate) node: usize,
    /// Who it is.
    pub(crate) author: Author,
    key: Keypair,
}

/// A chain and those who submit to it.
#[derive(Clone)]
pub(crate) struct Scene {
    /// What all agree on.
    pub(crate) genesis: Genesis,
    /// In the order of [`super::workload::Told::by`].
    pub(crate) submitters: Vec<Submitter>,
    /// Every institution, by what drafts call it.
    pub(crate) institutions: BTreeMap<String, InstitutionId>,
    /// The key under which persons are known.
    pub(crate) subject_key: SubjectKey,
    /// The time of what is told.
    pub(crate) now: Timestamp,
}

impl Scene {
    /// A network whose keys lie in its folders, now.
    ///
    /// # Errors
    /// [`Trouble`] if a key or an institution is missing.
    pub(crate) fn of_network(network: &Network) -> Result<Self, Trouble> {
        let nodes = network.nodes();
        let subject_key = std::fs::read(network.folder().join("subject.key.json"))?;
        let institutions = nodes.iter().map(|node| (node.name.clone(), node.institution));
        let scene = Self {
            genesis: network.genesis().clone(),
            submitters: Vec::new(),
            institutions: institutions.collect(),
            subject_key: SubjectKey::parse(&subject_key)?,
            now: clock::now(),
        };
        scene.with_submitters(
            |name| {
                let node = nodes.iter().position(|node| node.name == name)?;
                Some((node, network.path(node, "submission.key.json")))
            },
            |path| Ok(KeyFile::parse_for(KeyUse::Submission, &std::fs::read(path)?)?),
        )
    }

    /// The consortium of fixed keys, at a time.
    ///
    /// # Errors
    /// [`Trouble`] if an institution is missing.
    pub(crate) fn of_consortium(genesis: &Genesis, now: Timestamp) -> Result<Self, Trouble> {
        let numbers = 0..u16::try_from(genesis.validator_set().size())?;
        let institution = |number| (consortium::name(number), consortium::institution(number));
        let scene = Self {
            genesis: genesis.clone(),
            submitters: Vec::new(),
            institutions: numbers.clone().map(institution).collect(),
            subject_key: consortium::subject_key(),
            now,
        };
        scene.with_submitters(
            |name| {
                let number = numbers.clone().find(|number| consortium::name(*number) == name)?;
                Some((usize::from(number), number))
            },
            |number| Ok(consortium::pair(number, Purpose::Submission)),
        )
    }

    /// Finds the place of each submitter's node, and its key.
    fn with_submitters<K>(
        mut self,
        find: impl Fn(&str) -> Option<(usize, K)>,
        key: impl Fn(K) -> Result<Keypair, Trouble>,
    ) -> Result<Self, Trouble> {
        let (suite, chain) = (self.genesis.suite(), self.genesis.chain());
        for name in NAMES {
            let missing = || Trouble::new(format!("there is no {name}"));
            let (node, found) = find(name).ok_or_else(missing)?;
            let institution = *self.institutions.get(name).ok_or_else(missing)?;
            let author = Author { suite, chain, institution };
            self.submitters.push(Submitter { node, author, key: key(found)? });
        }
        Ok(self)
    }
}

impl Submitter {
    /// Signs records as one submission, as the SDK does, but does not verify it again: a lender's machine
    /// does, and here the time would be the nodes'.
    ///
    /// # Errors
    /// [`Trouble`] if there are more records than a submission holds.
    pub(crate) fn sign(
        &self,
        records: Vec<Record>,
        idempotency_key: IdempotencyKey,
        now: Timestamp,
    ) -> Result<Submission, Trouble> {
        let Author { suite, chain, institution } = self.author;
        let ids: Vec<_> = records.iter().map(|it| it.id(suite, &chain, &institution)).collect();
        let head = SubmissionHead {
            version: SubmissionHead::VERSION,
            suite,
            chain,
            institution,
            key: self.key.public(),
            idempotency_key,
            submitted_at: now,
            expires_at: now.saturating_add(LIFETIME_MS),
            record_count: u32::try_from(records.len())?,
            records_root: records_root(suite, &ids),
        };
        let signature = self.key.sign(&Hash(head.id().0));
        Ok(Submission::new(head, signature, List::new(records)?))
    }
}
