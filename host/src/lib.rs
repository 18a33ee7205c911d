//! A small, strict Spin-compatible host.
