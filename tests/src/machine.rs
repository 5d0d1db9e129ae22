//! One node of a false world: its keys, what its disk holds, and its chain while it runs.

use crate::{
    consortium::{self, Purpose},
    disk::ForgetfulDisk,
    store::ForgetfulStore,
    trouble::Trouble,
};
use probata_genesis::Genesis;
use probata_ledger::{LedgerError, LedgerReader};
use probata_node::{
    chain::{Chain, ChainError, ChainSetup, Effect},
    limits::FETCH_BLOCKS,
    metrics::Metrics,
    network::NodeId,
};
use probata_types::{Height, Keypair, Now, ValidatorIndex, ValidatorSet};
use std::sync::Arc;

/// A node of the consortium with that number; one that never votes has no key.
pub(crate) struct Machine {
    pub(crate) id: NodeId,
    pub(crate) keys: Vec<Keypair>,
    pub(crate) disk: Arc<ForgetfulDisk>,
    pub(crate) store: Arc<ForgetfulStore>,
    pub(crate) chain: Option<Chain>,
}

impl Machine {
    pub(crate) fn new(number: u16, votes: bool) -> Result<Self, Trouble> {
        let key = votes.then(|| consortium::pair(number, Purpose::Validator));
        Self::with_keys(number, key.into_iter().collect())
    }

    /// The same with any number of keys for votes.
    pub(crate) fn with_keys(number: u16, keys: Vec<Keypair>) -> Result<Self, Trouble> {
        Ok(Self {
            id: NodeId::from_bytes(consortium::pair(number, Purpose::Node).public().0)?,
            keys,
            disk: Arc::default(),
            store: Arc::default(),
            chain: None,
        })
    }

    /// Starts the chain from what the disk holds.
    pub(crate) fn open(
        &mut self,
        genesis: &Arc<Genesis>,
        now: Now,
    ) -> Result<Vec<Effect>, ChainError> {
        let setup = ChainSetup {
            genesis: Arc::clone(genesis),
            keypairs: self.keys.clone(),
            storage: self.disk.clone(),
            store: self.store.clone(),
            metrics: Arc::new(Metrics::new()),
        };
        let (chain, effects) = Chain::open(setup, now, &|_, _| ())?;
        self.chain = Some(chain);
        Ok(effects)
    }

    /// Its place in a validator set, by one of its keys.
    pub(crate) fn seat(&self, set: &ValidatorSet) -> Option<ValidatorIndex> {
        self.keys.iter().find_map(|pair| set.position_of(&pair.public()))
    }
}

/// What an honest node hands over to one that asks for blocks from a height on.
pub(crate) fn blocks_from(
    reader: &LedgerReader,
    first: Height,
) -> Result<Vec<Vec<u8>>, LedgerError> {
    let mut blocks = Vec::new();
    let mut height = first;
    while let Some(block) = reader.block_bytes(height)?.filter(|_| blocks.len() < FETCH_BLOCKS) {
        blocks.push(block);
        height = height.saturating_add(1);
    }
    Ok(blocks)
}
