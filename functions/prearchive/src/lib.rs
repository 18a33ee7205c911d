//! The prearchive: list, read, change and clear staged sessions.
