//! Rosters.

use serde::{Deserialize, Serialize};

use super::{Bench, Failure, LEASE_LIFE_MS, check, same, unless_dead};
use crate::storage::mortal::MortalStore;
use crate::storage::roster::SETTLE_MS;
use crate::storage::{Leases, Listed, Record, Records, Roster, Store, StoreError, keys};

/// A member of the lists of these cases: its record says what its row shows.
#[derive(Serialize, Deserialize)]
struct Member {
    place: u64,
    text: String,
}

impl Record for Member {
    const VERSION: u32 = 1;
}

struct List {
    records: Records,
    roster: Roster,
    name: String,
}

impl List {
    fn new(bench: &Bench, name: &str) -> Self {
        Self::on(bench, bench.store.clone(), name)
    }

    fn on(bench: &Bench, store: impl Into<Store>, name: &str) -> Self {
        let records = Records::new(store);
        let leases = Leases::new(records.clone(), bench.clock.clone(), LEASE_LIFE_MS);
        let name = bench.name(name);
        let roster = Roster::new(name.clone(), records.clone(), leases, bench.clock.clone());
        Self { records, roster, name }
    }

    fn key(&self, member: &str) -> crate::storage::Key {
        keys::project(&format!("{}/{member}", self.name))
    }

    async fn put(&self, member: &str, text: &str) -> Result<(), StoreError> {
        let old: Option<Member> = self.records.get(&self.key(member)).await?;
        let touch = self.roster.touch(member, old.map(|old| old.place)).await?;
        self.records.set(&self.key(member), &Member { place: touch.place, text: text.to_owned() }).await?;
        self.roster.settled(member, touch).await
    }

    async fn remove(&self, member: &str) -> Result<(), StoreError> {
        if let Some(old) = self.records.get::<Member>(&self.key(member)).await? {
            let touch = self.roster.touch(member, Some(old.place)).await?;
            self.records.delete(&self.key(member)).await?;
            self.roster.settled(member, touch).await?;
        }
        Ok(())
    }

    fn source(&self) -> impl crate::storage::roster::RowSource<String> {
        let (records, name) = (self.records.clone(), self.name.clone());
        move |member: String, place| {
            let records = records.clone();
            let key = keys::project(&format!("{name}/{member}"));
            async move {
                let found: Option<Member> = records.get(&key).await?;
                Ok(found.filter(|found| found.place == place).map(|found| found.text))
            }
        }
    }

    async fn fold(&self) -> Result<bool, StoreError> {
        self.roster.fold(&self.source()).await
    }

    async fn rows(&self) -> Result<Vec<Listed<String>>, StoreError> {
        self.roster.list(&self.source()).await
    }

    /// Fails unless reading in parts of any size gives what reading at once does.
    async fn parts_agree(&self) -> Result<(), Failure> {
        let whole = self.rows().await?;
        for limit in [1, 3, 50] {
            let mut parts = Vec::new();
            for offset in (0..whole.len() + limit).step_by(limit) {
                let part = self.roster.page(&self.source(), offset, limit).await?;
                same(part.passed, offset.min(whole.len()), &format!("rows passed over for the part at {offset}"))?;
                parts.extend(part.rows);
            }
            check(parts == whole, format!("parts of {limit} rows are not the list"))?;
        }
        Ok(())
    }

    async fn texts(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.rows().await?.into_iter().map(|listed| format!("{}={}", listed.member, listed.row)).collect())
    }
}

pub(super) async fn each_of_many_writers_is_seen_once(bench: Bench) -> Result<(), Failure> {
    let list = List::new(&bench, "many");
    let names: Vec<String> = (0..64).map(|n| format!("m{n:02}")).collect();
    for done in futures::future::join_all(names.iter().map(|name| list.put(name, "new"))).await {
        done?;
    }
    let check_all = async |list: &List, text: &str| -> Result<(), Failure> {
        let mut found = list.texts().await?;
        found.sort();
        same(found, names.iter().map(|name| format!("{name}={text}")).collect(), "the list")?;
        list.parts_agree().await
    };
    check_all(&list, "new").await?;
    bench.clock.advance(2 * SETTLE_MS);
    check(list.fold().await?, "nothing was folded")?;
    same(list.roster.unfolded().await?, 0, "touches left after folding")?;
    check_all(&list, "new").await?;
    for done in futures::future::join_all(names.iter().map(|name| list.put(name, "changed"))).await {
        done?;
    }
    check_all(&list, "changed").await?;
    bench.clock.advance(2 * SETTLE_MS);
    list.fold().await?;
    check_all(&list, "changed").await?;
    let places: Vec<String> = list.texts().await?;
    bench.clock.advance(2 * SETTLE_MS);
    check(!list.fold().await?, "an empty log was folded")?;
    same(list.texts().await?, places, "the order")
}

