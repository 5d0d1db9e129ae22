//! The chain of a node, in a false world of several: the code that ships, without sockets or waiting.

mod catch_up;
mod diverge;
mod epochs;
pub(crate) mod faults;
mod normal;
mod proposals;
mod restarts;
mod users;
mod views;

use probata_node::{evidence::ProvenBlock, handle::Admission};
use probata_tests::{Trouble, cluster::Cluster};
use probata_types::{Hash, Height, Millis, Submission, SubmissionId};
use std::sync::Arc;
use tokio::sync::oneshot;

const SECOND: Millis = Millis::new(1_000);
const MINUTE: Millis = Millis::new(60_000);

fn height(number: u64) -> Height {
    Height::new(number)
}

/// Where a node has a submission.
fn sealed_at(cluster: &Cluster, at: usize, id: &SubmissionId) -> Option<Height> {
    cluster.reader(at).submission(id).expect("memory can be read").map(|place| place.height)
}

/// Goes on until every running node has the submission.
fn sealed(cluster: &mut Cluster, submission: &Submission) -> Result<(), Trouble> {
    let id = submission.id();
    cluster.until("the submission is sealed everywhere", MINUTE, |it| {
        it.running().all(|at| sealed_at(it, at, &id).is_some())
    })
}

/// The one who waits for a submission that was taken.
fn pending(admission: Admission) -> oneshot::Receiver<Arc<ProvenBlock>> {
    match admission {
        Admission::Pending(waiter) => waiter,
        other => panic!("not pending: {other:?}"),
    }
}

/// The root of a node's state.
fn root(cluster: &Cluster, at: usize) -> Hash {
    cluster.status(at).header.expect("something is sealed").state_root
}
