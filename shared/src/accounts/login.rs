//! Login sessions: what a `JSESSIONID` stands for.
//!
//! A session is stored under the hash of its token, so that who reads the store cannot log in. When it was last used
//! stands in a record of its own: writing it can then never bring back a session that was ended at the same moment.
//!
//! Sessions that are met after their time are removed. Those that are never met again can be found through a roster:
//! [`issue`] gives the member's name, and [`remove_expired`] says for each whether it is gone.

use serde::{Deserialize, Serialize};

use super::AccountError;
use super::account::{Account, Login};
use super::secret::{SECRET_BYTES, hex, random_bytes, sha256_hex};
use super::token;
use crate::storage::keys::{self, Key};
use crate::storage::records::{Record, Records};
use crate::storage::store::StoreError;

/// The use of a session is written down at most this often.
const TOUCH_EVERY_MS: u64 = 60_000;
/// The length of a token in hexadecimal.
pub const TOKEN_CHARACTERS: usize = SECRET_BYTES * 2;

/// A login session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginSession {
    /// Whose it is.
    pub login: Login,
    /// The version of the password with which it was opened; a change of the password ends it.
    pub password_version: u64,
    /// The generation of the user's logins that it belongs to; ending all logins begins another.
    #[serde(default)]
    pub login_generation: u64,
    /// When it was opened.
    pub created_ms: u64,
    /// What a browser must send along with changes.
    pub csrf: String,
    /// The alias of the token with which it was opened, if it was; it ends with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Record for LoginSession {
    const VERSION: u32 = 1;
}

impl LoginSession {
    /// Whether the account is still as it was when the session was opened.
    fn is_of(&self, account: &Account) -> bool {
        account.may_log_in()
            && account.password_version == self.password_version
            && account.login_generation == self.login_generation
    }
}

/// When a login session was last used.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct LastUse {
    /// Milliseconds since the epoch.
    pub last_used_ms: u64,
}

impl Record for LastUse {
    const VERSION: u32 = 1;
}

/// A session that was just opened.
#[derive(Clone)]
pub struct IssuedLogin {
    /// What the client gets; it is stored nowhere.
    pub token: String,
    /// The token's hash: the session's name in a roster.
    pub member: String,
    /// The session.
    pub session: LoginSession,
}

impl std::fmt::Debug for IssuedLogin {
    /// Without the token.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("IssuedLogin").field("member", &self.member).finish_non_exhaustive()
    }
}

/// Hashes are hexadecimal, so that this key is nobody else's.
fn last_use_key(member: &str) -> Key {
    keys::login(&format!("{member}:used"))
}

/// The session's name, if the text has the shape of a token.
fn member_of(token: &str) -> Option<String> {
    let is_token = token.len() == TOKEN_CHARACTERS
        && token.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    is_token.then(|| sha256_hex(token.as_bytes()))
}

/// Opens a session for an account whose password was just verified, or for which a token (of this alias) was.
///
/// # Errors
/// The store's failure, or [`AccountError::Random`].
#[crate::boxed(?Send)]
pub async fn issue(
    records: &Records,
    account: &Account,
    alias: Option<&str>,
    now_ms: u64,
) -> Result<IssuedLogin, AccountError> {
    let token = hex(&random_bytes::<SECRET_BYTES>()?);
    let session = LoginSession {
        login: account.login.clone(),
        password_version: account.password_version,
        login_generation: account.login_generation,
        created_ms: now_ms,
        csrf: hex(&random_bytes::<SECRET_BYTES>()?),
        token: alias.map(str::to_owned),
    };
    let member = sha256_hex(token.as_bytes());
    records.set(&keys::login(&member), &session).await?;
    Ok(IssuedLogin { token, member, session })
}

