//! Who makes a request.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::AccountError;
use super::account::{Account, GUEST, Login};
use super::login::{self, IssuedLogin};
use super::secret::ServerSecret;
use super::settings::AuthSettings;
use super::token;
use super::verify::verify;
use crate::storage::records::Records;
use crate::storage::store::StoreError;

/// Longer values of `Authorization` are refused.
const MAX_AUTHORIZATION_BYTES: usize = 8 * 1024;
/// The only provider of accounts.
pub const PROVIDER: &str = "localdb";
/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a request brings along to say whose it is.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The value of `Authorization`. It beats the cookie.
    pub authorization: Option<&'a [u8]>,
    /// The value of the cookie `JSESSIONID`.
    pub session_token: Option<&'a str>,
}

/// How a user came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// With name and password.
    Password,
    /// With an alias token.
    Token {
        /// Its alias.
        alias: String,
    },
    /// With a login session.
    Session {
        /// What a browser must send along with changes.
        csrf: String,
        /// The alias of the token with which the session was opened, if it was.
        alias: Option<String>,
    },
}

impl Via {
    /// The alias of the token with which the user came in, be it through a login session.
    pub fn alias(&self) -> Option<&str> {
        match self {
            Self::Password => None,
            Self::Token { alias } => Some(alias),
            Self::Session { alias, .. } => alias.as_deref(),
        }
    }
}

/// A user who logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account.
    pub account: Account,
    /// How the user came in.
    pub via: Via,
}

/// Who makes a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Identity {
    /// Nobody known; sees what is public.
    #[default]
    Guest,
    /// Somebody with an account.
    User(Box<User>),
}

impl Identity {
    /// The name that logs and answers show.
    pub fn name(&self) -> &str {
        match self {
            Self::Guest => GUEST,
            Self::User(user) => user.account.login.as_str(),
        }
    }

    /// The login name, unless it is a guest.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Self::Guest => None,
            Self::User(user) => Some(&user.account.login),
        }
    }

    /// The user, unless it is a guest.
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::Guest => None,
            Self::User(user) => Some(user),
        }
    }

    /// Whether this is an administrator of the site.
    pub fn is_admin(&self) -> bool {
        self.user().is_some_and(|user| user.account.is_admin())
    }

    /// Whether the data of all projects may be read.
    pub fn reads_all_data(&self) -> bool {
        self.user().is_some_and(|user| user.account.reads_all_data())
    }

    /// Whether the data of all projects may be changed and deleted.
    pub fn edits_all_data(&self) -> bool {
        self.user().is_some_and(|user| user.account.edits_all_data())
    }
}

/// Why a request is not let in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthError {
    /// No credentials, or a login session that has ended.
    #[error("The request requires user authentication")]
    Required,
    /// The name or the password is wrong, or the account is disabled or locked: not told apart.
    #[error("The user name or the password is wrong, or the account may not log in at the moment.")]
    Refused,
    /// `Authorization` cannot be read.
    #[error("The Authorization header is malformed.")]
    Malformed,
    /// `Authorization` has another scheme than Basic.
    #[error("Only the authentication scheme Basic is supported.")]
    UnsupportedScheme,
    /// `provider/name` with an unknown provider.
    #[error("The authentication provider is not known; only 'localdb' is.")]
    UnknownProvider,
    /// Something failed that is not the client's fault.
    #[error(transparent)]
    Failed(#[from] AccountError),
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Name and password out of `Authorization: Basic`.
fn parse_basic(value: &[u8]) -> Result<(String, String), AuthError> {
    if value.len() > MAX_AUTHORIZATION_BYTES {
        return Err(AuthError::Malformed);
    }
    let text = std::str::from_utf8(value).map_err(|_| AuthError::Malformed)?;
    let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(AuthError::UnsupportedScheme);
    }
    let bytes = BASE64.decode(rest.trim()).map_err(|_| AuthError::Malformed)?;
    // Python's requests sends Latin-1, everybody else UTF-8.
    let pair = String::from_utf8(bytes)
        .unwrap_or_else(|error| error.as_bytes().iter().map(|&byte| char::from(byte)).collect());
    let (name, password) = pair.split_once(':').ok_or(AuthError::Malformed)?;
    Ok((name.to_owned(), password.to_owned()))
}

/// Lets users in.
pub struct Authenticator<'a> {
    records: &'a Records,
    secret: &'a ServerSecret,
    settings: &'a AuthSettings,
    now_ms: u64,
}

impl<'a> Authenticator<'a> {
    /// For one request at one time.
    pub fn new(records: &'a Records, secret: &'a ServerSecret, settings: &'a AuthSettings, now_ms: u64) -> Self {
        Self { records, secret, settings, now_ms }
    }

    /// Who makes the request: by `Authorization` if there is one, which must then be right; else by the login session;
    /// else a guest where guests are allowed.
    ///
    /// # Errors
    /// An [`AuthError`] if the request is not let in.
    pub async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Identity, AuthError> {
        if let Some(authorization) = credentials.authorization {
            let (name, password) = parse_basic(authorization)?;
            return Ok(Identity::User(Box::new(self.check_password(&name, &password).await?)));
        }
        if let Some(token) = credentials.session_token {
            let found = login::resume(self.records, token, self.now_ms, self.settings.idle_ms()).await?;
            if let Some((session, account)) = found {
                let via = Via::Session { csrf: session.csrf, alias: session.token };
                return Ok(Identity::User(Box::new(User { account, via })));
            }
        }
        if self.settings.allow_guests { Ok(Identity::Guest) } else { Err(AuthError::Required) }
    }

