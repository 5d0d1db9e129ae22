//! Every check of the document, in the order in which a reader would make them.

use super::*;
use std::collections::BTreeMap;

impl Document {
    /// Checks everything and gives the validators.
    pub(super) fn check(&self) -> Result<ValidatorSet, GenesisError> {
        if crate::entry::is_blank(&self.chain_name) {
            return Err(GenesisError::BlankChainName);
        }
        self.parameters.check()?;
        self.rule_pack.check()?;
        self.check_order()?;
        for (index, signed) in self.entries.iter().enumerate() {
            let institution = signed.entry.id;
            signed.check(self.suite, &self.chain_name).map_err(|error| GenesisError::Entry {
                index,
                institution,
                error,
            })?;
        }
        self.check_keys()?;
        self.check_nodes()?;
        self.check_validators()
    }

    fn check_order(&self) -> Result<(), GenesisError> {
        for (at, pair) in self.entries.windows(2).enumerate() {
            let (before, institution, index) = (pair[0].entry.id, pair[1].entry.id, at + 1);
            if before == institution {
                return Err(GenesisError::InstitutionTwice { index, institution });
            }
            if before > institution {
                return Err(GenesisError::UnsortedEntries { index, institution });
            }
        }
        Ok(())
    }

    /// No key serves twice, whatever for: who can use it in one place could claim it in the other.
    fn check_keys(&self) -> Result<(), GenesisError> {
        let mut places: BTreeMap<PublicKey, String> = BTreeMap::new();
        for (index, signed) in self.entries.iter().enumerate() {
            for (path, key) in signed.entry.named_keys() {
                let second = format!("entries[{index}].entry.{path}");
                if let Some(first) = places.insert(key, second.clone()) {
                    return Err(GenesisError::KeyTwice { key, first, second });
                }
            }
        }
        Ok(())
    }

    fn check_nodes(&self) -> Result<(), GenesisError> {
        let mut nodes: BTreeMap<Address, PublicKey> = BTreeMap::new();
        for signed in &self.entries {
            let validator = signed.entry.validator.iter().map(|v| (v.address, v.node));
            let members = signed.entry.members.iter().map(|m| (m.address, m.node));
            for (address, second) in validator.chain(members) {
                if let Some(first) = nodes.insert(address, second) {
                    let address = address.to_string();
                    return Err(GenesisError::AddressTwice { address, first, second });
                }
            }
        }
        let (got, max) = (nodes.len(), limits::NODES);
        if got > max { Err(GenesisError::TooManyNodes { got, max }) } else { Ok(()) }
    }

    fn check_validators(&self) -> Result<ValidatorSet, GenesisError> {
        let mut validators = Vec::new();
        let mut seats: BTreeMap<&str, usize> = BTreeMap::new();
        for Entry { id, group, validator, .. } in self.entries.iter().map(|signed| &signed.entry) {
            if let Some(validator) = validator {
                validators.push(Validator { institution: *id, key: validator.key });
                *seats.entry(group).or_default() += 1;
            }
        }
        let (got, max) = (validators.len(), types::VALIDATORS);
        let validators =
            List::new(validators).map_err(|_| GenesisError::TooManyValidators { got, max })?;
        let set = ValidatorSet::new(validators)?;
        let (validators, faulty) = (set.size(), set.faulty());
        match seats.into_iter().find(|(_, seats)| *seats > faulty) {
            Some((group, seats)) => {
                Err(GenesisError::Group { group: group.to_owned(), seats, faulty, validators })
            }
            None => Ok(set),
        }
    }
}