/// The session and the account of a token, unless it ended: by time, by the account or by its password. What ended is
/// removed.
///
/// # Errors
/// The store's failure.
#[crate::boxed(?Send)]
pub async fn resume(
    records: &Records,
    token: &str,
    now_ms: u64,
    idle_ms: u64,
) -> Result<Option<(LoginSession, Account)>, AccountError> {
    let Some(member) = member_of(token) else { return Ok(None) };
    let Some(session) = records.get::<LoginSession>(&keys::login(&member)).await? else { return Ok(None) };
    let last_used_ms = last_used(records, &member, &session, now_ms).await?;
    let account = Account::load(records, &session.login).await?;
    let account = account.filter(|account| session.is_of(account));
    let is_alive = now_ms.saturating_sub(last_used_ms) < idle_ms && has_its_token(records, &session, now_ms).await?;
    let Some(account) = account.filter(|_| is_alive) else {
        remove(records, &member).await?;
        return Ok(None);
    };
    // With a short life the use must be written down more often.
    if now_ms.saturating_sub(last_used_ms) >= TOUCH_EVERY_MS.min(idle_ms / 4) {
        records.set(&last_use_key(&member), &LastUse { last_used_ms: now_ms }).await?;
    }
    Ok(Some((session, account)))
}

/// Whether the token with which the session was opened, if it was, still counts.
async fn has_its_token(records: &Records, session: &LoginSession, now_ms: u64) -> Result<bool, StoreError> {
    match &session.token {
        None => Ok(true),
        Some(alias) => Ok(token::find(records, alias).await?.is_some_and(|token| now_ms < token.expires_ms)),
    }
}

/// Ends the session of a token; ending none is no error.
///
/// # Errors
/// The store's failure.
#[crate::boxed(?Send)]
pub async fn end(records: &Records, token: &str) -> Result<(), StoreError> {
    match member_of(token) {
        Some(member) => remove(records, &member).await,
        None => Ok(()),
    }
}

/// Removes a session (by its name in the roster) that has been idle too long. `true` if it is gone, now or before, so
/// that the roster can forget it.
///
/// # Errors
/// The store's failure.
#[crate::boxed(?Send)]
pub async fn remove_expired(records: &Records, member: &str, now_ms: u64, idle_ms: u64) -> Result<bool, StoreError> {
    if let Some(session) = records.get::<LoginSession>(&keys::login(member)).await? {
        let last_used_ms = last_used(records, member, &session, now_ms).await?;
        if now_ms.saturating_sub(last_used_ms) < idle_ms {
            return Ok(false);
        }
    }
    remove(records, member).await?;
    Ok(true)
}

async fn last_used(records: &Records, member: &str, session: &LoginSession, now_ms: u64) -> Result<u64, StoreError> {
    // A session as young as this cannot have been touched in a way that matters.
    if now_ms <= session.created_ms {
        return Ok(session.created_ms);
    }
    let last_use = records.get::<LastUse>(&last_use_key(member)).await?;
    Ok(last_use.map_or(session.created_ms, |last_use| last_use.last_used_ms.max(session.created_ms)))
}

/// The session first: without it the other record means nothing.
async fn remove(records: &Records, member: &str) -> Result<(), StoreError> {
    records.delete(&keys::login(member)).await?;
    records.delete(&last_use_key(member)).await
}

#[cfg(test)]
mod tests {
    use super::super::account::Role;
    use super::*;
    use crate::storage::memory::MemoryStore;

    const IDLE_MS: u64 = 900_000;

    async fn world() -> (MemoryStore, Records, Account) {
        let store = MemoryStore::new();
        let records = Records::new(store.clone());
        let login = Login::parse("ann").unwrap();
        let account = Account::new(&records, login, Role::User, "right password", 1).await.unwrap();
        account.save(&records).await.unwrap();
        (store, records, account)
    }

    fn login_records(store: &MemoryStore) -> usize {
        store.keys().iter().filter(|key| key.starts_with("login:")).count()
    }

    #[test]
    fn a_token_resumes_its_session_and_is_stored_nowhere() {
        futures::executor::block_on(async {
            let (store, records, account) = world().await;
            let issued = issue(&records, &account, None, 1000).await.unwrap();
            assert_eq!(issued.token.len(), 64);
            let (session, found) = resume(&records, &issued.token, 2000, IDLE_MS).await.unwrap().unwrap();
            assert_eq!((session, found), (issued.session.clone(), account.clone()));
            assert!(!store.keys().concat().contains(&issued.token));
            assert!(!format!("{issued:?}").contains(&issued.token));
            let other = issue(&records, &account, None, 1000).await.unwrap();
            assert_ne!((other.token, other.session.csrf), (issued.token, issued.session.csrf));
        });
    }

