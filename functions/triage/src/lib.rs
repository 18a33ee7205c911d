//! The resource quarantine.
