//! Order blocks among validators, some of which lie.
