//! The first administrator.

use subtle::ConstantTimeEq;

use super::account::{Account, Login, Role};
use super::secret::ServerSecret;
use super::{AccountError, password};
use crate::storage::records::Records;
use crate::storage::store::Store;

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
pub async fn is_as_set<S: Store>(
    records: &Records<S>,
    secret: &ServerSecret,
    user: &str,
    setting: Option<&str>,
) -> Result<bool, AccountError> {
    let login = Login::parse(user)?;
    let Some(account) = Account::load(records, &login).await? else { return Ok(false) };
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
/// **The caller holds the lease `bootstrap`**: two instances that start at once would otherwise make two passwords,
/// and the one that is shown might be the one that was overwritten.
///
/// # Errors
/// The store's failure, or a name or password that is refused.
pub async fn ensure_administrator<S: Store>(
    records: &Records<S>,
    secret: &ServerSecret,
    user: &str,
    setting: Option<&str>,
    now_ms: u64,
) -> Result<Bootstrap, AccountError> {
    let login = Login::parse(user)?;
    let setting = setting.filter(|password| !password.is_empty());
    let fingerprint = setting.map(|password| secret.keyed_hash("setting", &[login.as_str(), password]));
    match (Account::load(records, &login).await?, setting) {
        (Some(_), None) => Ok(Bootstrap::Existing),
        (Some(mut account), Some(password)) => {
            if fingerprint.as_deref().is_some_and(|new| is_fingerprint(&account, new)) {
                return Ok(Bootstrap::Existing);
            }
            account.set_password(password, now_ms)?;
            account.password_setting = fingerprint;
            account.save(records).await?;
            Ok(Bootstrap::PasswordChanged)
        }
        (None, setting) => {
            let generated = if setting.is_some() { None } else { Some(password::generate()?) };
            let password = setting.or(generated.as_deref()).unwrap_or_default();
            let mut account = Account::new(records, login, Role::SiteAdmin, password, now_ms).await?;
            account.password_setting = fingerprint;
            account.save(records).await?;
            Ok(Bootstrap::Created { generated })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::memory::MemoryStore;

    async fn load(records: &Records<MemoryStore>) -> Account {
        Account::load(records, &Login::parse("admin").unwrap()).await.unwrap().unwrap()
    }

    #[test]
    fn without_a_setting_a_password_is_made_once() {
        futures::executor::block_on(async {
            let records = Records::new(MemoryStore::new());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            let made = ensure_administrator(&records, &secret, "admin", None, 5).await.unwrap();
            assert_eq!(format!("{made:?}"), "Created with a generated password");
            let Bootstrap::Created { generated: Some(generated) } = made else { unreachable!() };
            let account = load(&records).await;
            assert!(account.is_admin() && account.enabled);
            assert!(password::matches(&generated, &account.password));
            for setting in [None, Some("")] {
                let again = ensure_administrator(&records, &secret, "admin", setting, 6).await.unwrap();
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
            let ensure = async |setting| ensure_administrator(&records, &secret, "admin", setting, 5).await.unwrap();
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
    fn a_bad_setting_is_refused() {
        futures::executor::block_on(async {
            let records = Records::new(MemoryStore::new());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            for (user, setting) in [("a/b", None), ("guest", None), ("admin", Some("short"))] {
                assert!(ensure_administrator(&records, &secret, user, setting, 5).await.is_err());
            }
            assert!(Account::load(&records, &Login::parse("admin").unwrap()).await.unwrap().is_none());
        });
    }
}