    /// The user of a name (or `provider/name`) and password, or of an alias and its secret.
    ///
    /// # Errors
    /// [`AuthError::Refused`], [`AuthError::UnknownProvider`], or a failure.
    #[crate::boxed(?Send)]
    pub async fn check_password(&self, name: &str, password: &str) -> Result<User, AuthError> {
        let name = match name.rsplit_once('/') {
            None => name,
            Some((PROVIDER, name)) => name,
            Some(_) => return Err(AuthError::UnknownProvider),
        };
        if token::is_alias(name) {
            let found = token::verify(self.records, name, password, self.now_ms).await?;
            let (token, account) = found.ok_or(AuthError::Refused)?;
            return Ok(User { account, via: Via::Token { alias: token.alias } });
        }
        let rule = self.settings.verify_rule();
        let account = verify(self.records, self.secret, name, password, self.now_ms, &rule).await?;
        let account = account.ok_or(AuthError::Refused)?;
        Ok(User { account, via: Via::Password })
    }

    /// Opens a login session for a user who came in.
    ///
    /// # Errors
    /// A failure of the store or of the random bytes.
    #[crate::boxed(?Send)]
    pub async fn open_session(&self, user: &User) -> Result<IssuedLogin, AuthError> {
        Ok(login::issue(self.records, &user.account, user.via.alias(), self.now_ms).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Role;
    use super::*;
    use crate::storage::memory::MemoryStore;

    fn basic(pair: &[u8]) -> String {
        format!("Basic {}", BASE64.encode(pair))
    }

    struct World {
        records: Records,
        secret: ServerSecret,
        settings: AuthSettings,
    }

    impl World {
        async fn new() -> Self {
            let records = Records::new(MemoryStore::new());
            let secret = ServerSecret::ensure(&records).await.unwrap();
            let login = Login::parse("ann").unwrap();
            Account::new(&records, login, Role::SiteAdmin, "päss:word", 0).await.unwrap().save(&records).await.unwrap();
            Self { records, secret, settings: AuthSettings::default() }
        }

        fn at(&self, now_ms: u64) -> Authenticator<'_> {
            Authenticator::new(&self.records, &self.secret, &self.settings, now_ms)
        }

        async fn with(&self, authorization: Option<&str>, token: Option<&str>) -> Result<Identity, AuthError> {
            let authorization = authorization.map(str::as_bytes);
            self.at(1000).authenticate(Credentials { authorization, session_token: token }).await
        }
    }

    #[test]
    fn basic_credentials_let_in_whatever_their_spelling() {
        futures::executor::block_on(async {
            let world = World::new().await;
            let latin1: Vec<u8> = "ann:päss:word".chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            for value in [
                basic("ann:päss:word".as_bytes()),
                basic("localdb/ann:päss:word".as_bytes()),
                basic(&latin1),
                basic("ann:päss:word".as_bytes()).replace("Basic", " bASIC ").trim_end_matches('=').to_owned(),
            ] {
                let identity = world.with(Some(&value), None).await.unwrap();
                assert_eq!((identity.name(), identity.is_admin()), ("ann", true), "{value}");
                assert_eq!(identity.user().unwrap().via, Via::Password);
            }
        });
    }

    #[test]
    fn wrong_credentials_are_refused_even_with_a_good_session() {
        futures::executor::block_on(async {
            let mut world = World::new().await;
            let user = world.at(1000).check_password("ann", "päss:word").await.unwrap();
            let token = world.at(1000).open_session(&user).await.unwrap().token;
            world.settings.allow_guests = true;
            for (value, expected) in [
                (basic(b"ann:wrong"), "Refused"),
                (basic(b":"), "Refused"),
                (basic(b"guest:guest"), "Refused"),
                (basic(b"ldap/ann:wrong"), "UnknownProvider"),
                (basic(b"localdb/localdb/ann:x"), "UnknownProvider"),
                (basic(b"no colon"), "Malformed"),
                ("Basic !!!!".to_owned(), "Malformed"),
                ("Basic".to_owned(), "Malformed"),
                (basic(&[b'a'; 9000]), "Malformed"),
                ("Bearer abc".to_owned(), "UnsupportedScheme"),
                (String::new(), "UnsupportedScheme"),
            ] {
                let error = world.with(Some(&value), Some(&token)).await.unwrap_err();
                assert_eq!(format!("{error:?}"), expected, "{value}");
            }
        });
    }

    #[test]
    fn a_session_lets_in_until_it_ends_and_then_counts_as_nothing() {
        futures::executor::block_on(async {
            let mut world = World::new().await;
            let user = world.at(1000).check_password("ann", "päss:word").await.unwrap();
            let issued = world.at(1000).open_session(&user).await.unwrap();
            let identity = world.with(None, Some(&issued.token)).await.unwrap();
            assert_eq!(identity.user().unwrap().via, Via::Session { csrf: issued.session.csrf.clone(), alias: None });
            let late = Credentials { authorization: None, session_token: Some(&issued.token) };
            assert!(matches!(world.at(901_000).authenticate(late).await, Err(AuthError::Required)));
            assert!(matches!(world.with(None, Some("garbage")).await, Err(AuthError::Required)));
            assert!(matches!(world.with(None, None).await, Err(AuthError::Required)));
            world.settings.allow_guests = true;
            assert_eq!(world.with(None, Some("garbage")).await.unwrap(), Identity::Guest);
            assert_eq!(world.with(None, None).await.unwrap().name(), "guest");
        });
    }
}
