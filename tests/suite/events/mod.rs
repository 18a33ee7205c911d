//! What has happened: history, and webhooks.

mod history;
mod webhooks;
