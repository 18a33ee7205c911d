use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::*;
use crate::accounts::{Account, Login, Role};
use crate::domain::catalog::CatalogCursor;
use crate::domain::prearchive::upload_files::{file_name, receive_file};
use crate::domain::user_cache::{CacheUsage, MAX_RESOURCES};
use crate::storage::mortal::MortalStore;

fn anna() -> Login {
    Login::parse("anna").unwrap()
}

fn bert() -> Login {
    Login::parse("bert").unwrap()
}

/// A site with two users.
async fn site() -> Site {
    let site = Site::new();
    for login in [anna(), bert()] {
        let core = site.core();
        let account = Account::with_hash(&core.records, login, Role::User, String::new(), 1).await.unwrap();
        account.save(&core.records).await.unwrap();
    }
    site
}

async fn add(
    core: &Core,
    login: &Login,
    label: &str,
    files: &[(&str, &[u8])],
) -> Result<(), Box<dyn std::error::Error>> {
    let mut received = Vec::new();
    for (path, bytes) in files {
        let body = arriving(core, vec![Ok(Bytes::copy_from_slice(bytes))]);
        received.push(receive_file(core, body, file_name(path, &core.settings.limits)?).await?);
    }
    Ok(core.add_cache_files(login, label, received).await?)
}

async fn bytes_of(core: &Core, login: &Login, label: &str, path: &str) -> Option<Vec<u8>> {
    let file = core.cache_file(login, label, path).await.unwrap()?.file;
    Some(super::bytes_of(core, &file).await)
}

/// Every resource with its files: a label alone stands for one that is empty.
async fn kept(core: &Core, login: &Login) -> Vec<(String, Vec<(String, Vec<u8>)>)> {
    let mut all = Vec::new();
    for resource in core.cache_resources(login).await.unwrap() {
        let mut cursor = CatalogCursor::new(&resource.catalog);
        let mut files = Vec::new();
        while let Some(some) = core.next_files(&mut cursor).await.unwrap() {
            for file in some {
                let bytes = bytes_of(core, login, &resource.label, &file.file.name).await.unwrap();
                files.push((file.file.name, bytes));
            }
        }
        all.push((resource.label, files));
    }
    all
}

fn resource(label: &str, files: &[(&str, &[u8])]) -> (String, Vec<(String, Vec<u8>)>) {
    (label.to_owned(), files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect())
}

/// Nothing of any user's cache is in the stores.
fn assert_nothing_is_left(site: &Site, what: &str) {
    assert!(site.blobs.keys().is_empty(), "{what}: {:?}", site.blobs.keys());
    let of_cache = ["user-cache", "catalog", "catalog-page", "pack", "pack-digests"];
    let found: usize = of_cache.iter().map(|kind| left(site, kind)).sum();
    assert_eq!(found, 0, "{what}: {:?}", site.records.keys());
}

#[test]
fn files_are_kept_for_their_user_alone_until_they_are_removed() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        core.make_cache_resource(&anna(), "empty").await.unwrap();
        let again = core.make_cache_resource(&anna(), "empty").await;
        assert!(matches!(again, Err(DomainError::Exists { .. })));
        add(&core, &anna(), "ü x", &[("a/b", b"one"), ("c", b"two")]).await.unwrap();
        add(&core, &anna(), "ü x", &[("c", b"three"), ("d,e", b"four")]).await.unwrap();
        add(&core, &bert(), "ü x", &[("c", b"bert's")]).await.unwrap();
        let of_x: &[(&str, &[u8])] = &[("a/b", b"one"), ("c", b"three"), ("d,e", b"four")];
        assert_eq!(kept(&core, &anna()).await, [resource("empty", &[]), resource("ü x", of_x)]);
        assert_eq!(kept(&core, &bert()).await, [resource("ü x", &[("c", b"bert's")])]);
        assert_eq!(core.cache_usage(&anna()).await.unwrap(), CacheUsage { files: 3, bytes: 12 });
        assert_eq!(site.blobs.keys().len(), 4);

        for (names, is_there) in [("c,nothing", false), ("", false), (",", false), ("d,e", true), ("c,,a/b,c", true)] {
            let removed = core.remove_cache_files(&anna(), "ü x", names).await;
            assert_eq!(removed.is_ok(), is_there, "{names}: {removed:?}");
            assert!(is_there || matches!(removed, Err(DomainError::NotFound { .. })), "{names}");
        }
        assert_eq!(kept(&core, &anna()).await, [resource("empty", &[]), resource("ü x", &[])]);
        for label in ["empty", "ü x"] {
            core.remove_cache_resource(&anna(), label).await.unwrap();
            let again = core.remove_cache_resource(&anna(), label).await;
            assert!(matches!(again, Err(DomainError::NotFound { .. })), "{label}");
        }
        core.tidy_cache(&anna()).await.unwrap();
        assert_eq!(kept(&core, &bert()).await, [resource("ü x", &[("c", b"bert's")])]);
        core.remove_cache_resource(&bert(), "ü x").await.unwrap();
        core.tidy_cache(&bert()).await.unwrap();
        assert_nothing_is_left(&site, "all was removed");
    });
}

