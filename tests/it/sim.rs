//! The simulator: worlds that pass, worlds that are repeated, and worlds that must not pass.

use crate::{MUTANTS, SIM};
use probata_tests::sim::{self, Counts, Lie, Plan, Reduction, Report, Step, Trace, Verdict};
use std::{collections::BTreeMap, process::Command, thread};

/// Seeds of every run of the tests; .ci/run has more, and `just sim-nightly` many.
const SEEDS: u64 = 24;
/// Worlds at the same time.
const JOBS: u64 = 2;

fn play(plan: &Plan) -> Report {
    sim::run(plan, &mut Trace::silent())
}

fn drawn(seed: u64) -> Plan {
    Plan::draw(seed, &Reduction::default())
}

/// In this world a replayer hands a time-bender its own words.
#[test]
fn a_liar_does_not_answer_itself() {
    let report = play(&drawn(1344));
    assert!(report.verdict.is_pass(), "{}", report.verdict);
}

#[test]
fn worlds_pass_and_are_hostile() {
    let seeds = |job: u64| (0..SEEDS).filter(move |seed| seed % JOBS == job);
    let reports: Vec<Report> = thread::scope(|scope| {
        let job = |job| scope.spawn(move || seeds(job).map(|it| play(&drawn(it))).collect());
        let jobs: Vec<thread::ScopedJoinHandle<'_, Vec<Report>>> = (0..JOBS).map(job).collect();
        jobs.into_iter().flat_map(|job| job.join().expect("a world catches its panics")).collect()
    });
    let mut counts = Counts::default();
    for report in &reports {
        let seed = report.seed;
        assert!(report.verdict.is_pass(), "sim {seed}: {}", report.verdict);
        counts.take_in(&report.counts);
    }
    for what in [
        "power cuts",
        "disk failures",
        "torn writes",
        "cuts",
        "freezes",
        "view changes asked for",
        "views opened",
        "faults proved",
        "lies told",
        "heights sealed",
        "submissions acknowledged",
    ] {
        assert!(counts.of(what) > 0, "no {what} in {SEEDS} worlds:\n{counts}");
    }
    sets_change_in_bad_weather(&reports);
    println!("{counts}");
}

/// P24: in a quarter of all worlds at least another validator set takes over, and in these worlds everything
/// else goes wrong, too.
fn sets_change_in_bad_weather(reports: &[Report]) {
    let counts = reports.iter().map(|report| &report.counts);
    let changed: Vec<&Counts> = counts.filter(|it| it.of("epochs begun") > 0).collect();
    assert!(4 * changed.len() >= reports.len(), "{} of {}", changed.len(), reports.len());
    for what in [
        "lies told",
        "power cuts",
        "disk failures",
        "cuts",
        "freezes",
        "views opened",
        "ballots cast",
    ] {
        let with = changed.iter().filter(|it| it.of(what) > 0).count();
        assert!(with > 0, "no {what} in {} worlds whose validator set changes", changed.len());
    }
}

/// What is drawn, not what comes of it: each kind of change, by motions that institutions vote on.
#[test]
fn every_kind_of_motion_is_drawn_among_all_else() {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut with, mut hostile) = (0, 0);
    for plan in (0..500).map(drawn) {
        let motions: Vec<Step> = plan.motions().map(|(_, motion)| motion.step).collect();
        with += u64::from(!motions.is_empty());
        hostile += u64::from(!motions.is_empty() && !plan.liars.is_empty());
        for step in motions {
            let kind = match step {
                Step::Join(_) => "join",
                Step::Leave(_) => "leave",
                Step::Swap { .. } => "swap",
                Step::Rekey { .. } => "rekey",
                Step::Rotate { .. } => "rotate",
            };
            *kinds.entry(kind).or_default() += 1;
        }
    }
    assert!((200..300).contains(&with), "{with} of 500 worlds");
    assert!(hostile > 100, "liars in {hostile} of them");
    assert!(kinds.len() == 5 && kinds.values().all(|count| *count > 25), "{kinds:?}");
}

