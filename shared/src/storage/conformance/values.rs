//! Values and counters.

use super::{Bench, Failure, check, same};
use crate::storage::{Key, keys};

pub(super) async fn come_back_as_they_were_written(bench: Bench) -> Result<(), Failure> {
    let key = |name: &str| -> Key { keys::project(&bench.name(name)) };
    let large: Vec<u8> = (0..3 * 1024 * 1024_u32).map(|n| (n % 251) as u8).collect();
    for (name, value) in [("empty", Vec::new()), ("zeros", vec![0; 8]), ("ä b/c", vec![255, 0, 1]), ("large", large)] {
        let key = key(name);
        same(bench.store.get(key.as_str()).await?, None, "before it was written")?;
        same(bench.store.exists(key.as_str()).await?, false, "whether it is there before it was written")?;
        bench.store.set(key.as_str(), vec![1, 2, 3]).await?;
        bench.store.set(key.as_str(), value.clone()).await?;
        check(bench.store.get(key.as_str()).await?.as_ref() == Some(&value), format!("{name}: other bytes came back"))?;
        same(bench.store.exists(key.as_str()).await?, true, "whether it is there")?;
        bench.store.delete(key.as_str()).await?;
        bench.store.delete(key.as_str()).await?;
        same(bench.store.exists(key.as_str()).await?, false, "whether it is there after it was removed")?;
        same(bench.store.get(key.as_str()).await?, None, "after it was removed")?;
    }
    Ok(())
}

pub(super) async fn counters_give_each_number_once(bench: Bench) -> Result<(), Failure> {
    let key = keys::sequence(&bench.name("counter"));
    same(bench.store.counter(key.as_str()).await?, 0, "a counter nobody used")?;
    let racers = (0..64).map(|_| bench.store.increment(key.as_str(), 1));
    let mut given = Vec::new();
    for number in futures::future::join_all(racers).await {
        given.push(number?);
    }
    given.sort_unstable();
    same(given, (1..=64).collect(), "the numbers given")?;
    same(bench.store.counter(key.as_str()).await?, 64, "the counter read")?;
    same(bench.store.increment(key.as_str(), 36).await?, 100, "a larger step")?;
    same(bench.store.increment(key.as_str(), -99).await?, 1, "a step back")?;
    Ok(())
}
