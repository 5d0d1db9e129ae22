//! What validator set a change of seats makes of another: the same for the contracts, which judge it, and
//! for whoever wants to know it before.

use super::SeatChange;
use crate::{
    InstitutionId, List, ValidatorSet,
    validator::{Validator, ValidatorSetError},
};
use std::collections::BTreeMap;

/// Why a change makes no set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeatChangeError {
    /// Who has no seat gives up none.
    #[error("{0} is to give up a seat that it does not have")]
    NotSeated(InstitutionId),
    /// One institution is to get a seat and to give it up.
    #[error("{0} is to get a seat and to give it up")]
    Both(InstitutionId),
    /// One institution is named for two seats.
    #[error("{0} is named for two seats")]
    Twice(InstitutionId),
    /// More seats than a set may have.
    #[error("the set would have {0} seats, more than a set may have")]
    TooMany(usize),
    /// What is left is no set.
    #[error(transparent)]
    Set(#[from] ValidatorSetError),
    /// The set stays as it is.
    #[error("the change leaves the set as it is")]
    Nothing,
}

impl SeatChange {
    /// The set that this change makes of `current`: in ascending order of institutions.
    ///
    /// # Errors
    /// [`SeatChangeError`], the first reason why there is none.
    pub fn apply(&self, current: &ValidatorSet) -> Result<ValidatorSet, SeatChangeError> {
        let mut seats: BTreeMap<InstitutionId, Validator> =
            current.iter().map(|(_, it)| (it.institution, it.clone())).collect();
        for institution in &self.leave {
            seats.remove(institution).ok_or(SeatChangeError::NotSeated(*institution))?;
        }
        for (at, seat) in self.seats.iter().enumerate() {
            let institution = seat.institution;
            if self.leave.contains(&institution) {
                return Err(SeatChangeError::Both(institution));
            }
            if self.seats[..at].iter().any(|other| other.institution == institution) {
                return Err(SeatChangeError::Twice(institution));
            }
            seats.insert(institution, Validator { institution, key: seat.key.key });
        }
        let count = seats.len();
        let seats = List::new(seats.into_values().collect());
        let set = ValidatorSet::new(seats.map_err(|_| SeatChangeError::TooMany(count))?)?;
        if set == *current { Err(SeatChangeError::Nothing) } else { Ok(set) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        PublicKey, Signature,
        body::{ProvenKey, Seat},
    };

    const CODES: [&str; 5] = [
        "213800WAVVOPS85N2205",
        "5493001KJTIIGC8Y1R12",
        "91100000100003962T",
        "91330100799655058B",
        "HWUPKR0MPOU8FGXBT394",
    ];

    fn institution(at: usize) -> InstitutionId {
        CODES[at].parse().unwrap()
    }

    fn key(number: u8) -> PublicKey {
        PublicKey([number; 32])
    }

    /// Institutions by their places in the list, each with the key of that number.
    fn set(seats: &[(usize, u8)]) -> ValidatorSet {
        let mut validators: Vec<Validator> = seats
            .iter()
            .map(|(at, number)| Validator { institution: institution(*at), key: key(*number) })
            .collect();
        validators.sort_by_key(|it| it.institution);
        ValidatorSet::new(List::new(validators).unwrap()).unwrap()
    }

    fn change(seats: &[(usize, u8)], leave: &[usize]) -> SeatChange {
        let seat = |(at, number): &(usize, u8)| Seat {
            institution: institution(*at),
            key: ProvenKey { key: key(*number), proof: Signature([0; 64]) },
            node: key(100 + number),
        };
        SeatChange {
            seats: List::new(seats.iter().map(seat).collect()).unwrap(),
            leave: List::new(leave.iter().map(|at| institution(*at)).collect()).unwrap(),
        }
    }

    #[test]
    fn seats_come_go_and_get_other_keys() {
        let four = set(&[(0, 1), (1, 2), (2, 3), (3, 4)]);
        let five = change(&[(4, 5)], &[]).apply(&four).unwrap();
        assert_eq!(five, set(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]));
        let other = change(&[(1, 9)], &[0]).apply(&five).unwrap();
        assert_eq!(other, set(&[(1, 9), (2, 3), (3, 4), (4, 5)]));
        let places: Vec<_> = other.iter().map(|(_, it)| it.institution).collect();
        assert!(places.is_sorted(), "whatever the order of the motion");
    }

    #[test]
    fn what_makes_no_set_is_told_apart() {
        let four = set(&[(0, 1), (1, 2), (2, 3), (3, 4)]);
        let refused =
            |seats: &[(usize, u8)], leave: &[usize]| change(seats, leave).apply(&four).unwrap_err();
        assert_eq!(refused(&[], &[4]), SeatChangeError::NotSeated(institution(4)));
        assert_eq!(refused(&[], &[0, 0]), SeatChangeError::NotSeated(institution(0)));
        assert_eq!(refused(&[(0, 9)], &[0]), SeatChangeError::Both(institution(0)));
        assert_eq!(refused(&[(4, 5), (4, 6)], &[]), SeatChangeError::Twice(institution(4)));
        let too_few = ValidatorSetError::TooFew(3);
        assert_eq!(refused(&[], &[0]), SeatChangeError::Set(too_few));
        let twice = ValidatorSetError::DuplicateKey(key(1));
        assert_eq!(refused(&[(4, 1)], &[]), SeatChangeError::Set(twice));
        assert_eq!(refused(&[(0, 1)], &[]), SeatChangeError::Nothing);
        assert_eq!(refused(&[], &[]), SeatChangeError::Nothing);
    }
}
