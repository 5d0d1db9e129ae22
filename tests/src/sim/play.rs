//! Worlds one after the other, on some threads.

use super::{Plan, Reduction, Report, Trace, run};
use std::{
    ops::{ControlFlow, Range},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

/// Reports that wait for being looked at.
const WAITING: usize = 64;

/// Plays the worlds of some seeds, on so many threads, and hands over what came of each as it comes. Seeds
/// begin in their order; after a `Break` no other one begins, and those that have begun are still handed
/// over: whatever threads there are, every seed below one that was handed over is handed over too.
pub fn play(
    seeds: Range<u64>,
    jobs: u16,
    reduction: &Reduction,
    take: impl FnMut(Report) -> ControlFlow<()>,
) {
    play_with(seeds, jobs, |seed| run(&Plan::draw(seed, reduction), &mut Trace::silent()), take);
}

fn play_with<T: Send>(
    seeds: Range<u64>,
    jobs: u16,
    one: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) {
    let next = AtomicU64::new(seeds.start);
    let (send, results) = mpsc::sync_channel(WAITING);
    thread::scope(|scope| {
        for _ in 0..jobs {
            let (send, next, one, end) = (send.clone(), &next, &one, seeds.end);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || send.send(one(seed)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for result in results {
            if take(result).is_break() {
                next.store(seeds.end, Ordering::Relaxed);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, time::Duration};

    #[test]
    fn all_seeds_are_played_and_none_begins_after_a_break() {
        let mut played = BTreeSet::new();
        let all = |seed: u64| {
            played.insert(seed);
            ControlFlow::Continue(())
        };
        play_with(3..40, 3, |seed| seed, all);
        assert!(played.iter().copied().eq(3..40));

        // The first ones are slow, so that later ones are handed over before them.
        let slow = |seed: u64| {
            thread::sleep(Duration::from_millis(if seed.is_multiple_of(4) { 20 } else { 1 }));
            seed
        };
        let mut played = BTreeSet::new();
        play_with(0..1_000_000, 4, slow, |seed| {
            played.insert(seed);
            if seed % 5 == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let last = played.len() as u64;
        assert!(played.iter().copied().eq(0..last), "{played:?}");
        assert!((5..100).contains(&last), "{last}");
    }
}
