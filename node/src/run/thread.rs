//! The chain's own thread: takes commands and time, gives effects.

use super::outbound::Outbound;
use crate::{
    chain::{Chain, ChainError, Effect},
    handle::{ChainStatus, Command, CommandQueue},
    limits,
};
use probata_types::{Millis, Now, Timestamp};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::{runtime::Handle, sync::watch};

/// The clocks of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            monotonic: Millis::ZERO.saturating_add(millis(self.start.elapsed())),
            wall: Timestamp::ZERO.saturating_add(millis(wall)),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Runs the chain until it is told to stop or must stop.
pub(super) fn run(
    opened: (Chain, Vec<Effect>),
    mut queue: CommandQueue,
    runtime: &Handle,
    clock: Clock,
    outbound: &Outbound,
    status: &watch::Sender<ChainStatus>,
) -> Result<(), ChainError> {
    let (mut chain, effects) = opened;
    outbound.obey_all(effects);
    loop {
        let wait = chain.deadline().since(clock.now().monotonic);
        let mut command = runtime.block_on(next(&mut queue, Duration::from_millis(wait)));
        // What else is there already is taken along, up to a bound, before the status is told.
        let mut taken = 0;
        loop {
            let effects = match command {
                Ok(Some(Command::Stop)) | Err(Closed) => return chain.close(),
                Ok(Some(command)) => {
                    taken += command.weight();
                    chain.handle(clock.now(), command)?
                }
                Ok(None) => break,
            };
            outbound.obey_all(effects);
            // Before another one is taken: what is out of its queue is lost if it is not handled.
            if taken >= limits::WEIGHT_AT_ONCE {
                break;
            }
            command = Ok(queue.waiting());
        }
        outbound.obey_all(chain.tick(clock.now())?);
        outbound.hand_on();
        let newest = chain.status();
        status.send_if_modified(|old| {
            let changed = *old != newest;
            *old = newest;
            changed
        });
    }
}

/// Nobody is left who could send a command.
struct Closed;

/// The next command, or none within the wait.
async fn next(queue: &mut CommandQueue, wait: Duration) -> Result<Option<Command>, Closed> {
    tokio::select! {
        biased;
        command = queue.next() => command.ok_or(Closed).map(Some),
        () = tokio::time::sleep(wait) => Ok(None),
    }
}
