//! Who takes part, and who hears whom: the letters of which schedules are made.

use probata_types::validator::quorum;
use std::collections::BTreeSet;

/// The machines of a set of which some validators run two, with one key. Machine `place` is the
/// first of validator `place`; after those of all validators come the second ones of the twins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cast {
    n: usize,
    twins: Vec<usize>,
}

impl Cast {
    pub(crate) fn new(n: usize, twins: &[usize]) -> Self {
        assert!(twins.iter().all(|twin| *twin < n), "twins are validators");
        Self { n, twins: twins.to_vec() }
    }

    /// How many validators there are.
    pub(crate) const fn n(&self) -> usize {
        self.n
    }

    /// How many machines there are.
    pub(crate) fn size(&self) -> usize {
        self.n + self.twins.len()
    }

    /// The validators that run twice.
    pub(crate) fn twins(&self) -> &[usize] {
        &self.twins
    }

    /// Whose key a machine has.
    pub(crate) fn validator(&self, machine: usize) -> usize {
        machine.checked_sub(self.n).map_or(machine, |second| self.twins[second])
    }

    /// 0 for the first machine of a validator, 1 for the second.
    pub(crate) const fn copy(&self, machine: usize) -> usize {
        if machine < self.n { 0 } else { 1 }
    }

    pub(crate) fn is_twin(&self, machine: usize) -> bool {
        self.twins.contains(&self.validator(machine))
    }

    /// The machines of those that run once.
    pub(crate) fn correct(&self) -> Vec<usize> {
        (0..self.n).filter(|machine| !self.is_twin(*machine)).collect()
    }

    /// The validator, with a stroke for its second machine.
    pub(crate) fn name(&self, machine: usize) -> String {
        format!("{}{}", self.validator(machine), ["", "'"][self.copy(machine)])
    }

    /// The machines with a validator's key.
    pub(crate) fn machines_of(&self, validator: usize) -> Vec<usize> {
        (0..self.size()).filter(|machine| self.validator(*machine) == validator).collect()
    }
}

/// Whom Commit votes reach, while all else goes as the partition lets it. Who cuts a view between
/// its certificate and its seal makes what locking is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    /// The machines of the sender's own group.
    Within,
    /// Nobody: what is prepared is not sealed.
    Nowhere,
    /// All machines, of all groups.
    Everywhere,
    /// One machine, which seals alone.
    Only(usize),
}

/// The network of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The group of each machine.
    groups: Vec<usize>,
    pub(crate) commits: Commits,
}

impl Letter {
    /// Everybody hears everybody.
    pub(crate) fn together(cast: &Cast) -> Self {
        Self { groups: vec![0; cast.size()], commits: Commits::Within }
    }

    pub(crate) fn group(&self, machine: usize) -> usize {
        self.groups[machine]
    }

    /// Whether both cut the machines into the same groups.
    pub(crate) fn cuts_like(&self, other: &Self) -> bool {
        self.groups == other.groups
    }

    /// Whether what `from` sends reaches `to`.
    pub(crate) fn lets(&self, from: usize, to: usize, is_commit: bool) -> bool {
        let within = self.groups[from] == self.groups[to];
        match (is_commit, self.commits) {
            (false, _) | (true, Commits::Within) => within,
            (true, Commits::Nowhere) => false,
            (true, Commits::Everywhere) => true,
            (true, Commits::Only(one)) => within && to == one,
        }
    }

    /// Whether a twin's first machine is cut off from the second, and which side is the last
    /// correct machine's: to exchange the two machines exchanges these.
    pub(crate) fn sides(&self, cast: &Cast, twin: usize) -> Option<bool> {
        let machines = cast.machines_of(twin);
        let reference = *cast.correct().last()?;
        let with = |machine: usize| self.groups[machine] == self.groups[reference];
        let (first, second) = (machines[0], machines[1]);
        (self.groups[first] != self.groups[second] && with(first) != with(second))
            .then(|| with(first))
    }

    /// For people: `[0 1 2 | 3 0'; no Commits]`, the second machine of a twin with a stroke.
    pub(crate) fn describe(&self, cast: &Cast) -> String {
        let groups = (0..count(&self.groups)).map(|group| {
            let inside = (0..cast.size()).filter(|machine| self.groups[*machine] == group);
            inside.map(|machine| cast.name(machine)).collect::<Vec<_>>().join(" ")
        });
        let groups = groups.collect::<Vec<_>>().join(" | ");
        match self.commits {
            Commits::Within => format!("[{groups}]"),
            Commits::Nowhere => format!("[{groups}; no Commits]"),
            Commits::Everywhere => format!("[{groups}; Commits to all]"),
            Commits::Only(one) => format!("[{groups}; Commits to {} only]", cast.name(one)),
        }
    }
}