    #[test]
    fn what_is_no_token_is_nobody() {
        futures::executor::block_on(async {
            let (_, records, account) = world().await;
            let issued = issue(&records, &account, None, 1000).await.unwrap();
            let upper = issued.token.to_uppercase();
            for token in ["", "x", &issued.member, &upper, &"a".repeat(64), &"é".repeat(32), &issued.token[1..]] {
                assert!(resume(&records, token, 1001, IDLE_MS).await.unwrap().is_none() || token == issued.token);
            }
        });
    }

    #[test]
    fn use_prolongs_the_session_and_idleness_ends_it() {
        futures::executor::block_on(async {
            let (store, records, account) = world().await;
            let issued = issue(&records, &account, None, 0).await.unwrap();
            for minute in 1..100 {
                let found = resume(&records, &issued.token, minute * 600_000, IDLE_MS).await.unwrap();
                assert!(found.is_some(), "{minute}");
            }
            let late = 99 * 600_000 + IDLE_MS;
            assert!(resume(&records, &issued.token, late, IDLE_MS).await.unwrap().is_none());
            assert_eq!(login_records(&store), 0);
        });
    }

    #[test]
    fn a_session_ends_with_the_password_the_account_or_on_demand() {
        futures::executor::block_on(async {
            let (store, records, mut account) = world().await;
            let tokens: Vec<String> = {
                let mut tokens = Vec::new();
                for _ in 0..4 {
                    tokens.push(issue(&records, &account, None, 1000).await.unwrap().token);
                }
                tokens
            };
            end(&records, &tokens[0]).await.unwrap();
            end(&records, &tokens[0]).await.unwrap();
            assert!(resume(&records, &tokens[0], 1001, IDLE_MS).await.unwrap().is_none());
            account.enabled = false;
            account.save(&records).await.unwrap();
            assert!(resume(&records, &tokens[1], 1001, IDLE_MS).await.unwrap().is_none());
            account.enabled = true;
            account.end_logins();
            account.save(&records).await.unwrap();
            assert!(resume(&records, &tokens[2], 1001, IDLE_MS).await.unwrap().is_none());
            let later = issue(&records, &account, None, 1001).await.unwrap().token;
            assert!(resume(&records, &later, 1001, IDLE_MS).await.unwrap().is_some());
            account.set_password("other password", 1001).unwrap();
            account.save(&records).await.unwrap();
            for token in [&tokens[3], &later] {
                assert!(resume(&records, token, 1002, IDLE_MS).await.unwrap().is_none());
            }
            assert_eq!(login_records(&store), 0);
        });
    }

    #[test]
    fn a_logout_is_never_undone_by_a_request_at_the_same_moment() {
        futures::executor::block_on(async {
            let (_, records, account) = world().await;
            for head_start in 0..12 {
                let issued = issue(&records, &account, None, 0).await.unwrap();
                let ending = async {
                    for _ in 0..head_start {
                        crate::storage::memory::give_way().await;
                    }
                    end(&records, &issued.token).await.unwrap();
                };
                let (_, _) = futures::join!(resume(&records, &issued.token, 100_000, IDLE_MS), ending);
                assert!(resume(&records, &issued.token, 100_001, IDLE_MS).await.unwrap().is_none(), "{head_start}");
            }
        });
    }

    #[test]
    fn sessions_that_are_never_met_again_can_be_swept() {
        futures::executor::block_on(async {
            let (store, records, account) = world().await;
            let issued = issue(&records, &account, None, 0).await.unwrap();
            resume(&records, &issued.token, 100_000, IDLE_MS).await.unwrap().unwrap();
            assert!(!remove_expired(&records, &issued.member, 900_000, IDLE_MS).await.unwrap());
            assert!(remove_expired(&records, &issued.member, 1_000_000, IDLE_MS).await.unwrap());
            assert!(remove_expired(&records, &issued.member, 1_000_000, IDLE_MS).await.unwrap());
            assert_eq!(login_records(&store), 0);
        });
    }
}
