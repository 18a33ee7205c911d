//! Messages on their way: one record for each webhook that is told of an event.

use serde::{Deserialize, Serialize};

use super::config::Scope;
use super::event::SessionEvent;
use crate::domain::Core;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, StoreError, keys};

/// How long what has ended can be looked up, in milliseconds: a month.
const KEPT_MS: u64 = 30 * 24 * 3600 * 1000;

/// The pauses after each failed try, in seconds; after the last one nothing is tried again. A day and a half in all.
const PAUSES_S: [u64; 9] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 4 * 3_600, 24 * 3_600];

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is to be sent.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// All tries are used up, or the webhook is gone.
    Failed,
}

impl DeliveryState {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// One try to send a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What the receiver answered, or why there was no answer.
    pub outcome: String,
}

/// A message to one webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its identifier.
    pub id: String,
    /// The event, under which receivers know a message that comes twice.
    pub event: String,
    /// The event's type.
    pub kind: String,
    /// The project whose webhook it is; empty for the site's.
    pub project: String,
    /// The webhook.
    pub webhook: String,
    /// The document that is sent.
    pub body: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// The tries so far.
    pub attempts: Vec<Attempt>,
    /// When it is next to be sent, in milliseconds since the epoch.
    pub due_ms: u64,
    /// When it was made.
    pub created_ms: u64,
    /// Its place among those of its webhook.
    place: u64,
    /// Its place among those that wait.
    queue_place: u64,
}

impl Record for Delivery {
    const VERSION: u32 = 1;
}

/// What the queue keeps of a message that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub due_ms: u64,
}

/// What the log of a webhook keeps of a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Logged {
    state: DeliveryState,
    created_ms: u64,
}

impl Delivery {
    /// Whether it is still to be sent.
    pub fn is_waiting(&self) -> bool {
        self.state == DeliveryState::Waiting
    }

    pub(super) fn scope(&self) -> Scope {
        match self.project.as_str() {
            "" => Scope::Site,
            project => Scope::Project(project.to_owned()),
        }
    }

    /// Writes a try down: it was taken, or it is tried again after a pause, or given up.
    pub(super) fn tried(&mut self, at_ms: u64, outcome: Result<String, String>) {
        let pause_s = PAUSES_S.get(self.attempts.len());
        (self.state, self.due_ms) = match (&outcome, pause_s) {
            (Ok(_), _) => (DeliveryState::Delivered, at_ms),
            (Err(_), Some(pause_s)) => (DeliveryState::Waiting, at_ms.saturating_add(pause_s.saturating_mul(1000))),
            (Err(_), None) => (DeliveryState::Failed, at_ms),
        };
        let outcome = outcome.unwrap_or_else(|error| error).chars().take(300).collect();
        self.attempts.push(Attempt { at_ms, outcome });
    }

    pub(super) fn give_up(&mut self, at_ms: u64, why: &str) {
        self.state = DeliveryState::Failed;
        self.attempts.push(Attempt { at_ms, outcome: why.to_owned() });
    }
}

