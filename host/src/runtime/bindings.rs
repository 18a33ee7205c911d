//! Bindings to the interfaces of Spin that this host offers, generated from `wit/`.

#[allow(clippy::all, reason = "generated code")]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "narthex:host/imports",
        imports: {
            // These are `async` in WIT, so that a guest can have many in flight: they work on the shared store and
            // hold it only for moments.
            "spin:key-value/key-value.[static]store.open": store | trappable,
            "spin:key-value/key-value.[method]store.get": store | trappable,
            "spin:key-value/key-value.[method]store.set": store | trappable,
            "spin:key-value/key-value.[method]store.delete": store | trappable,
            "spin:key-value/key-value.[method]store.exists": store | trappable,
            "spin:key-value/key-value.[method]store.get-keys": store | trappable,
            "spin:key-value/key-value.[drop]store": trappable,
            "spin:variables/variables.get": store | trappable,
            // Synchronous for the guest, but the host's thread must not wait.
            default: async | trappable,
        },
        with: {
            "spin:key-value/key-value.store": crate::runtime::OpenStore,
            "wasi:keyvalue/store.bucket": crate::runtime::OpenStore,
            "wasi:keyvalue/atomics.cas": crate::runtime::Swap,
        },
    });
}

pub(crate) use generated::spin::key_value::key_value as spin_key_value;
pub(crate) use generated::spin::variables::variables as spin_variables;
pub(crate) use generated::wasi::config::store as wasi_config;
pub(crate) use generated::wasi::keyvalue::{atomics as wasi_atomics, batch as wasi_batch, store as wasi_store};
