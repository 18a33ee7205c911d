//! Why something is done and who is to be told, as requests say it.

use super::ClientError;
use super::params::Params;
use crate::domain::history::Cause;

/// The reason, comment and type of an event (XNAT's `event_reason`, `event_comment`, `event_type`).
///
/// # Errors
/// 400 for texts that are too long or have control characters.
pub fn cause(params: &Params) -> Result<Cause, ClientError> {
    let text = |name: &str| params.text(name).unwrap_or_default().to_owned();
    let cause = Cause { reason: text("event_reason"), comment: text("event_comment"), kind: text("event_type") };
    cause.check()?;
    Ok(cause)
}

/// Whether nobody is to be told of what is archived (XNAT's `triggerPipelines=false`).
pub fn is_silent(params: &Params) -> bool {
    params.flag_if_given("triggerPipelines") == Some(false)
}
