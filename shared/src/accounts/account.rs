//! A user's account and its login name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::AccountError;
use super::token::is_alias;
use crate::storage::keys;
use crate::storage::records::{Record, Records};
use crate::storage::roster::Roster;

/// Longer login names are refused.
pub const MAX_LOGIN_BYTES: usize = 64;
/// The name under which XNAT shows who has not logged in; nobody can have it.
pub const GUEST: &str = "guest";

/// Why a text is no login name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Empty, too long, or with other characters than a login name may have.
    #[error("A login name has 1 to 64 of the letters a to z, digits and _ - . @ +, and not dots alone.")]
    Malformed,
    /// `guest`.
    #[error("The login name 'guest' is reserved.")]
    Reserved,
    /// It could be taken for an alias token.
    #[error("A login name must not have the shape of a UUID, which alias tokens have.")]
    Alias,
}

/// A login name: 1 to 64 letters, digits, `_ - . @ +`. Upper and lower case differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Login(String);

impl Login {
    /// Checks a login name.
    ///
    /// # Errors
    /// A [`LoginError`] if it is none, or reserved.
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@+".contains(&byte);
        let only_dots = text.bytes().all(|byte| byte == b'.');
        if text.len() > MAX_LOGIN_BYTES || only_dots || !text.bytes().all(allowed) {
            return Err(LoginError::Malformed);
        }
        if text.eq_ignore_ascii_case(GUEST) {
            return Err(LoginError::Reserved);
        }
        if is_alias(text) {
            return Err(LoginError::Alias);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Login {
    type Error = LoginError;
    fn try_from(text: String) -> Result<Self, LoginError> {
        Self::parse(&text)
    }
}

impl From<Login> for String {
    fn from(login: Login) -> Self {
        login.0
    }
}

/// What a user is for the whole site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// May do everything.
    SiteAdmin,
    /// May do what the projects' roles allow.
    User,
}

/// What a user may do with the data of all projects, whatever the user is in each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllData {
    /// Nothing beyond the roles in projects.
    #[default]
    None,
    /// Read it: XNAT's group `ALL_DATA_ACCESS`.
    Read,
    /// Read, change and delete it: XNAT's group `ALL_DATA_ADMIN`.
    Admin,
}

/// A user's account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The login name.
    pub login: Login,
    /// A number that no other account has.
    pub number: u64,
    /// The password as a PHC string; see [`super::password`].
    pub password: String,
    /// Rises with every change of the password and ends what was opened with the one before. Never repeated, also
    /// not by an account that is made anew under the same name.
    pub password_version: u64,
    /// Fingerprint of the setting that was last taken over as the password, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_setting: Option<String>,
    /// What the user is for the whole site.
    pub role: Role,
    /// What the user may do with the data of all projects.
    #[serde(default)]
    pub all_data: AllData,
    /// Whether the user may log in.
    pub enabled: bool,
    /// Whether the e-mail address counts as verified, without which XNAT lets nobody log in.
    #[serde(default = "yes")]
    pub verified: bool,
    /// Rises when all logins of the user are ended; those of an earlier generation count no more.
    #[serde(default)]
    pub login_generation: u64,
    /// First name.
    #[serde(default)]
    pub first_name: String,
    /// Last name.
    #[serde(default)]
    pub last_name: String,
    /// E-mail address.
    #[serde(default)]
    pub email: String,
    /// When the account was made.
    pub created_ms: u64,
    /// When it was last changed.
    #[serde(default)]
    pub changed_ms: u64,
    /// Its place in the list of users; accounts made before there was one get it when they are next met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u64>,
}

fn yes() -> bool {
    true
}

impl Record for Account {
    const VERSION: u32 = 1;
}

impl fmt::Debug for Account {
    /// Without the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { login, number, role, enabled, password_version, .. } = self;
        let mut out = formatter.debug_struct("Account");
        out.field("login", login).field("number", number).field("role", role).field("enabled", enabled);
        out.field("password_version", password_version).finish_non_exhaustive()
    }
}

impl Account {
    /// A new account, enabled, with a number of its own; not yet stored.
    ///
    /// # Errors
    /// The store's failure, or a password that is refused.
    #[crate::boxed(?Send)]
    pub async fn new(
        records: &Records,
        login: Login,
        role: Role,
        password: &str,
        now_ms: u64,
    ) -> Result<Self, AccountError> {
        Self::with_hash(records, login, role, super::password::hash(password)?, now_ms).await
    }

    /// The same with a password that was hashed before (which takes long).
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn with_hash(
        records: &Records,
        login: Login,
        role: Role,
        hashed: String,
        now_ms: u64,
    ) -> Result<Self, AccountError> {
        let number = records.increment(&keys::sequence("account"), 1).await?;
        Ok(Self {
            login,
            number: u64::try_from(number).unwrap_or(0),
            password: hashed,
            password_version: now_ms.max(1),
            password_setting: None,
            role,
            all_data: AllData::None,
            enabled: true,
            verified: true,
            login_generation: 0,
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            created_ms: now_ms,
            changed_ms: now_ms,
            place: None,
        })
    }

