//! Judge records: turn an ordered block and a state into outcomes and changes.