#[test]
fn a_user_keeps_no_more_than_the_limits_allow() {
    block_on(async {
        let site = site().await;
        let settings = Settings { lease_seconds: 2, max_cache_bytes: 10, ..Default::default() };
        let core = Core::new(site.records.clone(), site.blobs.clone(), site.clock.clone(), settings);
        add(&core, &anna(), "X", &[("a", b"123456")]).await.unwrap();
        assert_eq!(core.cache_room(&anna(), 4).await.unwrap(), 4);
        assert!(matches!(core.cache_room(&anna(), 5).await, Err(DomainError::Full { .. })));
        for (label, files) in [("X", &[("b", &b"12345"[..])][..]), ("Y", &[("b", b"123"), ("c", b"12")])] {
            let refused = add(&core, &anna(), label, files).await.unwrap_err().to_string();
            assert!(refused.contains("holds 6 of the 10 bytes") && refused.contains("delete"), "{refused}");
        }
        assert_eq!(kept(&core, &anna()).await, [resource("X", &[("a", b"123456")])]);
        assert_eq!(site.blobs.keys().len(), 1, "what was refused is gone");
        add(&core, &bert(), "X", &[("a", b"1234567890")]).await.unwrap();
        core.remove_cache_files(&anna(), "X", "a").await.unwrap();
        add(&core, &anna(), "X", &[("b", b"1234567890")]).await.unwrap();

        for number in 1..MAX_RESOURCES {
            core.make_cache_resource(&anna(), &number.to_string()).await.unwrap();
        }
        let refused = core.make_cache_resource(&anna(), "one more").await;
        assert!(matches!(refused, Err(DomainError::Full { .. })), "{refused:?}");
        assert!(core.with_upload_limit(3).settings.limits.max_upload_bytes == 3);
    });
}

#[test]
fn what_is_older_than_the_retention_goes_and_the_rest_stays() {
    block_on(async {
        let site = site().await;
        let core = |days: u64| {
            let cache_retention_seconds = days * 86_400;
            let settings = Settings { lease_seconds: 2, cache_retention_seconds, ..Default::default() };
            Core::new(site.records.clone(), site.blobs.clone(), site.clock.clone(), settings)
        };
        let days = |days: u64| site.clock.advance(days * 86_400_000);
        core(30).make_cache_resource(&anna(), "empty").await.unwrap();
        add(&core(30), &anna(), "old", &[("a", b"one"), ("b", b"two")]).await.unwrap();
        add(&core(30), &anna(), "mixed", &[("a", b"one"), ("b", b"two")]).await.unwrap();
        days(20);
        add(&core(30), &anna(), "mixed", &[("b", b"young"), ("c", b"young")]).await.unwrap();
        core(30).make_cache_resource(&anna(), "young").await.unwrap();
        assert_eq!(core(30).sweep().await.unwrap().cached, 0);
        days(11);
        assert_eq!(core(0).sweep().await.unwrap().cached, 0, "0 keeps for ever");
        assert_eq!(core(30).sweep().await.unwrap().cached, 3);
        let young: &[(&str, &[u8])] = &[("b", b"young"), ("c", b"young")];
        assert_eq!(kept(&core(30), &anna()).await, [resource("mixed", young), resource("young", &[])]);
        assert_eq!(site.blobs.keys().len(), 2);
        assert_eq!(core(30).sweep().await.unwrap().cached, 0);
        days(20);
        assert_eq!(core(30).sweep().await.unwrap().cached, 2);
        assert_nothing_is_left(&site, "all is old");
    });
}

#[test]
fn many_old_files_among_young_ones_go_in_several_sweeps() {
    block_on(async {
        let site = site().await;
        let settings = Settings { lease_seconds: 2, cache_retention_seconds: 86_400, ..Default::default() };
        let core = Core::new(site.records.clone(), site.blobs.clone(), site.clock.clone(), settings);
        let names: Vec<String> = (0..700).map(|number| format!("{number:03}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
        add(&core, &anna(), "X", &files).await.unwrap();
        site.clock.advance(86_400_001);
        add(&core, &anna(), "X", &[("young", b"y")]).await.unwrap();
        assert_eq!(core.sweep().await.unwrap().cached, 500);
        assert_eq!(core.sweep().await.unwrap().cached, 200);
        assert_eq!(kept(&core, &anna()).await, [resource("X", &[("young", b"y")])]);
    });
}

#[test]
fn the_cache_of_a_user_who_is_gone_goes_too() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let nobody = Login::parse("nobody").unwrap();
        core.make_cache_resource(&nobody, "empty").await.unwrap();
        add(&core, &nobody, "X", &[("a", b"one")]).await.unwrap();
        add(&core, &anna(), "X", &[("a", b"two")]).await.unwrap();
        assert_eq!(core.sweep().await.unwrap().cached, 1);
        assert!(core.cache_resources(&nobody).await.unwrap().is_empty());
        assert_eq!(kept(&core, &anna()).await, [resource("X", &[("a", b"two")])]);
        assert_eq!((left(&site, "user-cache"), left(&site, "pack"), site.blobs.keys().len()), (1, 1, 1));
        assert_eq!(core.sweep().await.unwrap().cached, 0);
    });
}

