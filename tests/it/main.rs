//! Whole-network tests.

mod tidy;
