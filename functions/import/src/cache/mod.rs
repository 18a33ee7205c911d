//! The user cache: private scratch space of whoever is logged in.

mod delete;
mod list;
mod put;
mod read;

use narthex::domain::user_cache::CacheResource;
use narthex::http::ClientError;
use narthex::http::endpoints::Found;
use narthex::http::endpoints::import::Endpoint;
use narthex::service::{Call, Reply};

/// Serves an operation of the user cache.
pub async fn route(call: Call, found: &Found<Endpoint>) -> Result<Reply, ClientError> {
    let (label, file) = (found.get("resource"), found.get("file"));
    match found.endpoint {
        Endpoint::CacheResources => list::resources(&call).await,
        Endpoint::CacheFiles => list::files(&call, label).await,
        Endpoint::CacheFile => read::file(&call, label, file).await,
        Endpoint::MakeCacheResource => put::resource(call, label).await,
        Endpoint::AddCacheFiles | Endpoint::PutCacheFile => put::files(call, label, file).await,
        Endpoint::PostCacheFile => Err(ClientError::bad_request(
            "no-file-name",
            "POST takes the names of files from the form; to name the file in the address, send it with PUT.",
        )),
        Endpoint::DeleteCacheFiles => delete::files(&call, label, file).await,
        Endpoint::DeleteCacheResource => delete::resource(&call, label).await,
        _ => Err(ClientError::unknown_route()),
    }
}

/// The user's resource of this label.
///
/// # Errors
/// 404.
async fn find(call: &Call, label: &str) -> Result<CacheResource, ClientError> {
    let login = &call.demand_login()?.login;
    call.site.core.cache_resource(login, label).await?.ok_or_else(unknown_resource)
}

/// What XNAT says where there is no such resource.
fn unknown_resource() -> ClientError {
    ClientError::not_found("unknown-resource", "User directory not found or is not a directory.")
}

/// What XNAT says where there is no such file.
fn unknown_file() -> ClientError {
    ClientError::not_found("unknown-file", "No matching files found.")
}
