//! Validators in virtual time: production replicas, real messages in their real encodings, real signatures; a
//! network with delay and bandwidth, and processors and disks that take their time.
//!
//! Nothing fails here and nobody lies: that is the business of [`crate::sim`]. All of it follows from the
//! setting; the same setting gives the same figures.

use super::{
    queues::Queues,
    setting::{Load, Setting},
    supply::{CHAIN, Supply},
    validator::{Command, Effect, Validator, count},
};
use crate::{
    consortium::{self, Purpose, SUITE},
    limits,
    seed::Seeded,
    trouble::{Trouble, ensure},
};
use probata_consensus::Message;
use probata_node::wire::{self, Bulk, Consensus};
use probata_types::{
    List, Proposal, Submission, ValidatorSet, Verified, View, validator::Validator as Seat,
};
use std::{collections::BTreeMap, sync::Arc};

mod seen;

pub use seen::Seen;
use seen::Tally;

/// Bytes of the length before a frame.
const LENGTH: u64 = 4;
/// Nanoseconds from an answer to the next request of a client that always has more.
const CLIENT_PAUSE: u64 = 1_000_000;
/// Blocks' worth of submissions on their way at once at the ceiling, times two.
const HALF_BLOCKS_AHEAD: usize = 8;
/// Submissions of one request of a client.
const REQUEST: usize = 256;

/// A frame on its way.
#[derive(Debug)]
struct Frame {
    bytes: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Vote(Verified<Message>),
    /// A proposal, and whether it only names its submissions.
    Proposal(Verified<Message>, bool),
    Submissions(Vec<Submission>),
}

#[derive(Debug)]
enum Event {
    /// Clients have so many new submissions for a validator.
    Due(usize, usize),
    /// The last byte of a frame comes to the link of a validator.
    Frame(usize, Arc<Frame>),
    /// A proposal was read.
    Read(usize, Arc<Frame>),
    /// Something was checked.
    Checked(usize, Command),
    /// The chain thread is done with something.
    Done(usize, Vec<Effect>),
    /// Something may be due.
    Wake(usize),
}

/// See the module's page.
pub(super) struct World {
    setting: Setting,
    set: ValidatorSet,
    supply: Supply,
    random: Seeded,
    now: u64,
    events: BTreeMap<(u64, u64), Event>,
    serial: u64,
    validators: Vec<Validator>,
    queues: Vec<Queues>,
    /// Proposals that wait at a validator for a submission that they name.
    waiting: Vec<Vec<Arc<Frame>>>,
    /// When each submission was due, and where.
    born: Vec<(u64, usize)>,
    tally: Tally,
}

impl World {
    /// Plays a setting for so many blocks after so many to begin with.
    ///
    /// # Errors
    /// [`Trouble`] if the validators cannot do what they are offered.
    pub(super) fn play(setting: Setting, warm_up: u64, blocks: u64) -> Result<Seen, Trouble> {
        let supply = Supply::new(setting.records_per_submission)?;
        let set = set(setting.validators);
        let bytes = supply.mean_bytes();
        let validator = |place| Validator::new(setting, &set, place, bytes);
        let mut world = Self {
            validators: (0..setting.validators).map(validator).collect(),
            queues: vec![Queues::new(setting.costs); setting.validators],
            waiting: (0..setting.validators).map(|_| Vec::new()).collect(),
            setting,
            set,
            supply,
            random: Seeded::new(1),
            now: 0,
            events: BTreeMap::new(),
            serial: 0,
            born: Vec::new(),
            tally: Tally::new(setting.validators, warm_up, blocks),
        };
        world.begin(bytes);
        for _ in 0..limits::SCALE_EVENTS {
            if world.tally.is_complete() {
                let left = world.validators.iter().any(|it| it.view() != View::ZERO);
                ensure(!left, || "a view was left: the load is too much".to_owned())?;
                return Ok(world.tally.seen());
            }
            let Some(((now, _), event)) = world.events.pop_first() else { break };
            assert!(now >= world.now, "time goes on");
            world.now = now;
            world.happen(event)?;
        }
        Err(Trouble::new("the validators do not seal as many blocks as they should"))
    }

