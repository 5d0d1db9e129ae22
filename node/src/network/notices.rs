//! Keep who came and went until the node takes it.

use std::collections::VecDeque;

use super::PeerEvent;

/// Events that wait. A peer that came and went unseen leaves no trace, so there are at most two for
/// each peer: that it went, and that it is back. Who waits as back is connected now. Who waits as
/// gone was said to be connected, and all who are said to be were so together, when the last of
/// them came: so at most `2 * MAX_PEERS` events wait, however the list of peers changes.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    waiting: VecDeque<PeerEvent>,
}

impl Notices {
    /// Adds an event, or takes back the one that it undoes.
    pub(crate) fn push(&mut self, event: PeerEvent) {
        if let PeerEvent::Disconnected(node) = event {
            let came = PeerEvent::Connected(node);
            if let Some(at) = self.waiting.iter().position(|waiting| *waiting == came) {
                self.waiting.remove(at);
                return;
            }
        }
        self.waiting.push_back(event);
    }

    /// Takes the oldest event.
    pub(crate) fn pop(&mut self) -> Option<PeerEvent> {
        self.waiting.pop_front()
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::NodeId;
    use super::*;

    #[test]
    fn events_of_a_flapping_peer_are_merged() {
        let node = NodeId::from_secret([1; 32]);
        let other = NodeId::from_secret([2; 32]);
        let mut notices = Notices::default();
        notices.push(PeerEvent::Connected(other));
        for _ in 0..100 {
            notices.push(PeerEvent::Disconnected(node));
            notices.push(PeerEvent::Connected(node));
            notices.push(PeerEvent::Disconnected(node));
            notices.push(PeerEvent::Connected(node));
            assert!(notices.waiting.len() <= 3, "{notices:?}");
            notices.push(PeerEvent::Disconnected(node));
            notices.waiting.pop_back();
        }
        notices.waiting.clear();
        notices.push(PeerEvent::Disconnected(node));
        notices.push(PeerEvent::Connected(node));
        assert_eq!(notices.pop(), Some(PeerEvent::Disconnected(node)));
        assert_eq!(notices.pop(), Some(PeerEvent::Connected(node)));
        assert!(notices.is_empty());
        notices.push(PeerEvent::Connected(node));
        notices.push(PeerEvent::Disconnected(node));
        assert!(notices.is_empty());
    }

    #[test]
    fn the_bound_holds_when_other_peers_come_all_the_time() {
        const AT_ONCE: usize = 4;
        let nodes: Vec<NodeId> = (0..=u8::MAX).map(|n| NodeId::from_secret([n; 32])).collect();
        // Between two turnovers of all peers, the node takes so many events.
        for taken in 0..=2 * AT_ONCE {
            let mut notices = Notices::default();
            let mut most = 0;
            for (now, next) in nodes.chunks(AT_ONCE).zip(nodes.chunks(AT_ONCE).skip(1)) {
                for (gone, came) in now.iter().zip(next) {
                    notices.push(PeerEvent::Disconnected(*gone));
                    notices.push(PeerEvent::Connected(*came));
                    most = most.max(notices.waiting.len());
                }
                for _ in 0..taken {
                    notices.pop();
                }
            }
            assert!((AT_ONCE..=2 * AT_ONCE).contains(&most), "{most} when {taken} are taken");
        }
    }
}
