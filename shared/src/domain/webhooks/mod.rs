//! Webhooks: who is told of what happens to sessions, and the messages on their way.
//!
//! A message is a CloudEvents document, signed as the Standard Webhooks specification says. Before a change is answered
//! for, its message stands in the store, one record for each webhook; from then on it is sent until the receiver
//! takes it or all tries are used up. A receiver may get a message twice, under the same identifier.

mod config;
pub(in crate::domain) mod deliver;
mod event;
mod queue;
mod signature;

pub use config::{MAX_WEBHOOKS, NewWebhook, Scope, Webhook};
pub use deliver::{Outgoing, Sender};
pub use event::{QuarantineFacts, SessionEvent, SessionEventKind};
pub use queue::{Attempt, Delivery, DeliveryState};
