//! State what every node must agree on, and hold the ceremony that makes it.
