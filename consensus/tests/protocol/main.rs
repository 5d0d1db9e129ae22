//! Tries the protocol from outside: each rule by messages made by hand, named situations, and hundreds of
//! seeded worlds in which validators lie, machines fail and the network does what networks do.

mod fixtures;
mod liar;
mod node;
mod recorder;
mod rng;
mod rules;
mod scenarios;
mod seeds;
mod twins;
mod world;