pub(super) async fn readers_during_folding_see_each_row_once(bench: Bench) -> Result<(), Failure> {
    let list = List::new(&bench, "during");
    for n in 0..40 {
        list.put(&format!("m{n:02}"), "x").await?;
    }
    let wanted = list.texts().await?;
    for round in 0..4 {
        bench.clock.advance(2 * SETTLE_MS);
        list.put("m00", "x").await?;
        bench.clock.advance(2 * SETTLE_MS);
        let folds = async {
            list.fold().await?;
            Ok::<_, StoreError>(())
        };
        let reads = futures::future::join_all((0..8).map(|_| list.texts()));
        let (folded, reads) = futures::future::join(folds, reads).await;
        folded?;
        for read in reads {
            same(read?, wanted.clone(), &format!("a list read during folding {round}"))?;
        }
    }
    Ok(())
}

pub(super) async fn a_writer_who_dies_at_any_step_leaves_a_true_list(bench: Bench) -> Result<(), Failure> {
    for steps in 0..10 {
        let name = format!("death-{steps}");
        let list = List::new(&bench, &name);
        list.put("old", "1").await?;
        list.put("gone", "1").await?;
        let mortal = MortalStore::new(bench.store.clone(), steps);
        let doomed = List::on(&bench, mortal.clone(), &name);
        for done in [doomed.put("new", "1").await, doomed.put("old", "2").await, doomed.remove("gone").await] {
            unless_dead(done, mortal.is_dead())?;
        }
        let truth = async |list: &List| -> Result<Vec<String>, Failure> {
            let mut truth = Vec::new();
            for member in ["old", "gone", "new"] {
                if let Some(found) = list.records.get::<Member>(&list.key(member)).await? {
                    truth.push(format!("{member}={}", found.text));
                }
            }
            truth.sort();
            Ok(truth)
        };
        for folds in 0..3 {
            let mut found = list.texts().await?;
            found.sort();
            same(found, truth(&list).await?, &format!("after a death at step {steps} and {folds} foldings"))?;
            list.parts_agree().await?;
            bench.clock.advance(2 * SETTLE_MS);
            list.fold().await?;
            list.put("old", "3").await?;
        }
    }
    Ok(())
}

pub(super) async fn a_folding_that_dies_at_any_step_loses_nothing(bench: Bench) -> Result<(), Failure> {
    for steps in 0..24 {
        let name = format!("fold-{steps}");
        let list = List::new(&bench, &name);
        for n in 0..6 {
            list.put(&format!("m{n}"), "1").await?;
        }
        bench.clock.advance(2 * SETTLE_MS);
        list.fold().await?;
        list.put("m1", "2").await?;
        list.remove("m2").await?;
        list.put("m7", "1").await?;
        bench.clock.advance(2 * SETTLE_MS);
        let wanted = list.texts().await?;
        let mortal = MortalStore::new(bench.store.clone(), steps);
        let doomed = List::on(&bench, mortal.clone(), &name);
        unless_dead(doomed.fold().await, mortal.is_dead())?;
        same(list.texts().await?, wanted.clone(), &format!("after a folding that died at step {steps}"))?;
        bench.clock.advance(4 * LEASE_LIFE_MS);
        for _ in 0..8 {
            list.fold().await?;
            bench.clock.advance(2 * LEASE_LIFE_MS);
        }
        same(list.roster.unfolded().await?, 0, "touches that nobody folds any more")?;
        same(list.texts().await?, wanted, &format!("after the folding that followed a death at step {steps}"))?;
    }
    Ok(())
}

pub(super) async fn lists_follow_what_is_alive(bench: Bench) -> Result<(), Failure> {
    let list = List::new(&bench, "alive");
    let names: Vec<String> = (0..700).map(|n| format!("m{n:03}")).collect();
    for some in names.chunks(50) {
        for done in futures::future::join_all(some.iter().map(|name| list.put(name, "x"))).await {
            done?;
        }
    }
    bench.clock.advance(2 * SETTLE_MS);
    list.fold().await?;
    same(list.roster.pages().await?, 3, "pages of 700 rows")?;
    for some in names.chunks(50) {
        let dead = some.iter().filter(|name| !name.ends_with("00"));
        for done in futures::future::join_all(dead.map(|name| list.remove(name))).await {
            done?;
        }
    }
    let mut alive: Vec<String> =
        names.iter().filter(|name| name.ends_with("00")).map(|name| format!("{name}=x")).collect();
    alive.sort();
    let sorted = |mut found: Vec<String>| {
        found.sort();
        found
    };
    same(sorted(list.texts().await?), alive.clone(), "the living before folding")?;
    bench.clock.advance(2 * SETTLE_MS);
    list.fold().await?;
    same(sorted(list.texts().await?), alive, "the living after folding")?;
    same(list.roster.pages().await?, 1, "pages after heavy deletion")
}
