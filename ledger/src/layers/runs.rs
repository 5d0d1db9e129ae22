//! Entries in order, as a few sorted runs: cheap to take many at once into, and still to be scanned.
//!
//! A block brings some thousands of entries with keys in no order. Each put into a tree in memory would look for its
//! place among all that are there. Here a block's entries are sorted among themselves, which makes a run, and two runs
//! are merged when they are about as long: each entry is moved some times in all, and there are few runs to look in, each
//! less than half as long as the one before.

use crate::store::Entry;
use std::{cmp::Ordering, mem};

/// Entries in ascending order of keys, each key once.
#[derive(Debug, Default)]
pub(crate) struct Run(Vec<Entry>);

impl Run {
    /// Of entries in the order in which they came: of those of one key the last counts.
    pub(crate) fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                mem::swap(later, kept);
            }
            same
        });
        Self(entries)
    }
}

/// Runs, the newest last; of the entries of one key that of the newest run counts.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    runs: Vec<Vec<Entry>>,
    /// Of keys and values.
    bytes: usize,
}

impl Runs {
    /// Takes in a run, which is newer than all that is here.
    pub(crate) fn push(&mut self, Run(mut newer): Run) {
        self.bytes += newer.iter().map(size).sum::<usize>();
        while let Some(older) = self.runs.pop_if(|older| is_merged(older, &newer)) {
            newer = self.merge(older, newer);
        }
        if !newer.is_empty() {
            self.runs.push(newer);
        }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&Vec<u8>> {
        self.runs.iter().rev().find_map(|run| {
            let at = run.binary_search_by(|(there, _)| there.as_slice().cmp(key)).ok()?;
            Some(&run[at].1)
        })
    }

    /// The entries with `from <= key < to`, in order; to the end without `to`, none if the bounds are the wrong way
    /// round.
    pub(crate) fn range<'a>(&'a self, from: &[u8], to: Option<&[u8]>) -> Range<'a> {
        let part = |run: &'a Vec<Entry>| {
            let to = to.map_or(run.len(), |to| before(run, to));
            run.get(before(run, from)..to).filter(|part| !part.is_empty())
        };
        Range(self.runs.iter().rev().filter_map(part).collect())
    }

    /// Entries, with those of one key in several runs, until the runs are merged.
    pub(crate) fn len(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    /// Bytes of all keys and values of [`Self::len`] entries: what is in memory, and no less than what counts.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn merge(&mut self, mut older: Vec<Entry>, newer: Vec<Entry>) -> Vec<Entry> {
        if is_behind(&older, &newer) {
            older.extend(newer);
            return older;
        }
        let mut merged = Vec::with_capacity(older.len() + newer.len());
        let (mut older, mut newer) = (older.into_iter(), newer.into_iter());
        while let (Some((old, _)), Some((new, _))) =
            (older.as_slice().first(), newer.as_slice().first())
        {
            match old.cmp(new) {
                Ordering::Less => merged.extend(older.next()),
                Ordering::Greater => merged.extend(newer.next()),
                Ordering::Equal => {
                    self.bytes -= older.next().as_ref().map_or(0, size);
                    merged.extend(newer.next());
                }
            }
        }
        merged.extend(older);
        merged.extend(newer);
        merged
    }
}

fn size((key, value): &Entry) -> usize {
    key.len() + value.len()
}

/// Whether two neighbours become one run. One that comes behind the other costs nothing to merge: what is written in the
/// order of the chain stays a single run.
fn is_merged(older: &[Entry], newer: &[Entry]) -> bool {
    2 * newer.len() >= older.len() || is_behind(older, newer)
}

fn is_behind(older: &[Entry], newer: &[Entry]) -> bool {
    match (older.last(), newer.first()) {
        (Some((last, _)), Some((first, _))) => last < first,
        _ => true,
    }
}

/// Entries with smaller keys.
fn before(run: &[Entry], key: &[u8]) -> usize {
    run.partition_point(|(there, _)| there.as_slice() < key)
}

/// Entries of several runs in order, the newest of each key.
pub(crate) struct Range<'a>(
    /// What is left of each run, the newest first; none is empty.
    Vec<&'a [Entry]>,
);

