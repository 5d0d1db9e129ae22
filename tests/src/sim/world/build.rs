//! How a world begins: its nodes, with the keys they have and the liars among them.

use super::{Node, Told, World, governance};
use crate::{
    consortium::{self, Purpose},
    gate::Gate,
    governance::later,
    history::History,
    machine::Machine,
    seed::Seeded,
    sim::{
        clients::Clients,
        liars::Voice,
        network::{self, Links},
        plan::{Plan, Step},
        promises::Promises,
        report::Counts,
        roster::Roster,
        trace::Trace,
    },
    trouble::Trouble,
    watch::Watch,
};
use probata_types::{Height, Keypair, Millis};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

impl<'w> World<'w> {
    pub(super) fn new(plan: &'w Plan, trace: &'w mut Trace) -> Result<Self, Trouble> {
        let mut random = Seeded::new(plan.seed ^ 0x776f_726c_6421);
        let members = 1 + plan.candidates;
        let parameters = plan.parameters.clone();
        let genesis = Arc::new(consortium::genesis_of(plan.validators, members, parameters));
        let gate = Gate::new(Arc::clone(&genesis));
        let number = plan.validators + members;
        let roster = Rc::new(Roster::new(number, gate.epoch_at(Height::ZERO).clone()));
        let camp = camp(&mut random, plan);
        let mut nodes = Vec::new();
        for number in 0..number {
            let at = usize::from(number);
            let voice = Voice {
                node: at,
                genesis: Arc::clone(&genesis),
                random: random.fork(),
                camp,
                keys: keys(plan, number),
                roster: Rc::clone(&roster),
            };
            let lie = plan.liars.get(&at);
            nodes.push(Node {
                machine: Machine::with_keys(number, voice.keys.clone())?,
                clock: plan.clocks[at],
                liar: lie.map(|lie| lie.liar(voice)),
                promises: Promises::default(),
                peers: governance::Peers::default(),
                due: Millis::MAX,
                frozen_until: Millis::ZERO,
                fetches: BTreeMap::new(),
                when_broken: None,
                told: Told::default(),
            });
        }
        let places = nodes.iter().enumerate().map(|(at, node)| (node.machine.id, at)).collect();
        Ok(Self {
            now: Millis::ZERO,
            places,
            history: History::default(),
            watch: Watch::default(),
            links: Links::new(plan.weather.clone(), nodes.len(), &mut random),
            witness: None,
            clients: Clients::new(genesis.chain(), random.fork()),
            gate,
            roster,
            moved: Vec::new(),
            nodes,
            queue: BTreeMap::new(),
            serial: 0,
            random,
            trace,
            counts: Counts::default(),
            faults: BTreeSet::new(),
            plan,
        })
    }
}

/// Half of those that may vote, for liars to tell something else.
fn camp(random: &mut Seeded, plan: &Plan) -> u32 {
    let mut order: Vec<usize> = (0..plan.nodes()).filter(|node| plan.may_vote(*node)).collect();
    random.shuffle(&mut order);
    network::set(&order[..order.len() / 2])
}

/// The keys with which a node may come to vote.
fn keys(plan: &Plan, number: u16) -> Vec<Keypair> {
    let at = usize::from(number);
    let first = plan.may_vote(at).then(|| consortium::pair(number, Purpose::Validator));
    let later = plan.motions().filter_map(|(_, motion)| match motion.step {
        Step::Rekey { node, generation } if node == at => {
            Some(later(number, Purpose::Validator, generation))
        }
        _ => None,
    });
    first.into_iter().chain(later).collect()
}
