//! Threads of the API's own, which give way to all others of the node: however much is asked of it, votes and blocks
//! come first. What clients ask for is checked and read on these threads, what peers send on the others.

use super::priority::give_way;
use crate::limits;
use std::io;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// Ends with what runs on it when dropped.
pub(super) struct ApiThreads(Option<Runtime>);

impl ApiThreads {
    /// Starts them.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("api")
            .on_thread_start(|| give_way(limits::API_NICE))
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a task on them.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.0.as_ref().expect("it is there until it is dropped").spawn(task)
    }
}

impl Drop for ApiThreads {
    fn drop(&mut self) {
        // A runtime that is dropped on a thread of another one would block it.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
