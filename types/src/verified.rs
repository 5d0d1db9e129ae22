//! The mark of a value whose check has been done: parse, don't validate.

use std::ops::Deref;

/// A value that passed the check that its own module defines; nothing else can make one.
/// What comes after the edge takes `Verified<T>` and never checks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Marks a value as checked. Call it only right after the check of `T`, or on a value that this
    /// process made and signed itself.
    pub const fn assume(value: T) -> Self {
        Self(value)
    }

    /// The value without its mark.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
