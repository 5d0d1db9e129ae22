//! How data and models are used: consents, accesses, training.

pub(crate) mod consent_grant;
pub(crate) mod consent_revoke;
pub(crate) mod data_access;
pub(crate) mod model_training;
