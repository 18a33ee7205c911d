//! Sending what is due.

use std::collections::BTreeMap;

use futures::StreamExt;

use super::queue::{Delivery, DeliveryState};
use super::signature::SigningKey;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::keys;

/// Messages on their way at once.
const WIDTH: usize = 8;

/// Messages that one pass sends, at most.
const MAX_SENT: usize = 500;

/// What is due within this time is waited for, in milliseconds.
const SOON_MS: u64 = 60 * 1000;

/// The least pause between two rounds, in milliseconds: what is due may be somebody else's, or wait for a webhook that
/// is off.
const LEAST_PAUSE_MS: u64 = 1000;

/// Rounds of one pass, at most.
const MAX_ROUNDS: usize = 5;

/// A message as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub url: String,
    /// Header fields: `webhook-id`, `webhook-timestamp`, `webhook-signature` and those of the content.
    pub headers: Vec<(&'static str, String)>,
    /// The document.
    pub body: String,
}

/// Whoever can send a message.
pub trait Sender {
    /// Sends it: the status of the answer, or why there was none.
    fn send(&self, message: Outgoing) -> impl Future<Output = Result<u16, String>>;
}

/// The lease to hold while a message is sent.
pub(in crate::domain) fn lease_name(id: &str) -> String {
    // Many messages share one: a lease's name stays in the store.
    format!("delivery/{:02x}", crc32fast::hash(id.as_bytes()) & 0xFF)
}

impl Core {
    /// Sends the messages that are due, unless somebody else is at it. Gives how many the receivers took.
    ///
    /// # Errors
    /// The store's failure; what was not sent is sent the next time.
    pub async fn deliver_due(&self, sender: &impl Sender) -> Result<u64, DomainError> {
        let (queue, source) = self.delivery_queue();
        let now_ms = self.clock.now_ms();
        let listed = queue.list(&source).await?;
        // Those that share a lease go one after the other, so that none finds it taken by another of them.
        let mut due: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for listed in listed.into_iter().filter(|listed| listed.row.due_ms <= now_ms).take(MAX_SENT) {
            due.entry(lease_name(&listed.member)).or_default().push(listed.member);
        }
        let sent = futures::stream::iter(due.into_values())
            .map(|ids| async move {
                let mut delivered = 0;
                for id in ids {
                    delivered += u64::from(self.deliver(&id, sender).await?);
                }
                Ok::<_, DomainError>(delivered)
            })
            .buffer_unordered(WIDTH)
            .collect::<Vec<_>>()
            .await;
        let mut delivered = 0;
        for outcome in sent {
            delivered += outcome?;
        }
        queue.fold_if_long(&source).await?;
        Ok(delivered)
    }

    /// Sends what is due, and waits for what will be due soon; what is due later is left to the next who looks.
    ///
    /// # Errors
    /// As [`Core::deliver_due`].
    pub async fn deliver_while_due(&self, sender: &impl Sender) -> Result<(), DomainError> {
        for _ in 0..MAX_ROUNDS {
            self.deliver_due(sender).await?;
            let (queue, source) = self.delivery_queue();
            let next_ms = queue.list(&source).await?.iter().map(|listed| listed.row.due_ms).min();
            let now_ms = self.clock.now_ms();
            match next_ms.map(|next_ms| next_ms.saturating_sub(now_ms)) {
                Some(pause_ms) if pause_ms <= SOON_MS => self.clock.pause(pause_ms.max(LEAST_PAUSE_MS)).await,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    async fn deliver(&self, id: &str, sender: &impl Sender) -> Result<bool, DomainError> {
        let Some(mut lease) = self.leases.acquire(&lease_name(id)).await? else { return Ok(false) };
        let outcome = self.deliver_held(id, sender, &mut lease).await;
        self.leases.release(lease).await?;
        outcome
    }

    async fn deliver_held(
        &self,
        id: &str,
        sender: &impl Sender,
        lease: &mut crate::storage::Lease,
    ) -> Result<bool, DomainError> {
        let found: Option<Delivery> = self.records.get(&keys::delivery(id)).await?;
        let now_ms = self.clock.now_ms();
        let is_due = |found: &Delivery| found.state == DeliveryState::Waiting && found.due_ms <= now_ms;
        let Some(mut delivery) = found.filter(is_due) else { return Ok(false) };
        let webhook = match self.webhook(&delivery.scope(), &delivery.webhook).await {
            Ok(webhook) => webhook,
            Err(DomainError::NotFound { .. }) => {
                delivery.give_up(now_ms, "the webhook was removed");
                self.store_delivery(&delivery).await?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        if !webhook.is_enabled {
            return Ok(false);
        }
        let seconds = now_ms / 1000;
        let signature = SigningKey::parse(&webhook.secret)?.sign(&delivery.event, seconds, delivery.body.as_bytes())?;
        let message = Outgoing {
            url: webhook.url,
            headers: vec![
                ("content-type", "application/cloudevents+json; charset=UTF-8".to_owned()),
                ("webhook-id", delivery.event.clone()),
                ("webhook-timestamp", seconds.to_string()),
                ("webhook-signature", signature),
                ("idempotency-key", delivery.event.clone()),
            ],
            body: delivery.body.clone(),
        };
        let outcome = match sender.send(message).await {
            Ok(status @ 200..=299) => Ok(format!("answered {status}")),
            Ok(status) => Err(format!("answered {status}")),
            Err(reason) => Err(reason),
        };
        let is_taken = outcome.is_ok();
        delivery.tried(self.clock.now_ms(), outcome);
        // Whoever took over meanwhile sends it again; the receiver knows it by its identifier.
        if self.leases.keep(lease).await? {
            self.store_delivery(&delivery).await?;
        }
        Ok(is_taken)
    }
}
