//! Sending messages to webhooks.

use std::pin::pin;

use ::http::Request;
use futures::future::{Either, select};

use super::{ReplyBody, after_the_answer};
use crate::domain::Core;
use crate::domain::webhooks::{Outgoing, Sender};
use crate::storage::Clock;

/// How long a receiver may take to answer, in milliseconds.
const PATIENCE_MS: u64 = 10_000;

/// The component that may call others than us.
const DELIVER: &str = "http://events.spin.internal/data/services/webhooks/deliver";

/// Has the messages that are due sent, after the answer.
pub fn deliver_later() {
    after_the_answer(async {
        // Should it fail, the sweep has it done.
        let outcome = match Request::post(DELIVER).body(ReplyBody::empty()) {
            Ok(request) => spin_sdk::http::send(request).await.map(drop).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = outcome {
            eprintln!("messages to webhooks are not sent yet: {error}");
        }
    });
}

/// Has messages sent that were put in the queue since the last call.
pub fn deliver_new(core: &Core) {
    if core.take_has_messages() {
        deliver_later();
    }
}

/// Sends over HTTP, to the hosts that `allowed_outbound_hosts` has.
pub struct HttpSender {
    clock: Clock,
}

impl HttpSender {
    /// By this clock.
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

impl Sender for HttpSender {
    async fn send(&self, message: Outgoing) -> Result<u16, String> {
        let mut request = Request::post(&message.url);
        for (name, value) in &message.headers {
            request = request.header(*name, value);
        }
        let request = request.body(ReplyBody::whole(message.body)).map_err(|error| error.to_string())?;
        let answer = pin!(spin_sdk::http::send(request));
        match select(answer, pin!(self.clock.pause(PATIENCE_MS))).await {
            Either::Left((Ok(response), _)) => Ok(response.status().as_u16()),
            Either::Left((Err(error), _)) => Err(format!("there was no answer: {error}")),
            Either::Right(_) => Err(format!("there was no answer within {} seconds", PATIENCE_MS / 1000)),
        }
    }
}
