//! Users: their list, and changes to their accounts.
//!
//! All changes stand under one lease, since some rules look at all accounts: e-mail addresses are unique, and an
//! administrator who can log in is left. Accounts change seldom, so nobody waits for long.

use serde::{Deserialize, Serialize};

use super::Core;
use super::error::DomainError;
use crate::accounts::failures::Failures;
use crate::accounts::{
    Account, AccountError, AllData, Bootstrap, Login, Role, ServerSecret, ensure_administrator, password,
};
use crate::storage::roster::RowSource;
use crate::storage::{Roster, StoreError, keys};

/// What may be shown of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The login name.
    pub login: Login,
    /// A number that no other account has.
    pub number: u64,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// What the user is for the whole site.
    pub role: Role,
    /// What the user may do with the data of all projects.
    pub all_data: AllData,
    /// Whether the user may log in.
    pub enabled: bool,
    /// Whether the e-mail address counts as verified.
    pub verified: bool,
    /// When the account was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// When it was last changed, likewise.
    pub changed_ms: u64,
}

impl From<&Account> for Profile {
    fn from(account: &Account) -> Self {
        Self {
            login: account.login.clone(),
            number: account.number,
            first_name: account.first_name.clone(),
            last_name: account.last_name.clone(),
            email: account.email.clone(),
            role: account.role,
            all_data: account.all_data,
            enabled: account.enabled,
            verified: account.verified,
            created_ms: account.created_ms,
            changed_ms: account.changed_ms,
        }
    }
}

/// Changes to an account: what is `None` stays.
#[derive(Clone, Default)]
pub struct UserChange {
    /// Another password, which ends all logins and lets a locked account in again.
    pub password: Option<String>,
    /// See [`Profile::first_name`].
    pub first_name: Option<String>,
    /// See [`Profile::last_name`].
    pub last_name: Option<String>,
    /// See [`Profile::email`]; empty for none.
    pub email: Option<String>,
    /// See [`Profile::enabled`]. `false` ends all logins, `true` lets a locked account in again.
    pub enabled: Option<bool>,
    /// See [`Profile::verified`]. `false` ends all logins.
    pub verified: Option<bool>,
    /// See [`Profile::role`].
    pub role: Option<Role>,
    /// See [`Profile::all_data`].
    pub all_data: Option<AllDataChange>,
    /// Whether all logins and alias tokens of the user end.
    pub end_logins: bool,
}

/// The list of users, and the lease under which accounts change.
pub(crate) const USERS: &str = "users";
/// The longest name or e-mail address, in bytes.
const MAX_TEXT_BYTES: usize = 256;
/// Names of accounts that would hide behind addresses of the API.
const RESERVED: [&str; 5] = ["active", "current", "profiles", "roles", "username"];

/// Joining or leaving one of XNAT's two groups for the data of all projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllDataChange {
    /// From then on at least this.
    Join(AllData),
    /// No longer this; what the other group gives stays.
    Leave(AllData),
}

impl AllDataChange {
    fn apply(self, old: AllData) -> AllData {
        match self {
            Self::Join(group) => old.max(group),
            Self::Leave(group) if group == old => AllData::None,
            Self::Leave(_) => old,
        }
    }
}

impl Core {
    fn users(&self) -> (Roster, impl RowSource<Profile>) {
        let records = self.records.clone();
        let source = move |login: String, place| {
            let records = records.clone();
            async move {
                let account: Option<Account> = records.get(&keys::account(&login)).await?;
                Ok(account.filter(|account| account.place == Some(place)).map(|account| Profile::from(&account)))
            }
        };
        (self.roster(USERS), source)
    }

