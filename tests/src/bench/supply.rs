//! Signed submissions, made ahead: signing is the lenders' work, on machines of their own, and must not take the
//! time of the one that is measured. What is not ready when it is due is made then, and said.

use super::workload::{Cast, Told, Workload};
use crate::trouble::Trouble;
use probata_client::sdk::{clock, sign};
use probata_types::{Record, Submission};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread,
    time::Duration,
};

/// How long a submission may wait from when it is made.
const LIFETIME: Duration = Duration::from_secs(6 * 3_600);

/// A submission that is ready to be sent.
#[derive(Debug)]
pub(super) struct Ready {
    /// Its submitter's place in the cast.
    pub(super) by: usize,
    /// The submission.
    pub(super) submission: Submission,
}

/// Makes submissions in a thread of its own, up to a stock.
pub(super) struct Supply {
    made: Receiver<Result<Ready, Trouble>>,
    /// How many were made so far, and how many are to be ready at once.
    count: Arc<AtomicUsize>,
    stock: usize,
    /// How often nothing was ready.
    pub(super) waited: u64,
}

impl Supply {
    /// Begins to make submissions of so many records each. At most `stock` are ready at once.
    ///
    /// # Errors
    /// [`Trouble`] if the system has no thread to give.
    pub(super) fn start(workload: Workload, records: usize, stock: usize) -> Result<Self, Trouble> {
        let (ready, made) = sync_channel(stock);
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        thread::Builder::new()
            .name("supply".to_owned())
            .spawn(move || make(workload, records, &ready, &counted))?;
        Ok(Self { made, count, stock, waited: 0 })
    }

    /// How many of the stock are made, and how many that is.
    pub(super) fn stock(&self) -> (usize, usize) {
        (self.count.load(Ordering::Relaxed).min(self.stock), self.stock)
    }

    /// The next one.
    ///
    /// # Errors
    /// [`Trouble`] if one could not be made.
    pub(super) fn next(&mut self) -> Result<Ready, Trouble> {
        let ended = || Trouble::new("the supply has ended");
        match self.made.try_recv() {
            Ok(ready) => ready,
            Err(TryRecvError::Disconnected) => Err(ended()),
            Err(TryRecvError::Empty) => {
                self.waited += 1;
                self.made.recv().map_err(|_| ended())?
            }
        }
    }
}

/// Until nobody takes them any more.
fn make(
    mut workload: Workload,
    records: usize,
    ready: &SyncSender<Result<Ready, Trouble>>,
    count: &AtomicUsize,
) {
    let cast = workload.cast().clone();
    let mut gathered: Vec<Vec<Record>> = cast.submitters.iter().map(|_| Vec::new()).collect();
    loop {
        let Told { by, record } = workload.tell();
        gathered[by].push(record);
        if gathered[by].len() < records {
            continue;
        }
        let next = close(&cast, by, std::mem::take(&mut gathered[by]));
        let failed = next.is_err();
        if ready.send(next).is_err() || failed {
            return;
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn close(cast: &Cast, by: usize, records: Vec<Record>) -> Result<Ready, Trouble> {
    let submitter = &cast.submitters[by];
    let submission = sign(records, &submitter.author, &submitter.key, clock::now(), LIFETIME)?;
    Ok(Ready { by, submission })
}
