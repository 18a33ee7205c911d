use std::collections::BTreeMap;

use futures::executor::block_on;

use super::*;
use crate::domain::{Core, DomainError, Settings};
use crate::intake::{Extent, Method};
use crate::storage::Provider;
use crate::storage::counting::CountingStore;
use crate::storage::memory::MemoryStore;
use crate::storage::mortal::MortalStore;
use crate::storage::{Clock, Lease, Store, keys};

const CATALOG: CatalogRef<'_> = CatalogRef { id: "c", owner: "me" };

fn core(records: impl Into<Store>, blobs: impl Into<Store>) -> Core {
    Core::new(records, blobs, Clock::manual(1_700_000_000_000), Settings::default())
}

async fn lease(core: &Core) -> Lease {
    core.leases.acquire("owner").await.unwrap().unwrap()
}

/// A file whose pack has the number `pack` and so many bytes.
fn file(path: &str, pack: u64) -> CatalogFile {
    let extent = Extent { offset: 0, stored_len: pack, len: pack, method: Method::Stored };
    CatalogFile {
        file: FileEntry {
            name: path.to_owned(),
            pack: PackId::from_number(pack),
            ordinal: 0,
            extent,
            crc32: 0,
            sop_instance_uid: String::new(),
            instance_number: None,
        },
        by: "admin".to_owned(),
        at_ms: 1,
        notes: FileNotes::default(),
        wish: None,
    }
}

async fn all(core: &Core) -> Vec<(String, u64)> {
    let mut cursor = CatalogCursor::new(CATALOG.id);
    let mut found = Vec::new();
    while let Some(files) = core.next_files(&mut cursor).await.unwrap() {
        found.extend(files.into_iter().map(|file| (file.file.name, file.file.pack.number())));
    }
    found
}

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn random_changes_give_what_a_sorted_map_gives() {
    block_on(async {
        for (names, width) in [(700, 4), (3_000, 1), (400, 900)] {
            let core = core(MemoryStore::new(), MemoryStore::new());
            let mut lease = lease(&core).await;
            let mut model: BTreeMap<String, u64> = BTreeMap::new();
            let mut dice = Dice(88_172_645_463_325_252);
            for pack in 1..=800 {
                let path = format!("{}/{:0width$}-{}", dice.roll(3), 7, dice.roll(names), width = width);
                if dice.roll(4) == 0 {
                    let removed = core.remove_file(&mut lease, CATALOG, &path).await.unwrap();
                    assert_eq!(removed, model.remove(&path).is_some());
                } else {
                    let overwrite = dice.roll(2) == 0;
                    let put = core.put_file(&mut lease, CATALOG, file(&path, pack), overwrite).await.unwrap();
                    let expected = match model.contains_key(&path) {
                        false => Put::Added,
                        true if overwrite => Put::Replaced,
                        true => Put::Duplicate,
                    };
                    assert_eq!(put, expected);
                    if put != Put::Duplicate {
                        model.insert(path, pack);
                    }
                }
            }
            assert_eq!(all(&core).await, model.clone().into_iter().collect::<Vec<_>>());
            let head = core.catalog(CATALOG.id).await.unwrap();
            assert_eq!((head.files, head.bytes), (model.len() as u64, model.values().sum()));
            for (path, pack) in &model {
                let found = core.catalog_file(CATALOG.id, path).await.unwrap().unwrap();
                assert_eq!(found.file.pack.number(), *pack);
            }
            assert_eq!(core.catalog_file(CATALOG.id, "nothing").await.unwrap(), None);
            for path in model.keys() {
                assert!(core.remove_file(&mut lease, CATALOG, path).await.unwrap());
            }
            let head = core.catalog(CATALOG.id).await.unwrap();
            assert!(head.is_empty() && head.bytes == 0 && head.pages.is_empty());
        }
    });
}

