//! The stores, settings and secret that a component works with: opened once an instance.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use spin_sdk::variables;

use crate::accounts::{
    AuthSettings, Authenticator, Bootstrap, IssuedLogin, Login, LoginSession, ServerSecret, User, login, password,
    token,
};
use crate::domain::sweep::Swept;
use crate::domain::{Core, Settings};
use crate::http::ClientError;
use crate::storage::kv::KvStore;
use crate::storage::{Clock, Leases, Roster, keys};

/// What is the same for all requests of an instance. Nothing of a user is in here.
pub struct Site {
    /// The domain on the site's stores.
    pub core: Core,
    /// The secret of keyed hashes.
    pub secret: ServerSecret,
    /// How users come in.
    pub auth: AuthSettings,
    /// What whoever calls the sweep from outside must show; without it only administrators may.
    pub sweep_token: Option<String>,
}

thread_local! {
    static SITE: RefCell<Option<Rc<Site>>> = const { RefCell::new(None) };
}

/// The variables that the manifest gives to every component.
const VARIABLES: &[&str] = &[
    "admin_user",
    "admin_password",
    "site_id",
    "default_prearchive_code",
    "users_may_create_projects",
    "dicom_file_name_template",
    "default_import_handler",
    "lease_seconds",
    "upload_retention_seconds",
    "session_timeout_seconds",
    "verified_login_seconds",
    "alias_token_seconds",
    "lock_after_failures",
    "lock_seconds",
    "require_login",
    "csrf_check",
    "sweep_token",
    "session_idle_seconds",
    "cache_retention_seconds",
    "max_cache_bytes",
    "max_triage_folders",
    "max_triage_files",
    "max_upload_bytes",
    "max_entries",
    "max_entry_bytes",
    "max_inflated_bytes",
    "max_ratio",
    "ratio_free_entry_bytes",
    "ratio_free_total_bytes",
    "ratio_free_decompressed_bytes",
    "max_nesting",
    "max_archives",
    "max_name_bytes",
    "max_component_bytes",
    "max_central_directory_bytes",
    "max_dictionary_bytes",
    "max_header_bytes",
    "max_value_bytes",
    "max_depth",
];

/// How long a component waits for another that makes the first account, in milliseconds.
const BOOTSTRAP_PATIENCE_MS: u64 = 20_000;
/// How long making it may take.
const BOOTSTRAP_LIFE_MS: u64 = 15_000;

impl Site {
    /// The site of this instance.
    ///
    /// # Errors
    /// 503 if a store or a setting cannot be had; the log says why.
    #[crate::boxed(?Send)]
    pub async fn open() -> Result<Rc<Self>, ClientError> {
        if let Some(site) = SITE.with_borrow(Option::clone) {
            return Ok(site);
        }
        let site = Rc::new(Self::make().await?);
        SITE.set(Some(site.clone()));
        Ok(site)
    }

    async fn make() -> Result<Self, ClientError> {
        let mut given: BTreeMap<&str, String> = BTreeMap::new();
        for name in VARIABLES {
            match variables::get(name).await {
                Ok(value) => {
                    given.insert(name, value);
                }
                Err(variables::Error::Undefined(_)) => {}
                Err(error) => return Err(unusable(format!("the variable {name} cannot be read: {error:?}"))),
            }
        }
        let lookup = |name: &str| given.get(name).cloned();
        let settings = Settings::from_lookup(lookup).map_err(|error| unusable(error.to_string()))?;
        let set = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let auth = AuthSettings::from_lookup(lookup).map_err(|error| unusable(error.to_string()))?;
        let (records, blobs) = (KvStore::open("records").await?, KvStore::open("blobs").await?);
        let clock = Clock::system();
        let user = given.get("admin_user").map(|name| name.trim()).filter(|name| !name.is_empty()).unwrap_or("admin");
        let password = given.get("admin_password").map(String::as_str).filter(|password| !password.is_empty());
        let bad = |name: &str, error: &dyn std::fmt::Display| {
            unusable(format!("the variable {name} cannot be used: {error}"))
        };
        Login::parse(user).map_err(|error| bad("admin_user", &error))?;
        password.map_or(Ok(()), password::check).map_err(|error| bad("admin_password", &error))?;
        let core = Core::new(records, blobs, clock, settings);
        let secret = bootstrap(&core, user, password).await?;
        Ok(Self { core, secret, auth, sweep_token: set("sweep_token") })
    }
}

