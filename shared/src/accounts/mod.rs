//! Who may come in: accounts, passwords, login sessions.
//!
//! Nothing here knows HTTP. Time is given as milliseconds since the epoch; records hold everything that lasts.
//!
//! | record | key | life |
//! |---|---|---|
//! | [`Account`] | `keys::account` | until deleted |
//! | [`Failures`](failures::Failures) | see [`failures`] | until the next right password |
//! | [`Verified`](verify::Verified) | `keys::verified` | minutes |
//! | [`LoginSession`], [`LastUse`](login::LastUse) | `keys::login` | until idle too long |
//! | alias tokens, see [`token`] | `keys::alias_token` | until their end |
//! | [`ServerSecret`] | `keys::server_secret` | for good |

pub mod account;
pub mod bootstrap;
pub mod failures;
pub mod identity;
pub mod login;
pub mod password;
pub mod secret;
pub mod settings;
pub mod token;
pub mod verify;

pub use account::{Account, AllData, Login, Role};
pub use bootstrap::{Bootstrap, ensure_administrator};
pub use identity::{AuthError, Authenticator, Credentials, Identity, User, Via};
pub use login::{IssuedLogin, LoginSession};
pub use secret::ServerSecret;
pub use settings::AuthSettings;
pub use token::{IssuedToken, TokenInfo};

use crate::storage::store::StoreError;

/// Why something could not be done with an account.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The name is no login name.
    #[error(transparent)]
    Login(#[from] account::LoginError),
    /// The password is refused as a new one.
    #[error(transparent)]
    Password(#[from] password::PasswordError),
    /// The platform gives no random bytes.
    #[error("no random bytes can be had: {0}")]
    Random(String),
}