#[test]
fn many_files_at_once_give_what_a_sorted_map_gives() {
    block_on(async {
        let core = core(MemoryStore::new(), MemoryStore::new());
        let mut lease = lease(&core).await;
        let mut model: BTreeMap<String, u64> = BTreeMap::new();
        let mut dice = Dice(88_172_645_463_325_252);
        for round in 0..40_u64 {
            let count = [1, 3, 300, 900][usize::try_from(dice.roll(4)).unwrap()];
            let overwrite = dice.roll(2) == 0;
            let mut new: BTreeMap<String, u64> = BTreeMap::new();
            for number in 0..count {
                new.insert(format!("{}/{:05}", dice.roll(3), dice.roll(3_000)), 1 + round * 1_000 + number);
            }
            let files = new.iter().rev().map(|(path, pack)| file(path, *pack)).collect();
            let duplicates = core.put_files(&mut lease, CATALOG, files, overwrite).await.unwrap();
            let there: Vec<String> = new.keys().filter(|path| model.contains_key(*path)).cloned().collect();
            assert_eq!(duplicates, if overwrite { Vec::new() } else { there.clone() });
            new.retain(|path, _| overwrite || !model.contains_key(path));
            model.extend(new);
            if round % 7 == 6 {
                let (folder, last) = (format!("{}/", dice.roll(3)), char::from_digit(round as u32 % 10, 10).unwrap());
                let is_wanted = |path: &str| path.starts_with(&folder) && (round % 2 == 0 || path.ends_with(last));
                let before = model.len();
                model.retain(|path, _| !is_wanted(path));
                let removed = core.remove_files(&mut lease, CATALOG, is_wanted).await.unwrap();
                assert_eq!(removed, (before - model.len()) as u64);
                let head = core.catalog(CATALOG.id).await.unwrap();
                assert_eq!((head.files, head.bytes), (model.len() as u64, model.values().sum()));
                assert_eq!(all(&core).await, model.clone().into_iter().collect::<Vec<_>>());
            }
            if let Some((path, _)) = model.iter().nth(usize::try_from(dice.roll(50)).unwrap()) {
                let path = path.clone();
                assert!(core.remove_file(&mut lease, CATALOG, &path).await.unwrap());
                model.remove(&path);
            }
            assert_eq!(all(&core).await, model.clone().into_iter().collect::<Vec<_>>(), "round {round}");
            let head = core.catalog(CATALOG.id).await.unwrap();
            assert_eq!((head.files, head.bytes), (model.len() as u64, model.values().sum()));
            assert!(!core.recount_catalog(&mut lease, CATALOG).await.unwrap());
        }
        let mut wrong = core.catalog(CATALOG.id).await.unwrap();
        (wrong.files, wrong.bytes) = (1, 2);
        core.records.set(&keys::catalog(CATALOG.id), &wrong).await.unwrap();
        assert!(core.recount_catalog(&mut lease, CATALOG).await.unwrap());
        let head = core.catalog(CATALOG.id).await.unwrap();
        assert_eq!((head.files, head.bytes), (model.len() as u64, model.values().sum()));
    });
}

/// A catalog of these paths, so many on a page, written at once.
async fn seed(core: &Core, paths: &[String], per_page: usize) {
    let mut head = Catalog { files: paths.len() as u64, next_page: 1_000_000, ..Catalog::default() };
    for (number, some) in (0..).zip(paths.chunks(per_page)) {
        let files = (number * per_page as u64 + 1..).zip(some).map(|(pack, path)| file(path, pack)).collect();
        core.records.set(&keys::catalog_page(CATALOG.id, number), &Page { files }).await.unwrap();
        let from = if number == 0 { String::new() } else { some[0].clone() };
        head.pages.push(PageRef { number, from, count: some.len() as u64 });
    }
    core.records.set(&keys::catalog(CATALOG.id), &head).await.unwrap();
}

#[test]
fn a_change_of_ten_thousand_files_costs_no_more_than_one_of_ten() {
    block_on(async {
        let records = CountingStore::new(MemoryStore::new());
        let core = core(records.clone(), CountingStore::new(MemoryStore::new()));
        let mut lease = lease(&core).await;
        let path = |number: u64| format!("run-{number:05}.txt");
        let mut most = [0, 0];
        for (slot, size) in [(0, 10), (1, 10_000)] {
            let paths: Vec<String> = (0..size).map(path).collect();
            seed(&core, &paths, FILES_PER_PAGE).await;
            for new in ["between.txt", "run-00007.txt", "run-00005x.txt", "run-99999.txt"] {
                records.take();
                core.put_file(&mut lease, CATALOG, file(new, 20_000), true).await.unwrap();
                most[slot] = most[slot].max(records.take());
            }
            core.remove_file(&mut lease, CATALOG, "run-00003.txt").await.unwrap();
            most[slot] = most[slot].max(records.take());
            assert!(core.catalog_file(CATALOG.id, "run-00009.txt").await.unwrap().is_some());
            assert_eq!(records.take(), 2, "one file is found by the head and one page");
        }
        assert!(most[0] >= 4 && most[1] <= most[0] + 2 && most[1] <= 10, "{most:?}");
    });
}

#[test]
fn names_that_come_in_their_order_fill_their_pages() {
    block_on(async {
        let core = core(MemoryStore::new(), MemoryStore::new());
        let mut lease = lease(&core).await;
        for number in 0..600 {
            core.put_file(&mut lease, CATALOG, file(&format!("{number:04}"), number + 1), false).await.unwrap();
        }
        let counts: Vec<u64> = core.catalog(CATALOG.id).await.unwrap().pages.iter().map(|page| page.count).collect();
        assert_eq!(counts, [256, 256, 88]);
    });
}