/// The list of login sessions, by which those that nobody uses any more are found.
const LOGINS: &str = "logins";

impl Site {
    /// Lets requests of this moment in.
    pub fn authenticator(&self) -> Authenticator<'_> {
        Authenticator::new(&self.core.records, &self.secret, &self.auth, self.core.clock.now_ms())
    }

    /// Opens a login session.
    ///
    /// # Errors
    /// A failure of the store or of the random bytes.
    #[crate::boxed(?Send)]
    pub async fn open_login(&self, user: &User) -> Result<IssuedLogin, ClientError> {
        let issued = self.authenticator().open_session(user).await?;
        self.core.roster(LOGINS).touch(&issued.member, None).await?;
        Ok(issued)
    }

    /// The list of alias tokens.
    pub fn alias_tokens(&self) -> Roster {
        self.core.roster(token::ROSTER)
    }

    /// Sweeps if it is time to: uploads that never ended, work that was left half done, login sessions and alias
    /// tokens that ended.
    ///
    /// # Errors
    /// What failed; the rest is swept the next time.
    #[crate::boxed(?Send)]
    pub async fn sweep_if_due(&self) -> Result<(), ClientError> {
        match self.core.sweep_is_due().await? {
            true => self.sweep().await.map(drop),
            false => Ok(()),
        }
    }

    /// Sweeps now.
    ///
    /// # Errors
    /// As [`Site::sweep_if_due`].
    #[crate::boxed(?Send)]
    pub async fn sweep(&self) -> Result<Swept, ClientError> {
        let swept = self.core.sweep().await?;
        let (records, roster) = (self.core.records.clone(), self.core.roster(LOGINS));
        let source = {
            let records = records.clone();
            move |member: String, _| {
                let records = records.clone();
                async move { Ok(records.get::<LoginSession>(&keys::login(&member)).await?.map(|_| ())) }
            }
        };
        for listed in roster.list(&source).await? {
            let now_ms = self.core.clock.now_ms();
            if login::remove_expired(&records, &listed.member, now_ms, self.auth.idle_ms()).await? {
                roster.touch(&listed.member, Some(listed.place)).await?;
            }
        }
        roster.fold(&source).await?;
        token::sweep(&records, &self.alias_tokens(), self.core.clock.now_ms()).await?;
        super::webhooks::deliver_later();
        Ok(swept)
    }
}

/// Sees to it that there is an administrator. Everybody who starts waits for the one who does it.
async fn bootstrap(core: &Core, user: &str, password: Option<&str>) -> Result<ServerSecret, ClientError> {
    let records = &core.records;
    if let Some(secret) = ServerSecret::load(records).await?
        && crate::accounts::bootstrap::is_as_set(records, &secret, user, password).await?
    {
        return Ok(secret);
    }
    let leases = Leases::new(records.clone(), core.clock.clone(), BOOTSTRAP_LIFE_MS);
    let lease = leases.acquire_within("bootstrap", BOOTSTRAP_PATIENCE_MS).await?;
    let lease = lease.ok_or_else(|| unusable("another component is still making the first account".to_owned()))?;
    let made = make_administrator(core, user, password).await;
    // Shown before anything else can fail, since it is shown only once.
    if let Ok((_, Bootstrap::Created { generated: Some(password) })) = &made {
        println!("narthex: administrator account made: user={user} password={password}");
    }
    leases.release(lease).await?;
    Ok(made?.0)
}

async fn make_administrator(
    core: &Core,
    user: &str,
    password: Option<&str>,
) -> Result<(ServerSecret, Bootstrap), ClientError> {
    let secret = ServerSecret::ensure(&core.records).await?;
    let made = core.ensure_administrator(&secret, user, password).await?;
    Ok((secret, made))
}

fn unusable(detail: String) -> ClientError {
    ClientError::unavailable("not-set-up", "The service is not set up rightly; its log says what is wrong.", 5)
        .with_detail(detail)
}
