//! Webhooks of a project (for its owners) and of the site (for administrators).

use http::StatusCode;
use narthex::domain::time::date_time;
use narthex::domain::webhooks::{NewWebhook, Scope, SessionEvent, Webhook};
use narthex::http::{ClientError, Format, Table};
use narthex::service::webhooks::HttpSender;
use narthex::service::{Call, Reply, ReplyBody, after_the_answer};
use serde_json::{Value, json};

/// Messages that one answer lists, at most.
const MAX_LISTED: usize = 200;

const FORMATS: [Format; 4] = [Format::Json, Format::Html, Format::Xml, Format::Csv];

/// All webhooks.
pub async fn list(call: &Call, scope: &Scope) -> Result<Reply, ClientError> {
    let format = call.context.format(&FORMATS)?;
    let columns = ["ID", "url", "enabled", "insert_user", "insert_date"];
    let mut table = Table::with_columns(columns).titled("Webhooks");
    for webhook in call.site.core.webhooks(scope).await? {
        let enabled = webhook.is_enabled.to_string();
        table.push([webhook.id, webhook.url, enabled, webhook.created_by, date_time(webhook.created_ms)]);
    }
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}

/// Makes a webhook of `url` and, if given, `secret`. 201; only this answer shows the secret.
pub async fn create(mut call: Call, scope: &Scope) -> Result<Reply, ClientError> {
    call.read_params().await?;
    let params = &call.context.params;
    let Some(url) = params.text("url") else {
        return Err(ClientError::bad_request("no-url", "Give the parameter url, where messages are to be sent."));
    };
    let new = NewWebhook {
        url: url.to_owned(),
        secret: params.text("secret").unwrap_or_default().to_owned(),
        by: call.user(),
    };
    let webhook = call.site.core.add_webhook(scope, new).await?;
    let mut shown = shown(&webhook);
    if let Value::Object(members) = &mut shown {
        members.insert("secret".to_owned(), Value::String(webhook.secret));
    }
    Ok(ReplyBody::reply(StatusCode::CREATED, "application/json", shown.to_string()))
}

fn shown(webhook: &Webhook) -> Value {
    json!({
        "ID": webhook.id,
        "url": webhook.url,
        "enabled": webhook.is_enabled,
        "insert_user": webhook.created_by,
        "insert_date": date_time(webhook.created_ms),
    })
}

/// One webhook, without its secret.
pub async fn read(call: &Call, scope: &Scope, id: &str) -> Result<Reply, ClientError> {
    let webhook = call.site.core.webhook(scope, id).await?;
    Ok(ReplyBody::json(shown(&webhook).to_string()))
}

/// Switches a webhook on or off by `enabled`.
pub async fn change(mut call: Call, scope: &Scope, id: &str) -> Result<Reply, ClientError> {
    call.read_params().await?;
    let Some(is_enabled) = call.context.params.flag_if_given("enabled") else {
        return Err(ClientError::bad_request("no-change", "Give the parameter enabled, true or false."));
    };
    call.site.core.enable_webhook(scope, id, is_enabled).await?;
    if is_enabled {
        deliver_later(&call);
    }
    Ok(ReplyBody::nothing())
}

/// Removes a webhook, with what is on its way to it and its log.
pub async fn remove(call: &Call, scope: &Scope, id: &str) -> Result<Reply, ClientError> {
    call.site.core.remove_webhook(scope, id).await?;
    let (core, id) = (call.site.core.clone(), id.to_owned());
    after_the_answer(async move {
        if let Err(error) = core.forget_deliveries(&id, true).await {
            eprintln!("the log of a webhook that was removed stays: {error}");
        }
    });
    Ok(ReplyBody::nothing())
}

/// Sends a message that says nothing, to try the webhook. 202; the log shows what became of it.
pub async fn test(call: &Call, scope: &Scope, id: &str) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let webhook = core.webhook(scope, id).await?;
    let event = SessionEvent::test(core.clock.now_ms(), &call.user())?;
    let delivery = core.enqueue(&event, scope, &webhook.id).await?;
    deliver_later(call);
    Ok(ReplyBody::reply(StatusCode::ACCEPTED, "text/plain; charset=utf-8", delivery))
}

/// What became of the messages to a webhook, newest first.
pub async fn deliveries(call: &Call, scope: &Scope, id: &str) -> Result<Reply, ClientError> {
    let format = call.context.format(&FORMATS)?;
    let core = &call.site.core;
    let webhook = core.webhook(scope, id).await?;
    let columns =
        ["ID", "event", "type", "status", "attempts", "last_attempt", "last_outcome", "next_attempt", "insert_date"];
    let mut table = Table::with_columns(columns).titled("Deliveries");
    for delivery in core.deliveries(&webhook.id, MAX_LISTED).await? {
        let last = delivery.attempts.last();
        table.push([
            delivery.id.clone(),
            delivery.event.clone(),
            delivery.kind.clone(),
            delivery.state.as_str().to_owned(),
            delivery.attempts.len().to_string(),
            last.map(|last| date_time(last.at_ms)).unwrap_or_default(),
            last.map(|last| last.outcome.clone()).unwrap_or_default(),
            if delivery.is_waiting() { date_time(delivery.due_ms) } else { String::new() },
            date_time(delivery.created_ms),
        ]);
    }
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}

/// Sends what is due, after the answer. Does nothing else, so that everybody may ask for it.
pub async fn deliver(call: &Call) -> Result<Reply, ClientError> {
    deliver_later(call);
    Ok(ReplyBody::reply(StatusCode::ACCEPTED, "text/plain; charset=utf-8", ""))
}

fn deliver_later(call: &Call) {
    let core = call.site.core.clone();
    after_the_answer(async move {
        if let Err(error) = core.deliver_while_due(&HttpSender::new(core.clock.clone())).await {
            eprintln!("messages to webhooks are not sent yet: {error}");
        }
    });
}