    fn begin(&mut self, bytes: u64) {
        let validators = self.setting.validators;
        for place in 0..validators {
            match self.setting.load {
                Load::Offered(_) => {
                    let first = self.random.between(0, 2 * self.interval());
                    self.later(first, Event::Due(place, 1));
                }
                Load::Full => {
                    let ahead = self.setting.most_submissions(bytes) * HALF_BLOCKS_AHEAD / 2;
                    self.later(0, Event::Due(place, ahead.div_ceil(validators)));
                }
            }
        }
    }

    /// Nanoseconds between two submissions at one validator.
    fn interval(&self) -> u64 {
        let Load::Offered(records) = self.setting.load else { return 0 };
        let together = (self.setting.validators * self.setting.records_per_submission) as u64;
        together * 1_000_000_000 / records
    }

    fn later(&mut self, wait: u64, event: Event) {
        self.at(self.now + wait, event);
    }

    fn at(&mut self, time: u64, event: Event) {
        self.serial += 1;
        self.events.insert((time, self.serial), event);
    }

    fn happen(&mut self, event: Event) -> Result<(), Trouble> {
        match event {
            Event::Due(place, count) => self.due(place, count),
            Event::Frame(to, frame) => self.arrives(to, frame),
            Event::Read(to, frame) => self.read(to, frame),
            Event::Checked(to, command) => {
                self.validators[to].take(command);
                self.go_on(to);
            }
            Event::Done(place, effects) => {
                for effect in effects {
                    self.obey(place, effect)?;
                }
                self.look_again(place);
                self.go_on(place);
            }
            Event::Wake(place) => self.go_on(place),
        }
        Ok(())
    }

    /// Lets a chain thread do the next thing, or wait for what is due.
    fn go_on(&mut self, place: usize) {
        if let Some(job) = self.validators[place].work(self.now) {
            self.later(job.length, Event::Done(place, job.effects));
        } else if let Some(due) = self.validators[place].deadline()
            && due > self.now
        {
            self.at(due, Event::Wake(place));
        }
    }

    fn due(&mut self, place: usize, count: usize) {
        if let Load::Offered(_) = self.setting.load {
            let pause = self.random.between(0, 2 * self.interval());
            self.later(pause, Event::Due(place, 1));
        }
        let mut left = count;
        while left > 0 {
            let some = left.min(REQUEST);
            left -= some;
            let numbers = self.born.len()..self.born.len() + some;
            self.born.extend(std::iter::repeat_n((self.now, place), some));
            let submissions = numbers.map(|number| self.supply.submission(number)).collect();
            self.check(place, self.now, submissions, true);
        }
    }

    fn check(&mut self, place: usize, now: u64, submissions: Vec<Submission>, own: bool) {
        let (count, records) = count(&submissions);
        self.tally.submission_checks += count;
        let checked = self.queues[place].check_submissions(now, count, records);
        self.at(checked, Event::Checked(place, Command::Submissions { submissions, own }));
    }

    fn arrives(&mut self, to: usize, frame: Arc<Frame>) {
        let here = self.queues[to].take(self.now, frame.bytes);
        match &frame.content {
            Content::Vote(message) => {
                self.tally.vote_checks += 1;
                let checked = self.queues[to].check_vote(here);
                self.at(checked, Event::Checked(to, Command::Message(Box::new(message.clone()))));
            }
            Content::Proposal(..) => {
                let read = self.queues[to].read_proposal(here);
                self.at(read, Event::Read(to, frame));
            }
            Content::Submissions(submissions) => self.check(to, here, submissions.clone(), false),
        }
    }

