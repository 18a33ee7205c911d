use super::*;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PROFILES: [Profile; 2] = [Profile::Small, Profile::Large];

struct Fixture {
    folder: TempDir,
    profile: Profile,
}

impl Fixture {
    fn new(profile: Profile) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), profile }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("kv").join("test.db")
    }

    fn open(&self) -> (Arc<Database>, Store) {
        let database = Database::open(&self.path(), self.profile).unwrap();
        (database.clone(), Store::new(database, "records"))
    }
}

fn sql<T: rusqlite::types::FromSql>(path: &Path, query: &str) -> T {
    Connection::open(path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn values_come_back_and_go() {
    for profile in PROFILES {
        let fixture = Fixture::new(profile);
        let (_database, store) = fixture.open();
        assert_eq!(store.get("a".into()).await.unwrap(), None);
        assert!(!store.exists("a".into()).await.unwrap());
        store.set("a".into(), b"one".to_vec()).await.unwrap();
        store.set("a".into(), b"two".to_vec()).await.unwrap();
        store.set("empty".into(), Vec::new()).await.unwrap();
        assert_eq!(store.get("a".into()).await.unwrap().unwrap(), b"two");
        assert_eq!(store.get("empty".into()).await.unwrap().unwrap(), b"");
        assert!(store.exists("empty".into()).await.unwrap());
        store.delete("a".into()).await.unwrap();
        store.delete("a".into()).await.unwrap();
        assert_eq!(store.get("a".into()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn stores_in_one_file_are_apart() {
    let fixture = Fixture::new(Profile::Small);
    let (database, store) = fixture.open();
    let other = Store::new(database, "other");
    store.set("a".into(), b"1".to_vec()).await.unwrap();
    assert_eq!(other.get("a".into()).await.unwrap(), None);
    assert!(other.keys_after(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn several_values_are_written_and_read_at_once() {
    for profile in PROFILES {
        let fixture = Fixture::new(profile);
        let (_database, store) = fixture.open();
        let pairs = [("b", "2"), ("a", "1"), ("c", "3")];
        store.set_many(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()).await.unwrap();
        let found = store.get_many(vec!["c".into(), "zz".into(), "a".into(), "a".into()]).await.unwrap();
        assert_eq!(found, [("a".into(), b"1".to_vec()), ("c".into(), b"3".to_vec())]);
        store.delete_many(vec!["a".into(), "zz".into(), "b".into()]).await.unwrap();
        assert_eq!(store.keys_after(None).await.unwrap(), ["c"]);
    }
}

#[tokio::test]
async fn a_value_of_any_size_takes_the_place_of_another() {
    for profile in PROFILES {
        let fixture = Fixture::new(profile);
        let (database, store) = fixture.open();
        let sizes = [65_535, 65_536, 3_000_000, 0, 65_536, 1_048_576, 700_000, 5];
        let value = |n: usize| (0..sizes[n]).map(|at| ((at * 7 + n) % 251) as u8).collect::<Vec<_>>();
        for n in 0..sizes.len() {
            store.set("value".into(), value(n)).await.unwrap();
            assert!(store.get("value".into()).await.unwrap().unwrap() == value(n), "{profile:?}, {n}");
        }
        let pairs = (0..sizes.len()).map(|n| (format!("key{n}"), value(n))).collect();
        store.set_many(pairs).await.unwrap();
        drop(store);
        database.close();
        let (_database, store) = fixture.open();
        for n in 0..sizes.len() {
            assert!(store.get(format!("key{n}")).await.unwrap().unwrap() == value(n), "{profile:?}, {n}");
        }
    }
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    let fixture = Fixture::new(Profile::Small);
    let (_database, store) = fixture.open();
    let pairs = (0..2500).map(|n| (format!("key{n:05}"), Vec::new())).collect();
    store.set_many(pairs).await.unwrap();
    let mut listed = Vec::new();
    loop {
        let page = store.keys_after(listed.last().cloned()).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 1000);
        listed.extend(page);
    }
    assert_eq!(listed.len(), 2500);
    assert!(listed.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_increments_at_once_give_sixty_four_numbers() {
    for profile in PROFILES {
        let fixture = Fixture::new(profile);
        let (_database, store) = fixture.open();
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.increment("n".into(), 1).await.unwrap() })
            })
            .collect();
        let mut numbers = Vec::new();
        for task in tasks {
            numbers.push(task.await.unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=64).collect::<Vec<_>>());
        assert_eq!(store.get("n".into()).await.unwrap().unwrap(), 64_i64.to_le_bytes());
        assert_eq!(store.increment("n".into(), -65).await.unwrap(), -1);
    }
}

#[tokio::test]
async fn what_is_no_counter_is_an_error_and_harms_nobody() {
    for profile in PROFILES {
        let fixture = Fixture::new(profile);
        let (_database, store) = fixture.open();
        store.set("text".into(), b"seven".to_vec()).await.unwrap();
        store.set("full".into(), i64::MAX.to_le_bytes().to_vec()).await.unwrap();
        let (bad, good, full) = tokio::join!(
            store.increment("text".into(), 1),
            store.increment("n".into(), 5),
            store.increment("full".into(), 1)
        );
        assert!(matches!(bad, Err(StoreError::NotACounter(5))), "{bad:?}");
        assert!(matches!(full, Err(StoreError::CounterOverflow)), "{full:?}");
        assert_eq!(good.unwrap(), 5);
        assert_eq!(store.get("text".into()).await.unwrap().unwrap(), b"seven");
    }
}

#[tokio::test]
async fn a_swap_compares_before_it_writes() {
    let fixture = Fixture::new(Profile::Small);
    let (_database, store) = fixture.open();
    assert!(store.swap("a".into(), None, b"1".to_vec()).await.unwrap());
    assert!(!store.swap("a".into(), None, b"2".to_vec()).await.unwrap());
    assert!(!store.swap("a".into(), Some(b"0".to_vec()), b"2".to_vec()).await.unwrap());
    assert!(store.swap("a".into(), Some(b"1".to_vec()), b"2".to_vec()).await.unwrap());
    assert_eq!(store.get("a".into()).await.unwrap().unwrap(), b"2");
}

#[tokio::test]
async fn keys_and_values_have_limits() {
    let fixture = Fixture::new(Profile::Large);
    let (_database, store) = fixture.open();
    let long = "k".repeat(MAX_KEY_BYTES + 1);
    assert!(matches!(store.set(long.clone(), Vec::new()).await, Err(StoreError::KeyTooLong(_))));
    assert!(matches!(store.get(long).await, Err(StoreError::KeyTooLong(_))));
    let large = vec![0; MAX_VALUE_BYTES + 1];
    assert!(matches!(store.set("a".into(), large).await, Err(StoreError::ValueTooLong(_))));
    store.set("k".repeat(MAX_KEY_BYTES), vec![1; 1 << 20]).await.unwrap();
}

#[tokio::test]
async fn writes_that_wait_share_a_commit() {
    for profile in PROFILES {
        let fixture = Fixture::new(profile);
        let (_database, store) = fixture.open();
        store.set("warm".into(), vec![0; 10]).await.unwrap();
        // SQLite counts commits in the file's header; in WAL mode it does so only at a checkpoint.
        let change_counter = || {
            let header = std::fs::read(fixture.path()).unwrap();
            u32::from_be_bytes(header[24..28].try_into().unwrap())
        };
        let before = change_counter();
        let writes = (0..200).map(|n| store.set(format!("k{n}"), vec![0; 100]));
        for outcome in futures::future::join_all(writes).await {
            outcome.unwrap();
        }
        let commits = change_counter() - before;
        assert!(commits < 100, "{commits} commits for 200 writes");
        assert_eq!(store.keys_after(None).await.unwrap().len(), 201);
    }
}

#[tokio::test]
async fn the_file_is_one_that_spin_reads() {
    for (profile, mode) in [(Profile::Small, "wal"), (Profile::Large, "persist")] {
        let fixture = Fixture::new(profile);
        let (database, store) = fixture.open();
        store.set("a".into(), b"1".to_vec()).await.unwrap();
        store.increment("n".into(), 3).await.unwrap();
        // A second connection, as another process would have, sees what was acknowledged.
        let path = fixture.path();
        let value: Vec<u8> = sql(&path, "SELECT value FROM spin_key_value WHERE store = 'records' AND key = 'a'");
        assert_eq!(value, b"1");
        let counter: Vec<u8> = sql(&path, "SELECT value FROM spin_key_value WHERE key = 'n'");
        assert_eq!(counter, 3_i64.to_le_bytes());
        let found: String = sql(&path, "PRAGMA journal_mode");
        assert_eq!(found == "wal", mode == "wal");
        // And this one sees what the other wrote.
        Connection::open(&path)
            .unwrap()
            .execute("INSERT INTO spin_key_value VALUES ('records', 'b', x'32')", [])
            .unwrap();
        assert_eq!(store.get("b".into()).await.unwrap().unwrap(), b"2");
        database.close();
        assert!(matches!(store.set("c".into(), Vec::new()).await, Err(StoreError::Closed)));
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().ends_with("-wal")), "{left:?}");
        let (_database, again) = fixture.open();
        assert_eq!(again.get("a".into()).await.unwrap().unwrap(), b"1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_openers_of_one_file_do_not_lose_increments() {
    for profile in PROFILES {
        let fixture = Fixture::new(profile);
        let (_first, one) = fixture.open();
        let (_second, two) = fixture.open();
        let work = |store: Store| async move {
            for _ in 0..50 {
                store.increment("n".into(), 1).await.unwrap();
            }
        };
        tokio::join!(work(one.clone()), work(two));
        assert_eq!(one.increment("n".into(), 0).await.unwrap(), 100);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_on_beside_large_writes_and_see_what_was_acknowledged() {
    for profile in PROFILES {
        let fixture = Fixture::new(profile);
        let (_database, store) = fixture.open();
        let writing = async {
            for n in 0..20_u8 {
                store.set("chunk".into(), vec![n; 600_000]).await.unwrap();
                assert_eq!(store.get("chunk".into()).await.unwrap().unwrap(), vec![n; 600_000]);
            }
        };
        let reading = async {
            let mut last = 0;
            for _ in 0..50 {
                if let Some(value) = store.get("chunk".into()).await.unwrap() {
                    assert_eq!(value.len(), 600_000);
                    assert!(value.iter().all(|byte| *byte == value[0]) && value[0] >= last);
                    last = value[0];
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(writing, reading);
    }
}

#[tokio::test]
async fn what_is_queued_is_still_written_at_the_end() {
    let fixture = Fixture::new(Profile::Small);
    let (database, store) = fixture.open();
    let mut writes: Vec<_> = (0..100).map(|n| Box::pin(store.set(format!("k{n}"), vec![0; 10]))).collect();
    for write in &mut writes {
        // The first poll hands the write over.
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        _ = write.as_mut().poll(&mut context);
    }
    database.close();
    for write in writes {
        write.await.unwrap();
    }
    let count: i64 = sql(&fixture.path(), "SELECT count(*) FROM spin_key_value");
    assert_eq!(count, 100);
}

#[tokio::test]
async fn room_in_the_log_is_made_for_those_who_write_much_and_a_crash_finds_every_commit() {
    let fixture = Fixture::new(Profile::Small);
    let (_database, store) = fixture.open();
    let log = sqlite::beside(&fixture.path(), "-wal");
    let write = async |from: u32, to: u32| {
        for number in from..to {
            store.set(format!("key-{number}"), number.to_be_bytes().repeat(1_000)).await.unwrap();
        }
        std::fs::metadata(&log).unwrap().len()
    };
    assert!(write(0, 8).await < 1 << 20);
    let long = write(8, 100).await;
    assert!(long >= sqlite::SMALL_LOG_BYTES);
    // More than the log holds: it begins anew and does not grow.
    assert_eq!(write(100, 6_000).await, long);

    let crashed = Fixture::new(Profile::Small);
    std::fs::create_dir_all(crashed.path().parent().unwrap()).unwrap();
    for ending in ["", "-wal"] {
        let copy = sqlite::beside(&crashed.path(), ending);
        std::fs::copy(sqlite::beside(&fixture.path(), ending), copy).unwrap();
    }
    let (_database, store) = crashed.open();
    for number in 0..6_000_u32 {
        let value = store.get(format!("key-{number}")).await.unwrap().unwrap();
        assert_eq!(value, number.to_be_bytes().repeat(1_000), "{number}");
    }
}
