//! What happened in a world, in words for people and as one hash for machines.

use probata_types::Millis;
use std::{collections::VecDeque, fmt};

/// Lines of the story that are kept for whoever looks at a failure.
const KEPT_LINES: usize = 400;

/// How much of what happens is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Level {
    /// Nothing but the verdict.
    Quiet,
    /// What goes wrong, what is sealed, who leaves which view.
    Story,
    /// Every message that arrives, too.
    Messages,
}

/// Listens to a world. Two runs of one seed give the same hash.
pub struct Trace {
    hasher: blake3::Hasher,
    level: Level,
    lines: VecDeque<String>,
    events: u64,
    tell: Box<dyn FnMut(&str)>,
}

impl Trace {
    /// Tells what happens, a line each, as it happens.
    pub fn new(level: Level, tell: impl FnMut(&str) + 'static) -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            level,
            lines: VecDeque::new(),
            events: 0,
            tell: Box::new(tell),
        }
    }

    /// Tells nothing.
    pub fn silent() -> Self {
        Self::new(Level::Quiet, |_| ())
    }

    /// The hash of everything that happened, in order.
    pub fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// How many things happened.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The last lines of the story.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// Something that belongs to the story.
    pub(super) fn say(&mut self, now: Millis, words: fmt::Arguments<'_>) {
        let line = format!("t={}.{:03}s  {words}", now.get() / 1_000, now.get() % 1_000);
        self.events += 1;
        self.hasher.update(line.as_bytes());
        if self.level >= Level::Story {
            (self.tell)(&line);
        }
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Something that happens too often to be told: its bytes count, its words are for the curious.
    pub(super) fn note(
        &mut self,
        now: Millis,
        (from, to): (usize, usize),
        bytes: &[u8],
        words: impl FnOnce() -> String,
    ) {
        self.events += 1;
        for number in [now.get(), from as u64, to as u64, bytes.len() as u64] {
            self.hasher.update(&number.to_be_bytes());
        }
        self.hasher.update(bytes);
        if self.level >= Level::Messages {
            let (seconds, millis) = (now.get() / 1_000, now.get() % 1_000);
            (self.tell)(&format!("t={seconds}.{millis:03}s    {from} → {to}: {}", words()));
        }
    }
}