    /// A proposal that names its submissions waits until they are here; of one that holds them, those that are
    /// not here are checked.
    fn read(&mut self, to: usize, frame: Arc<Frame>) {
        let Content::Proposal(message, named) = &frame.content else { return };
        let proposal = message.proposal().expect("it is one");
        let missing = proposal.submissions.iter().filter(|it| !self.validators[to].holds(it));
        let missing = missing.count() as u64;
        if *named && missing > 0 {
            self.waiting[to].push(frame);
            return;
        }
        self.tally.vote_checks += 1;
        self.tally.submission_checks += missing;
        let submissions = proposal.submissions.len() as u64;
        let checked = self.queues[to].check_proposal(self.now, submissions, missing);
        self.at(checked, Event::Checked(to, Command::Message(Box::new(message.clone()))));
    }

    fn look_again(&mut self, place: usize) {
        for frame in std::mem::take(&mut self.waiting[place]) {
            self.read(place, frame);
        }
    }

    fn obey(&mut self, place: usize, effect: Effect) -> Result<(), Trouble> {
        match effect {
            Effect::Broadcast(message) => {
                let frame = self.frame(message)?;
                for to in (0..self.setting.validators).filter(|to| *to != place) {
                    self.send(place, to, &frame);
                }
            }
            Effect::Send(to, message) => {
                let frame = self.frame(message)?;
                self.send(place, to, &frame);
            }
            Effect::HandOn(submissions) => self.hand_on(place, submissions),
            Effect::Sealed { header, proposal, seal_bytes } => {
                let records = u64::from(header.record_count);
                self.tally.sealed(place, self.now, header.height.get(), (records, seal_bytes));
                self.answer(place, header.height.get(), &proposal);
            }
            // A block that takes longer than a retransmission interval: its own commit is sooner than any answer.
            Effect::Fetch => {}
        }
        Ok(())
    }

    /// The frame of a message: its bytes, and the check of the edge, once for all who get it.
    fn frame(&self, message: Message) -> Result<Arc<Frame>, Trouble> {
        let frame = Consensus::of(&message);
        let bytes = LENGTH + frame.encode().len() as u64;
        let named = matches!(frame, Consensus::Named { .. });
        let verified = message.verify(SUITE, &CHAIN, &self.set)?;
        let content = match verified.proposal() {
            Some(_) => Content::Proposal(verified, named),
            None => Content::Vote(verified),
        };
        Ok(Arc::new(Frame { bytes, content }))
    }

    fn send(&mut self, from: usize, to: usize, frame: &Arc<Frame>) {
        match &frame.content {
            Content::Submissions(_) => self.tally.handed_on_bytes += frame.bytes,
            _ => {
                self.tally.messages += 1;
                self.tally.message_bytes += frame.bytes;
            }
        }
        let left = self.queues[from].send(self.now, frame.bytes);
        self.at(left + self.setting.one_way(), Event::Frame(to, Arc::clone(frame)));
    }

    fn hand_on(&mut self, place: usize, submissions: Vec<Submission>) {
        for bulk in wire::handed_on(submissions) {
            let bytes = LENGTH + bulk.encode().len() as u64;
            let Bulk::Submissions(some) = bulk else { continue };
            let frame = Arc::new(Frame { bytes, content: Content::Submissions(some.into_vec()) });
            for to in (0..self.setting.validators).filter(|to| *to != place) {
                self.send(place, to, &frame);
            }
        }
    }

    /// Tells the clients of this node what was sealed; at the ceiling they have more at once.
    fn answer(&mut self, place: usize, height: u64, proposal: &Proposal) {
        let mut own = 0;
        for submission in &proposal.submissions {
            let (since, at) = self.born[Supply::number(submission)];
            if at == place {
                own += 1;
                self.tally.answered(height, self.now - since);
            }
        }
        if self.setting.load == Load::Full && own > 0 {
            self.later(CLIENT_PAUSE, Event::Due(place, own));
        }
    }
}

fn set(validators: usize) -> ValidatorSet {
    let seat = |number| Seat {
        institution: consortium::institution(number),
        key: consortium::pair(number, Purpose::Validator).public(),
    };
    let number = u16::try_from(validators).expect("a set is small");
    let seats = List::new((0..number).map(seat).collect()).expect("a set is small");
    ValidatorSet::new(seats).expect("at least four, all different")
}
