//! Alias tokens on the memory store.

use futures::executor::block_on;

use super::*;
use crate::accounts::account::Role;
use crate::accounts::{AuthSettings, Authenticator, Credentials, Identity, ServerSecret, Via, login};
use crate::storage::Provider;
use crate::storage::memory::MemoryStore;
use crate::storage::{Clock, Leases};

const LIFE_MS: u64 = 1_000_000;

struct World {
    store: MemoryStore,
    records: Records,
    tokens: Roster,
    account: Account,
}

impl World {
    async fn new() -> Self {
        let store = MemoryStore::new();
        let records = Records::new(store.clone());
        let clock = Clock::manual(0);
        let tokens = Roster::new(ROSTER, records.clone(), Leases::new(records.clone(), clock.clone(), 1000), clock);
        let login = Login::parse("ann").unwrap();
        let account = Account::new(&records, login, Role::User, "right password", 1).await.unwrap();
        account.save(&records).await.unwrap();
        Self { store, records, tokens, account }
    }

    async fn issue(&self, now_ms: u64) -> IssuedToken {
        issue(&self.records, &self.tokens, &self.account, now_ms, LIFE_MS).await.unwrap()
    }

    async fn logs_in(&self, token: &IssuedToken, now_ms: u64) -> bool {
        verify(&self.records, &token.info.alias, &token.secret, now_ms).await.unwrap().is_some()
    }

    fn kept(&self) -> usize {
        self.store.keys().iter().filter(|key| key.starts_with("alias-token:")).count()
    }
}

#[test]
fn aliases_are_told_from_login_names_by_their_shape() {
    assert!(is_alias(&new_alias().unwrap()));
    assert!(is_alias("0F8FAD5B-d9cb-469f-a165-70867728950e"));
    for other in ["", "ann", "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-70867728950e-1", "g-4-4"] {
        assert!(!is_alias(other), "{other}");
    }
}

#[test]
fn a_token_logs_in_with_its_secret_alone_and_the_secret_is_stored_nowhere() {
    block_on(async {
        let world = World::new().await;
        let (one, two) = (world.issue(5).await, world.issue(5).await);
        assert_eq!((one.secret.len(), one.info.number, two.info.number), (64, 1, 2));
        assert_eq!(one.info.alias.as_bytes()[14], b'4', "a UUID of version 4: {}", one.info.alias);
        assert!(one.secret != two.secret && one.info.alias != two.info.alias);
        assert!(world.logs_in(&one, 6).await);
        let upper = one.info.alias.to_uppercase();
        assert!(verify(&world.records, &upper, &one.secret, 6).await.unwrap().is_some());
        for (alias, secret) in [
            (one.info.alias.as_str(), two.secret.as_str()),
            (one.info.alias.as_str(), ""),
            ("0f8fad5b-d9cb-469f-a165-70867728950e", one.secret.as_str()),
            ("", ""),
        ] {
            assert!(verify(&world.records, alias, secret, 6).await.unwrap().is_none(), "{alias}");
        }
        assert!(!format!("{one:?}").contains(&one.secret));
        for key in world.store.keys() {
            let value = world.store.get(&key).await.unwrap().unwrap();
            assert!(!String::from_utf8_lossy(&value).contains(&one.secret), "{key}");
        }
    });
}

#[test]
fn a_token_ends_with_time_password_account_and_all_logins() {
    block_on(async {
        let mut world = World::new().await;
        let token = world.issue(5).await;
        assert!(world.logs_in(&token, 5 + LIFE_MS - 1).await);
        assert!(!world.logs_in(&token, 5 + LIFE_MS).await);
        world.account.enabled = false;
        world.account.save(&world.records).await.unwrap();
        assert!(!world.logs_in(&token, 6).await);
        world.account.enabled = true;
        world.account.end_logins();
        world.account.save(&world.records).await.unwrap();
        assert!(!world.logs_in(&token, 6).await);
        let later = world.issue(6).await;
        assert!(world.logs_in(&later, 7).await);
        world.account.set_password("other password", 7).unwrap();
        world.account.save(&world.records).await.unwrap();
        assert!(!world.logs_in(&later, 8).await);
        assert!(list(&world.records, &world.tokens, &world.account, 8).await.unwrap().is_empty());
        assert_eq!(sweep(&world.records, &world.tokens, 8).await.unwrap(), 2);
        assert_eq!(world.kept(), 0);
    });
}

#[test]
fn tokens_are_listed_for_their_user_until_they_are_removed_or_swept() {
    block_on(async {
        let world = World::new().await;
        let (one, two) = (world.issue(5).await, world.issue(500).await);
        let bob = Account::new(&world.records, Login::parse("bob").unwrap(), Role::User, "right password", 1);
        let bob = bob.await.unwrap();
        bob.save(&world.records).await.unwrap();
        issue(&world.records, &world.tokens, &bob, 5, 10 * LIFE_MS).await.unwrap();
        let listed = list(&world.records, &world.tokens, &world.account, 600).await.unwrap();
        assert_eq!(listed, [one.info.clone(), two.info.clone()]);
        remove(&world.records, &world.tokens, &one.info).await.unwrap();
        assert!(!world.logs_in(&one, 600).await && world.logs_in(&two, 600).await);
        let left = list(&world.records, &world.tokens, &world.account, 600).await.unwrap();
        assert_eq!(left, std::slice::from_ref(&two.info));
        assert_eq!(sweep(&world.records, &world.tokens, 600).await.unwrap(), 0);
        assert_eq!(sweep(&world.records, &world.tokens, 500 + LIFE_MS).await.unwrap(), 1);
        assert_eq!(world.kept(), 1, "bob's is left");
    });
}

#[test]
fn a_session_opened_with_a_token_ends_with_it() {
    block_on(async {
        let world = World::new().await;
        let secret = ServerSecret::ensure(&world.records).await.unwrap();
        let settings = AuthSettings::default();
        let at = |now_ms| Authenticator::new(&world.records, &secret, &settings, now_ms);
        let token = world.issue(5).await;
        let user = at(6).check_password(&token.info.alias, &token.secret).await.unwrap();
        assert_eq!(user.via, Via::Token { alias: token.info.alias.clone() });
        assert!(at(6).check_password(&token.info.alias, "wrong").await.is_err());
        let (one, two) = (at(6).open_session(&user).await.unwrap(), at(6).open_session(&user).await.unwrap());
        let with = |session: &str, now_ms| {
            let (session, authenticator) = (session.to_owned(), at(now_ms));
            async move {
                let credentials = Credentials { authorization: None, session_token: Some(&session) };
                authenticator.authenticate(credentials).await
            }
        };
        let Ok(Identity::User(found)) = with(&one.token, 7).await else { panic!("no user") };
        assert_eq!(found.via.alias(), Some(token.info.alias.as_str()), "the session knows how it began");
        assert!(login::resume(&world.records, &two.token, 5 + LIFE_MS, u64::MAX).await.unwrap().is_none());
        remove(&world.records, &world.tokens, &token.info).await.unwrap();
        assert!(with(&one.token, 8).await.is_err());
    });
}
