//! Segments that are written while their bytes are on their way to the store.

use async_trait::async_trait;
use futures::executor::block_on;
use futures::future::join;

use super::crash::{recover, settle};
use super::gradual::{base, gradual, send};
use super::resumable::doomed_in;
use super::*;
use crate::storage::Provider;
use crate::storage::StoreError;
use crate::storage::memory::give_way;

/// A store whose writes take a while.
pub(super) struct SlowStore {
    pub inner: Store,
    /// How often others have their turn before a write.
    pub turns: u32,
}

#[async_trait(?Send)]
impl Provider for SlowStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.inner.exists(key).await
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        for _ in 0..self.turns {
            give_way().await;
        }
        self.inner.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.inner.increment(key, delta).await
    }

    async fn counter(&self, key: &str) -> Result<i64, StoreError> {
        self.inner.counter(key).await
    }
}

/// The files of the only session, built anew.
async fn built(core: &Core) -> Vec<(String, String, Vec<u8>)> {
    let session = staged(core, "DEMO").await.remove(0);
    let mut held = core.hold_session_patiently(&session.id).await.unwrap();
    core.build(&mut held).await.unwrap();
    let manifest = held.session.manifest.clone().unwrap();
    core.let_go(held).await.unwrap();
    contents(core, &manifest).await
}

#[test]
fn who_dies_while_bytes_are_on_their_way_leaves_no_file_without_them() {
    let study = study(1);
    let files: Vec<_> = study.files().take(2).collect();
    for in_blobs in [false, true] {
        let mut steps = 0;
        loop {
            let is_over = block_on(async {
                let site = Site::new().with_project().await;
                let send = async |core: &Core, number: usize| {
                    send(core, base(&files[number].name), &files[number].bytes, &gradual()).await.is_ok()
                };
                assert!(send(&site.core(), 0).await);
                let (doomed, mortal) = doomed_in(&site, steps, in_blobs);
                let is_taken = send(&doomed, 1).await;
                let core = recover(&site).await;
                let found = built(&core).await;
                assert!(found.len() == 2 || (!is_taken && found.len() == 1), "step {steps}: {}", found.len());
                settle(&site, &core).await;
                assert_eq!(site.blobs.keys().len(), found.len(), "step {steps}");
                assert!(send(&core, 1).await, "step {steps}");
                assert_eq!(built(&core).await.len(), 2, "step {steps}");
                !mortal.is_dead()
            });
            if is_over {
                break;
            }
            steps += 1;
        }
        assert!(steps >= if in_blobs { 1 } else { 4 }, "{steps}");
    }
}

#[test]
fn a_session_that_is_built_before_the_bytes_have_come_has_them_afterwards() {
    let study = study(1);
    let files: Vec<_> = study.files().take(2).collect();
    let mut seen_early = 0;
    for delay in 0..60 {
        block_on(async {
            let site = Site::new().with_project().await;
            let core = site.core();
            let wanted = gradual();
            send(&core, base(&files[0].name), &files[0].bytes, &wanted).await.unwrap();
            let slow = SlowStore { inner: site.blobs.clone().into(), turns: 30 };
            let slow = site.core_on(site.records.clone(), slow);
            let building = async {
                for _ in 0..delay {
                    give_way().await;
                }
                built(&core).await.len()
            };
            let (sent, first) = join(send(&slow, base(&files[1].name), &files[1].bytes, &wanted), building).await;
            sent.unwrap();
            seen_early += usize::from(first == 1);
            assert_eq!(built(&core).await.len(), 2, "{delay}");
        });
    }
    assert!((1..60).contains(&seen_early), "{seen_early}");
}
