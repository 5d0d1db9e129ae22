//! What went wrong, in words that name what was waited for or compared.

use std::fmt;

/// Why a test fails. Any error becomes one with `?`; a test that returns it prints it as it is.
pub struct Trouble(String);

impl Trouble {
    /// A failure in the test's own words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// An error with these words, unless what must hold does.
///
/// # Errors
/// [`Trouble`] if `holds` is false.
pub fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Trouble> {
    if holds { Ok(()) } else { Err(Trouble(otherwise())) }
}

// Not `std::error::Error`: only so can every error become a trouble.
impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(source) = next {
            text.push_str(&format!(": {source}"));
            next = source.source();
        }
        Self(text)
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
