//! Try to break it: whole-network tests, hostile inputs, vectors.
