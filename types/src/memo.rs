//! Large values that are shared, not copied, and that remember what was computed of them.
//!
//! A submission is named by its digests a dozen times between the edge and the log, and stands in the
//! mempool, in a proposal, in a message and in a block at once. A [`Memo`] of it is one value behind all of
//! these, and its digests are computed once. Changing it in place copies it first, if it is shared, and
//! forgets what was computed: what is remembered is always of the value that is there.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// A value of which something is worth remembering.
pub trait Memorable {
    /// What is remembered; the default is nothing yet.
    type Memory: Default + Clone + Send + Sync;
}

/// A shared value with what was computed of it. Equality, bytes and JSON are those of the value.
pub struct Memo<T: Memorable>(Arc<Inner<T>>);

#[derive(Clone)]
struct Inner<T: Memorable> {
    value: T,
    memory: T::Memory,
}

impl<T: Memorable> Memo<T> {
    /// What is remembered of the value.
    pub(crate) fn memory(&self) -> &T::Memory {
        &self.0.memory
    }
}

impl<T: Memorable> From<T> for Memo<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(Inner { value, memory: T::Memory::default() }))
    }
}

impl<T: Memorable> Deref for Memo<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Memorable + Clone> DerefMut for Memo<T> {
    fn deref_mut(&mut self) -> &mut T {
        let inner = Arc::make_mut(&mut self.0);
        inner.memory = T::Memory::default();
        &mut inner.value
    }
}

impl<T: Memorable> Clone for Memo<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Memorable + PartialEq> PartialEq for Memo<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.value == other.0.value
    }
}

impl<T: Memorable + Eq> Eq for Memo<T> {}

impl<T: Memorable + fmt::Debug> fmt::Debug for Memo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

impl<T: Memorable + Serialize> Serialize for Memo<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.value.serialize(serializer)
    }
}

impl<'de, T: Memorable + Deserialize<'de>> Deserialize<'de> for Memo<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::OnceLock;

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Number(u32);

    impl Memorable for Number {
        type Memory = OnceLock<u32>;
    }

    impl Memo<Number> {
        fn square(&self) -> u32 {
            *self.memory().get_or_init(|| self.0.value.0 * self.0.value.0)
        }
    }

    #[test]
    fn what_is_remembered_is_of_the_value_that_is_there() {
        let mut number = Memo::from(Number(3));
        let shared = number.clone();
        assert_eq!((number.square(), shared.square()), (9, 9));
        number.0 = Arc::new(Inner { value: Number(3), memory: OnceLock::new() });
        assert_eq!(number, shared, "equal values are equal, shared or not");
        DerefMut::deref_mut(&mut number).0 = 4;
        assert_eq!((number.square(), shared.square()), (16, 9), "a copy was changed");
        assert_ne!(number, shared);
    }
}
