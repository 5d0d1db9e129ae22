//! Named situations: what an operator would ask about, one a test.

use crate::{
    fixtures::{HEARTBEAT, VIEW_TIMEOUT, submission, view},
    liar::Lie,
    world::{Network, World},
};
use probata_types::Height;

fn height(number: u64) -> Height {
    Height::new(number)
}

fn reaches(world: &mut World, goal: u64, within: u64) -> bool {
    let end = world.now + within;
    world.run_until(end, |world| world.lowest() >= height(goal))
}

#[test]
fn work_is_sealed_at_once_and_stays_in_the_first_view() {
    let mut world = World::new(4, 0, 1);
    for number in 1..=20 {
        world.submit(number);
        assert!(reaches(&mut world, number, 300), "submission {number}");
    }
    assert!(world.nodes.iter().all(|node| node.view() == view(0)));
    let sealed: Vec<_> =
        world.nodes[3].blocks.iter().flat_map(|it| it.proposal.submissions.to_vec()).collect();
    assert_eq!(sealed, (1..=20).map(submission).collect::<Vec<_>>(), "each once, in order");
}

#[test]
fn an_idle_chain_seals_a_block_every_heartbeat() {
    let mut world = World::new(4, 0, 2);
    world.run(10 * HEARTBEAT + 500);
    let (lowest, highest) = (world.lowest().get(), world.highest().get());
    assert!((9..=10).contains(&lowest) && highest <= 10, "{lowest} to {highest}");
    assert!(world.nodes.iter().all(|node| node.view() == view(0)));
}

#[test]
fn with_rotation_every_validator_proposes() {
    let mut world = World::new(4, 2, 3);
    for number in 1..=16 {
        world.submit(number);
        assert!(reaches(&mut world, number, 300));
    }
    for place in 0..4 {
        let proposer = crate::fixtures::index(place);
        let its = world.nodes[0].blocks.iter().filter(|it| it.header.proposer == proposer);
        assert_eq!(its.count(), 4, "validator {place}");
    }
}

#[test]
fn a_dead_leader_costs_one_timeout_and_not_one_a_height() {
    let mut world = World::new(4, 0, 4);
    world.liars.insert(0, Lie::Mute);
    world.stop(0);
    world.submit(1);
    assert!(reaches(&mut world, 1, VIEW_TIMEOUT + 500));
    for number in 2..=10 {
        world.submit(number);
        assert!(reaches(&mut world, number, 300), "the view stays");
    }
}

#[test]
fn as_many_dead_leaders_as_may_be_are_passed_over() {
    for (n, dead) in [(4, 1), (7, 2), (10, 3)] {
        let mut world = World::new(n, 0, 5);
        for node in 0..dead {
            world.liars.insert(node, Lie::Mute);
        }
        world.submit(1);
        assert!(reaches(&mut world, 1, 10 * VIEW_TIMEOUT), "n = {n}");
    }
}

#[test]
fn with_more_dead_than_may_be_the_chain_waits_and_goes_on_when_they_are_back() {
    let mut world = World::new(4, 0, 6);
    world.stop(2);
    world.stop(3);
    world.submit(1);
    world.run(60_000);
    assert_eq!(world.highest(), Height::ZERO, "two of four seal nothing");
    world.start(2);
    world.start(3);
    assert!(reaches(&mut world, 2, 30_000));
}

#[test]
fn an_equivocating_leader_is_found_out_and_left() {
    let mut world = World::new(4, 0, 7);
    world.liars.insert(0, Lie::Equivocator);
    for number in 1..=5 {
        world.submit(number);
        assert!(reaches(&mut world, number, 20_000), "submission {number}");
    }
    assert!(world.nodes[1].view() > view(0));
}

#[test]
fn one_that_says_yes_to_all_is_shown_to_be_at_fault() {
    let mut world = World::new(4, 0, 8);
    world.liars.insert(0, Lie::Equivocator);
    world.submit(1);
    world.run(20_000);
    world.liars.insert(0, Lie::YesToAll);
    world.submit(2);
    assert!(reaches(&mut world, 2, 20_000));
    let set = crate::fixtures::set(4);
    for fault in world.nodes.iter().flat_map(|node| &node.faults) {
        assert_eq!(fault.verify(&set), Ok(()));
        assert_eq!(fault.validator, crate::fixtures::index(0), "only the liar is accused");
    }
}

