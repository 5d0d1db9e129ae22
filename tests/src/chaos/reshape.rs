//! A consortium that changes while it works: seats given and taken, every key replaced, and what the
//! writers notice of it.

mod tally;

use super::{fire::longest_gap, fleet::Fleet, report::say};
use crate::{
    check,
    council::{self, Council},
    figures::millis,
    limits,
    load::{Acknowledged, Load, Loaded, Style},
    network::Network,
    trouble::{Trouble, ensure},
    writer::Writer,
};
use probata_types::{Height, catalogue::failure, object::MotionStatus};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tally::{Measured, Step, turn_ms};

/// Institutions that vote from the beginning, and those that get seats.
pub(super) const VALIDATORS: u16 = 4;
pub(super) const CANDIDATES: u16 = 3;
/// The nodes of all that ever vote.
const SEVEN: std::ops::Range<u16> = 0..VALIDATORS + CANDIDATES;
/// The institution for which the load writes.
const WRITER: u16 = 0;
/// Whose seats are given up in the end.
const LEAVERS: [u16; 3] = [0, 1, 2];
/// A validator that has its seat from the growing to the end and is never killed.
const WITNESS: usize = 6;
/// One of those that stay, which is killed.
const VICTIM: usize = 4;
/// Receipts of each writer between two steps.
const CALM: usize = 3;

/// How it is done.
#[derive(Debug, Clone)]
pub(super) struct Orders {
    pub(super) writers: usize,
    pub(super) pause: Duration,
    /// Heights from a motion to the change that it asks for.
    pub(super) lead: u64,
    /// Heights at which an old key for submissions is good beside the new one.
    pub(super) overlap: u64,
}

struct Reshape<'a> {
    fleet: &'a mut Fleet,
    load: Load,
    council: Council,
    orders: &'a Orders,
    steps: Vec<Step>,
    epoch: u64,
    refused: String,
    /// Acknowledged beside the load.
    beside: Vec<Acknowledged>,
}

/// Does it all, and proves in the end that nothing was lost.
///
/// # Errors
/// [`Trouble`] if something happens that must not.
pub(super) async fn measure(fleet: &mut Fleet, orders: &Orders) -> Result<Measured, Trouble> {
    for number in SEVEN {
        council::give_next_key(&fleet.network, number)?;
    }
    fleet.start_all().await?;
    let council = Council::of(&fleet.network)?;
    let nodes = (0..fleet.network.nodes().len()).collect();
    let Orders { writers, pause, .. } = *orders;
    let style = Style { writers, pause, nodes, clocks_are_off: false };
    let load = Load::in_style(&fleet.network, &style)?;
    let began = Instant::now();
    let (steps, beside, refused) = (Vec::new(), Vec::new(), String::new());
    let mut all = Reshape { fleet, load, council, orders, steps, epoch: 0, refused, beside };
    all.load.wait_for_more(&mut all.fleet.network, 5 * writers).await?;
    all.refuse().await?;
    all.grow().await?;
    all.replace_validator_keys().await?;
    all.replace_submission_keys().await?;
    all.shrink().await?;
    let seconds = began.elapsed().as_secs();
    let whole = longest_gap(&all.load.moments_since(began), began, Instant::now());
    let (height, acknowledged) = all.prove().await?;
    let parameters = all.fleet.network.genesis().parameters();
    let measured = Measured {
        view_timeout_ms: parameters.view_timeout.get(),
        retransmit_ms: parameters.retransmit.get(),
        seconds,
        height,
        acknowledged,
        epochs: all.epoch,
        submission_keys_rotated: u64::from(SEVEN.end) + 1,
        refused: all.refused,
        longest_gap_ms: millis(whole),
        longest_gap_of_a_change_ms: 0,
        turn_p50_ms: 0,
        turn_max_ms: 0,
        steps: all.steps,
    };
    Ok(measured.close())
}