/// Every partition into at most two groups, and for three groups those in which one is a quorum.
/// There are never two groups with a quorum, or quorums would not do.
pub(crate) fn all_partitions(cast: &Cast) -> Vec<Vec<usize>> {
    let mut found = partitions(cast.size(), 3);
    found.retain(|groups| count(groups) < 3 || quorum_group(cast, groups).is_some());
    found
}

/// The partitions into at most two groups in which the correct validators of one side lead one
/// after another. Of more than these there are too many for a large set.
pub(crate) fn neighbourly_partitions(cast: &Cast) -> Vec<Vec<usize>> {
    let correct = cast.correct();
    let mut found = partitions(cast.size(), 2);
    found.retain(|groups| {
        let borders = correct.iter().zip(correct.iter().cycle().skip(1));
        borders.filter(|(one, next)| groups[**one] != groups[**next]).count() <= 2
    });
    found
}

/// Each partition with each way of Commit votes that makes a difference in it.
pub(crate) fn letters(cast: &Cast, partitions: Vec<Vec<usize>>) -> Vec<Letter> {
    let mut letters = Vec::new();
    for groups in partitions {
        let mut ways = vec![Commits::Within];
        if let Some(quorum) = quorum_group(cast, &groups) {
            ways.push(Commits::Nowhere);
            if count(&groups) > 1 {
                ways.push(Commits::Everywhere);
            }
            let inside = cast.correct().into_iter().filter(|machine| groups[*machine] == quorum);
            ways.extend(inside.map(Commits::Only));
        }
        letters.extend(ways.into_iter().map(|commits| Letter { groups: groups.clone(), commits }));
    }
    letters
}

/// Everybody together, and the twins apart with a quorum on one side, whose Commits reach one
/// correct machine only: it seals alone, and the others must not seal something else.
pub(crate) fn sharp_letters(cast: &Cast) -> Vec<Letter> {
    let mut letters = letters(cast, neighbourly_partitions(cast));
    letters.retain(|letter| {
        let apart = cast.twins().iter().all(|twin| {
            let machines = cast.machines_of(*twin);
            letter.groups[machines[0]] != letter.groups[machines[1]]
        });
        (apart && matches!(letter.commits, Commits::Only(_))) || *letter == Letter::together(cast)
    });
    letters
}

/// Every way to put `size` machines into at most `most` groups, the groups named in the order in
/// which they appear.
fn partitions(size: usize, most: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..size {
        let mut longer = Vec::new();
        for groups in all {
            for group in 0..=count(&groups).min(most - 1) {
                let mut next: Vec<usize> = groups.clone();
                next.push(group);
                longer.push(next);
            }
        }
        all = longer;
    }
    all
}

fn count(groups: &[usize]) -> usize {
    groups.iter().max().map_or(0, |last| last + 1)
}

/// The group that holds machines of a quorum of validators.
fn quorum_group(cast: &Cast, groups: &[usize]) -> Option<usize> {
    (0..count(groups)).find(|group| {
        let inside = (0..cast.size()).filter(|machine| groups[*machine] == *group);
        let validators: BTreeSet<usize> = inside.map(|machine| cast.validator(machine)).collect();
        validators.len() >= quorum(cast.n())
    })
}

#[test]
fn every_partition_of_a_small_set_is_there_once() {
    let cast = Cast::new(4, &[1]);
    let two: Vec<Vec<usize>> = partitions(cast.size(), 2);
    assert_eq!(two.len(), 16, "two groups at most, of five machines");
    let distinct: BTreeSet<&Vec<usize>> = two.iter().collect();
    assert_eq!(distinct.len(), two.len());
    let all = all_partitions(&cast);
    assert_eq!(all.len(), 16 + 7, "and seven of three groups with a quorum in one");
    for expected in [[0, 0, 0, 0, 0], [0, 0, 0, 1, 1], [0, 1, 0, 0, 0], [0, 1, 0, 0, 1]] {
        assert!(all.contains(&expected.to_vec()), "{expected:?}");
    }
    assert_eq!(all_partitions(&Cast::new(5, &[0])).iter().filter(|it| count(it) < 3).count(), 32);
    assert_eq!(letters(&cast, all).len(), 107);
    assert_eq!(sharp_letters(&cast).len(), 19);
}

#[test]
fn with_as_many_twins_as_may_lie_no_partition_has_two_quorums_and_with_one_more_some_have() {
    let doubled = |cast: &Cast| {
        let reversed = |groups: &[usize]| groups.iter().map(|group| 1 - group).collect::<Vec<_>>();
        let two = partitions(cast.size(), 2).into_iter();
        two.filter(|it| {
            quorum_group(cast, it).is_some_and(|it| it == 0)
                && quorum_group(cast, &reversed(it)).is_some_and(|it| it == 0)
        })
        .count()
    };
    for (n, twins) in [(4, &[0][..]), (5, &[0]), (7, &[0, 1])] {
        assert_eq!(doubled(&Cast::new(n, twins)), 0, "n = {n}");
    }
    assert!(doubled(&Cast::new(4, &[0, 1])) > 0);
}
