//! `extract=true`: what archives hold is stored in their stead.

use narthex::domain::Core;
use narthex::domain::prearchive::upload_files::ReceivedFile;
use narthex::http::{ClientError, Params};
use narthex::storage::Store;

/// What is to be stored of the files that were received: with the parameter `extract`, of an archive what it holds.
/// Asked with no files before any is received, so that a request that cannot be served is refused before its body.
///
/// # Errors
/// 501 with that parameter: this version does not unpack. Nothing is kept then.
pub async fn stored<S: Store>(
    core: &Core<S>,
    params: &Params,
    received: Vec<ReceivedFile>,
) -> Result<Vec<ReceivedFile>, ClientError> {
    if !params.flag("extract") {
        return Ok(received);
    }
    core.abandon_files(received).await;
    Err(ClientError::not_implemented(
        "not-implemented",
        "This version does not unpack archives into the user cache (parameter extract) yet; send the files themselves.",
    ))
}