#[test]
fn a_path_is_a_file_or_a_folder() {
    block_on(async {
        let core = core(MemoryStore::new(), MemoryStore::new());
        let mut lease = lease(&core).await;
        for (pack, path) in (1..).zip(["a/b/c", "d", "a/b-c", "a/b.c"]) {
            assert_eq!(core.put_file(&mut lease, CATALOG, file(path, pack), true).await.unwrap(), Put::Added);
        }
        for path in ["a", "a/b", "d/e", "a/b/c/d"] {
            let refused = core.put_file(&mut lease, CATALOG, file(path, 9), true).await;
            assert!(matches!(refused, Err(DomainError::Invalid { .. })), "{path}: {refused:?}");
        }
        assert_eq!(core.catalog(CATALOG.id).await.unwrap().files, 4);
    });
}

#[test]
fn paths_too_long_for_the_head_are_refused_and_change_nothing() {
    block_on(async {
        let core = core(MemoryStore::new(), MemoryStore::new());
        let mut lease = lease(&core).await;
        // Long beginnings in common leave nothing to shorten.
        let path = |number: u64| format!("{}/{number:06}", vec!["x".repeat(250); 4].join("/"));
        let mut stored = 16_000;
        let paths: Vec<String> = (0..stored).map(path).collect();
        seed(&core, &paths, 64).await;
        let refused = loop {
            match core.put_file(&mut lease, CATALOG, file(&path(stored), stored + 1), false).await {
                Ok(put) => assert_eq!(put, Put::Added),
                Err(error) => break error,
            }
            stored += 1;
            assert!(stored < 20_000, "the head never grew too large");
        };
        assert!(matches!(refused, DomainError::Invalid { .. }), "{refused:?}");
        assert_eq!(core.catalog(CATALOG.id).await.unwrap().files, stored);
        assert!(core.remove_file(&mut lease, CATALOG, &path(17)).await.unwrap());
    });
}

#[test]
fn whoever_lost_the_lease_changes_nothing() {
    block_on(async {
        let core = core(MemoryStore::new(), MemoryStore::new());
        let mut lease = lease(&core).await;
        core.put_file(&mut lease, CATALOG, file("a", 1), false).await.unwrap();
        core.clock.advance(1_000_000);
        for outcome in [
            core.put_file(&mut lease, CATALOG, file("b", 2), false).await.map(|_| ()),
            core.remove_file(&mut lease, CATALOG, "a").await.map(|_| ()),
            core.clear_catalog(&mut lease, CATALOG).await,
        ] {
            assert!(matches!(outcome, Err(DomainError::Busy { .. })), "{outcome:?}");
        }
        assert_eq!(all(&core).await, [("a".to_owned(), 1)]);
    });
}

#[test]
fn a_reader_goes_on_when_pages_are_replaced_under_its_eyes() {
    block_on(async {
        let core = core(MemoryStore::new(), MemoryStore::new());
        let mut lease = lease(&core).await;
        for number in 0..600_u64 {
            core.put_file(&mut lease, CATALOG, file(&format!("{number:04}"), number + 1), false).await.unwrap();
        }
        let mut cursor = CatalogCursor::new(CATALOG.id);
        let mut seen: Vec<String> = Vec::new();
        let mut pack = 1_000;
        while let Some(files) = core.next_files(&mut cursor).await.unwrap() {
            seen.extend(files.into_iter().map(|file| file.file.name));
            for number in [10, 300, 550] {
                pack += 1;
                core.put_file(&mut lease, CATALOG, file(&format!("{number:04}"), pack), true).await.unwrap();
            }
        }
        assert_eq!(seen, (0..600).map(|number| format!("{number:04}")).collect::<Vec<_>>());
    });
}

/// Every page in the store is one that the head names, or one that the next change writes again.
async fn assert_nothing_is_lost(records: &MemoryStore, core: &Core) {
    let head = core.catalog(CATALOG.id).await.unwrap();
    let known = |page: u64| {
        head.pages.iter().any(|named| named.number == page)
            || head.leftovers.pages.contains(&page)
            || head.leftovers.cleared.contains(&page)
            || head.leftovers.replaced.contains(&page)
            || (head.next_page..head.next_page + 2).contains(&page)
    };
    for key in records.keys() {
        if let Some(page) = key.strip_prefix("catalog-page:c:") {
            assert!(known(page.parse().unwrap()), "{key} is nobody's");
        }
    }
}

