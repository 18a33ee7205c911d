//! Users on the memory store.

use futures::executor::block_on;

use super::*;
use crate::domain::Settings;
use crate::storage::memory::MemoryStore;
use crate::storage::mortal::MortalStore;
use crate::storage::{Clock, Records, Store};

const PASSWORD: &str = "a long password";

fn core_on(store: impl Into<Store>, clock: &Clock) -> Core {
    let records = store.into();
    Core::new(records.clone(), records, clock.clone(), Settings { lease_seconds: 2, ..Default::default() })
}

fn core() -> Core {
    core_on(MemoryStore::new(), &Clock::manual(1_700_000_000_000))
}

fn login(name: &str) -> Login {
    Login::parse(name).unwrap()
}

fn email(email: &str) -> UserChange {
    UserChange { email: Some(email.to_owned()), ..Default::default() }
}

async fn make_admin(core: &Core, name: &str) {
    let change = UserChange { role: Some(Role::SiteAdmin), ..Default::default() };
    core.create_user(name, PASSWORD, change).await.unwrap();
}

async fn names(core: &Core) -> Vec<String> {
    core.list_users().await.unwrap().into_iter().map(|user| user.login.to_string()).collect()
}

#[test]
fn users_are_listed_in_the_order_in_which_they_were_made() {
    block_on(async {
        let core = core();
        for name in ["carl", "ann", "bob"] {
            core.create_user(name, PASSWORD, UserChange::default()).await.unwrap();
        }
        assert_eq!(names(&core).await, ["carl", "ann", "bob"]);
        let change = UserChange { first_name: Some(" Ann ".into()), ..Default::default() };
        core.change_user(&login("ann"), change).await.unwrap();
        core.clock.advance(60_000);
        let (roster, source) = core.users();
        assert!(roster.fold(&source).await.unwrap());
        let users = core.list_users().await.unwrap();
        assert_eq!(users[1].first_name, "Ann");
        assert_eq!(users.len(), 3);
        let shown = serde_json::to_string(&users).unwrap();
        assert!(!shown.contains("argon2") && !shown.contains(PASSWORD), "{shown}");
    });
}

#[test]
fn a_user_is_found_by_login_number_and_email() {
    block_on(async {
        let core = core();
        core.create_user("ann", PASSWORD, email("Ann@Example.org")).await.unwrap();
        let bob = core.create_user("bob", PASSWORD, UserChange::default()).await.unwrap();
        let number = bob.number.to_string();
        for (text, expected) in [
            ("ann", Some("ann")),
            ("ann@example.ORG", Some("ann")),
            (number.as_str(), Some("bob")),
            ("+2", None),
            ("99", None),
            ("Ann", None),
            ("", None),
            ("@", None),
            ("a/b", None),
        ] {
            let found = core.find_user(text).await.unwrap();
            assert_eq!(found.as_ref().map(|account| account.login.as_str()), expected, "{text:?}");
        }
    });
}

#[test]
fn what_is_taken_or_malformed_is_refused() {
    block_on(async {
        let core = core();
        core.create_user("ann", PASSWORD, email("ann@example.org")).await.unwrap();
        for (name, password, change) in
            [("ann", PASSWORD, UserChange::default()), ("bob", PASSWORD, email("ANN@example.org"))]
        {
            let error = core.create_user(name, password, change).await.unwrap_err();
            assert!(matches!(error, DomainError::Exists { .. }), "{name}: {error}");
        }
        let text = |text: &str| UserChange { last_name: Some(text.to_owned()), ..Default::default() };
        for (name, password, change) in [
            ("a b", PASSWORD, UserChange::default()),
            ("guest", PASSWORD, UserChange::default()),
            ("current", PASSWORD, UserChange::default()),
            ("0f8fad5b-d9cb-469f-a165-70867728950e", PASSWORD, UserChange::default()),
            ("bob", "short", UserChange::default()),
            ("bob", PASSWORD, email("nowhere")),
            ("bob", PASSWORD, email("a b@example.org")),
            ("bob", PASSWORD, email("a@b@c")),
            ("bob", PASSWORD, text("a\nb")),
            ("bob", PASSWORD, text(&"a".repeat(257))),
        ] {
            let error = core.create_user(name, password, change).await.unwrap_err();
            assert!(matches!(error, DomainError::Invalid { .. }), "{name}: {error}");
        }
        assert_eq!(names(&core).await, ["ann"]);
        let error = core.change_user(&login("bob"), UserChange::default()).await.unwrap_err();
        assert!(matches!(error, DomainError::NotFound { .. }));
        core.change_user(&login("ann"), email("ann@example.org")).await.unwrap();
        core.change_user(&login("ann"), email("")).await.unwrap();
        assert!(core.find_user("ann@example.org").await.unwrap().is_none());
    });
}

#[test]
fn changes_at_one_moment_do_not_lose_each_other_and_only_one_makes_an_account() {
    block_on(async {
        let core = core();
        let made = futures::join!(
            core.create_user("ann", PASSWORD, UserChange::default()),
            core.create_user("ann", PASSWORD, UserChange::default()),
        );
        assert!(made.0.is_ok() != made.1.is_ok(), "{made:?}");
        let ann = login("ann");
        let change = |change: UserChange| core.change_user(&ann, change);
        let (one, two, three) = futures::join!(
            change(UserChange { first_name: Some("A".into()), ..Default::default() }),
            change(UserChange { last_name: Some("B".into()), ..Default::default() }),
            change(UserChange { all_data: Some(AllDataChange::Join(AllData::Read)), ..Default::default() }),
        );
        for done in [one, two, three] {
            done.unwrap();
        }
        let account = core.find_user("ann").await.unwrap().unwrap();
        assert_eq!((account.first_name.as_str(), account.last_name.as_str()), ("A", "B"));
        assert_eq!(account.all_data, AllData::Read);
    });
}

