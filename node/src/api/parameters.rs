//! Path and query parameters, read strictly: what is unknown, doubled or malformed is refused.

use super::{ApiError, Problem};
use crate::limits;
use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use std::{fmt::Display, str::FromStr};

/// The query parameters of a request. `T` must refuse unknown fields.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(error) => Err(ApiError::new(Problem::BadParameter, error.body_text())),
        }
    }
}

/// The parameter in the path of a request, in the text form of `T`.
pub(super) struct Named<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for Named<T>
where
    T: FromStr,
    T::Err: Display,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::new(Problem::BadParameter, error.body_text()))?;
        parse("the path's parameter", &text).map(Self)
    }
}

/// No query parameters at all.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParameters {}

/// Reads the text form of a parameter.
pub(super) fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, ApiError>
where
    T::Err: Display,
{
    text.parse().map_err(|error| {
        ApiError::new(Problem::BadParameter, format!("{name} is not valid: {error}"))
    })
}

/// The number of items of a page: what was asked for, within bounds.
pub(super) fn page_size(limit: Option<usize>) -> Result<usize, ApiError> {
    match limit {
        None => Ok(limits::API_PAGE_DEFAULT),
        Some(limit) if (1..=limits::API_PAGE).contains(&limit) => Ok(limit),
        Some(limit) => {
            let message = format!("limit is {limit} and must be 1 to {}", limits::API_PAGE);
            Err(ApiError::new(Problem::BadParameter, message))
        }
    }
}

/// A height of a parameter.
pub(super) fn height(name: &str, value: u64) -> Result<probata_types::Height, ApiError> {
    if value <= probata_types::Height::MAX.get() {
        return Ok(probata_types::Height::new(value));
    }
    Err(ApiError::new(Problem::BadParameter, format!("{name} is above 2^53 - 1")))
}
