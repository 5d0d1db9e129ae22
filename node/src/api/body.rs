//! Read the body of a submission, or of many: bounded in bytes, in time, and together with all others.

use super::{Api, ApiError, Problem};
use crate::{edge::Encoding, limits};
use axum::{
    body::Body,
    http::{
        HeaderMap,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
};
use futures::StreamExt as _;
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, timeout_at},
};

/// The bytes of a body, which count against the budget of all bodies until this is dropped.
pub(super) struct Received<'a> {
    pub(super) encoding: Encoding,
    pub(super) bytes: Vec<u8>,
    pub(super) share: SemaphorePermit<'a>,
}

/// Reads a body of at most as many bytes as its encoding may take; `None` for one that has no place here.
pub(super) async fn read<'a>(
    api: &'a Api,
    headers: &HeaderMap,
    body: Body,
    max_bytes: impl Fn(Encoding) -> Option<usize>,
) -> Result<Received<'a>, ApiError> {
    let encoding = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(Encoding::of_content_type);
    let taken = encoding.and_then(|encoding| Some((encoding, max_bytes(encoding)?)));
    let (encoding, max) = taken.ok_or_else(|| {
        let message = "the content type is not one that this route takes";
        ApiError::new(Problem::UnsupportedMediaType, message)
    })?;
    let stated = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    // A body without a stated length is taken for the longest.
    let reserved = stated.unwrap_or(max);
    if reserved > max {
        return Err(too_large(max));
    }
    let kib = u32::try_from(reserved.div_ceil(1_024)).expect("a body is a few MiB");
    let share = api
        .body_budget
        .try_acquire_many(kib)
        .map_err(|_| ApiError::new(Problem::Busy, "too many bodies are being received"))?;
    let bytes = collect(body, reserved, max).await?;
    Ok(Received { encoding, bytes, share })
}

async fn collect(body: Body, reserved: usize, max: usize) -> Result<Vec<u8>, ApiError> {
    let deadline = Instant::now() + limits::API_BODY_TIME;
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    loop {
        let chunk = timeout_at(deadline, stream.next())
            .await
            .map_err(|_| ApiError::new(Problem::TooSlow, "the body did not arrive in time"))?;
        match chunk {
            None => return Ok(bytes),
            Some(Err(_)) => {
                return Err(ApiError::new(Problem::Malformed, "the body ended too early"));
            }
            Some(Ok(chunk)) if bytes.len() + chunk.len() > reserved => return Err(too_large(max)),
            Some(Ok(chunk)) => bytes.extend_from_slice(&chunk),
        }
    }
}

fn too_large(max: usize) -> ApiError {
    ApiError::new(Problem::TooLarge, format!("a body takes at most {max} bytes here"))
}
