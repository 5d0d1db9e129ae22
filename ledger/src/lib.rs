//! Keep what was sealed, and prove it.
