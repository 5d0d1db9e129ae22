//! What stands in a queue at one node: threads and the two ends of its link. All times are nanoseconds.

use super::costs::Costs;

/// A second.
const SECOND: u64 = 1_000_000_000;

/// One thing after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Server {
    free_at: u64,
}

impl Server {
    /// Takes what comes at `now` and needs `length`; when it is done.
    pub(super) fn serve(&mut self, now: u64, length: u64) -> u64 {
        self.free_at = self.free_at.max(now) + length;
        self.free_at
    }
}

/// The queues of a node, but for that of its chain thread.
#[derive(Debug, Clone)]
pub(super) struct Queues {
    costs: Costs,
    /// Writes frames.
    mesh: Server,
    up: Server,
    down: Server,
    /// Checks the messages of the consensus lane, in order.
    lane: Server,
    /// Checks proposals: they do not wait for submissions, nor votes for them.
    proposals: Server,
    /// Check submissions.
    checks: Vec<Server>,
}

impl Queues {
    pub(super) fn new(costs: Costs) -> Self {
        let checks = (0..costs.check_threads).map(|_| Server::default()).collect();
        let (mesh, up, down, lane, proposals) = Default::default();
        Self { costs, mesh, up, down, lane, proposals, checks }
    }

    /// When the last byte of a frame has left.
    pub(super) fn send(&mut self, now: u64, bytes: u64) -> u64 {
        let written = self.mesh.serve(now, self.costs.frame);
        self.up.serve(written, self.costs.transmission(bytes))
    }

    /// When the last byte of a frame, the link's at `now`, is here: it came while it was sent.
    pub(super) fn take(&mut self, now: u64, bytes: u64) -> u64 {
        let transmission = self.costs.transmission(bytes);
        self.down.serve(now.saturating_sub(transmission), transmission).max(now)
    }

    /// When a vote that is here at `now` is checked.
    pub(super) fn check_vote(&mut self, now: u64) -> u64 {
        self.lane.serve(now, self.costs.frame + self.costs.signature)
    }

    /// When a proposal that is here at `now` is read; it is checked aside.
    pub(super) fn read_proposal(&mut self, now: u64) -> u64 {
        self.lane.serve(now, self.costs.frame)
    }

    /// When a proposal that was read at `now` is checked; some of its submissions are not known.
    pub(super) fn check_proposal(&mut self, now: u64, submissions: u64, unknown: u64) -> u64 {
        let Costs { signature, signature_of_many, named, .. } = self.costs;
        let length = signature + submissions * named + unknown * signature_of_many;
        self.proposals.serve(now, length)
    }

    /// When submissions that are here at `now` are checked.
    pub(super) fn check_submissions(&mut self, now: u64, submissions: u64, records: u64) -> u64 {
        let length = self.costs.frame + self.costs.edge(submissions, records);
        let first = self.checks.iter_mut().min_by_key(|it| it.free_at);
        first.expect("there is a thread that checks").serve(now, length)
    }
}

impl Costs {
    /// How long so many bytes take on a link.
    pub(super) const fn transmission(&self, bytes: u64) -> u64 {
        bytes * 8 * SECOND / self.link
    }

    /// To check submissions at the edge.
    pub(super) const fn edge(&self, submissions: u64, records: u64) -> u64 {
        submissions * (self.signature_of_many + self.edge_submission) + records * self.edge_record
    }

    /// To admit them.
    pub(super) const fn admit(&self, submissions: u64, records: u64) -> u64 {
        submissions * self.admit_submission + records * self.admit_record
    }

    /// To execute a block.
    pub(super) const fn execute(&self, records: u64) -> u64 {
        self.execute_block + records * self.execute_record
    }

    /// To commit a block, its sync included.
    pub(super) const fn commit(&self, records: u64) -> u64 {
        self.commit_block + self.sync + records * self.commit_record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_while_a_server_is_busy_waits() {
        let mut server = Server::default();
        assert_eq!([server.serve(10, 5), server.serve(11, 5), server.serve(30, 5)], [15, 20, 35]);
    }

    #[test]
    fn a_frame_is_taken_while_it_is_sent_and_two_at_once_share_the_link() {
        let mut queues = Queues::new(Costs::MEASURED);
        let one = Costs::MEASURED.transmission(125_000);
        assert_eq!(one, 1_000_000, "a millisecond at a gigabit");
        let left = queues.send(0, 125_000);
        assert_eq!(left, Costs::MEASURED.frame + one);
        assert_eq!(queues.take(5_000_000, 125_000), 5_000_000);
        assert_eq!(queues.take(5_000_000, 125_000), 6_000_000);
    }
}
