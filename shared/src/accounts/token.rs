//! Alias tokens: a name of UUID shape and a secret that log in for a user, for some time, in place of the password.
//!
//! Only the hash of the secret is stored; the secret has some 370 random bits, so a plain hash is enough and nobody
//! needs to be locked out for guessing. A token ends with its time, with a change of the user's password, when all
//! logins of the user are ended, and while the account may not log in. Login sessions that were opened with a token
//! end with it. Who came in with a token cannot issue another, so that a token that got into wrong hands ends when its
//! time does.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::account::{Account, Login};
use super::secret::{hex, random_bytes, sha256_hex};
use super::{AccountError, password};
use crate::storage::records::{Record, Records};
use crate::storage::roster::{Roster, RowSource};
use crate::storage::store::StoreError;
use crate::storage::{Listed, keys};

/// The list of tokens, by which those that ended are found.
pub const ROSTER: &str = "alias-tokens";
/// A user with that many tokens that count gets no further one.
pub const MAX_TOKENS_OF_A_USER: usize = 1000;
/// The length of a secret.
const SECRET_CHARACTERS: usize = 64;
/// The shape of an alias: groups of hexadecimal digits.
const ALIAS_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Whether a text has the shape of an alias (a UUID), which no login name has.
pub fn is_alias(text: &str) -> bool {
    let mut groups = text.split('-');
    let mut fits = |digits: usize| {
        groups.next().is_some_and(|group| group.len() == digits && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    ALIAS_GROUPS.into_iter().all(&mut fits) && groups.next().is_none()
}

/// What may be shown of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// The name that it logs in with.
    pub alias: String,
    /// A number that no other token has.
    pub number: u64,
    /// For whom it logs in.
    pub login: Login,
    /// The version of the user's password when it was issued.
    pub password_version: u64,
    /// The generation of the user's logins when it was issued.
    pub login_generation: u64,
    /// When it was issued, in milliseconds since the epoch.
    pub created_ms: u64,
    /// When it ends, likewise.
    pub expires_ms: u64,
    /// Its place in the list.
    place: u64,
}

impl TokenInfo {
    /// Whether it logs in for this account at this time.
    pub fn counts_for(&self, account: &Account, now_ms: u64) -> bool {
        now_ms < self.expires_ms
            && account.may_log_in()
            && self.login == account.login
            && self.password_version == account.password_version
            && self.login_generation == account.login_generation
    }
}

#[derive(Serialize, Deserialize)]
struct TokenRecord {
    info: TokenInfo,
    secret_hash: String,
}

impl Record for TokenRecord {
    const VERSION: u32 = 1;
}

/// A token that was just issued.
#[derive(Clone)]
pub struct IssuedToken {
    /// What may be shown of it.
    pub info: TokenInfo,
    /// The secret; it is stored nowhere.
    pub secret: String,
}

impl std::fmt::Debug for IssuedToken {
    /// Without the secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("IssuedToken").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A random UUID of version 4.
fn new_alias() -> Result<String, AccountError> {
    let mut bytes: [u8; 16] = random_bytes()?;
    // The version and the variant, at the places that RFC 9562 gives them.
    for (index, keep, set) in [(6, 0x0f, 0x40), (8, 0x3f, 0x80)] {
        if let Some(byte) = bytes.get_mut(index) {
            *byte = (*byte & keep) | set;
        }
    }
    let digits = hex(&bytes);
    let mut digits = digits.chars();
    let groups: Vec<String> = ALIAS_GROUPS.into_iter().map(|length| digits.by_ref().take(length).collect()).collect();
    Ok(groups.join("-"))
}

async fn load(records: &Records, alias: &str) -> Result<Option<TokenRecord>, StoreError> {
    records.get(&keys::alias_token(&alias.to_ascii_lowercase())).await
}

fn source(records: &Records) -> impl RowSource<TokenInfo> {
    let records = records.clone();
    move |alias: String, place| {
        let records = records.clone();
        async move {
            let info = load(&records, &alias).await?.map(|token| token.info);
            Ok(info.filter(|info| info.place == place))
        }
    }
}

/// Issues a token for an account that lives for `life_ms`.
///
/// # Errors
/// The store's failure, or [`AccountError::Random`].
#[crate::boxed(?Send)]
pub async fn issue(
    records: &Records,
    tokens: &Roster,
    account: &Account,
    now_ms: u64,
    life_ms: u64,
) -> Result<IssuedToken, AccountError> {
    let (alias, secret) = (new_alias()?, password::random_letters(SECRET_CHARACTERS)?);
    let number = records.increment(&keys::sequence("alias-token"), 1).await?;
    let touch = tokens.touch(&alias, None).await?;
    let info = TokenInfo {
        alias,
        number: u64::try_from(number).unwrap_or(0),
        login: account.login.clone(),
        password_version: account.password_version,
        login_generation: account.login_generation,
        created_ms: now_ms,
        expires_ms: now_ms.saturating_add(life_ms),
        place: touch.place,
    };
    let record = TokenRecord { info, secret_hash: sha256_hex(secret.as_bytes()) };
    records.set(&keys::alias_token(&record.info.alias), &record).await?;
    tokens.settled(&record.info.alias, touch).await?;
    tokens.fold_if_long(&source(records)).await?;
    Ok(IssuedToken { info: record.info, secret })
}

/// The token and the account that an alias and its secret log in for.
///
/// # Errors
/// The store's failure.
#[crate::boxed(?Send)]
pub async fn verify(
    records: &Records,
    alias: &str,
    secret: &str,
    now_ms: u64,
) -> Result<Option<(TokenInfo, Account)>, AccountError> {
    let Some(token) = load(records, alias).await? else { return Ok(None) };
    let is_right = sha256_hex(secret.as_bytes()).as_bytes().ct_eq(token.secret_hash.as_bytes());
    if !bool::from(is_right) {
        return Ok(None);
    }
    let account = Account::load(records, &token.info.login).await?;
    Ok(account.filter(|account| token.info.counts_for(account, now_ms)).map(|account| (token.info, account)))
}

/// The token of an alias, whether it still counts or not.
///
/// # Errors
/// The store's failure.
#[crate::boxed(?Send)]
pub async fn find(records: &Records, alias: &str) -> Result<Option<TokenInfo>, StoreError> {
    Ok(load(records, alias).await?.map(|token| token.info))
}

/// The tokens that log in for an account now, oldest first.
///
/// # Errors
/// The store's failure.
#[crate::boxed(?Send)]
pub async fn list(
    records: &Records,
    tokens: &Roster,
    account: &Account,
    now_ms: u64,
) -> Result<Vec<TokenInfo>, StoreError> {
    let listed: Vec<Listed<TokenInfo>> = tokens.list(&source(records)).await?;
    Ok(listed.into_iter().map(|listed| listed.row).filter(|token| token.counts_for(account, now_ms)).collect())
}

/// Ends a token.
///
/// # Errors
/// The store's failure.
#[crate::boxed(?Send)]
pub async fn remove(records: &Records, tokens: &Roster, token: &TokenInfo) -> Result<(), StoreError> {
    let touch = tokens.touch(&token.alias, Some(token.place)).await?;
    records.delete(&keys::alias_token(&token.alias)).await?;
    tokens.settled(&token.alias, touch).await
}

/// Removes the tokens whose time is over, and those that a change of the account ended. Gives how many.
///
/// # Errors
/// The store's failure; the rest is removed the next time.
#[crate::boxed(?Send)]
pub async fn sweep(records: &Records, tokens: &Roster, now_ms: u64) -> Result<u64, AccountError> {
    let mut removed = 0;
    let listed: Vec<Listed<TokenInfo>> = tokens.list(&source(records)).await?;
    let mut accounts: BTreeMap<Login, Option<Account>> = BTreeMap::new();
    for token in listed.into_iter().map(|listed| listed.row) {
        let account = match accounts.entry(token.login.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Account::load(records, &token.login).await?),
        };
        if !account.as_ref().is_some_and(|account| token.counts_for(account, now_ms)) {
            remove(records, tokens, &token).await?;
            removed += 1;
        }
    }
    tokens.fold(&source(records)).await?;
    Ok(removed)
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
