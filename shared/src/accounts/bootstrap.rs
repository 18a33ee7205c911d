//! The first administrator.

use subtle::ConstantTimeEq;

use super::account::{Account, Login, Role};
use super::secret::ServerSecret;
use super::{AccountError, password};
use crate::storage::records::Records;
use crate::storage::roster::Roster;

/// What [`ensure_administrator`] found or did.
#[derive(Clone, PartialEq, Eq)]
pub enum Bootstrap {
    /// Everything was as the settings say.
    Existing,
    /// The account was made.
    Created {
        /// The password that was made for it, to be shown once and never again; `None` if a setting gave it.
        generated: Option<String>,
    },
    /// The account got the password of the settings, which ended its logins.
    PasswordChanged,
}

impl std::fmt::Debug for Bootstrap {
    /// Without the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Existing => "Existing",
            Self::Created { generated: None } => "Created",
            Self::Created { generated: Some(_) } => "Created with a generated password",
            Self::PasswordChanged => "PasswordChanged",
        })
    }
}

/// Whether [`ensure_administrator`] would find everything as the settings say: the quick question of every start.
///
/// # Errors
/// The store's failure, or a name that is refused.
#[crate::boxed(?Send)]
pub async fn is_as_set(
    records: &Records,
    secret: &ServerSecret,
    user: &str,
    setting: Option<&str>,
) -> Result<bool, AccountError> {
    let login = Login::parse(user)?;
    let Some(account) = Account::load(records, &login).await? else { return Ok(false) };
    if account.place.is_none() {
        return Ok(false);
    }
    Ok(match setting.filter(|password| !password.is_empty()) {
        Some(password) => is_fingerprint(&account, &secret.keyed_hash("setting", &[login.as_str(), password])),
        None => true,
    })
}

fn is_fingerprint(account: &Account, fingerprint: &str) -> bool {
    let known = account.password_setting.as_deref().unwrap_or_default().as_bytes();
    bool::from(fingerprint.as_bytes().ct_eq(known))
}

