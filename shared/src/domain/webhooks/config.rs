//! The webhooks of a project or of the site.

use serde::{Deserialize, Serialize};

use super::signature::{self, SigningKey};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::storage::{Record, StoreError, keys};

/// Webhooks of one project or of the site, at most.
pub const MAX_WEBHOOKS: usize = 20;

/// Bytes of an address, at most.
const MAX_URL_BYTES: usize = 2_048;

/// Whose webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The site's, which are told of every project.
    Site,
    /// A project's, by its identifier.
    Project(String),
}

impl Scope {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Site => "site".to_owned(),
            Self::Project(id) => format!("project/{id}"),
        }
    }
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its identifier.
    pub id: String,
    /// Where messages are sent.
    pub url: String,
    /// What messages are signed with, as its owner has it.
    pub secret: String,
    /// Whether messages are sent.
    pub is_enabled: bool,
    /// Who made it.
    pub created_by: String,
    /// When, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// A webhook that is to be made.
#[derive(Debug, Clone, Default)]
pub struct NewWebhook {
    /// Where messages are to be sent.
    pub url: String,
    /// What they are to be signed with; if it is empty a secret is made.
    pub secret: String,
    /// Who makes it.
    pub by: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
}

impl Record for Webhooks {
    const VERSION: u32 = 1;
}

/// An address to which messages can be sent: `http` or `https`, with a host, without a user or fragment.
fn check_url(text: &str) -> Result<(), DomainError> {
    let uri: Option<http::Uri> = text.parse().ok();
    let is_fit = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    });
    if is_fit && text.len() <= MAX_URL_BYTES && !text.contains('#') {
        return Ok(());
    }
    Err(DomainError::Invalid {
        what: format!(
            "A webhook's url must be an address with http or https and a host, without user or fragment, of at most \
             {MAX_URL_BYTES} bytes."
        ),
    })
}

impl Core {
    /// The webhooks of a project or of the site.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn webhooks(&self, scope: &Scope) -> Result<Vec<Webhook>, StoreError> {
        let found: Option<Webhooks> = self.records.get(&keys::webhooks(&scope.name())).await?;
        Ok(found.unwrap_or_default().webhooks)
    }

    /// The webhook of this identifier.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn webhook(&self, scope: &Scope, id: &str) -> Result<Webhook, DomainError> {
        let found = self.webhooks(scope).await?.into_iter().find(|webhook| webhook.id == id);
        found.ok_or_else(|| DomainError::not_found("webhook", id))
    }

    /// Makes a webhook.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for an address or secret that cannot be, or if there are too many, or the store's
    /// failure.
    #[crate::boxed(?Send)]
    pub async fn add_webhook(&self, scope: &Scope, new: NewWebhook) -> Result<Webhook, DomainError> {
        check_url(&new.url)?;
        let secret = match new.secret.as_str() {
            "" => signature::new_secret()?,
            given => {
                SigningKey::parse(given)?;
                given.to_owned()
            }
        };
        let webhook = Webhook {
            id: random_id()?,
            url: new.url,
            secret,
            is_enabled: true,
            created_by: new.by,
            created_ms: self.clock.now_ms(),
        };
        self.change_webhooks(scope, |webhooks| {
            if webhooks.len() >= MAX_WEBHOOKS {
                return Err(DomainError::Invalid { what: format!("There may be at most {MAX_WEBHOOKS} webhooks.") });
            }
            webhooks.push(webhook.clone());
            Ok(())
        })
        .await?;
        Ok(webhook)
    }

    /// Switches a webhook on or off. What is already on its way to one that is off waits.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn enable_webhook(&self, scope: &Scope, id: &str, is_enabled: bool) -> Result<(), DomainError> {
        self.change_webhooks(scope, |webhooks| {
            let found = webhooks.iter_mut().find(|webhook| webhook.id == id);
            found.ok_or_else(|| DomainError::not_found("webhook", id))?.is_enabled = is_enabled;
            Ok(())
        })
        .await
    }

    /// Removes a webhook. What is on its way to it is not sent any more.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn remove_webhook(&self, scope: &Scope, id: &str) -> Result<(), DomainError> {
        self.change_webhooks(scope, |webhooks| {
            let before = webhooks.len();
            webhooks.retain(|webhook| webhook.id != id);
            if webhooks.len() == before { Err(DomainError::not_found("webhook", id)) } else { Ok(()) }
        })
        .await
    }

    async fn change_webhooks(
        &self,
        scope: &Scope,
        change: impl FnOnce(&mut Vec<Webhook>) -> Result<(), DomainError>,
    ) -> Result<(), DomainError> {
        let key = keys::webhooks(&scope.name());
        self.with_lease(&format!("webhooks/{}", scope.name()), "the webhooks", async |core| {
            let mut held: Webhooks = core.records.get(&key).await?.unwrap_or_default();
            change(&mut held.webhooks)?;
            Ok(core.records.set(&key, &held).await?)
        })
        .await
    }

    /// Removes all webhooks of a project that is gone for good.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn forget_webhooks(&self, project: &str) -> Result<(), StoreError> {
        self.records.delete(&keys::webhooks(&Scope::Project(project.to_owned()).name())).await
    }
}
