//! `GET .../X/files/NAME`

use narthex::http::ClientError;
use narthex::service::{Call, Reply, download};

use crate::{find, unknown_file};

/// One file, or a range of it.
pub async fn file(call: &Call, project: &str, label: &str, path: &str) -> Result<Reply, ClientError> {
    let folder = find(call, project, label).await?;
    let found = call.site.core.triage_file(&folder, path).await?.ok_or_else(unknown_file)?;
    // Bytes whatever it is called: nobody has looked at it yet.
    download::image(call, &found.file, found.at_ms).await
}