    /// The account of that name, if there is one.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn load(records: &Records, login: &Login) -> Result<Option<Self>, AccountError> {
        Ok(records.get(&keys::account(login.as_str())).await?)
    }

    /// Writes the account.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn save(&self, records: &Records) -> Result<(), AccountError> {
        Ok(records.set(&keys::account(self.login.as_str()), self).await?)
    }

    /// Writes the account and puts it (or what changed of it) into the list of users.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn save_listed(mut self, records: &Records, users: &Roster) -> Result<Self, AccountError> {
        let touch = users.touch(self.login.as_str(), self.place).await?;
        self.place = Some(touch.place);
        self.save(records).await?;
        users.settled(self.login.as_str(), touch).await?;
        Ok(self)
    }

    /// Gives the account another password, which ends all its logins; not yet stored.
    ///
    /// # Errors
    /// A password that is refused.
    pub fn set_password(&mut self, password: &str, now_ms: u64) -> Result<(), AccountError> {
        self.take_hash(super::password::hash(password)?, now_ms);
        Ok(())
    }

    /// The same with a password that was hashed before.
    pub fn take_hash(&mut self, hashed: String, now_ms: u64) {
        self.password = hashed;
        self.password_version = self.password_version.saturating_add(1).max(now_ms);
    }

    /// Ends all logins of the user; not yet stored.
    pub fn end_logins(&mut self) {
        self.login_generation = self.login_generation.saturating_add(1);
    }

    /// Whether the account may be used at all.
    pub fn may_log_in(&self) -> bool {
        self.enabled && self.verified
    }

    /// Whether the user may read the data of all projects.
    pub fn reads_all_data(&self) -> bool {
        self.is_admin() || self.all_data != AllData::None
    }

    /// Whether the user may change and delete the data of all projects.
    pub fn edits_all_data(&self) -> bool {
        self.is_admin() || self.all_data == AllData::Admin
    }

    /// Whether this is an administrator of the site.
    pub fn is_admin(&self) -> bool {
        self.role == Role::SiteAdmin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_names_hold_only_what_is_safe() {
        for good in ["admin", "a", "first.last+x@example.org", "A_b-9", &"a".repeat(64)] {
            assert_eq!(Login::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "...", "a b", "a/b", "a:b", "ä", "a\0", "a\n", "*", "a\\b", &"a".repeat(65)] {
            assert_eq!(Login::parse(bad), Err(LoginError::Malformed), "{bad:?}");
        }
        assert_eq!(Login::parse("Guest"), Err(LoginError::Reserved));
        assert_eq!(Login::parse("0F8FAD5B-d9cb-469f-a165-70867728950e"), Err(LoginError::Alias));
        assert!(serde_json::from_str::<Login>("\"a/b\"").is_err());
    }

    #[test]
    fn an_account_does_not_show_its_password() {
        let records = Records::new(crate::storage::memory::MemoryStore::new());
        let account = futures::executor::block_on(Account::new(
            &records,
            Login::parse("a").unwrap(),
            Role::User,
            "correct horse",
            7,
        ))
        .unwrap();
        let shown = format!("{account:?}");
        assert!(!shown.contains("argon2") && !shown.contains("horse"), "{shown}");
        assert_eq!(account.number, 1);
    }

    #[test]
    fn accounts_of_an_older_layout_are_read_and_have_no_rights_but_their_role() {
        let text = r#"{"login":"ann","number":1,"password":"x","password_version":1,"role":"user","enabled":true,
            "created_ms":1}"#;
        let mut account: Account = serde_json::from_str(text).unwrap();
        assert!(account.may_log_in() && account.place.is_none());
        assert!(!account.reads_all_data() && !account.edits_all_data());
        account.all_data = AllData::Read;
        assert!(account.reads_all_data() && !account.edits_all_data());
        account.all_data = AllData::Admin;
        assert!(account.reads_all_data() && account.edits_all_data() && !account.is_admin());
        account.verified = false;
        assert!(!account.may_log_in());
    }

    #[test]
    fn a_new_password_always_has_a_higher_version() {
        futures::executor::block_on(async {
            let records = Records::new(crate::storage::memory::MemoryStore::new());
            let login = Login::parse("a").unwrap();
            let mut account = Account::new(&records, login, Role::User, "one password", 1000).await.unwrap();
            account.set_password("two password", 10).unwrap();
            assert_eq!(account.password_version, 1001);
            account.set_password("three password", 5000).unwrap();
            assert_eq!(account.password_version, 5000);
        });
    }
}
