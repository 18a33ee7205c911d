//! `spin:key-value@3`: asynchronous, so that one instance can have many calls in flight.

use super::OpenStore;
use super::bindings::spin_key_value::{Error, Host, HostStore, HostStoreWithStore};
use super::guest::{Spin, SpinView};
use crate::kv::{Store, StoreError};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;
use wasmtime::component::{
    Access, Accessor, Destination, FutureReader, Resource, StreamProducer, StreamReader, StreamResult, VecBuffer,
};
use wasmtime::{Result, StoreContextMut};

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Other(error.to_string())
    }
}

/// The store behind a handle; the borrow of the instance's data ends here, before anything is awaited.
fn store_of<T>(accessor: &Accessor<T, Spin>, handle: &Resource<OpenStore>) -> Result<Store> {
    accessor.with(|mut access| Ok(access.get().table.get(handle)?.0.clone()))
}

impl Host for SpinView<'_> {}

impl HostStore for SpinView<'_> {
    fn drop(&mut self, handle: Resource<OpenStore>) -> Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl<T: 'static> HostStoreWithStore<T> for Spin {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> Result<std::result::Result<Resource<OpenStore>, Error>> {
        accessor.with(|mut access| {
            let view = access.get();
            let Some(store) = view.component.stores.get(&label) else { return Ok(Err(Error::AccessDenied)) };
            // A full table is the guest's doing, and it is told so.
            Ok(view.table.push(OpenStore(store.clone())).map_err(|_| Error::StoreTableFull))
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
        key: String,
    ) -> Result<std::result::Result<Option<Vec<u8>>, Error>> {
        let store = store_of(accessor, &handle)?;
        Ok(store.get(key).await.map_err(Error::from))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> Result<std::result::Result<(), Error>> {
        let store = store_of(accessor, &handle)?;
        Ok(store.set(key, value).await.map_err(Error::from))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
        key: String,
    ) -> Result<std::result::Result<(), Error>> {
        let store = store_of(accessor, &handle)?;
        Ok(store.delete(key).await.map_err(Error::from))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
        key: String,
    ) -> Result<std::result::Result<bool, Error>> {
        let store = store_of(accessor, &handle)?;
        Ok(store.exists(key).await.map_err(Error::from))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
    ) -> Result<(StreamReader<String>, FutureReader<std::result::Result<(), Error>>)> {
        let store = store_of(accessor, &handle)?;
        accessor.with(|mut access: Access<'_, T, Self>| {
            let (done, outcome) = oneshot::channel();
            let keys = StreamReader::new(&mut access, Keys { store, page: None, after: None, done: Some(done) })?;
            // If the guest drops the stream before its end, there is no error to tell.
            let outcome = async { Result::<_>::Ok(outcome.await.unwrap_or(Ok(()))) };
            let outcome = FutureReader::new(&mut access, outcome)?;
            Ok((keys, outcome))
        })
    }
}

type Page = Pin<Box<dyn Future<Output = std::result::Result<Vec<String>, StoreError>> + Send>>;

/// The keys of a store, fetched page by page as the guest reads them.
struct Keys {
    store: Store,
    page: Option<Page>,
    after: Option<String>,
    done: Option<oneshot::Sender<std::result::Result<(), Error>>>,
}

impl Keys {
    fn finish(&mut self, outcome: std::result::Result<(), Error>) -> StreamResult {
        if let Some(done) = self.done.take() {
            // The guest may have dropped the future.
            _ = done.send(outcome);
        }
        StreamResult::Dropped
    }
}

impl<D> StreamProducer<D> for Keys {
    type Item = String;
    type Buffer = VecBuffer<String>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let this = &mut *self;
        let page = this.page.get_or_insert_with(|| {
            let (store, after) = (this.store.clone(), this.after.clone());
            Box::pin(async move { store.keys_after(after).await })
        });
        let polled = page.as_mut().poll(context);
        if polled.is_pending() && finish {
            this.page = None;
            return Poll::Ready(Ok(StreamResult::Cancelled));
        }
        let outcome = ready!(polled);
        this.page = None;
        Poll::Ready(Ok(match outcome {
            Err(error) => this.finish(Err(error.into())),
            Ok(keys) => match keys.last().cloned() {
                None => this.finish(Ok(())),
                last => {
                    this.after = last;
                    destination.set_buffer(keys.into());
                    StreamResult::Completed
                }
            },
        }))
    }
}
