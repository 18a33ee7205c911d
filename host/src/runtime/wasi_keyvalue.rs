//! `wasi:keyvalue@0.2.0-draft2`: store, batch and atomics. A call holds its whole instance until it is done, as the
//! interface wants it, but no thread of the host.

use super::bindings::wasi_store::{Error, KeyResponse};
use super::bindings::{wasi_atomics, wasi_batch, wasi_store};
use super::guest::SpinView;
use super::{OpenStore, Swap};
use crate::kv::{MAX_VALUE_BYTES, Store, StoreError};
use wasmtime::Result;
use wasmtime::component::Resource;

type Answer<T, E = Error> = Result<std::result::Result<T, E>>;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Other(error.to_string())
    }
}

impl SpinView<'_> {
    fn bucket(&self, handle: &Resource<OpenStore>) -> Result<Store> {
        Ok(self.table.get(handle)?.0.clone())
    }
}

impl wasi_store::Host for SpinView<'_> {
    async fn open(&mut self, identifier: String) -> Answer<Resource<OpenStore>> {
        let Some(store) = self.component.stores.get(&identifier) else { return Ok(Err(Error::AccessDenied)) };
        let opened = self.table.push(OpenStore(store.clone()));
        Ok(opened.map_err(|_| Error::Other("too many stores are open".to_owned())))
    }
}

impl wasi_store::HostBucket for SpinView<'_> {
    async fn get(&mut self, bucket: Resource<OpenStore>, key: String) -> Answer<Option<Vec<u8>>> {
        Ok(self.bucket(&bucket)?.get(key).await.map_err(Error::from))
    }

    async fn set(&mut self, bucket: Resource<OpenStore>, key: String, value: Vec<u8>) -> Answer<()> {
        Ok(self.bucket(&bucket)?.set(key, value).await.map_err(Error::from))
    }

    async fn delete(&mut self, bucket: Resource<OpenStore>, key: String) -> Answer<()> {
        Ok(self.bucket(&bucket)?.delete(key).await.map_err(Error::from))
    }

    async fn exists(&mut self, bucket: Resource<OpenStore>, key: String) -> Answer<bool> {
        Ok(self.bucket(&bucket)?.exists(key).await.map_err(Error::from))
    }

    async fn list_keys(&mut self, bucket: Resource<OpenStore>, cursor: Option<String>) -> Answer<KeyResponse> {
        let store = self.bucket(&bucket)?;
        if cursor.is_some() {
            return Ok(Err(Error::Other("list-keys: cursor not supported".to_owned())));
        }
        Ok(all_keys(&store).await.map(|keys| KeyResponse { keys, cursor: None }).map_err(Error::from))
    }

    async fn drop(&mut self, bucket: Resource<OpenStore>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

async fn all_keys(store: &Store) -> std::result::Result<Vec<String>, StoreError> {
    let mut keys: Vec<String> = Vec::new();
    let mut bytes = 0_usize;
    loop {
        let page = store.keys_after(keys.last().cloned()).await?;
        if page.is_empty() {
            return Ok(keys);
        }
        bytes += page.iter().map(|key| key.len() + size_of::<String>()).sum::<usize>();
        if bytes > MAX_VALUE_BYTES {
            return Err(StoreError::ResultTooLong);
        }
        keys.extend(page);
    }
}

impl wasi_batch::Host for SpinView<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<OpenStore>,
        keys: Vec<String>,
    ) -> Answer<Vec<(String, Option<Vec<u8>>)>> {
        let found = self.bucket(&bucket)?.get_many(keys).await;
        Ok(found.map(|found| found.into_iter().map(|(key, value)| (key, Some(value))).collect()).map_err(Error::from))
    }

    async fn set_many(&mut self, bucket: Resource<OpenStore>, pairs: Vec<(String, Vec<u8>)>) -> Answer<()> {
        Ok(self.bucket(&bucket)?.set_many(pairs).await.map_err(Error::from))
    }

    async fn delete_many(&mut self, bucket: Resource<OpenStore>, keys: Vec<String>) -> Answer<()> {
        Ok(self.bucket(&bucket)?.delete_many(keys).await.map_err(Error::from))
    }
}

impl wasi_atomics::Host for SpinView<'_> {
    async fn increment(&mut self, bucket: Resource<OpenStore>, key: String, delta: i64) -> Answer<i64> {
        Ok(self.bucket(&bucket)?.increment(key, delta).await.map_err(Error::from))
    }

    async fn swap(&mut self, cas: Resource<Swap>, value: Vec<u8>) -> Answer<(), wasi_atomics::CasError> {
        use wasi_atomics::CasError::{CasFailed, StoreError};
        let Swap { store, key, seen } = self.table.delete(cas)?;
        match store.swap(key.clone(), seen, value).await {
            Ok(true) => Ok(Ok(())),
            Ok(false) => Ok(Err(match self.begin(store, key).await? {
                Ok(again) => CasFailed(again),
                Err(error) => StoreError(error),
            })),
            Err(error) => Ok(Err(StoreError(error.into()))),
        }
    }
}

impl wasi_atomics::HostCas for SpinView<'_> {
    async fn new(&mut self, bucket: Resource<OpenStore>, key: String) -> Answer<Resource<Swap>> {
        let store = self.bucket(&bucket)?;
        self.begin(store, key).await
    }

    async fn current(&mut self, cas: Resource<Swap>) -> Answer<Option<Vec<u8>>> {
        let (store, key) = {
            let swap = self.table.get(&cas)?;
            (swap.store.clone(), swap.key.clone())
        };
        match store.get(key).await {
            Ok(value) => {
                self.table.get_mut(&cas)?.seen.clone_from(&value);
                Ok(Ok(value))
            }
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn drop(&mut self, cas: Resource<Swap>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl SpinView<'_> {
    async fn begin(&mut self, store: Store, key: String) -> Answer<Resource<Swap>> {
        match store.get(key.clone()).await {
            Ok(seen) => Ok(Ok(self.table.push(Swap { store, key, seen })?)),
            Err(error) => Ok(Err(error.into())),
        }
    }
}