#[test]
fn a_change_that_dies_at_any_step_is_done_or_not_and_leaves_nothing_for_ever() {
    enum Change {
        Put(&'static str),
        Remove(&'static str),
        RemoveThirds,
        Clear,
    }
    block_on(async {
        // A page that must be divided, one that is rewritten, two that are joined, some of many, and all.
        for (change, size, per_page) in [
            (Change::Put("0100x"), 257, 256),
            (Change::Put("0004"), 12, 6),
            (Change::Remove("0000"), 12, 6),
            (Change::RemoveThirds, 12, 6),
            (Change::RemoveThirds, 900, 300),
            (Change::Clear, 12, 6),
        ] {
            let before: Vec<String> = (0..size).map(|number| format!("{number:04}")).collect();
            let mut steps = 0;
            loop {
                let (records, blobs) = (MemoryStore::new(), MemoryStore::new());
                let core = core(records.clone(), blobs.clone());
                let mut held = lease(&core).await;
                seed(&core, &before, per_page).await;
                let mortal = MortalStore::new(records.clone(), steps);
                let doomed = super::tests::core(mortal.clone(), MortalStore::new(blobs.clone(), u64::MAX));
                let old = all(&core).await;
                let mut wanted = old.clone();
                let outcome = match change {
                    Change::Put(path) => {
                        wanted.retain(|(known, _)| known != path);
                        wanted.push((path.to_owned(), 999));
                        wanted.sort();
                        doomed.put_file(&mut held, CATALOG, file(path, 999), true).await.map(|_| ())
                    }
                    Change::Remove(path) => {
                        wanted.retain(|(known, _)| known != path);
                        doomed.remove_file(&mut held, CATALOG, path).await.map(|_| ())
                    }
                    Change::RemoveThirds => {
                        let is_third = |path: &str| path.parse::<u64>().unwrap() % 3 == 0;
                        wanted.retain(|(known, _)| !is_third(known));
                        doomed.remove_files(&mut held, CATALOG, is_third).await.map(|_| ())
                    }
                    Change::Clear => {
                        wanted.clear();
                        let done = doomed.clear_catalog(&mut held, CATALOG).await;
                        match done {
                            Ok(()) => doomed.remove_catalog(CATALOG).await.map_err(DomainError::from),
                            Err(error) => Err(error),
                        }
                    }
                };
                let found = all(&core).await;
                assert!(found == wanted || (outcome.is_err() && found == old), "step {steps}");
                assert_nothing_is_lost(&records, &core).await;
                core.remove_catalog(CATALOG).await.unwrap();
                let left: Vec<String> = records.keys().into_iter().filter(|key| key.starts_with("catalog")).collect();
                assert!(left.is_empty(), "step {steps}: {left:?}");
                if outcome.is_ok() && !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps >= 2, "only {steps} steps");
        }
    });
}

#[test]
fn a_page_of_long_names_is_divided_before_it_is_too_large() {
    block_on(async {
        let records = MemoryStore::new();
        let core = core(records.clone(), MemoryStore::new());
        let mut lease = lease(&core).await;
        for number in 0..300_u64 {
            let path = format!("{:04}{}", number * 7 % 300, "\"".repeat(900));
            core.put_file(&mut lease, CATALOG, file(&path, number + 1), false).await.unwrap();
        }
        assert_eq!(all(&core).await.len(), 300);
        for key in records.keys().iter().filter(|key| key.starts_with("catalog-page")) {
            let bytes = records.get(key).await.unwrap().unwrap().len();
            assert!(bytes <= PAGE_BYTES + 10_000, "{bytes}");
        }
        assert!(keys::catalog_page("c", 0).as_str().starts_with("catalog-page:c:"));
    });
}

#[test]
fn what_cannot_be_put_is_seen_without_a_change() {
    block_on(async {
        let core = core(MemoryStore::new(), MemoryStore::new());
        let mut lease = lease(&core).await;
        for path in ["a", "b/c"] {
            core.put_file(&mut lease, CATALOG, file(path, 1), false).await.unwrap();
        }
        let check = async |paths: &[&str]| core.check_paths(CATALOG.id, paths.iter().copied()).await;
        assert_eq!(check(&["a", "b/c", "b/d", "c"]).await.unwrap(), ["a", "b/c"]);
        for path in ["b", "a/x", "b/c/d"] {
            assert!(matches!(check(&["z", path]).await, Err(DomainError::Invalid { .. })), "{path}");
        }
        let head = core.catalog(CATALOG.id).await.unwrap();
        core.records.set(&keys::catalog(CATALOG.id), &Catalog { files: MAX_FILES - 1, ..head }).await.unwrap();
        assert!(check(&["a", "y"]).await.is_ok());
        assert!(matches!(check(&["y", "z"]).await, Err(DomainError::Invalid { .. })));
    });
}
