//! Whole worlds drawn from one seed.
