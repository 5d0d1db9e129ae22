//! Signed submissions, made ahead: signing is the lenders' work, on machines of their own, and must not take the
//! time of the one that is measured. What is not ready when it is due is made then, and said.

use super::{
    scene::Scene,
    workload::{Told, Workload},
};
use crate::{seed::Seeded, trouble::Trouble};
use indicatif::ProgressBar;
use probata_client::sdk::clock;
use probata_types::{Record, Submission, Timestamp, submission::IdempotencyKey};
use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

/// Threads that make the stock: those of a small machine, which has nothing else to do then.
const MAKERS: u64 = 2;

/// Submissions that are ready at once where they are made on the way: of a hundred records, some ten megabytes.
const AHEAD: usize = 256;

/// A submission that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Ready {
    /// Its submitter's place in the scene.
    pub(crate) by: usize,
    /// The submission.
    pub(crate) submission: Submission,
}

/// How submissions are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Draws the loans.
    pub(crate) seed: u64,
    /// Records of each.
    pub(crate) records: usize,
    /// Records that are on their way at once, at most.
    pub(crate) between: u64,
}

/// Makes one submission after the other, of loans of its own.
pub(crate) struct Maker {
    workload: Workload,
    records: usize,
    random: Seeded,
    /// Records of each submitter that do not fill a submission yet.
    gathered: Vec<Vec<Record>>,
}

impl Maker {
    /// Of the loans of one seed.
    ///
    /// # Errors
    /// [`Trouble`] if the sample case cannot be read.
    pub(crate) fn new(scene: &Scene, shape: Shape) -> Result<Self, Trouble> {
        let mut random = Seeded::new(shape.seed);
        let workload = Workload::new(scene, random.number(), shape.between)?;
        let gathered = scene.submitters.iter().map(|_| Vec::new()).collect();
        Ok(Self { workload, records: shape.records, random, gathered })
    }

    /// The next one, signed at `now`.
    ///
    /// # Errors
    /// [`Trouble`] if the records are more than a submission holds.
    pub(crate) fn make(&mut self, now: Timestamp) -> Result<Ready, Trouble> {
        loop {
            let Told { by, record } = self.workload.tell();
            self.gathered[by].push(record);
            if self.gathered[by].len() < self.records {
                continue;
            }
            let records = std::mem::take(&mut self.gathered[by]);
            let key = IdempotencyKey(self.random.bytes());
            let submission = self.workload.scene().submitters[by].sign(records, key, now)?;
            // What the SDK computes when it signs is computed before it is due.
            submission.id();
            return Ok(Ready { by, submission });
        }
    }
}

/// Where submissions come from.
pub(crate) struct Supply {
    source: Source,
    /// How often nothing was ready.
    pub(crate) waited: u64,
}

enum Source {
    /// Made ahead; what is missing is made by one maker after the other.
    Stock { ready: VecDeque<Ready>, makers: Vec<Maker>, turn: usize },
    /// Made by a thread of its own while they are sent.
    OnTheWay(Receiver<Result<Ready, Trouble>>),
}

impl Supply {
    /// Makes a stock, in threads that are at an end before anything is measured. It takes a while, which `bar`
    /// shows.
    ///
    /// # Errors
    /// [`Trouble`] if one cannot be made.
    pub(crate) fn stock(
        scene: &Scene,
        shape: Shape,
        stock: usize,
        bar: &ProgressBar,
    ) -> Result<Self, Trouble> {
        let mut seeds = Seeded::new(shape.seed);
        // Each has loans of its own, told in turns: between two records of one there are the other's as well.
        let shape = Shape { between: shape.between.div_ceil(MAKERS), ..shape };
        let makers =
            (0..MAKERS).map(|_| Maker::new(scene, Shape { seed: seeds.number(), ..shape }));
        let mut makers = makers.collect::<Result<Vec<_>, _>>()?;
        let share = stock.div_ceil(makers.len());
        bar.set_length(stock as u64);
        let made: Result<Vec<Vec<Ready>>, Trouble> = thread::scope(|scope| {
            let some = |maker: &mut Maker| {
                let make = |_| {
                    bar.inc(1);
                    maker.make(clock::now())
                };
                (0..share).map(make).collect::<Result<Vec<_>, _>>()
            };
            let threads: Vec<_> =
                makers.iter_mut().map(|maker| scope.spawn(move || some(maker))).collect();
            let ended = || Trouble::new("a thread that makes submissions ended early");
            threads.into_iter().map(|it| it.join().unwrap_or_else(|_| Err(ended()))).collect()
        });
        let source = Source::Stock { ready: in_turns(made?), makers, turn: 0 };
        Ok(Self { source, waited: 0 })
    }