#[test]
fn every_kind_of_liar_is_drawn() {
    let mut drawn_liars: BTreeMap<Lie, u64> = BTreeMap::new();
    for seed in 0..500 {
        for lie in drawn(seed).liars.values() {
            *drawn_liars.entry(*lie).or_default() += 1;
        }
    }
    assert!(Lie::ALL.iter().all(|lie| drawn_liars.get(lie) > Some(&10)), "{drawn_liars:?}");
}

#[test]
fn a_seed_is_one_world_event_for_event() {
    let reports = [3, 11, 17, 21].map(|seed| play(&drawn(seed)));
    for Report { seed, hash, .. } in &reports {
        assert_eq!(&play(&drawn(*seed)).hash, hash, "seed {seed} is another world the second time");
        assert_eq!(reports.iter().filter(|other| other.hash == *hash).count(), 1);
    }
    let epochs = reports.iter().map(|report| report.counts.of("epochs begun"));
    assert!(epochs.max() > Some(0), "in none of them the validator set changes");
}

/// Four validators of which two lie: more than may. Whoever plays them must not say that it passes.
fn too_many(lie: Lie, seed: u64) -> Verdict {
    let mut plan = Plan::draw(seed, &Reduction { nodes: Some(4), ..Reduction::default() });
    plan.liars = BTreeMap::from([(0, lie), (1, lie)]);
    plan.off.clear();
    plan.jumping.clear();
    play(&plan).verdict
}

#[test]
fn two_splitters_of_four_fork_the_chain_and_are_seen() {
    let forks = (0..40).any(|seed| {
        let verdict = too_many(Lie::Splitter, seed);
        matches!(verdict, Verdict::Diverged(why) if why.starts_with("two headers are sealed"))
    });
    assert!(forks, "no world shows the fork that two splitters of four can make");
}

#[test]
fn two_mutes_of_four_stop_the_chain_and_are_seen() {
    // Some mutes are silent only while they lead: then the others lead, and it goes on.
    let verdicts: Vec<Verdict> = (0..10).map(|seed| too_many(Lie::Mute, seed)).collect();
    let stopped = verdicts.iter().filter(|it| matches!(it, Verdict::NoProgress(_))).count();
    let passed = verdicts.iter().filter(|it| matches!(it, Verdict::Pass)).count();
    assert!(stopped > 0, "no world shows the stop that two mutes of four can make");
    assert_eq!(stopped + passed, verdicts.len(), "nothing is contradicted: {verdicts:?}");
}

fn ended(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(SIM).args(arguments).output().expect("it was built with the tests");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_command_tells_a_story_counts_and_ends_as_it_says() {
    let (code, story) = ended(&["3"]);
    assert_eq!(code, Some(0), "{story}");
    for word in
        ["validators", "t=0.000s  node 0 starts at height 0", "seals height", "Pass", "hash"]
    {
        assert!(story.contains(word), "no {word:?} in {story}");
    }
    let (code, json) = ended(&["--seeds", "3..5", "--jobs", "2", "--json"]);
    let summary: serde_json::Value = serde_json::from_str(&json).expect("one document");
    assert_eq!((code, &summary["verdicts"]["Pass"]), (Some(0), &2.into()), "{json}");
    let wrong: [&[&str]; 4] =
        [&[], &["--seeds", "5..3"], &["3", "--seeds", "0..2"], &["3", "--nodes", "3"]];
    for wrong in wrong {
        assert_eq!(ended(wrong).0, Some(2), "{wrong:?}");
    }
}

#[test]
fn an_ordinary_build_holds_no_mistakes_and_says_how_one_does() {
    let output = Command::new(MUTANTS).output().expect("it was built with the tests");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("just mutants") && said.contains("tests/mutants/rustc"), "{said}");
    assert_eq!(ended(&["3", "--mistake", "JoinAtF"]).0, Some(2));
}
