//! The timers: when a proposal, a view change or a repetition is due. All on the monotonic clock.

use crate::{Reason, Replica, limits};
use probata_types::{Millis, Now, mutated};

/// What the timers run from.
#[derive(Debug)]
pub(crate) struct Timers {
    /// The last seal, or the start.
    sealed_at: Millis,
    /// When this height got something to do in this view: work, a proposal, a vote. `None`: idle.
    active_since: Option<Millis>,
    /// When work became known that is still there.
    work_since: Millis,
    /// When the current view was entered.
    view_since: Millis,
    /// When a quorum was seen to ask for the view that this replica asks for, or for higher ones.
    gathered_at: Option<Millis>,
    /// When own messages were last sent.
    said_at: Millis,
    /// Views left in a row without a seal.
    failures: u32,
    /// When this replica last asked for blocks.
    fetched_at: Option<Millis>,
}

impl Timers {
    pub(crate) const fn new(now: Millis) -> Self {
        Self {
            sealed_at: now,
            active_since: None,
            work_since: now,
            view_since: now,
            gathered_at: None,
            said_at: now,
            failures: 0,
            fetched_at: None,
        }
    }

    pub(crate) fn work_known(&mut self, now: Millis) {
        self.work_since = now;
        self.active(now);
    }

    pub(crate) fn active(&mut self, now: Millis) {
        self.active_since.get_or_insert(now);
    }

    pub(crate) const fn said(&mut self, now: Millis) {
        self.said_at = now;
    }

    pub(crate) const fn left_view(&mut self) {
        self.gathered_at = None;
        self.failures = self.failures.saturating_add(1);
    }

    pub(crate) fn gathered(&mut self, now: Millis) {
        self.gathered_at.get_or_insert(now);
    }

    pub(crate) const fn entered_view(&mut self, now: Millis, work: bool) {
        self.view_since = now;
        self.gathered_at = None;
        self.active_since = if work { Some(now) } else { None };
    }

    /// P15: progress brings the timeout back to its base.
    pub(crate) const fn sealed(&mut self, now: Millis) {
        self.sealed_at = now;
        self.view_since = now;
        self.active_since = None;
        self.fetched_at = None;
        self.gathered_at = None;
        self.failures = 0;
    }

    pub(crate) const fn sealed_at(&self) -> Millis {
        self.sealed_at
    }

    /// Whether blocks may be asked for again; notes that they are.
    pub(crate) fn may_fetch(&mut self, now: Millis, pause: Millis) -> bool {
        let may = self.fetched_at.is_none_or(|at| now.since(at) >= pause.get());
        if may {
            self.fetched_at = Some(now);
        }
        may
    }
}

impl Replica {
    /// P15: the timeout, doubled for each view in a row that brought no seal, up to the cap.
    pub(crate) fn timeout(&self) -> Millis {
        let failures = if mutated!(TimeoutConstant) { 0 } else { self.timers.failures };
        let doublings = failures.min(limits::DOUBLINGS);
        let doubled = self.settings.view_timeout.get().saturating_mul(1 << doublings);
        Millis::ZERO.saturating_add(doubled.min(self.settings.view_timeout_cap.get()))
    }

    /// P4, P23: when this replica, if it leads, is to propose.
    pub(crate) fn propose_due(&self) -> Option<Millis> {
        let leads = self.settings.me == Some(self.leader()) && self.leaving.is_none();
        let round = &self.round;
        let open = round.accepted.is_none() && round.proposed.is_none() && round.prepare.is_none();
        if !leads || !open || round.asked {
            return None;
        }
        let heartbeat = after(self.timers.sealed_at, self.settings.heartbeat);
        if !self.work {
            return Some(heartbeat);
        }
        let company = self.last_seal.as_ref().is_some_and(|(last, _)| last.submission_count > 1);
        let wait = if company { self.settings.batch_delay } else { Millis::ZERO };
        let batch = after(self.timers.work_since.max(self.timers.sealed_at), wait);
        Some(batch.min(heartbeat))
    }

    /// P11, P15: when the view is to be left; while leaving, when the next one is to be asked for. That is
    /// not before a quorum asks for this one: whoever leaves alone must not run ahead of the others, who
    /// would have to follow it view by view.
    pub(crate) fn view_due(&self) -> Option<Millis> {
        let timers = &self.timers;
        let from = match (self.leaving, timers.active_since) {
            (Some(_), _) => timers.gathered_at?,
            (None, Some(since)) => since.max(timers.view_since),
            (None, None) => {
                let heartbeat = after(timers.sealed_at, self.settings.heartbeat);
                heartbeat.max(timers.view_since)
            }
        };
        Some(after(from, self.timeout()))
    }

    /// P16: when own messages are to be repeated; `None` while there is nothing to say.
    pub(crate) fn repeat_due(&self) -> Option<Millis> {
        let behind = self.round.lacks_block || self.ahead.is_behind(self.height());
        let open = behind || !self.round.sent.is_empty();
        open.then(|| after(self.timers.said_at, self.settings.retransmit))
    }

    pub(crate) fn on_tick(&mut self, now: Now) -> Result<(), Reason> {
        let due = |at: Option<Millis>| at.is_some_and(|at| at <= now.monotonic);
        if self.deadline().is_none_or(|at| at > now.monotonic) {
            return Err(Reason::NothingDue);
        }
        if due(self.view_due()) {
            let current = self.leaving.unwrap_or(self.view);
            self.ask_for_view(now, current.next());
        }
        if due(self.repeat_due()) {
            self.repeat(now);
        }
        self.propose_if_due(now);
        Ok(())
    }
}

fn after(since: Millis, length: Millis) -> Millis {
    since.saturating_add(length.get())
}