    /// Makes them while they are sent, for a run of more than any memory holds: the time for it is the nodes'.
    ///
    /// # Errors
    /// [`Trouble`] if the system has no thread to give.
    pub(crate) fn on_the_way(scene: &Scene, shape: Shape) -> Result<Self, Trouble> {
        let (ready, made) = sync_channel(AHEAD);
        let mut maker = Maker::new(scene, shape)?;
        thread::Builder::new().name("supply".to_owned()).spawn(move || {
            loop {
                let next = maker.make(clock::now());
                let failed = next.is_err();
                // Nobody takes them any more when the run is over.
                if ready.send(next).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Self { source: Source::OnTheWay(made), waited: 0 })
    }

    /// The next one.
    ///
    /// # Errors
    /// [`Trouble`] if one cannot be made.
    pub(crate) fn next(&mut self) -> Result<Ready, Trouble> {
        let ended = |_| Trouble::new("the supply has ended");
        match &mut self.source {
            Source::Stock { ready, makers, turn } => {
                if let Some(ready) = ready.pop_front() {
                    return Ok(ready);
                }
                self.waited += 1;
                *turn = (*turn + 1) % makers.len();
                makers[*turn].make(clock::now())
            }
            Source::OnTheWay(made) => match made.try_recv() {
                Ok(ready) => ready,
                Err(_) => {
                    self.waited += 1;
                    made.recv().map_err(ended)?
                }
            },
        }
    }
}

/// The first of each, the second of each, and so on.
fn in_turns<T>(lists: Vec<Vec<T>>) -> VecDeque<T> {
    let mut all = VecDeque::with_capacity(lists.iter().map(Vec::len).sum());
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    loop {
        let before = all.len();
        all.extend(lists.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consortium::{self, BEGIN};
    use std::collections::BTreeSet;

    const SHAPE: Shape = Shape { seed: 1, records: 3, between: 20 };

    fn scene() -> Scene {
        Scene::of_consortium(&consortium::genesis(4, BEGIN), BEGIN.saturating_add(1)).unwrap()
    }

    #[test]
    fn lists_are_taken_in_turns() {
        assert_eq!(in_turns(vec![vec![1, 3, 5], vec![2, 4]]), [1, 2, 3, 4, 5]);
        assert!(in_turns::<u8>(Vec::new()).is_empty());
    }

    #[test]
    fn one_seed_makes_the_same_submissions_but_for_salts_and_all_are_well_signed() {
        let scene = scene();
        let now = BEGIN.saturating_add(2);
        let mut makers = [(), ()].map(|()| Maker::new(&scene, SHAPE).unwrap());
        for _ in 0..40 {
            let [one, other] = makers.each_mut().map(|maker| maker.make(now).unwrap());
            let told =
                |it: &Ready| (it.by, it.submission.head.idempotency_key, it.submission.size());
            assert_eq!(told(&one), told(&other));
            assert_eq!(one.submission.records.len(), SHAPE.records);
            one.submission.verify(&scene.genesis.chain()).unwrap();
        }
    }

    #[test]
    fn what_is_made_on_the_way_never_ends() {
        let mut supply = Supply::on_the_way(&scene(), SHAPE).unwrap();
        let ids: BTreeSet<_> =
            (0..AHEAD + 50).map(|_| supply.next().unwrap().submission.id()).collect();
        assert_eq!(ids.len(), AHEAD + 50);
    }

    #[test]
    fn the_stock_and_what_is_made_after_it_holds_nothing_twice() {
        let bar = ProgressBar::hidden();
        let mut supply = Supply::stock(&scene(), SHAPE, 30, &bar).unwrap();
        let ids: BTreeSet<_> = (0..50).map(|_| supply.next().unwrap().submission.id()).collect();
        assert_eq!((ids.len(), supply.waited, bar.position()), (50, 20, 30));
    }
}
