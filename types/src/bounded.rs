//! Text and lists that carry their limit in the type, so that no decoder can be made to grow.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{fmt, ops::Deref};
use unicode_normalization::is_nfc;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More bytes than allowed.
    #[error("text of {got} bytes is longer than the {max} allowed")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not in Unicode normalization form C.
    #[error("text is not in Unicode normalization form C (NFC)")]
    NotNfc,
    /// Holds a control character or an invisible direction mark.
    #[error("text holds a control or direction character")]
    Control,
}

/// Text of at most `MAX` bytes of UTF-8, in Unicode NFC, without control or bidirectional characters.
///
/// Not `serde(transparent)`: the bytes and the JSON are those of the bare text, but a serializer sees a
/// newtype named `Text`, and so can tell free text from identifiers (the scan for personal data does).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Default)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Checks and wraps a text.
    ///
    /// # Errors
    /// [`TextError`]: too long, not NFC, or with a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        if text.len() > MAX {
            return Err(TextError::TooLong { got: text.len(), max: MAX });
        }
        if !is_nfc(&text) {
            return Err(TextError::NotNfc);
        }
        if text.chars().any(is_deceptive) {
            return Err(TextError::Control);
        }
        Ok(Self(text))
    }
}

fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A list that is longer than its type allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("list is longer than the {max} items allowed")]
pub struct ListError {
    /// Items allowed.
    pub max: usize,
}

/// A list of at most `MAX` items.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// The empty list.
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// Checks and wraps a list.
    ///
    /// # Errors
    /// [`ListError`] if it has more than `MAX` items.
    pub fn new(items: Vec<T>) -> Result<Self, ListError> {
        if items.len() > MAX { Err(ListError { max: MAX }) } else { Ok(Self(items)) }
    }

    /// Adds an item at the end.
    ///
    /// # Errors
    /// [`ListError`] if the list is full; it then stays as it was.
    pub fn push(&mut self, item: T) -> Result<(), ListError> {
        if self.0.len() >= MAX {
            return Err(ListError { max: MAX });
        }
        self.0.push(item);
        Ok(())
    }

    /// The items, to change in place (not in number).
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.0
    }

    /// The bare items.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T, const MAX: usize> IntoIterator for &'a List<T, MAX> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MAX: usize>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> serde::de::Visitor<'de> for Items<T, MAX> {
            type Value = List<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX} items")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == MAX {
                        return Err(A::Error::custom(ListError { max: MAX }));
                    }
                    items.push(item);
                }
                Ok(List(items))
            }
        }
        deserializer.deserialize_seq(Items(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests;