#[test]
fn an_administrator_who_can_log_in_is_always_left() {
    block_on(async {
        let core = core();
        make_admin(&core, "ann").await;
        make_admin(&core, "bob").await;
        let off = UserChange { enabled: Some(false), ..Default::default() };
        let unverified = UserChange { verified: Some(false), ..Default::default() };
        let demoted = UserChange { role: Some(Role::User), ..Default::default() };
        core.change_user(&login("bob"), off.clone()).await.unwrap();
        for change in [off.clone(), unverified.clone(), demoted.clone()] {
            let error = core.change_user(&login("ann"), change).await.unwrap_err();
            assert!(matches!(error, DomainError::Conflict { .. }), "{error}");
        }
        core.change_user(&login("bob"), UserChange { enabled: Some(true), ..Default::default() }).await.unwrap();
        let (ann, bob) = (login("ann"), login("bob"));
        let both = futures::join!(core.change_user(&ann, demoted), core.change_user(&bob, unverified));
        assert!(both.0.is_ok() != both.1.is_ok(), "exactly one of them goes: {both:?}");
    });
}

#[test]
fn disabling_ends_logins_and_enabling_or_a_password_unlocks() {
    block_on(async {
        let core = core();
        core.create_user("ann", PASSWORD, UserChange::default()).await.unwrap();
        let ann = login("ann");
        let before = core.find_user("ann").await.unwrap().unwrap();
        let off = core.change_user(&ann, UserChange { enabled: Some(false), ..Default::default() }).await.unwrap();
        assert!(off.login_generation > before.login_generation);
        let lock = crate::accounts::failures::LockRule { after_failures: 1, for_ms: 1_000_000 };
        let now_ms = core.clock.now_ms();
        let records: &Records = &core.records;
        for change in [
            UserChange { enabled: Some(true), ..Default::default() },
            UserChange { password: Some("another password".into()), ..Default::default() },
        ] {
            Failures::default().add(records, &ann, now_ms, lock).await.unwrap();
            assert!(Failures::load(records, &ann).await.unwrap().is_locked(now_ms));
            core.change_user(&ann, change).await.unwrap();
            assert!(!Failures::load(records, &ann).await.unwrap().is_locked(now_ms));
        }
        let after = core.find_user("ann").await.unwrap().unwrap();
        assert!(after.password_version > before.password_version);
        let ended = core.change_user(&ann, UserChange { end_logins: true, ..Default::default() }).await.unwrap();
        assert!(ended.login_generation > after.login_generation);
    });
}

#[test]
fn a_making_that_died_at_any_step_leaves_no_user_or_one_and_can_be_repeated() {
    block_on(async {
        for steps in 0.. {
            let store = MemoryStore::new();
            let clock = Clock::manual(1_700_000_000_000);
            let dying = core_on(MortalStore::new(store.clone(), steps), &clock);
            let died = dying.create_user("ann", PASSWORD, UserChange::default()).await.is_err();
            let core = core_on(store, &clock);
            clock.advance(60_000);
            if names(&core).await.is_empty() {
                core.create_user("ann", PASSWORD, UserChange::default()).await.unwrap();
            }
            assert_eq!(names(&core).await, ["ann"], "{steps} steps");
            let (roster, source) = core.users();
            clock.advance(60_000);
            roster.fold(&source).await.unwrap();
            assert_eq!(names(&core).await, ["ann"], "{steps} steps, folded");
            if !died {
                return;
            }
        }
    });
}

#[test]
fn an_account_from_before_there_was_a_list_is_found_and_gets_its_place_when_it_is_met() {
    block_on(async {
        let core = core();
        let old = Account::new(&core.records, login("ann"), Role::SiteAdmin, PASSWORD, 1).await.unwrap();
        old.save(&core.records).await.unwrap();
        assert!(names(&core).await.is_empty());
        let found = core.find_user("ann").await.unwrap().unwrap();
        core.enlist_user(&found).await.unwrap();
        assert_eq!(names(&core).await, ["ann"]);
        let found = core.find_user("ann").await.unwrap().unwrap();
        core.enlist_user(&found).await.unwrap();
        assert_eq!(names(&core).await, ["ann"]);
    });
}

#[test]
fn the_groups_for_all_data_are_joined_and_left_one_by_one() {
    use AllData::{Admin, None, Read};
    for (old, change, expected) in [
        (None, AllDataChange::Join(Read), Read),
        (Read, AllDataChange::Join(Admin), Admin),
        (Admin, AllDataChange::Join(Read), Admin),
        (Admin, AllDataChange::Leave(Read), Admin),
        (Read, AllDataChange::Leave(Admin), Read),
        (Admin, AllDataChange::Leave(Admin), None),
        (Read, AllDataChange::Leave(Read), None),
    ] {
        assert_eq!(change.apply(old), expected, "{old:?} {change:?}");
    }
}