#[test]
fn the_sweep_takes_cached_files_for_alive() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        add(&core, &anna(), "X", &[("a", b"one")]).await.unwrap();
        for _ in 0..4 {
            site.clock.advance(4_000_000);
            core.sweep().await.unwrap();
        }
        assert_eq!(bytes_of(&core, &anna(), "X", "a").await.unwrap(), b"one");
    });
}

enum Change {
    Make,
    Add(&'static str, &'static [(&'static str, &'static [u8])]),
    RemoveFiles,
    RemoveResource,
}

impl Change {
    async fn make(&self, core: &Core) -> Result<(), Box<dyn std::error::Error>> {
        match self {
            Self::Make => core.make_cache_resource(&anna(), "new").await?,
            Self::Add(label, files) => add(core, &anna(), label, files).await?,
            Self::RemoveFiles => core.remove_cache_files(&anna(), "old", "b").await?,
            Self::RemoveResource => {
                core.remove_cache_resource(&anna(), "old").await?;
                core.tidy_cache(&anna()).await?;
            }
        }
        Ok(())
    }
}

#[test]
fn who_dies_at_any_step_of_a_change_has_made_it_or_not_and_nothing_stays_behind() {
    block_on(async {
        let old: &[(&str, &[u8])] = &[("a", b"one"), ("b", b"two")];
        for (what, change, expected) in [
            ("make", Change::Make, vec![resource("new", &[]), resource("old", old)]),
            (
                "add to a new resource",
                Change::Add("new", &[("x", b"1")]),
                vec![resource("new", &[("x", b"1")]), resource("old", old)],
            ),
            (
                "add to one that is there",
                Change::Add("old", &[("c", b"3")]),
                vec![resource("old", &[("a", b"one"), ("b", b"two"), ("c", b"3")])],
            ),
            ("replace", Change::Add("old", &[("a", b"3")]), vec![resource("old", &[("a", b"3"), ("b", b"two")])]),
            ("remove a file", Change::RemoveFiles, vec![resource("old", &[("a", b"one")])]),
            ("remove a resource", Change::RemoveResource, vec![]),
        ] {
            let mut steps = 0;
            loop {
                let site = site().await;
                add(&site.core(), &anna(), "old", old).await.unwrap();
                let (doomed, mortal) = doomed(&site, steps);
                let outcome = change.make(&doomed).await;
                let found = kept(&site.core(), &anna()).await;
                let is_made = found == expected;
                assert!(is_made || (outcome.is_err() && found == [resource("old", old)]), "{what} {steps}: {found:?}");
                let core = recover(&site).await;
                for _ in 0..2 {
                    site.clock.advance(4_000_000);
                    core.sweep().await.unwrap();
                }
                assert_eq!(kept(&core, &anna()).await, found, "{what} {steps}");
                // The next change finds what is left of this one.
                add(&core, &anna(), "old", &[("z", b"next")]).await.unwrap();
                let files: usize = kept(&core, &anna()).await.iter().map(|(_, files)| files.len()).sum();
                assert_eq!(left(&site, "pack"), files, "{what} {steps}");
                for (label, _) in kept(&core, &anna()).await {
                    core.remove_cache_resource(&anna(), &label).await.unwrap();
                }
                core.tidy_cache(&anna()).await.unwrap();
                assert_nothing_is_left(&site, &format!("{what} {steps}"));
                if outcome.is_ok() && !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 3, "{what} has more steps than {steps}");
        }
    });
}

#[test]
fn a_sweep_that_dies_at_any_step_is_finished_by_the_next() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = site().await;
            let settings = || Settings { lease_seconds: 2, cache_retention_seconds: 1_000, ..Default::default() };
            let on = |records: MemoryStore| Core::new(records, site.blobs.clone(), site.clock.clone(), settings());
            let core = on(site.records.clone());
            add(&core, &anna(), "old", &[("a", b"one")]).await.unwrap();
            add(&core, &anna(), "mixed", &[("a", b"one"), ("b", b"two")]).await.unwrap();
            site.clock.advance(1_000_001);
            add(&core, &anna(), "mixed", &[("b", b"young")]).await.unwrap();
            let mortal = MortalStore::new(site.records.clone(), steps);
            let blobs = MortalStore::new(site.blobs.clone(), u64::MAX);
            let outcome = Core::new(mortal.clone(), blobs, site.clock.clone(), settings()).sweep_user_caches().await;
            for _ in 0..2 {
                site.clock.advance(10_000);
                core.sweep().await.unwrap();
            }
            assert_eq!(kept(&core, &anna()).await, [resource("mixed", &[("b", b"young")])], "step {steps}");
            // The next change finds what is left of this one.
            add(&core, &anna(), "mixed", &[("b", b"younger")]).await.unwrap();
            assert_eq!((left(&site, "catalog"), site.blobs.keys().len()), (1, 1), "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 5, "only {steps} steps");
    });
}
