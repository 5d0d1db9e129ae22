//! Real processes under fire: what `cargo run --release --bin chaos` does.
//!
//! ```text
//!                 hub: this program, its writers, its proxies
//!        ┌───────────┬───────────┬───────────┬───────────┐
//!     veth 0      veth 1      veth 2      veth 3      veth 4        10.77.N.0/24 each
//!     node 0      node 1      node 2      node 3      member        a namespace, a small disk, a clock each
//! ```
//!
//! No node can reach another but through the hub, where each way from one node to another is a proxy of ours
//! that delays, stalls, cuts. All this stands in namespaces of the program's own, made by `unshare`: when it
//! ends, in whatever way, the kernel takes processes, mounts and interfaces away. Where namespaces are not
//! permitted the same runs on loopback, with the proxies only.
//!
//! | module | what it is |
//! | --- | --- |
//! | `command`, `ground` | arguments; the namespaces, or none |
//! | `links`, `proxy` | what the way from one node to another does, and who does it |
//! | `fleet`, `blow` | the nodes, and all that can be done to one |
//! | `plan`, `fire` | what is done when, drawn from a seed; doing it, measuring, checking |
//! | `leaders`, `away` | two measurements: killed leaders, and a validator that was long away |
//! | `reshape` | seats given and taken, and every key replaced, while records are sealed |
//! | `report` | what is printed |

mod away;
mod blow;
mod command;
mod fire;
mod fleet;
mod ground;
mod leaders;
mod leftovers;
mod links;
mod plan;
mod proxy;
mod report;
mod reshape;

pub use command::main;
