//! Hundreds of worlds, each drawn from one number: first everything goes wrong at once and nobody may
//! contradict anybody; then it stops, and a quorum must go on within a stated bound.

use crate::{
    fixtures::{HEARTBEAT, VIEW_TIMEOUT_CAP},
    liar::Lie,
    world::{Network, World},
};

/// How long the bad time lasts, in milliseconds.
const TROUBLE: u64 = 10_000;

/// How long a quorum may take to seal two blocks more after the bad time: the chain may be idle for a
/// heartbeat before each; finding f lying leaders, one that is off and those on the way to the view of the
/// foremost may take the longest timeout each, twice.
fn patience(n: usize) -> u64 {
    let f = (n as u64 - 1) / 3;
    (f + 3) * 2 * VIEW_TIMEOUT_CAP + 3 * HEARTBEAT
}

fn draw(n: usize, seed: u64) -> World {
    let rotation = [0, 0, 1, 3][usize::try_from(seed % 4).expect("small")];
    let mut world = World::new(n, rotation, seed);
    let f = (n - 1) / 3;
    let mut faulty = world.rng.place(f + 1);
    if faulty > 0 && world.rng.chance(300) {
        let node = world.rng.place(n);
        world.nodes[node].set_clock_far_off();
        world.off = Some(node);
        faulty -= 1;
    }
    while faulty > 0 {
        let node = world.rng.place(n);
        if world.off != Some(node) && !world.liars.contains_key(&node) {
            let lie = Lie::drawn(&mut world.rng);
            world.liars.insert(node, lie);
            faulty -= 1;
        }
    }
    let slowest = world.rng.between(20, 500);
    world.network = Network {
        delay: (1, slowest),
        loss: [0, 0, 50, 150, 300][world.rng.place(5)],
        repeat: 50,
        change: 20,
    };
    world
}

/// One misfortune.
fn trouble(world: &mut World, submissions: u64) {
    let n = world.nodes.len();
    match world.rng.between(0, 10) {
        0..=3 => world.submit(submissions),
        4..=6 => {
            let node = world.rng.place(n);
            let left = world.rng.between(0, 60);
            world.nodes[node].crash_after = Some(left);
            let delay = world.rng.between(100, 4_000);
            world.start_later(node, delay);
        }
        7 => {
            let size = world.rng.between(1, n as u64);
            let group: Vec<usize> = (0..size).map(|_| world.rng.place(n)).collect();
            world.split(&group);
        }
        8 => {
            let network = world.network;
            world.heal();
            world.network = network;
        }
        _ => {
            let node = world.rng.place(n);
            world.stop(node);
            let delay = world.rng.between(0, 2_000);
            world.start_later(node, delay);
        }
    }
}

fn check(n: usize, seed: u64) {
    let mut world = draw(n, seed);
    let mut submissions = 0;
    while world.now < TROUBLE {
        let pause = world.rng.between(50, 900);
        world.run(pause);
        submissions += 1;
        trouble(&mut world, submissions);
    }
    world.heal();
    for node in 0..n {
        world.come_back(node);
    }
    world.submit(submissions + 1);
    let goal = world.highest().next().next();
    let end = world.now + patience(n);
    let went_on = world.run_until(end, |world| world.lowest() >= goal);
    let heights: Vec<_> = world
        .nodes
        .iter()
        .map(|node| (node.height(), node.replica.as_ref().map(|it| it.status())))
        .collect();
    assert!(
        went_on,
        "no progress: n = {n}, seed {seed}, goal {goal}, liars {:?}, off {:?}, {heights:#?}",
        world.liars, world.off
    );
}

fn check_all(n: usize, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if let Err(reason) = std::panic::catch_unwind(|| check(n, seed)) {
            let text = reason.downcast_ref::<String>().cloned();
            let text = text.or_else(|| reason.downcast_ref::<&str>().map(ToString::to_string));
            panic!("n = {n}, seed {seed}: {}", text.unwrap_or_default());
        }
    }
}

#[test]
fn four_validators_agree_and_go_on() {
    check_all(4, 0..150);
}

#[test]
fn five_validators_agree_and_go_on() {
    check_all(5, 0..80);
}

#[test]
fn seven_validators_agree_and_go_on() {
    check_all(7, 0..60);
}

#[test]
fn ten_validators_agree_and_go_on() {
    check_all(10, 0..30);
}
