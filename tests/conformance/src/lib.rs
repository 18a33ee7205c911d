//! The storage conformance suite, as a component.