impl Core {
    fn delivery_log(&self, webhook: &str) -> (Roster, impl RowSource<Logged>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Delivery> = records.get(&keys::delivery(&id)).await?;
                let found = found.filter(|found| found.place == place);
                Ok(found.map(|found| Logged { state: found.state, created_ms: found.created_ms }))
            }
        };
        (self.roster(format!("deliveries/{webhook}")), source)
    }

    pub(super) fn delivery_queue(&self) -> (Roster, impl RowSource<Waiting>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Delivery> = records.get(&keys::delivery(&id)).await?;
                let found = found
                    .filter(|found| found.queue_place == place && found.state == DeliveryState::Waiting)
                    .map(|found| Waiting { due_ms: found.due_ms });
                Ok(found)
            }
        };
        (self.roster("delivery-queue"), source)
    }

    /// Puts an event in the queue of each webhook that is told of its project; `true` if there is any. May be done
    /// again: an event that is in a queue already is not put there twice.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    #[crate::boxed(?Send)]
    pub async fn announce(&self, event: &SessionEvent) -> Result<bool, StoreError> {
        let mut is_told = false;
        for scope in [Scope::Project(event.project.clone()), Scope::Site] {
            for webhook in self.webhooks(&scope).await? {
                if webhook.is_enabled {
                    self.enqueue(event, &scope, &webhook.id).await?;
                    is_told = true;
                    self.has_messages.set(true);
                }
            }
        }
        Ok(is_told)
    }

    /// Whether messages were put in the queue since the last call.
    pub fn take_has_messages(&self) -> bool {
        self.has_messages.take()
    }

    /// Puts an event in the queue of one webhook. Gives the message's identifier.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn enqueue(&self, event: &SessionEvent, scope: &Scope, webhook: &str) -> Result<String, StoreError> {
        let id = format!("{}-{webhook}", event.id);
        if self.records.get::<Delivery>(&keys::delivery(&id)).await?.is_some() {
            return Ok(id);
        }
        let now_ms = self.clock.now_ms();
        let (log, _) = self.delivery_log(webhook);
        let (queue, _) = self.delivery_queue();
        let logged = log.touch(&id, None).await?;
        let queued = queue.touch(&id, None).await?;
        let delivery = Delivery {
            id: id.clone(),
            event: event.id.clone(),
            kind: event.kind.type_name().to_owned(),
            project: match scope {
                Scope::Site => String::new(),
                Scope::Project(project) => project.clone(),
            },
            webhook: webhook.to_owned(),
            body: event.document(&self.settings.site_id),
            state: DeliveryState::Waiting,
            attempts: Vec::new(),
            due_ms: now_ms,
            created_ms: now_ms,
            place: logged.place,
            queue_place: queued.place,
        };
        self.records.set(&keys::delivery(&id), &delivery).await?;
        log.settled(&id, logged).await?;
        queue.settled(&id, queued).await?;
        Ok(id)
    }

    /// Stores what became of a message.
    pub(super) async fn store_delivery(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let (log, source) = self.delivery_log(&delivery.webhook);
        let (queue, _) = self.delivery_queue();
        let logged = log.touch(&delivery.id, Some(delivery.place)).await?;
        let queued = queue.touch(&delivery.id, Some(delivery.queue_place)).await?;
        self.records.set(&keys::delivery(&delivery.id), delivery).await?;
        log.settled(&delivery.id, logged).await?;
        queue.settled(&delivery.id, queued).await?;
        if log.fold_if_long(&source).await? {
            self.forget_deliveries(&delivery.webhook, false).await?;
        }
        Ok(())
    }

    /// The messages to a webhook, newest first, at most `limit`.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn deliveries(&self, webhook: &str, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let (log, source) = self.delivery_log(webhook);
        let mut deliveries = Vec::new();
        for listed in log.list(&source).await?.iter().rev().take(limit) {
            deliveries.extend(self.records.get::<Delivery>(&keys::delivery(&listed.member)).await?);
        }
        Ok(deliveries)
    }

    /// Forgets the messages to a webhook that ended long ago; all of them if the webhook is gone.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    #[crate::boxed(?Send)]
    pub async fn forget_deliveries(&self, webhook: &str, is_gone: bool) -> Result<(), StoreError> {
        let (log, source) = self.delivery_log(webhook);
        let (queue, queue_source) = self.delivery_queue();
        let now_ms = self.clock.now_ms();
        for listed in log.list(&source).await? {
            let is_old = now_ms.saturating_sub(listed.row.created_ms) > KEPT_MS;
            if !is_gone && (listed.row.state == DeliveryState::Waiting || !is_old) {
                continue;
            }
            let Some(delivery) = self.records.get::<Delivery>(&keys::delivery(&listed.member)).await? else { continue };
            let logged = log.touch(&delivery.id, Some(delivery.place)).await?;
            let queued = queue.touch(&delivery.id, Some(delivery.queue_place)).await?;
            self.records.delete(&keys::delivery(&delivery.id)).await?;
            log.settled(&delivery.id, logged).await?;
            queue.settled(&delivery.id, queued).await?;
        }
        log.fold_if_long(&source).await?;
        queue.fold_if_long(&queue_source).await?;
        Ok(())
    }
}
