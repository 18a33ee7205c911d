//! The WebAssembly side: the engine, what guests see, and how instances are kept.

mod bindings;
mod engine;
mod guest;
mod instances;
mod key_value;
mod outbound;
mod variables;
mod wasi_keyvalue;

pub(crate) use engine::{Loaded, Loader};
pub(crate) use guest::Component;
pub(crate) use instances::{Instances, Keeper, Places};

use crate::kv::Store;

/// A store that a guest has opened.
pub struct OpenStore(Store);

/// A compare-and-swap that a guest has begun.
pub struct Swap {
    store: Store,
    key: String,
    /// What the value must still be.
    seen: Option<Vec<u8>>,
}
