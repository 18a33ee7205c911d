//! Checking a password, at the price of one Argon2 in some minutes.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::account::{Account, Login};
use super::failures::{Failures, LockRule};
use super::secret::ServerSecret;
use super::{AccountError, password};
use crate::storage::keys;
use crate::storage::records::{Record, Records};

/// A password that was verified lately. It stands under a keyed hash of name and password, which is the only trace of
/// the password in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verified {
    /// Whose password it is.
    pub login: Login,
    /// The password's version; a change of the password ends this.
    pub password_version: u64,
    /// Until when it counts.
    pub until_ms: u64,
}

impl Record for Verified {
    const VERSION: u32 = 1;
}

/// How passwords are checked.
#[derive(Debug, Clone, Copy)]
pub struct VerifyRule {
    /// How long a verified password is remembered; 0 for never.
    pub remember_ms: u64,
    /// When an account is locked.
    pub lock: LockRule,
}

/// The account, if the name and the password are right and the account may log in.
///
/// Unknown names, wrong passwords, disabled and locked accounts are not told apart, neither by the answer nor by the
/// time that it takes.
///
/// # Errors
/// The store's failure.
#[crate::boxed(?Send)]
pub async fn verify(
    records: &Records,
    secret: &ServerSecret,
    login: &str,
    password: &str,
    now_ms: u64,
    rule: &VerifyRule,
) -> Result<Option<Account>, AccountError> {
    let Ok(login) = Login::parse(login) else {
        password::waste_time(password);
        return Ok(None);
    };
    let account = Account::load(records, &login).await?;
    let failures = Failures::load(records, &login).await?;
    // While the account is locked even a right password is refused, else guessing could go on.
    let Some(account) = account.filter(|account| account.may_log_in() && !failures.is_locked(now_ms)) else {
        password::waste_time(password);
        return Ok(None);
    };
    let key = keys::verified(&secret.keyed_hash("verified", &[login.as_str(), password]));
    if rule.remember_ms > 0
        && let Some(verified) = records.get::<Verified>(&key).await?
    {
        if verified.counts_for(&account, now_ms, rule.remember_ms) {
            return Ok(Some(account));
        }
        records.delete(&key).await?;
    }
    if !password::matches(password, &account.password) {
        failures.add(records, &login, now_ms, rule.lock).await?;
        return Ok(None);
    }
    failures.clear(records, &login).await?;
    if rule.remember_ms > 0 {
        let until_ms = now_ms.saturating_add(rule.remember_ms);
        let verified = Verified { login, password_version: account.password_version, until_ms };
        records.set(&key, &verified).await?;
    }
    Ok(Some(account))
}

impl Verified {
    fn counts_for(&self, account: &Account, now_ms: u64, remember_ms: u64) -> bool {
        // The upper bound ends what was remembered under a longer setting, or by a clock that went wrong.
        let in_time = self.until_ms > now_ms && self.until_ms <= now_ms.saturating_add(remember_ms);
        let own = self.login.as_str().as_bytes().ct_eq(account.login.as_str().as_bytes());
        in_time && bool::from(own) && self.password_version == account.password_version
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Role;
    use super::*;
    use crate::storage::memory::MemoryStore;

    const RULE: VerifyRule =
        VerifyRule { remember_ms: 300_000, lock: LockRule { after_failures: 3, for_ms: 3_600_000 } };

    struct World {
        store: MemoryStore,
        records: Records,
        secret: ServerSecret,
    }

    impl World {
        async fn new() -> Self {
            let store = MemoryStore::new();
            let records = Records::new(store.clone());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            let login = Login::parse("ann").unwrap();
            let account = Account::new(&records, login, Role::User, "right password", 0).await.unwrap();
            account.save(&records).await.unwrap();
            Self { store, records, secret }
        }

        async fn try_in(&self, login: &str, password: &str, now_ms: u64) -> bool {
            verify(&self.records, &self.secret, login, password, now_ms, &RULE).await.unwrap().is_some()
        }

        async fn change(&self, change: impl FnOnce(&mut Account)) {
            let login = Login::parse("ann").unwrap();
            let mut account = Account::load(&self.records, &login).await.unwrap().unwrap();
            change(&mut account);
            account.save(&self.records).await.unwrap();
        }

        fn remembered(&self) -> usize {
            self.store.keys().iter().filter(|key| key.starts_with("verified:") && !key.contains("failures")).count()
        }
    }

    #[test]
    fn only_the_right_password_lets_in_and_it_is_remembered() {
        futures::executor::block_on(async {
            let world = World::new().await;
            for (login, password) in
                [("ann", "wrong password"), ("ann", ""), ("bob", "right password"), ("a/n", "right password"), ("", "")]
            {
                assert!(!world.try_in(login, password, 1).await, "{login} {password}");
            }
            assert_eq!(world.remembered(), 0, "wrong passwords leave nothing");
            assert!(world.try_in("ann", "right password", 1).await);
            assert_eq!(world.remembered(), 1);
            assert!(!world.store.keys().concat().contains("right"));
            let start = std::time::Instant::now();
            for _ in 0..100 {
                assert!(world.try_in("ann", "right password", 2).await);
            }
            assert!(start.elapsed().as_millis() < 500, "a hundred logins cost one Argon2");
        });
    }

    #[test]
    fn what_is_remembered_ends_with_time_password_and_account() {
        futures::executor::block_on(async {
            let world = World::new().await;
            assert!(world.try_in("ann", "right password", 1).await);
            world.change(|account| account.enabled = false).await;
            assert!(!world.try_in("ann", "right password", 2).await);
            world.change(|account| account.enabled = true).await;
            world.change(|account| account.set_password("other password", 2).unwrap()).await;
            assert!(!world.try_in("ann", "right password", 3).await);
            assert_eq!(world.remembered(), 0, "what counts no more is removed when it is met");
            assert!(world.try_in("ann", "other password", 4).await);
            assert!(world.try_in("ann", "other password", 400_000).await, "verified anew after its time");
        });
    }

    #[test]
    fn too_many_failures_lock_for_a_while_and_a_success_forgets_them() {
        futures::executor::block_on(async {
            let world = World::new().await;
            for _ in 0..2 {
                assert!(!world.try_in("ann", "wrong", 10).await);
            }
            assert!(world.try_in("ann", "right password", 11).await);
            for _ in 0..3 {
                assert!(!world.try_in("ann", "wrong", 12).await);
            }
            assert!(!world.try_in("ann", "right password", 13).await, "locked, also for what is remembered");
            assert!(!world.try_in("ann", "right password", 3_600_011).await);
            assert!(world.try_in("ann", "right password", 3_600_012).await);
        });
    }

    #[test]
    fn old_failures_do_not_add_up_and_unknown_names_leave_no_records() {
        futures::executor::block_on(async {
            let world = World::new().await;
            for round in 0..4 {
                assert!(!world.try_in("ann", "wrong", round * 4_000_000).await);
            }
            assert!(world.try_in("ann", "right password", 16_000_000).await);
            let before = world.store.keys();
            assert!(!world.try_in("nobody", "wrong", 16_000_000).await);
            assert_eq!(world.store.keys(), before);
        });
    }
}
