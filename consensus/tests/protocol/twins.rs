//! Twins (S. Bano, A. Sonnino, A. Chursin, D. Perelman, Z. Li, A. Ching, D. Malkhi: *Twins: BFT
//! Systems Made Robust*, OPODIS 2021): f of the validators run twice, with one key, each of the two
//! with a disk of its own, on whatever sides of a partition. Between them they equivocate like a
//! liar, while each by itself keeps to the rules.
//!
//! A schedule is a list of rounds. In each the network has a partition, and Commit votes may reach
//! fewer or more than it lets through; then the timers run out, in silence, in talk, or with a
//! power cut. Who leads follows from which validators are twins: twin 0 leads the first view, twin
//! 1 the second, and with rotation 1 the leader changes with the height too. All is enumerated,
//! nothing drawn. After each round the shipped replicas are held to their promises and to
//! docs/PROTOCOL.md's proofs; at the end everything is together again, and the correct ones must go
//! on.
//!
//! What runs here is a part, by numbers a fixed distance apart. All of it, in about half an hour:
//! `PROBATA_TWINS=full cargo test --release -p probata-consensus --test protocol twins::explored -- --nocapture`
#![expect(clippy::print_stdout, reason = "what was tried is for people, with --nocapture")]

mod arena;
mod breaks;
mod contradictions;
mod edge;
mod explore;
mod explored;
mod flaw;
mod lemmas;
mod partition;
mod plan;
mod schedule;
mod watch;