    /// All users, oldest first.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn list_users(&self) -> Result<Vec<Profile>, StoreError> {
        let (roster, source) = self.users();
        Ok(roster.list(&source).await?.into_iter().map(|listed| listed.row).collect())
    }

    /// The account that a text names: by its login name, else by its number, else by its e-mail address.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn find_user(&self, text: &str) -> Result<Option<Account>, DomainError> {
        if let Ok(login) = Login::parse(text)
            && let Some(account) = Account::load(&self.records, &login).await?
        {
            return Ok(Some(account));
        }
        let number = text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        if number.is_none() && !text.contains('@') {
            return Ok(None);
        }
        let users = self.list_users().await?;
        let found = users.into_iter().find(|user| match number {
            Some(number) => user.number == number,
            None => user.email.eq_ignore_ascii_case(text),
        });
        match found {
            Some(user) => Ok(Account::load(&self.records, &user.login).await?),
            None => Ok(None),
        }
    }

    /// Makes an account with a password, and with what `change` says besides.
    ///
    /// # Errors
    /// [`DomainError::Exists`] if the login name or the e-mail address is taken, [`DomainError::Invalid`] for a name,
    /// password or text that is refused, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn create_user(&self, login: &str, password: &str, change: UserChange) -> Result<Account, DomainError> {
        let login = Login::parse(login).map_err(AccountError::from)?;
        if RESERVED.contains(&login.as_str()) {
            return Err(DomainError::Invalid {
                what: format!("The login name '{login}' is reserved; choose another."),
            });
        }
        let taken = || DomainError::Exists { what: format!("the user {:?}", login.as_str()) };
        // Hashing takes long: neither for nothing, nor while others wait.
        if Account::load(&self.records, &login).await?.is_some() {
            return Err(taken());
        }
        let hashed = password::hash(password)?;
        self.with_lease(USERS, "the list of users", async |core| {
            if Account::load(&core.records, &login).await?.is_some() {
                return Err(taken());
            }
            let users = core.list_users().await?;
            let now_ms = core.clock.now_ms();
            let mut account = Account::with_hash(&core.records, login.clone(), Role::User, hashed, now_ms).await?;
            apply(&mut account, &UserChange { password: None, end_logins: false, ..change }, &users)?;
            core.save_user(account).await
        })
        .await
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`DomainError::NotFound`]; [`DomainError::Conflict`] if no administrator would be left who can log in;
    /// [`DomainError::Exists`] if another account has the e-mail address; [`DomainError::Invalid`] for a password or
    /// text that is refused; or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn change_user(&self, login: &Login, change: UserChange) -> Result<Account, DomainError> {
        let hashed = change.password.as_deref().map(password::hash).transpose()?;
        self.with_lease(USERS, "the list of users", async |core| {
            let account = Account::load(&core.records, login).await?;
            let mut account = account.ok_or_else(|| DomainError::not_found("user", login.as_str()))?;
            let old = account.clone();
            let users = core.list_users().await?;
            apply(&mut account, &change, &users)?;
            if let Some(hashed) = hashed {
                account.take_hash(hashed, core.clock.now_ms());
            }
            if change.end_logins || (old.may_log_in() && !account.may_log_in()) {
                account.end_logins();
            }
            let is_unlocked = change.password.is_some() || change.enabled == Some(true);
            if account != old || account.place.is_none() {
                account.changed_ms = core.clock.now_ms();
                account = core.save_user(account).await?;
            }
            if is_unlocked {
                Failures::load(&core.records, login).await?.clear(&core.records, login).await?;
            }
            Ok(account)
        })
        .await
    }

    /// Gives an account that was made before there was a list its place in it.
    ///
    /// # Errors
    /// The store's failure, or [`DomainError::Busy`].
    #[crate::boxed(?Send)]
    pub async fn enlist_user(&self, account: &Account) -> Result<(), DomainError> {
        match account.place {
            Some(_) => Ok(()),
            None => self.change_user(&account.login, UserChange::default()).await.map(drop),
        }
    }

    /// Sees to it that there is an administrator; see [`ensure_administrator`].
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for a name or password that is refused, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn ensure_administrator(
        &self,
        secret: &ServerSecret,
        user: &str,
        setting: Option<&str>,
    ) -> Result<Bootstrap, DomainError> {
        self.with_lease(USERS, "the list of users", async |core| {
            let (roster, _) = core.users();
            let now_ms = core.clock.now_ms();
            Ok(ensure_administrator(&core.records, &roster, secret, user, setting, now_ms).await?)
        })
        .await
    }

    async fn save_user(&self, account: Account) -> Result<Account, DomainError> {
        let (roster, source) = self.users();
        let account = account.save_listed(&self.records, &roster).await?;
        roster.fold_if_long(&source).await?;
        Ok(account)
    }
}

/// Changes what needs no hashing, by the rules that look at the other users too.
fn apply(account: &mut Account, change: &UserChange, users: &[Profile]) -> Result<(), DomainError> {
    let login = account.login.clone();
    let was_working_admin = account.is_admin() && account.may_log_in();
    for (field, value, name) in [
        (&mut account.first_name, &change.first_name, "first name"),
        (&mut account.last_name, &change.last_name, "last name"),
        (&mut account.email, &change.email, "e-mail address"),
    ] {
        if let Some(value) = value {
            *field = checked_text(name, value)?;
        }
    }
    if let Some(email) = change.email.as_deref().map(str::trim).filter(|email| !email.is_empty()) {
        if !is_email(email) {
            let what = "The e-mail address must have the form NAME@DOMAIN, without blanks.".to_owned();
            return Err(DomainError::Invalid { what });
        }
        if users.iter().any(|other| other.login != login && other.email.eq_ignore_ascii_case(email)) {
            return Err(DomainError::Exists { what: format!("a user with the e-mail address {email:?}") });
        }
    }
    account.enabled = change.enabled.unwrap_or(account.enabled);
    account.verified = change.verified.unwrap_or(account.verified);
    account.role = change.role.unwrap_or(account.role);
    account.all_data = change.all_data.map_or(account.all_data, |change| change.apply(account.all_data));
    let is_working_admin = |user: &Profile| user.role == Role::SiteAdmin && user.enabled && user.verified;
    if was_working_admin
        && !(account.is_admin() && account.may_log_in())
        && !users.iter().any(|other| other.login != login && is_working_admin(other))
    {
        let reason = format!("{login} is the last administrator who can log in; make another user one first.");
        return Err(DomainError::Conflict { reason });
    }
    Ok(())
}

fn checked_text(name: &str, text: &str) -> Result<String, DomainError> {
    let text = text.trim();
    if text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
        let what = format!("The {name} must have at most {MAX_TEXT_BYTES} bytes and no control characters.");
        return Err(DomainError::Invalid { what });
    }
    Ok(text.to_owned())
}

fn is_email(text: &str) -> bool {
    match text.split_once('@') {
        Some((name, domain)) => {
            !name.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains(char::is_whitespace)
        }
        None => false,
    }
}

impl From<AccountError> for DomainError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => Self::Store(error),
            AccountError::Login(error) => Self::Invalid { what: error.to_string() },
            AccountError::Password(error) => Self::Invalid { what: error.to_string() },
            AccountError::Random(reason) => {
                Self::Store(StoreError::Failed { operation: "random", key: String::new(), reason })
            }
        }
    }
}

#[cfg(test)]
#[path = "users_tests.rs"]
mod tests;