#[test]
fn a_censoring_leader_is_replaced() {
    let mut world = World::new(4, 0, 9);
    world.nodes[0].censors = true;
    for node in &mut world.nodes {
        node.inclusion_deadline = Some(2 * HEARTBEAT);
    }
    world.submit(1);
    let end = world.now + 6 * HEARTBEAT;
    let taken = |world: &World| {
        let mut blocks = world.nodes[3].blocks.iter();
        blocks.any(|block| !block.proposal.submissions.is_empty())
    };
    assert!(world.run_until(end, taken), "another leader takes it in");
    assert!(world.nodes[3].view() > view(0));
}

#[test]
fn a_validator_whose_clock_is_off_keeps_following() {
    let mut world = World::new(4, 0, 10);
    world.nodes[2].set_clock_far_off();
    for number in 1..=10 {
        world.submit(number);
        assert!(reaches(&mut world, number, 2_000), "submission {number}");
    }
}

#[test]
fn a_leader_whose_clock_is_off_is_passed_over() {
    let mut world = World::new(4, 0, 11);
    world.nodes[0].set_clock_far_off();
    world.submit(1);
    assert!(reaches(&mut world, 1, 5 * VIEW_TIMEOUT));
    assert!(world.nodes[1].view() > view(0));
}

#[test]
fn a_validator_that_was_away_catches_up() {
    let mut world = World::new(4, 0, 12);
    world.split(&[3]);
    for number in 1..=8 {
        world.submit(number);
        world.run(500);
    }
    assert_eq!((world.highest(), world.lowest()), (height(8), Height::ZERO));
    world.heal();
    assert!(reaches(&mut world, 9, 3 * HEARTBEAT));
}

#[test]
fn a_validator_that_was_away_for_long_votes_again_in_the_view_of_the_others() {
    let mut world = World::new(4, 0, 13);
    world.split(&[3]);
    world.submit(1);
    world.run(100_000);
    world.heal();
    world.submit(2);
    world.run(2 * HEARTBEAT);
    world.liars.insert(0, Lie::Mute);
    world.stop(0);
    let goal = world.highest().get() + 3;
    world.submit(3);
    assert!(reaches(&mut world, goal, 60_000), "three of four must do without a quorum to spare");
}

#[test]
fn in_two_halves_nothing_is_sealed_and_after_healing_everything_is() {
    let mut world = World::new(4, 0, 14);
    world.submit(1);
    assert!(reaches(&mut world, 1, 300));
    world.split(&[0, 1]);
    world.submit(2);
    world.run(60_000);
    assert_eq!(world.highest(), height(1));
    world.heal();
    assert!(reaches(&mut world, 3, 30_000));
}

#[test]
fn after_a_power_cut_for_all_the_chain_goes_on() {
    for at in [3, 17, 29, 43, 61, 200] {
        let mut world = World::new(4, 0, 15 + at);
        world.submit(1);
        world.run(at);
        for node in 0..4 {
            world.stop(node);
        }
        for node in 0..4 {
            world.start(node);
        }
        assert!(reaches(&mut world, 2, 40_000), "cut after {at} ms");
    }
}

#[test]
fn a_crash_at_any_operation_of_leader_or_voter_contradicts_nothing() {
    for node in [0, 1, 2] {
        for operations in 0..40 {
            let mut world = World::new(4, 0, 1_000 + operations);
            world.nodes[node].crash_after = Some(operations);
            world.submit(1);
            world.run(200);
            world.submit(2);
            world.run(200);
            world.come_back(node);
            assert!(reaches(&mut world, 3, 30_000), "{node} after {operations}");
        }
    }
}

#[test]
fn a_crash_at_any_operation_of_a_view_change_contradicts_nothing() {
    for node in [1, 2] {
        for operations in 0..40 {
            let mut world = World::new(4, 0, 2_000 + operations);
            world.network = Network { delay: (1, 60), ..Network::CALM };
            world.liars.insert(0, Lie::Withholder);
            world.submit(1);
            world.run(45);
            world.stop(0);
            world.nodes[node].crash_after = Some(operations);
            world.run(3 * VIEW_TIMEOUT);
            world.come_back(node);
            world.submit(2);
            assert!(reaches(&mut world, 2, 60_000), "{node} after {operations}");
        }
    }
}