impl Reshape<'_> {
    /// The candidates are down, and nobody sees them: a motion to seat them all would lose the quorum.
    async fn refuse(&mut self) -> Result<(), Trouble> {
        let began = self.begin().await?;
        for node in self.fleet.network.candidates() {
            self.fleet.network.stop(node).await?;
        }
        let join: Vec<u16> = (VALIDATORS..SEVEN.end).collect();
        let network = &self.fleet.network;
        let change = self.council.seats(network, &join, &[], council::FIRST_KEY)?;
        let status = self.council.decide(network, change, self.orders.lead).await?;
        self.refused = council::said(status);
        say(&self.refused);
        let expected = MotionStatus::Refused { code: failure::LIVE_QUORUM };
        ensure(status == expected, || format!("the motion is {}", self.refused))?;
        self.end("4 to 7 while the 3 are down: refused", began, None, false).await?;
        for node in self.fleet.network.candidates() {
            self.fleet.start(node)?;
        }
        let network = &mut self.fleet.network;
        network.wait_until_up().await?;
        network.wait_for_height(network.highest().await?).await.map(drop)
    }

    /// Four become seven, and each of them votes.
    async fn grow(&mut self) -> Result<(), Trouble> {
        let join: Vec<u16> = (VALIDATORS..SEVEN.end).collect();
        self.change_set("4 to 7", &join, &[], council::FIRST_KEY).await?;
        self.all_vote(SEVEN.end).await?;
        // Never two whose turns follow each other: that would cost two views, the second twice as long.
        let leader = self.fleet.network.leader(WITNESS).await?;
        let pair = if leader % 2 == 0 { [0, 2] } else { [1, 3] };
        self.kill("two of seven killed", &pair).await
    }

    /// Every validator gets another key in its seat, one after the other.
    async fn replace_validator_keys(&mut self) -> Result<(), Trouble> {
        for number in SEVEN {
            let name = self.fleet.network.nodes()[usize::from(number)].name.clone();
            let what = format!("validator key of {name}");
            self.change_set(&what, &[number], &[], council::NEXT_KEY).await?;
        }
        self.all_vote(SEVEN.end).await
    }

    /// Every institution gets another key for submissions. The writers go over to theirs while both are good.
    async fn replace_submission_keys(&mut self) -> Result<(), Trouble> {
        let mut rotations = Vec::new();
        for number in 0..=SEVEN.end {
            let began = self.begin().await?;
            let network = &mut self.fleet.network;
            let overlap = self.orders.overlap;
            let rotation = self.council.rotate_submission(network, number, overlap).await?;
            if number == WRITER {
                self.load.wait_for_more(network, self.orders.writers).await?;
                self.load.sign_with(rotation.new.clone());
                self.load.wait_for_more(network, self.orders.writers).await?;
                let height = network.highest().await?;
                ensure(height < rotation.until, || {
                    let until = rotation.until;
                    format!(
                        "the writers went over at height {height}, the old key is good until {until}"
                    )
                })?;
            }
            let name = network.nodes()[usize::from(number)].name.clone();
            let from = rotation.until - overlap;
            let what = format!("submission key of {name}");
            self.end(&what, began, Some(from), false).await?;
            rotations.push(rotation);
        }
        for rotation in &rotations {
            self.council.must_refuse(&mut self.fleet.network, rotation).await?;
        }
        Ok(())
    }

    /// Seven become four. Those that leave follow and serve; one of those that stay may fail.
    async fn shrink(&mut self) -> Result<(), Trouble> {
        self.change_set("7 to 4", &[], &LEAVERS, council::NEXT_KEY).await?;
        let writer = Writer::of(&self.fleet.network)?;
        for node in LEAVERS.map(usize::from) {
            let network = &self.fleet.network;
            let status = network.status(node).await?;
            ensure(status.me.is_none(), || format!("node {node} has left and votes: {status:?}"))?;
            let client = network.client(&[node], limits::PATIENCE)?;
            let receipt = client.submit(&writer.submission()?).await?;
            self.beside.extend(Acknowledged::all_of(&receipt));
        }
        self.all_vote(VALIDATORS).await?;
        self.kill("one of the four killed", &[VICTIM]).await
    }

    /// Moves a change of the set, and waits until it is in force everywhere.
    async fn change_set(
        &mut self,
        what: &str,
        join: &[u16],
        leave: &[u16],
        key: &str,
    ) -> Result<(), Trouble> {
        let began = self.begin().await?;
        let network = &mut self.fleet.network;
        let change = self.council.seats(network, join, leave, key)?;
        let first = self.council.approve(network, change, self.orders.lead).await?;
        council::wait_for_epoch(network, first).await?;
        self.epoch += 1;
        self.end(what, began, Some(first), false).await
    }

    /// Kills nodes, waits for receipts of heights that they cannot have sealed, and starts them again.
    async fn kill(&mut self, what: &str, nodes: &[usize]) -> Result<(), Trouble> {
        let began = self.begin().await?;
        self.fleet.network.kill(nodes).await?;
        let killed = self.fleet.network.highest().await?;
        let network = &mut self.fleet.network;
        network.wait_for_height(killed + 3).await?;
        self.end(what, began, None, true).await?;
        for node in nodes {
            self.fleet.start(*node)?;
        }
        let network = &mut self.fleet.network;
        network.wait_until_up().await?;
        network.wait_for_height(network.highest().await?).await.map(drop)
    }

    /// Waits until every place of the set has a vote in some seal of the epoch.
    async fn all_vote(&mut self, seats: u16) -> Result<(), Trouble> {
        let first = council::in_force(&self.fleet.network, WITNESS).await?.first;
        let client = self.fleet.network.client(&[WITNESS], limits::ANSWER)?;
        let (mut from, mut voted) = (Height::new(first), BTreeSet::new());
        let what = format!("a vote of each of the {seats}");
        let everybody = async |_: &Network| {
            let headers = client.headers(from, 100).await?;
            for sealed in &headers {
                voted.extend(sealed.seal.votes.iter().map(|vote| vote.validator.0));
                from = sealed.header.height.next();
            }
            Ok(voted.len() == usize::from(seats))
        };
        self.fleet.network.wait_for(&what, everybody).await.map(drop)
    }

    async fn begin(&mut self) -> Result<(Instant, u64), Trouble> {
        self.load.check()?;
        let began = Instant::now();
        let receipts = CALM * self.orders.writers;
        self.load.wait_for_more(&mut self.fleet.network, receipts).await?;
        Ok((began, self.fleet.network.status(WITNESS).await?.view_changes))
    }

    async fn end(
        &mut self,
        what: &str,
        (began, views): (Instant, u64),
        from: Option<u64>,
        killed: bool,
    ) -> Result<(), Trouble> {
        let receipts = CALM * self.orders.writers;
        self.load.wait_for_more(&mut self.fleet.network, receipts).await?;
        let moments = self.load.moments_since(began);
        let left = match self.fleet.network.running().contains(&WITNESS) {
            true => self.fleet.network.status(WITNESS).await?.view_changes.saturating_sub(views),
            false => 0,
        };
        let step = Step {
            what: what.to_owned(),
            from,
            took_ms: millis(began.elapsed()),
            gap_ms: millis(longest_gap(&moments, began, Instant::now())),
            turn_ms: turn_ms(&moments, from),
            views_left: left,
            killed,
        };
        say(&step.line());
        self.steps.push(step);
        Ok(())
    }

    /// Everything acknowledged is on every node, with evidence that shows every change; all nodes have one
    /// chain, start again from their disks, and their disks are clean. The height, and the records.
    async fn prove(&mut self) -> Result<(u64, usize), Trouble> {
        let mut loaded = self.load.end().await?;
        let bank = self.council.acknowledged.iter().filter(|(number, _)| *number == WRITER);
        let by_bank = bank.map(|(_, one)| *one).chain(self.beside.iter().copied());
        let loaded = Loaded {
            acknowledged: loaded.acknowledged.drain(..).chain(by_bank).collect(),
            open: loaded.open,
        };
        let others = self.council.acknowledged.iter().filter(|(number, _)| *number != WRITER);
        let mut everything = loaded.acknowledged.clone();
        everything.extend(others.map(|(_, one)| *one));
        say(&format!("checking {} records on every node", everything.len()));
        let network = &mut self.fleet.network;
        check::one_chain(network).await?;
        check::all_hold(network, &everything).await?;
        check::nothing_else(network, &loaded).await?;
        for node in network.running() {
            let client = network.client(&[node], limits::ANSWER)?;
            for one in [everything.first(), everything.last()].into_iter().flatten() {
                let shown = client.evidence(&one.record, false).await?.sets.len();
                ensure(shown as u64 == self.epoch, || {
                    format!("node {node} shows {shown} changes of the set, not {}", self.epoch)
                })?;
            }
        }
        self.restart().await?;
        let height = check::one_chain(&mut self.fleet.network).await?;
        self.fleet.network.stop_and_check().await?;
        Ok((height, everything.len()))
    }

    async fn restart(&mut self) -> Result<(), Trouble> {
        for node in self.fleet.network.running() {
            self.fleet.network.stop(node).await?;
        }
        self.fleet.start_all().await?;
        let network = &mut self.fleet.network;
        let client = network.client(&network.running(), limits::PATIENCE)?;
        let receipt = client.submit(&Writer::of(network)?.submission()?).await?;
        network.wait_for_height(receipt.height().get()).await.map(drop)
    }
}