impl<'a> Iterator for Range<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let firsts = self.0.iter().filter_map(|part| part.first());
        // Of equal ones it is the first, which is the newest.
        let (key, value) = firsts.min_by(|(one, _), (other, _)| one.cmp(other))?;
        self.0.retain_mut(|part| {
            if let Some(((first, _), rest)) = part.split_first()
                && first == key
            {
                *part = rest;
            }
            !part.is_empty()
        });
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::{collections::BTreeMap, ops::Bound};

    type Model = BTreeMap<Vec<u8>, Vec<u8>>;

    /// Short keys of few letters, so that many are equal, or begin others.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(0u8..4, 0..5)
    }

    fn batches() -> impl Strategy<Value = Vec<Vec<Entry>>> {
        vec(vec((key(), vec(any::<u8>(), 0..4)), 0..40), 0..25)
    }

    fn all(runs: &Runs) -> Vec<Entry> {
        runs.range(&[], None).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    /// Each run is in order, and less than half as long as the one before; they are as long as they say.
    fn check_shape(runs: &Runs) {
        for run in &runs.runs {
            assert!(!run.is_empty() && run.is_sorted_by(|(one, _), (next, _)| one < next));
        }
        assert!(runs.runs.is_sorted_by(|older, newer| 2 * newer.len() < older.len()));
        assert_eq!(runs.len(), runs.runs.iter().flatten().count());
        assert_eq!(runs.bytes(), runs.runs.iter().flatten().map(size).sum::<usize>());
    }

    proptest! {
        #[test]
        fn runs_hold_what_a_map_holds(batches in batches(), from in key(), to in key()) {
            let (mut runs, mut model) = (Runs::default(), Model::new());
            for batch in batches {
                model.extend(batch.clone());
                runs.push(Run::of(batch));
                check_shape(&runs);
                prop_assert_eq!(all(&runs), model.clone().into_iter().collect::<Vec<_>>());
                prop_assert!(runs.len() >= model.len());
                prop_assert!(runs.bytes() >= all(&runs).iter().map(size).sum());
                prop_assert_eq!(runs.get(&from), model.get(&from));
                for (key, value) in &model {
                    prop_assert_eq!(runs.get(key), Some(value));
                }
                for to in [None, Some(&to[..])] {
                    let expected: Vec<(&[u8], &[u8])> = model
                        .range::<[u8], _>((Bound::Included(&from[..]), Bound::Unbounded))
                        .filter(|(key, _)| to.is_none_or(|to| &key[..] < to))
                        .map(|(key, value)| (&key[..], &value[..]))
                        .collect();
                    prop_assert_eq!(runs.range(&from, to).collect::<Vec<_>>(), expected);
                }
            }
        }
    }

    #[test]
    fn what_comes_in_order_stays_one_run() {
        let mut runs = Runs::default();
        for number in 0..1_000u32 {
            runs.push(Run::of(vec![(number.to_be_bytes().to_vec(), vec![1])]));
            assert_eq!((runs.runs.len(), runs.len()), (1, number as usize + 1));
        }
        assert_eq!(runs.bytes(), 5_000);
    }

    #[test]
    fn what_comes_in_no_order_is_in_few_runs() {
        let mut runs = Runs::default();
        for number in 0..1_000u32 {
            runs.push(Run::of(vec![(number.reverse_bits().to_be_bytes().to_vec(), vec![1])]));
            assert!(runs.runs.len() <= 10);
        }
        assert_eq!((runs.len(), runs.bytes()), (1_000, 5_000));
    }

    #[test]
    fn old_versions_stop_counting_when_runs_are_merged() {
        let (mut runs, keys) = (Runs::default(), || (0..100u8).map(|key| vec![key]));
        runs.push(Run::of(keys().map(|key| (key, vec![0; 9])).collect()));
        assert_eq!((runs.len(), runs.bytes()), (100, 1_000));
        runs.push(Run::of(keys().take(10).map(|key| (key, vec![0; 4])).collect()));
        assert_eq!((runs.len(), runs.bytes()), (110, 1_050));
        runs.push(Run::of(keys().map(|key| (key, vec![0; 1])).collect()));
        assert_eq!((runs.len(), runs.bytes()), (100, 200));
    }
}
