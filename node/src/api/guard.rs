//! What stands around every handler: a bound on requests under way, a bound on their time, panics
//! turned into answers, counts, logs, and the height up to which the answer is complete.

use super::{Api, ApiError, Problem};
use crate::limits;
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use std::{any::Any, sync::Arc, time::Instant};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

/// The header that says up to which height an answer is complete.
pub(super) const COMPLETE_TO: HeaderName = HeaderName::from_static("probata-complete-to");

/// Bounds how many requests are under way and how long one takes.
pub(super) fn limited(router: Router<Arc<Api>>, api: &Arc<Api>) -> Router<Arc<Api>> {
    router.layer(from_fn_with_state(Arc::clone(api), limit))
}

/// Answers for what no route takes, for panics, and counts everything.
pub(super) fn answered(router: Router<Arc<Api>>, api: &Arc<Api>) -> Router<Arc<Api>> {
    router
        .fallback(no_such_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(api), observe))
        // Who asks too much or too slowly gets a 503: no line of error in the log for whoever wants one.
        // A failure of this node writes its own.
        .layer(TraceLayer::new_for_http().on_failure(()))
}

async fn limit(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let Ok(_permit) = api.requests.try_acquire() else {
        return ApiError::new(Problem::Busy, "too many requests are under way").into_response();
    };
    match tokio::time::timeout(limits::API_REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(Problem::TooSlow, "the request took too long").into_response(),
    }
}

async fn observe(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    // Never the path as written: an attacker would make as many counters as it can think of paths.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let complete_to = api.head();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    api.context.metrics.answered(route, response.status().as_u16(), began.elapsed());
    let value = HeaderValue::from(complete_to.get());
    response.headers_mut().entry(COMPLETE_TO).or_insert(value);
    response
}

async fn no_such_route() -> ApiError {
    ApiError::new(Problem::NoSuchRoute, "there is no such route")
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(Problem::MethodNotAllowed, "the route does not take this method")
}

#[expect(clippy::needless_pass_by_value, reason = "the layer calls it with the panic's payload")]
fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(panic = text, "a handler panicked");
    ApiError::new(Problem::Internal, "the node failed to answer; its log says why").into_response()
}
