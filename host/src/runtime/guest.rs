//! What belongs to one instance, and what is common to all instances of a component.

use super::outbound::Outbound;
use crate::kv::Store;
use crate::logs::ComponentLog;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::StoreLimits;
use wasmtime::component::{HasData, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What all instances of a component share.
pub(crate) struct Component {
    /// Its name in the manifest.
    pub name: String,
    /// The stores it may open.
    pub stores: BTreeMap<String, Store>,
    /// The values of its variables.
    pub variables: BTreeMap<String, String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Where its output goes.
    pub log: ComponentLog,
    /// The most memory an instance may have.
    pub max_memory_bytes: usize,
}

/// The data of one instance.
pub(crate) struct Guest {
    pub component: Arc<Component>,
    pub table: ResourceTable,
    pub limits: StoreLimits,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    /// Its place among the instances that may live at once.
    _place: OwnedSemaphorePermit,
}

impl Guest {
    pub fn new(component: Arc<Component>, outbound: Outbound, place: OwnedSemaphorePermit) -> Self {
        let mut wasi = WasiCtx::builder();
        for (name, value) in &component.environment {
            wasi.env(name, value);
        }
        // No folders, no network, no input: a guest has what the manifest gives it.
        wasi.stdout(component.log.stdout()).stderr(component.log.stderr());
        let limits = wasmtime::StoreLimitsBuilder::new().memory_size(component.max_memory_bytes).build();
        Self {
            component,
            table: ResourceTable::new(),
            limits,
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound,
            _place: place,
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}

/// The view that the implementations of Spin's interfaces have of an instance.
pub(crate) struct SpinView<'a> {
    pub component: &'a Arc<Component>,
    pub table: &'a mut ResourceTable,
}

/// Names [`SpinView`] to the linker.
pub(crate) struct Spin;

impl HasData for Spin {
    type Data<'a> = SpinView<'a>;
}

impl Guest {
    pub fn spin(&mut self) -> SpinView<'_> {
        SpinView { component: &self.component, table: &mut self.table }
    }
}
