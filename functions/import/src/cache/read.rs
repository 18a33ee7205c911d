//! `GET .../X/files/NAME`

use narthex::http::ClientError;
use narthex::service::{Call, Reply, download};

use super::{find, unknown_file};

/// One file, or a range of it.
pub async fn file(call: &Call, label: &str, path: &str) -> Result<Reply, ClientError> {
    let resource = find(call, label).await?;
    let found = call.site.core.catalog_file(&resource.catalog, path).await?.ok_or_else(unknown_file)?;
    download::file(call, &found.file, found.at_ms).await
}
