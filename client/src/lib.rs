//! Submit records, and check the answer yourself: SDK, light client, the `probata` command.
