//! What has happened: history, and webhooks.

mod webhooks;
