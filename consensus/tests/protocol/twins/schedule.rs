//! Schedules: lists of letters under one of a few conditions, each with a number.

use crate::twins::partition::{Cast, Letter};

/// What happens after a round, while the timers of all who did not seal run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// Nobody hears anybody; wishes for another view arrive with the next round. One round is then
    /// one view, and what was prepared in it stays as the round left it.
    Silence,
    /// The round's network stays as it is: repetitions, view changes and laggards go on in it.
    Talk,
    /// All machines lose power before their timers run out, and come back from their disks.
    EarlyCut,
    /// All machines lose power after their timers ran out and their wishes were said.
    LateCut,
}

impl Between {
    pub(crate) const ALL: [Self; 4] = [Self::Silence, Self::Talk, Self::EarlyCut, Self::LateCut];
}

/// What all schedules of one exploration share.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    pub(crate) cast: Cast,
    pub(crate) rotation: u64,
    pub(crate) between: Between,
}

/// All schedules of so many rounds over an alphabet, under one condition.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) family: Family,
    pub(crate) letters: Vec<Letter>,
    pub(crate) rounds: usize,
}

impl Space {
    /// How many there are, those included that only exchange the two machines of a twin.
    pub(crate) fn count(&self) -> u64 {
        let rounds = u32::try_from(self.rounds).expect("a few rounds");
        (self.letters.len() as u64).checked_pow(rounds).expect("a number of 64 bits")
    }

    /// How many partitions its letters have.
    pub(crate) fn partitions(&self) -> usize {
        let letters = &self.letters;
        let changes = letters.windows(2).filter(|pair| !pair[0].cuts_like(&pair[1])).count();
        changes + usize::from(!letters.is_empty())
    }

    /// The schedule with a number: its digits, the last round's last, name the letters.
    pub(crate) fn schedule(&self, number: u64) -> Vec<&Letter> {
        self.digits(number).into_iter().map(|digit| &self.letters[digit]).collect()
    }

    fn digits(&self, number: u64) -> Vec<usize> {
        let base = self.letters.len() as u64;
        let mut rest = number;
        let mut digits: Vec<usize> = (0..self.rounds)
            .map(|_| {
                let digit = usize::try_from(rest % base).expect("below the length of a list");
                rest /= base;
                digit
            })
            .collect();
        digits.reverse();
        digits
    }

    /// The number of the next schedule that need not go as this one did. It sent Commits in some
    /// rounds only; in the others it makes no difference whom they would have reached.
    pub(crate) fn next(&self, number: u64, sent_commits: &[bool]) -> u64 {
        let letters = self.letters.len();
        let mut weight = 1;
        for (digit, sent) in self.digits(number).into_iter().zip(sent_commits).rev() {
            let alike =
                self.letters[digit..].iter().take_while(|it| it.cuts_like(&self.letters[digit]));
            let step = if *sent { 1 } else { alike.count() };
            if digit + step < letters {
                return (number / weight + step as u64) * weight;
            }
            weight *= letters as u64;
        }
        self.count()
    }

    /// Of two schedules that differ in the names of a twin's two machines only, one is enough: the
    /// one in which, when they are first apart, the first machine is with the last correct one.
    pub(crate) fn is_canonical(&self, schedule: &[&Letter]) -> bool {
        let cast = &self.family.cast;
        cast.twins().iter().all(|twin| {
            let mut apart = schedule.iter().filter_map(|letter| letter.sides(cast, *twin));
            apart.next().unwrap_or(true)
        })
    }

    /// The schedule's number, condition and letters, for the one who has to look into it.
    pub(crate) fn describe(&self, number: u64) -> String {
        let Family { cast, rotation, between } = &self.family;
        let letters: Vec<String> =
            self.schedule(number).iter().map(|letter| letter.describe(cast)).collect();
        format!(
            "n = {}, twins {:?}, rotation {rotation}, {between:?}, schedule {number} of {}: {}",
            cast.n(),
            cast.twins(),
            self.count(),
            letters.join(" ")
        )
    }
}

#[test]
fn every_schedule_has_a_number_and_half_of_them_are_enough() {
    use crate::twins::partition::{all_partitions, letters};
    use std::collections::BTreeSet;
    let cast = Cast::new(4, &[0]);
    let letters = letters(&cast, all_partitions(&cast));
    let family = Family { cast, rotation: 0, between: Between::Silence };
    let space = Space { family, letters, rounds: 2 };
    let distinct: BTreeSet<String> = (0..space.count()).map(|it| space.describe(it)).collect();
    assert_eq!(distinct.len() as u64, space.count());
    let canonical = (0..space.count()).filter(|it| space.is_canonical(&space.schedule(*it)));
    let canonical = canonical.count() as u64;
    assert!(canonical > space.count() / 2 && canonical < space.count() * 6 / 10, "{canonical}");
}

#[test]
fn rounds_without_commits_are_tried_with_one_way_of_commits() {
    use crate::twins::partition::{all_partitions, letters};
    let cast = Cast::new(4, &[0]);
    let partitions = all_partitions(&cast);
    let (cuts, letters) = (partitions.len(), letters(&cast, partitions));
    let family = Family { cast, rotation: 0, between: Between::Silence };
    let space = Space { family, letters, rounds: 2 };
    let visited = |sent: [bool; 2]| {
        let mut number = 0;
        let mut visited = 0;
        while number < space.count() {
            visited += 1;
            number = space.next(number, &sent);
        }
        visited
    };
    let all = space.letters.len();
    assert_eq!(space.partitions(), cuts);
    assert_eq!(visited([true, true]), all * all);
    assert_eq!(visited([true, false]), all * cuts);
    assert_eq!(visited([false, true]), cuts * all);
    assert_eq!(visited([false, false]), cuts * cuts);
}
