//! Keeping instances: how many live, how often each is used, when it goes.

use super::guest::{Component, Guest};
use super::outbound::Outbound;
use crate::allowed_hosts::AllowedHosts;
use crate::app::App;
use crate::config::InstanceLimits;
use crate::kv::MAX_VALUE_BYTES;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Result, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ProxyHandler, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// What a guest may hand over in one call: a value of the largest size, its key and a little more. Beyond it the
/// engine traps before it allocates; within it a value that is too large gets an error.
const HOST_CALL_BYTES: usize = MAX_VALUE_BYTES + (1 << 20);

/// The instances of one component.
pub(crate) type Instances = ProxyHandler<Keeper>;

/// The places for instances of all components, and the word that the host is stopping.
pub(crate) struct Places {
    semaphore: Arc<Semaphore>,
    total: u32,
    stopping: watch::Sender<bool>,
}

impl Places {
    pub fn new(total: u32) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(total as usize)), total, stopping: watch::Sender::new(false) }
    }

    /// Sends idle instances away and waits until the busy ones have finished, or the time is over. Returns whether
    /// all are gone.
    pub async fn empty(&self, within: Duration) -> bool {
        self.stopping.send_replace(true);
        tokio::time::timeout(within, self.semaphore.acquire_many(self.total)).await.is_ok()
    }
}

/// Makes instances of one component.
pub(crate) struct Keeper {
    pub component: Arc<Component>,
    pub service: ServicePre<Guest>,
    pub allowed_hosts: Arc<AllowedHosts>,
    pub app: Weak<App>,
    pub places: Arc<Places>,
    pub limits: InstanceLimits,
}

impl HandlerState for Keeper {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Reuse;

    async fn instantiate(&self) -> Result<Instance<Guest, Expiration, Reuse>> {
        // As in Spin: too many instances is an error at once, not a queue.
        let place = self
            .places
            .semaphore
            .clone()
            .try_acquire_owned()
            .map_err(|_| wasmtime::format_err!("all {} places for instances are taken", self.places.total))?;
        let outbound = Outbound::new(self.component.clone(), self.allowed_hosts.clone(), self.app.clone());
        let guest = Guest::new(self.component.clone(), outbound, place);
        let mut store = Store::new(self.service.engine(), guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_hostcall_fuel(HOST_CALL_BYTES);
        let proxy = Proxy::P3(self.service.instantiate_async(&mut store).await?);
        let mut stopping = self.places.stopping.subscribe();
        let stop = async move {
            // An error means that the host is gone, which is as good a reason to stop.
            _ = stopping.wait_for(|stopping| *stopping).await;
        };
        Ok(Instance {
            store,
            proxy,
            view: Guest::http,
            expiration: Expiration {
                idle: self.limits.idle_timeout,
                sleep: Box::pin(tokio::time::sleep(self.limits.idle_timeout)),
                stop: Box::pin(stop),
                stopping: false,
            },
            state: Reuse { limits: self.limits.clone(), component: self.component.clone() },
        })
    }
}

/// When an instance goes: after a while without work, or at once without work when the host stops.
pub(crate) struct Expiration {
    idle: Duration,
    sleep: Pin<Box<Sleep>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    stopping: bool,
}

impl WorkerExpiration for Expiration {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        let this = &mut *self;
        if !this.stopping {
            this.stopping = this.stop.as_mut().poll(context).is_ready();
        }
        match status {
            // No limit on requests and on work after them, as in Spin unless one is asked for.
            WorkerStatus::Requests | WorkerStatus::PostReturn => Poll::Pending,
            WorkerStatus::Idle if this.stopping => Poll::Ready(()),
            WorkerStatus::Idle => {
                let Some(end) = start.checked_add(this.idle) else { return Poll::Pending };
                if this.sleep.deadline() != end.into() {
                    this.sleep.as_mut().reset(end.into());
                }
                this.sleep.as_mut().poll(context)
            }
        }
    }
}

/// How often an instance is used, and how much at once.
pub(crate) struct Reuse {
    limits: InstanceLimits,
    component: Arc<Component>,
}

impl WorkerState for Reuse {
    type StoreData = Guest;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.limits.max_reuse {
            ShouldAccept::Never
        } else if concurrent >= self.limits.max_concurrent_reuse {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Guest>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<Guest>, result: Result<()>) {
        if let Err(error) = result {
            tracing::error!(component = self.component.name, "an instance failed: {error:?}");
            self.component.log.note(&format!("the instance failed: {error:#}"));
        }
        drop(store);
    }
}
