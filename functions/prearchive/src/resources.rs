//! The resources of a session itself: reading, adding and removing files of any kind.

use narthex::domain::DomainError;
use narthex::domain::catalog::CatalogCursor;
use narthex::domain::prearchive::resources::AddFiles;
use narthex::domain::prearchive::status::Action;
use narthex::domain::prearchive::{PrearchiveSession, SessionPlace};
use narthex::domain::resource::{CountedResource, check_label};
use narthex::http::views::prearchive as views;
use narthex::http::{ClientError, Params};
use narthex::service::files::{self, receive_unpacked};
use narthex::service::{Call, Reply, ReplyBody, after_the_answer, download};

use crate::files::render;

/// Parameters that this version cannot serve.
const NOT_YET: &[(&str, &str)] = &[("async", "adding files later")];

/// The session at a place.
///
/// # Errors
/// 404.
pub async fn session_at(call: &Call, place: &SessionPlace) -> Result<PrearchiveSession, ClientError> {
    Ok(call.site.core.session_at(place).await?)
}

/// A session's own resource of this label.
///
/// # Errors
/// 404.
pub async fn find(call: &Call, session: &PrearchiveSession, label: &str) -> Result<CountedResource, ClientError> {
    let found = call.site.core.counted_resource(&session.resources, label).await?;
    found.ok_or_else(|| unknown_resource(label))
}

/// `GET .../resources/R/files`
pub async fn list(call: &Call, place: &SessionPlace, label: &str) -> Result<Reply, ClientError> {
    download::refuse_rendering(call, None)?;
    let session = session_at(call, place).await?;
    let counted = find(call, &session, label).await?;
    let base = call.context.path.canonical();
    let mut table = views::files();
    let mut cursor = CatalogCursor::new(&counted.resource.catalog);
    while let Some(files) = call.site.core.next_files(&mut cursor).await? {
        views::add_files(&mut table, files.iter().map(|file| &file.file), &base);
    }
    render(call, table)
}

/// `GET .../resources/R/files/PATH`
pub async fn one(call: &Call, place: &SessionPlace, label: &str, path: &str) -> Result<Reply, ClientError> {
    let session = session_at(call, place).await?;
    let counted = find(call, &session, label).await?;
    let found = call.site.core.catalog_file(&counted.resource.catalog, path).await?;
    let found = found.ok_or_else(unknown_file)?;
    download::file(call, &found.file, found.at_ms).await
}

/// `PUT` or `POST .../resources/R/files[/PATH]`: one file as the body, or files as parts of a form. `path` is empty if
/// the address names none.
pub async fn add(mut call: Call, place: &SessionPlace, label: &str, path: &str) -> Result<Reply, ClientError> {
    let core = call.site.core.clone();
    let session = session_at(&call, place).await?;
    session.allow(Action::Edit)?;
    check_label(label)?;
    wanted(&call.context.params, label, &call.user())?;
    let files = receive_unpacked(&mut call, &core, path).await?;
    // Fields of a form are parameters as well.
    let add = match wanted(&call.context.params, label, &call.user()) {
        Ok(add) => add,
        Err(error) => {
            core.abandon_files(files).await;
            return Err(error);
        }
    };
    let duplicates = core.add_files(&session, &add, files).await?;
    if duplicates.is_empty() {
        return Ok(ReplyBody::nothing());
    }
    Ok(ReplyBody::text(views::duplicates(&duplicates)))
}

/// What the parameters ask for.
fn wanted(params: &Params, label: &str, by: &str) -> Result<AddFiles, ClientError> {
    ClientError::refuse_unserved(params, NOT_YET)?;
    ClientError::refuse_reference(params)?;
    let notes = files::notes(params)?;
    Ok(AddFiles { label: label.to_owned(), by: by.to_owned(), notes, overwrite: params.flag("overwrite") })
}

/// `DELETE .../resources/R`
pub async fn remove(call: &Call, place: &SessionPlace, label: &str) -> Result<Reply, ClientError> {
    let core = call.site.core.clone();
    let session = session_at(call, place).await?;
    let removed = core.remove_session_resource(&session, label).await.map_err(|error| match error {
        DomainError::NotFound { .. } => unknown_resource(label),
        other => other.into(),
    })?;
    after_the_answer(async move {
        if let Err(error) = core.finish_removal(&session.id, &removed).await {
            eprintln!("the bytes of a removed resource are not given back yet: {error}");
        }
    });
    Ok(ReplyBody::nothing())
}

/// `DELETE .../resources/R/files/PATH`
pub async fn remove_file(call: &Call, place: &SessionPlace, label: &str, path: &str) -> Result<Reply, ClientError> {
    let session = session_at(call, place).await?;
    let removed = call.site.core.remove_session_file(&session, label, path).await;
    removed.map_err(|error| match error {
        DomainError::NotFound { .. } => ClientError::not_found("unknown-file", "No matched files."),
        other => other.into(),
    })?;
    Ok(ReplyBody::nothing())
}

fn unknown_resource(label: &str) -> ClientError {
    let shown: String = label.chars().take(100).collect();
    ClientError::not_found("unknown-resource", format!("Unknown resource {shown}."))
}

fn unknown_file() -> ClientError {
    ClientError::not_found("unknown-file", "Unable to find file.")
}