/// Sees to it that there is an administrator: the account `user`, with the password of the settings if they have one,
/// else with one that is made when the account is. A disabled account stays disabled.
///
/// `users` is the list of users, in which the account gets its place.
///
/// **The caller holds the leases `bootstrap` and `users`**: two instances that start at once would otherwise make two
/// passwords, and the one that is shown might be the one that was overwritten.
///
/// # Errors
/// The store's failure, or a name or password that is refused.
#[crate::boxed(?Send)]
pub async fn ensure_administrator(
    records: &Records,
    users: &Roster,
    secret: &ServerSecret,
    user: &str,
    setting: Option<&str>,
    now_ms: u64,
) -> Result<Bootstrap, AccountError> {
    let login = Login::parse(user)?;
    let setting = setting.filter(|password| !password.is_empty());
    let fingerprint = setting.map(|password| secret.keyed_hash("setting", &[login.as_str(), password]));
    let mut made = Bootstrap::Existing;
    let account = match Account::load(records, &login).await? {
        Some(mut account) => {
            let is_known = fingerprint.as_deref().is_none_or(|new| is_fingerprint(&account, new));
            if is_known && account.place.is_some() {
                return Ok(made);
            }
            if let (false, Some(password)) = (is_known, setting) {
                account.set_password(password, now_ms)?;
                account.password_setting = fingerprint;
                made = Bootstrap::PasswordChanged;
            }
            account
        }
        None => {
            let generated = if setting.is_some() { None } else { Some(password::generate()?) };
            let password = setting.or(generated.as_deref()).unwrap_or_default();
            let mut account = Account::new(records, login, Role::SiteAdmin, password, now_ms).await?;
            account.password_setting = fingerprint;
            made = Bootstrap::Created { generated };
            account
        }
    };
    account.save_listed(records, users).await?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::memory::MemoryStore;
    use crate::storage::{Clock, Leases};

    fn users(records: &Records) -> Roster {
        let leases = Leases::new(records.clone(), Clock::manual(0), 1000);
        Roster::new("users", records.clone(), leases, Clock::manual(0))
    }

    async fn load(records: &Records) -> Account {
        Account::load(records, &Login::parse("admin").unwrap()).await.unwrap().unwrap()
    }

    #[test]
    fn without_a_setting_a_password_is_made_once() {
        futures::executor::block_on(async {
            let records = Records::new(MemoryStore::new());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            let made = ensure_administrator(&records, &users(&records), &secret, "admin", None, 5).await.unwrap();
            assert_eq!(format!("{made:?}"), "Created with a generated password");
            let Bootstrap::Created { generated: Some(generated) } = made else { unreachable!() };
            let account = load(&records).await;
            assert!(account.is_admin() && account.enabled);
            assert!(password::matches(&generated, &account.password));
            for setting in [None, Some("")] {
                let again =
                    ensure_administrator(&records, &users(&records), &secret, "admin", setting, 6).await.unwrap();
                assert_eq!(again, Bootstrap::Existing);
            }
            assert_eq!(load(&records).await, account);
        });
    }

    #[test]
    fn the_setting_is_taken_over_when_it_changes_and_only_then() {
        futures::executor::block_on(async {
            let records = Records::new(MemoryStore::new());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            let ensure = async |setting| {
                ensure_administrator(&records, &users(&records), &secret, "admin", setting, 5).await.unwrap()
            };
            assert_eq!(ensure(Some("password one")).await, Bootstrap::Created { generated: None });
            let first = load(&records).await;
            let start = std::time::Instant::now();
            for _ in 0..100 {
                assert_eq!(ensure(Some("password one")).await, Bootstrap::Existing);
            }
            assert!(start.elapsed().as_millis() < 500, "no Argon2 at a start");
            assert_eq!(ensure(None).await, Bootstrap::Existing);
            assert_eq!(ensure(Some("password two")).await, Bootstrap::PasswordChanged);
            let second = load(&records).await;
            assert!(second.password_version > first.password_version);
            assert!(password::matches("password two", &second.password));
            assert_eq!(ensure(Some("password two")).await, Bootstrap::Existing);
        });
    }

    #[test]
    fn a_password_that_the_user_chose_is_not_undone_by_the_next_start() {
        futures::executor::block_on(async {
            let records = Records::new(MemoryStore::new());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            let ensure = async |setting| {
                ensure_administrator(&records, &users(&records), &secret, "admin", setting, 5).await.unwrap()
            };
            ensure(Some("password one")).await;
            let mut account = load(&records).await;
            account.set_password("password of mine", 6).unwrap();
            account.save(&records).await.unwrap();
            assert!(is_as_set(&records, &secret, "admin", Some("password one")).await.unwrap());
            assert_eq!(ensure(Some("password one")).await, Bootstrap::Existing);
            assert!(password::matches("password of mine", &load(&records).await.password));
            assert_eq!(ensure(Some("password two")).await, Bootstrap::PasswordChanged);
        });
    }

    #[test]
    fn an_account_from_before_there_was_a_list_gets_its_place() {
        futures::executor::block_on(async {
            let records = Records::new(MemoryStore::new());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            let login = Login::parse("admin").unwrap();
            let old = Account::new(&records, login, Role::SiteAdmin, "password one", 1).await.unwrap();
            old.save(&records).await.unwrap();
            assert!(!is_as_set(&records, &secret, "admin", None).await.unwrap());
            let made = ensure_administrator(&records, &users(&records), &secret, "admin", None, 5).await.unwrap();
            assert_eq!(made, Bootstrap::Existing);
            let account = load(&records).await;
            assert!(account.place.is_some() && account.password == old.password);
            assert!(is_as_set(&records, &secret, "admin", None).await.unwrap());
        });
    }

    #[test]
    fn a_bad_setting_is_refused() {
        futures::executor::block_on(async {
            let records = Records::new(MemoryStore::new());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            for (user, setting) in [("a/b", None), ("guest", None), ("admin", Some("short"))] {
                assert!(ensure_administrator(&records, &users(&records), &secret, user, setting, 5).await.is_err());
            }
            assert!(Account::load(&records, &Login::parse("admin").unwrap()).await.unwrap().is_none());
        });
    }
}
