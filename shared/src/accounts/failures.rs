//! Failed logins are counted, and too many lock the account for a while.
//!
//! They stand in a record of their own: written into the account, a count could overwrite a change of the password
//! that happens at the same moment. Two failures at one moment may count as one.

use serde::{Deserialize, Serialize};

use super::account::Login;
use crate::storage::keys::{self, Key};
use crate::storage::records::{Record, Records};
use crate::storage::store::StoreError;

/// The failed logins of one account since its last success.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last one happened.
    pub last_ms: u64,
    /// Until when nobody may log in with a password.
    pub locked_until_ms: u64,
}

impl Record for Failures {
    const VERSION: u32 = 1;
}

/// How many failures lock an account, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockRule {
    /// That many failures lock the account; 0 never does.
    pub after_failures: u32,
    /// For that long. Failures older than that count no more.
    pub for_ms: u64,
}

/// Keyed hashes of passwords are hexadecimal, so that this key is nobody else's.
fn key(login: &Login) -> Key {
    keys::verified(&format!("failures:{login}"))
}

impl Failures {
    /// What is counted for this account.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn load(records: &Records, login: &Login) -> Result<Self, StoreError> {
        Ok(records.get(&key(login)).await?.unwrap_or_default())
    }

    /// Whether the account is locked now.
    pub fn is_locked(&self, now_ms: u64) -> bool {
        self.locked_until_ms > now_ms
    }

    /// Counts one more and writes it down.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn add(
        mut self,
        records: &Records,
        login: &Login,
        now_ms: u64,
        rule: LockRule,
    ) -> Result<(), StoreError> {
        if now_ms.saturating_sub(self.last_ms) > rule.for_ms {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last_ms = now_ms;
        if rule.after_failures > 0 && self.count >= rule.after_failures {
            self.locked_until_ms = now_ms.saturating_add(rule.for_ms);
            self.count = 0;
        }
        records.set(&key(login), &self).await
    }

    /// Forgets them after a right password.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn clear(self, records: &Records, login: &Login) -> Result<(), StoreError> {
        if self == Self::default() { Ok(()) } else { records.delete(&key(login)).await }
    }
}
