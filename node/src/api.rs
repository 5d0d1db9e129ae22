//! The HTTP API under `/v1`: submit and wait, read, prove, watch. `docs/API.md` is its reference.
//!
//! A handler never touches the chain: it offers submissions to the chain thread, and reads what is
//! committed through its own handle. Reading is disk work and runs on worker threads, a bounded
//! number at once; so do the checks of the [`crate::edge`]. Every answer says up to which height it
//! is complete, in the header `probata-complete-to` and, where it is JSON of ours, in
//! `complete_to`.

mod absence;
mod answer;
mod batch;
mod body;
mod chain;
mod error;
mod faults;
mod guard;
mod health;
mod linger;
mod parameters;
mod records;
mod search;
mod server;
mod submit;
mod waiting;

pub use answer::{
    CatalogueAnswer, CodeView, DecidedRecord, EpochsAnswer, FaultView, FaultsAnswer, FlowAnswer,
    FlowRecord, FoundRecord, HeaderAnswer, HeadersAnswer, HealthAnswer, OutcomeView, PeerView,
    PeersAnswer, PlaceView, RecordAnswer, SealedHeader, SearchAnswer, StatusAnswer,
    SubmissionAnswer, ValidatorView, ValidatorsAnswer,
};
pub use error::{ApiError, Problem};
pub use server::serve;

use crate::{
    edge::{Edge, EdgeError},
    evidence::RecentBlocks,
    handle::ChainHandle,
    limits,
    metrics::Metrics,
    network::MeshHandle,
};
use axum::{
    Router,
    routing::{MethodRouter, get, post},
};
use probata_genesis::Genesis;
use probata_ledger::LedgerReader;
use probata_types::{Height, Timestamp, submission::SubmissionError};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{sync::Semaphore, time::timeout};
use waiting::Waiting;

/// What the API works with.
#[derive(Clone)]
pub struct ApiContext {
    /// What all nodes share.
    pub genesis: Arc<Genesis>,
    /// What is committed.
    pub reader: LedgerReader,
    /// The way to the chain thread.
    pub chain: ChainHandle,
    /// The mesh.
    pub mesh: MeshHandle,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The checks, shared with the mesh so that a signature is checked once.
    pub edge: Arc<Edge>,
    /// The newest blocks.
    pub recent: Arc<RecentBlocks>,
}

/// The routes that answer about the chain, each with its handlers.
const ROUTES: [Route; 18] = [
    Route { path: "/v1/submissions", handlers: || post(submit::submit) },
    Route { path: "/v1/batches", handlers: || post(batch::batch) },
    Route { path: "/v1/submissions/{id}", handlers: || get(submit::submission) },
    Route { path: "/v1/records/{id}", handlers: || get(records::record) },
    Route { path: "/v1/records/{id}/evidence", handlers: || get(records::evidence) },
    Route { path: "/v1/absence/guarantees", handlers: || get(absence::guarantees) },
    Route { path: "/v1/absence/documents", handlers: || get(absence::documents) },
    Route { path: "/v1/flows/{id}", handlers: || get(search::flow) },
    Route { path: "/v1/search", handlers: || get(search::search) },
    Route { path: "/v1/headers", handlers: || get(chain::headers) },
    Route { path: "/v1/headers/{height}", handlers: || get(chain::header) },
    Route { path: "/v1/validators", handlers: || get(chain::validators) },
    Route { path: "/v1/epochs", handlers: || get(chain::epochs) },
    Route { path: "/v1/status", handlers: || get(chain::status) },
    Route { path: "/v1/peers", handlers: || get(chain::peers) },
    Route { path: "/v1/faults", handlers: || get(faults::faults) },
    Route { path: "/v1/genesis", handlers: || get(chain::genesis) },
    Route { path: "/v1/catalogue", handlers: || get(chain::catalogue) },
];

/// The routes for those who watch the node: never refused because others are busy.
const WATCH_ROUTES: [Route; 2] = [
    Route { path: "/health", handlers: || get(health::health) },
    Route { path: "/metrics", handlers: || get(health::metrics) },
];

/// A route.
struct Route {
    path: &'static str,
    handlers: fn() -> MethodRouter<Arc<Api>>,
}

/// The router of a node's API.
pub fn router(context: ApiContext) -> Router {
    routes(&Arc::new(Api::new(context)))
}

fn routes(api: &Arc<Api>) -> Router {
    let add =
        |router: Router<Arc<Api>>, route: &Route| router.route(route.path, (route.handlers)());
    let main = ROUTES.iter().fold(Router::new(), add);
    let main = guard::limited(main, api);
    let watch = WATCH_ROUTES.iter().fold(main, add);
    guard::answered(watch, api).with_state(Arc::clone(api))
}

/// The state that handlers share.
struct Api {
    context: ApiContext,
    requests: Semaphore,
    readers: Arc<Semaphore>,
    /// Kibibytes of bodies that may be held at once.
    body_budget: Semaphore,
    waiting: Mutex<Waiting>,
}

impl Api {
    fn new(context: ApiContext) -> Self {
        Self {
            context,
            requests: Semaphore::new(limits::API_REQUESTS),
            readers: Arc::new(Semaphore::new(limits::API_READERS)),
            body_budget: Semaphore::new(limits::API_BODY_BUDGET_KIB),
            waiting: Mutex::new(Waiting::default()),
        }
    }

    /// Reads from the ledger on a worker thread.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LedgerReader) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let slot = Arc::clone(&self.readers).acquire_owned();
        let Ok(Ok(permit)) = timeout(limits::API_READ_WAIT, slot).await else {
            return Err(ApiError::new(Problem::Busy, "too many reads are under way"));
        };
        let reader = self.context.reader.clone();
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&reader);
            drop(permit);
            result
        });
        done.await.unwrap_or_else(|error| Err(ApiError::internal(&error)))
    }

    /// The newest height that reads see.
    fn head(&self) -> Height {
        self.context.reader.head().height
    }
}

/// Which kind of failure a refusal of the edge is.
const fn edge_problem(error: &EdgeError) -> Problem {
    match error {
        EdgeError::TooLarge { .. }
        | EdgeError::Submission(
            SubmissionError::TooLarge { .. } | SubmissionError::RecordTooLarge { .. },
        ) => Problem::TooLarge,
        EdgeError::Submission(SubmissionError::Chain { .. }) => Problem::WrongChain,
        EdgeError::Submission(SubmissionError::Signature) => Problem::SignatureInvalid,
        EdgeError::TooDeep { .. }
        | EdgeError::Json(_)
        | EdgeError::Canonical(_)
        | EdgeError::Submission(_)
        | EdgeError::Proposal { .. } => Problem::Malformed,
        EdgeError::Unfinished => Problem::Internal,
    }
}

/// This machine's wall clock.
pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::ZERO.saturating_add(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;
