//! The WebAssembly engine: its settings, its cache of compiled components, and what components may import.

use super::bindings::{spin_key_value, spin_variables, wasi_atomics, wasi_batch, wasi_config, wasi_store};
use super::guest::{Guest, Spin};
use crate::config::InstanceLimits;
use crate::error::HostError;
use std::path::{Path, PathBuf};
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// Core instances and tables of one component: its own and the few that adapt it to the component model.
const CORE_INSTANCES_PER_COMPONENT: u32 = 8;

/// Stacks for the calls that are under way in one instance, which rarely are more than one at a moment, since a
/// guest that waits gives its stack back.
const STACKS_PER_INSTANCE: u32 = 4;

/// A component that is ready to be instantiated.
pub(crate) struct Loaded {
    pub name: String,
    pub service: ServicePre<Guest>,
}

/// Compiles components.
pub(crate) struct Loader {
    engine: Engine,
    linker: Linker<Guest>,
}

impl Loader {
    /// Sets up the engine; compiled components are kept in `cache_dir`.
    pub fn new(cache_dir: &Path, limits: &InstanceLimits) -> Result<Self, HostError> {
        std::fs::create_dir_all(cache_dir).map_err(|source| HostError::Create {
            what: "the folder for compiled components",
            path: cache_dir.to_owned(),
            source,
        })?;
        // The cache wants an absolute path.
        let cache_dir = cache_dir.canonicalize().map_err(|source| HostError::Read {
            what: "the folder for compiled components",
            path: cache_dir.to_owned(),
            source,
        })?;
        let engine = engine(&cache_dir, limits).map_err(HostError::Engine)?;
        let linker = linker(&engine).map_err(HostError::Engine)?;
        Ok(Self { engine, linker })
    }

    /// Loads components, one after another: the compiler takes all processors for one, and hundreds of megabytes for
    /// several at a time. The cache makes this quick from the second time on.
    pub fn load(&self, sources: &[(String, PathBuf)]) -> Result<Vec<Loaded>, HostError> {
        sources.iter().map(|(name, source)| self.load_one(name, source)).collect()
    }

    fn load_one(&self, name: &str, source: &Path) -> Result<Loaded, HostError> {
        let bytes = std::fs::read(source).map_err(|reason| HostError::Read {
            what: "the component",
            path: source.to_owned(),
            source: reason,
        })?;
        let load = || {
            let component = Component::new(&self.engine, &bytes)?;
            ServicePre::new(self.linker.instantiate_pre(&component)?)
        };
        match load() {
            Ok(service) => Ok(Loaded { name: name.to_owned(), service }),
            Err(source) => Err(HostError::Component { component: name.to_owned(), source }),
        }
    }
}

fn engine(cache_dir: &Path, limits: &InstanceLimits) -> wasmtime::Result<Engine> {
    let mut cache = CacheConfig::new();
    cache.with_directory(cache_dir);
    let mut config = Config::new();
    config.wasm_component_model(true).wasm_component_model_async(true).cache(Some(Cache::new(cache)?));

    // A pool reserves address space, not memory, and makes a new instance in microseconds. Where the system does
    // not grant so much address space, instances are made one by one.
    let instances = limits.max_instances;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_stacks(instances.saturating_mul(STACKS_PER_INSTANCE))
        .max_memory_size(limits.max_memory_bytes);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    match Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::info!("no pool of instances, making them one by one: {error:#}");
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Engine::new(&config)
        }
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    // Components are built for WASI 0.2 by the Rust standard library and use 0.3 for HTTP, so both are there.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    spin_key_value::add_to_linker::<_, Spin>(&mut linker, Guest::spin)?;
    spin_variables::add_to_linker::<_, Spin>(&mut linker, Guest::spin)?;
    wasi_store::add_to_linker::<_, Spin>(&mut linker, Guest::spin)?;
    wasi_batch::add_to_linker::<_, Spin>(&mut linker, Guest::spin)?;
    wasi_atomics::add_to_linker::<_, Spin>(&mut linker, Guest::spin)?;
    wasi_config::add_to_linker::<_, Spin>(&mut linker, Guest::spin)?;
    Ok(linker)
}
