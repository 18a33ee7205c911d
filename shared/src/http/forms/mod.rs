//! What clients say of items: from parameters and documents to the domain.

pub mod items;
pub mod project;
