//! The evidence file: all that a court needs to check one record.
