//! Packs.

use super::{Bench, Failure, check, same, unless_dead};
use crate::storage::mortal::MortalStore;
use crate::storage::pack::{self, CHUNK_BYTES, PackReader, PackShape, PackWriter};
use crate::storage::{PackId, Records, keys};

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n.wrapping_mul(31) >> 3) as u8).collect()
}

async fn write(writer: &mut PackWriter, content: &[u8]) -> Result<PackShape, crate::storage::StoreError> {
    for piece in content.chunks(70_001) {
        writer.write(piece).await?;
    }
    writer.finish().await
}

async fn chunks_left(bench: &Bench, id: PackId) -> Result<u64, Failure> {
    let mut left = 0;
    for chunk in 0..8 {
        left += u64::from(bench.store.get(keys::pack_chunk(id, chunk).as_str()).await?.is_some());
    }
    Ok(left)
}

pub(super) async fn read_back_at_every_offset(bench: Bench) -> Result<(), Failure> {
    for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 17] {
        let content = content(length);
        let mut writer = PackWriter::start(&bench.records(), bench.store.clone()).await?;
        let shape = write(&mut writer, &content).await?;
        same(shape.bytes, length as u64, "the length")?;
        pack::commit(&bench.records(), shape, vec!["s".to_owned()], bench.clock.now_ms()).await?;
        same(pack::find(&bench.records(), shape.id).await?, Some(shape), "the pack's shape")?;
        let reader = PackReader::new(bench.store.clone(), shape);
        let mut back = Vec::new();
        while back.len() < length {
            back.extend_from_slice(&reader.read(back.len() as u64, 300_007).await?);
        }
        check(back == content, format!("{length} bytes came back changed"))?;
        check(reader.read(length as u64, 10).await?.is_empty(), "there is something behind the end")?;
        for offset in [0, length / 3, length.saturating_sub(1)] {
            let found = reader.read(offset as u64, 5).await?;
            check(content.get(offset..offset + found.len()) == Some(&found[..]), format!("other bytes at {offset}"))?;
        }
        pack::release(&bench.records(), &bench.store, shape.id, "s").await?;
        same(chunks_left(&bench, shape.id).await?, 0, "chunks left after the release")?;
        same(pack::find(&bench.records(), shape.id).await?, None, "the pack after the release")?;
    }
    Ok(())
}

pub(super) async fn abandoned_ones_leave_nothing(bench: Bench) -> Result<(), Failure> {
    let mut writer = PackWriter::start(&bench.records(), bench.store.clone()).await?;
    writer.write(&content(3 * CHUNK_BYTES + 5)).await?;
    let id = writer.id().await?;
    writer.abandon().await?;
    same(chunks_left(&bench, id).await?, 0, "chunks left")
}

pub(super) async fn a_writer_who_dies_at_any_step_leaves_only_what_the_sweep_finds(
    bench: Bench,
) -> Result<(), Failure> {
    for steps in 1..7 {
        let mortal = MortalStore::new(bench.store.clone(), steps);
        let mut writer = PackWriter::start(&Records::new(mortal.clone()), mortal.clone()).await?;
        let id = writer.id().await?;
        let written = unless_dead(write(&mut writer, &content(3 * CHUNK_BYTES + 5)).await, mortal.is_dead())?;
        // What a dead writer had under way may still arrive; here it has, long before the sweep comes.
        if written.is_none() {
            unless_dead(writer.abandon().await, mortal.is_dead())?;
        }
        if let Some(shape) = written {
            let commit = pack::commit(&Records::new(mortal.clone()), shape, vec!["s".to_owned()], 0).await;
            if unless_dead(commit, mortal.is_dead())?.is_some() {
                same(chunks_left(&bench, id).await?, 4, "chunks of a committed pack")?;
                continue;
            }
        }
        same(pack::find(&bench.records(), id).await?, None, "a pack whose writer died")?;
        pack::remove_uncommitted(&bench.store, id).await?;
        same(chunks_left(&bench, id).await?, 0, "chunks left by a dead writer after the sweep")?;
    }
    Ok(())
}

pub(super) async fn live_until_the_last_owner_lets_go(bench: Bench) -> Result<(), Failure> {
    let mut writer = PackWriter::start(&bench.records(), bench.store.clone()).await?;
    let shape = write(&mut writer, &content(100)).await?;
    let owners = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
    pack::commit(&bench.records(), shape, owners, bench.clock.now_ms()).await?;
    for owner in ["a", "b", "b"] {
        pack::release(&bench.records(), &bench.store, shape.id, owner).await?;
        same(chunks_left(&bench, shape.id).await?, 1, "chunks while an owner is left")?;
    }
    let records = bench.records();
    let (one, other) = futures::future::join(
        pack::release(&records, &bench.store, shape.id, "c"),
        pack::release(&records, &bench.store, shape.id, "c"),
    )
    .await;
    one?;
    other?;
    same(chunks_left(&bench, shape.id).await?, 0, "chunks after the last owner let go")
}
