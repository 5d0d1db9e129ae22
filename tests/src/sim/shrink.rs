//! The smallest world that still fails: whole kinds of misfortune are taken out, then liars, nodes, time and
//! single troubles, as long as the world fails in the same way without them.

use super::{Family, Plan, Reduction, Report, Trace, run};
use serde::Serialize;

/// Worlds that are tried at most.
const TRIES: usize = 600;

/// What is left of a failing world.
#[derive(Debug, Serialize)]
pub struct Smallest {
    /// What was taken out, as options of the command.
    #[serde(serialize_with = "as_words")]
    pub reduction: Reduction,
    /// The world without it.
    #[serde(skip)]
    pub plan: Plan,
    /// How it fails.
    pub report: Report,
    /// Worlds that were tried on the way.
    pub tried: usize,
}

fn as_words<T: ToString, S: serde::Serializer>(it: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(it.to_string().trim())
}

/// A search for the smallest world that fails as the first one did.
struct Search<'s> {
    seed: u64,
    smallest: Smallest,
    play: Box<dyn Fn(&Plan) -> Report + 's>,
    tell: Box<dyn FnMut(&str) + 's>,
}

/// Shrinks the world of a seed; `None` if it does not fail. Says what it finds as it goes.
pub fn shrink(seed: u64, reduction: &Reduction, tell: impl FnMut(&str)) -> Option<Smallest> {
    search(seed, reduction, |plan| run(plan, &mut Trace::silent()), tell)
}

fn search<'s>(
    seed: u64,
    reduction: &Reduction,
    play: impl Fn(&Plan) -> Report + 's,
    tell: impl FnMut(&str) + 's,
) -> Option<Smallest> {
    let plan = Plan::draw(seed, reduction);
    let report = play(&plan);
    if report.verdict.is_pass() {
        return None;
    }
    let smallest = Smallest { reduction: reduction.clone(), plan, report, tried: 1 };
    let mut search = Search { seed, smallest, play: Box::new(play), tell: Box::new(tell) };
    loop {
        let before = search.smallest.reduction.clone();
        search.take_out_families();
        search.take_out_liars();
        search.take_out_nodes();
        search.take_out_time();
        search.take_out_troubles();
        if search.smallest.reduction == before || search.smallest.tried >= TRIES {
            return Some(search.smallest);
        }
    }
}

impl Search<'_> {
    /// Tries a world; whether it fails in the same way, and is the smallest from here on.
    fn try_with(&mut self, what: &str, change: impl FnOnce(&mut Reduction)) -> bool {
        let mut reduction = self.smallest.reduction.clone();
        change(&mut reduction);
        if self.smallest.tried >= TRIES || reduction == self.smallest.reduction {
            return false;
        }
        self.smallest.tried += 1;
        let plan = Plan::draw(self.seed, &reduction);
        let report = (self.play)(&plan);
        let same = report.verdict.name() == self.smallest.report.verdict.name();
        if same {
            (self.tell)(&format!("still fails {what}"));
            let tried = self.smallest.tried;
            self.smallest = Smallest { reduction, plan, report, tried };
        }
        same
    }

    fn take_out_families(&mut self) {
        for family in Family::ALL {
            if !self.smallest.reduction.without.contains(&family) {
                self.try_with(&format!("without {family:?}"), |it| it.without.push(family));
            }
        }
    }

    fn take_out_liars(&mut self) {
        let liars: Vec<usize> = self.smallest.plan.liars.keys().copied().collect();
        for liar in liars {
            self.try_with(&format!("with an honest node {liar}"), |it| it.honest.push(liar));
        }
    }

    /// A smaller committee draws another world, so what was named by number is not taken along.
    fn take_out_nodes(&mut self) {
        for nodes in 4..self.smallest.plan.validators {
            let fails = self.try_with(&format!("with {nodes} validators"), |it| {
                it.nodes = Some(nodes);
                (it.honest, it.only, it.length) = (Vec::new(), Vec::new(), None);
            });
            if fails {
                return;
            }
        }
    }

    fn take_out_time(&mut self) {
        loop {
            let half = self.smallest.plan.length.get() / 2;
            let first = self.smallest.report.passed;
            let lengths = [first.min(half), half, first, 2 * half - half / 2];
            let shorter = lengths.into_iter().filter(|it| *it > 0 && *it + 50 < 2 * half);
            let found = shorter.collect::<Vec<_>>().into_iter().any(|length| {
                let what = format!("when the bad time lasts {length} ms");
                self.try_with(&what, |it| it.length = Some(length))
            });
            if !found {
                return;
            }
        }
    }

    /// Halves, then quarters, and so on to single ones.
    fn take_out_troubles(&mut self) {
        let mut share = self.smallest.plan.troubles.len() / 2;
        while share > 0 {
            let mut from = 0;
            loop {
                let kept: Vec<usize> =
                    self.smallest.plan.troubles.iter().map(|it| it.number).collect();
                if from >= kept.len() || kept.len() == 1 {
                    break;
                }
                let to = (from + share).min(kept.len());
                let only = [&kept[..from], &kept[to..]].concat();
                let what = format!("with {} troubles", only.len());
                if only.is_empty() || !self.try_with(&what, |it| it.only = only) {
                    from = to;
                }
            }
            share /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Counts, Trouble, Verdict};

    fn report(plan: &Plan, fails: bool) -> Report {
        let verdict = if fails { Verdict::Diverged("planted".into()) } else { Verdict::Pass };
        let (hash, counts) = (String::new(), Counts::default());
        Report { seed: plan.seed, verdict, hash, events: 0, passed: plan.length.get(), counts }
    }

    /// A world that fails by one liar and two crashes is left with these, and the command draws it again.
    #[test]
    fn what_is_not_needed_is_taken_out() {
        let crash = |plan: &Plan| {
            let is_crash = |trouble: &Trouble| matches!(trouble, Trouble::Crash { .. });
            plan.troubles.iter().filter(|it| is_crash(&it.trouble)).count()
        };
        let fails = |plan: &Plan| plan.liars.len() == 1 && crash(plan) >= 2;
        let seeds = (0..).map(|seed| Plan::draw(seed, &Reduction::default()));
        let plan = seeds.into_iter().find(|plan| fails(plan) && plan.troubles.len() > 20).unwrap();
        let whole = Reduction::default();
        let found = search(plan.seed, &whole, |plan| report(plan, fails(plan)), |_| ()).unwrap();
        assert_eq!((found.plan.troubles.len(), crash(&found.plan)), (2, 2), "{}", found.plan);
        assert_eq!(found.plan.liars.len(), 1);
        let taken_out = &found.reduction.without;
        assert_eq!(taken_out.len(), Family::ALL.len() - 2, "{taken_out:?}");
        assert!(found.plan.length <= plan.length);
        assert_eq!(Plan::draw(plan.seed, &found.reduction), found.plan);
        assert!(found.tried < TRIES);
        let passes = search(plan.seed, &whole, |plan| report(plan, false), |_| ());
        assert!(passes.is_none());
    }
}
