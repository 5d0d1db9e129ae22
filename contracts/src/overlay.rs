//! The state as the records judged so far have left it.

use probata_types::{
    InstitutionId,
    object::FlowState,
    record::FlowId,
    state::{Changes, InstitutionState, StateError, StateKey, StateRead, StateValue},
};
use std::{cell::RefCell, collections::BTreeMap};

/// Reads through to the state, and collects what records change: first those of the record in hand,
/// then, once it is accepted, those of the block.
pub(crate) struct Overlay<'a> {
    state: &'a dyn StateRead,
    /// What was read from the state and many records look at.
    read: RefCell<BTreeMap<StateKey, Option<StateValue>>>,
    /// What was read for the record in hand alone, and is mostly looked at twice.
    read_for_record: RefCell<Vec<(StateKey, Option<StateValue>)>>,
    block: Changes,
    record: Changes,
}

impl<'a> Overlay<'a> {
    /// Over the state before the block.
    pub(crate) const fn new(state: &'a dyn StateRead) -> Self {
        Self {
            state,
            read: RefCell::new(BTreeMap::new()),
            read_for_record: RefCell::new(Vec::new()),
            block: Changes::new(),
            record: Changes::new(),
        }
    }

    /// The object at a key, as the records before and the record in hand have left it.
    pub(crate) fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        match self.record.get(key).or_else(|| self.block.get(key)) {
            Some(value) => Ok(Some(value.clone())),
            None => self.before(key),
        }
    }

    /// The object before the block.
    fn before(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        if matches!(key, StateKey::Document(_) | StateKey::Transaction { .. }) {
            // Looked at once: keeping them costs more.
            return self.state.get(key);
        }
        if matches!(key, StateKey::Flow(_)) {
            return self.flow_before(key);
        }
        if let Some(value) = self.read.borrow().get(key) {
            return Ok(value.clone());
        }
        let value = self.state.get(key)?;
        self.read.borrow_mut().insert(key.clone(), value.clone());
        Ok(value)
    }

    /// A flow before the block. Two records of a block seldom look at one that neither changes.
    fn flow_before(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        let mut read = self.read_for_record.borrow_mut();
        if let Some((_, value)) = read.iter().find(|(other, _)| other == key) {
            return Ok(value.clone());
        }
        let value = self.state.get(key)?;
        read.push((key.clone(), value.clone()));
        Ok(value)
    }

    /// Sets an object, for the record in hand.
    pub(crate) fn put(&mut self, key: StateKey, value: StateValue) {
        self.record.insert(key, value);
    }

    /// The record in hand is accepted: its changes stay.
    pub(crate) fn keep(&mut self) {
        // Not `append`, which would build the block's map anew for each record.
        self.block.extend(std::mem::take(&mut self.record));
        self.read_for_record.get_mut().clear();
    }

    /// The record in hand is rejected: its changes go.
    pub(crate) fn forget(&mut self) {
        self.record.clear();
        self.read_for_record.get_mut().clear();
    }

    /// What the block changes.
    pub(crate) fn into_changes(self) -> Changes {
        assert!(self.record.is_empty(), "each record was kept or forgotten");
        self.block
    }

    /// An institution.
    pub(crate) fn institution(
        &self,
        id: &InstitutionId,
    ) -> Result<Option<InstitutionState>, StateError> {
        match self.get(&StateKey::Institution(*id))? {
            Some(StateValue::Institution(institution)) => Ok(Some(institution)),
            Some(_) => Err(wrong_kind("institution")),
            None => Ok(None),
        }
    }

    /// A flow.
    pub(crate) fn flow(&self, id: &FlowId) -> Result<Option<Box<FlowState>>, StateError> {
        match self.get(&StateKey::Flow(*id))? {
            Some(StateValue::Flow(flow)) => Ok(Some(flow)),
            Some(_) => Err(wrong_kind("flow")),
            None => Ok(None),
        }
    }
}

impl StateRead for Overlay<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        Overlay::get(self, key)
    }
}

/// The error of a key that holds another kind of object than its own.
pub(crate) fn wrong_kind(key: &str) -> StateError {
    StateError(format!("the key of a {key} holds something else"))
}
