//! Archiving a session, and reading the archive back.
