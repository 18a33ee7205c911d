//! `GET` one session.

use narthex::domain::prearchive::{SessionPlace, SessionRow};
use narthex::http::views::prearchive::{context, table};
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody, download};
use narthex::xml::session_document;

use crate::downloads;

/// The session document (the default), the row, an archive of its files, or a page.
pub async fn read(call: &Call, place: &SessionPlace) -> Result<Reply, ClientError> {
    use Format::{Html, Json, Tar, TarGz, Xml, Zip};
    let format = call.context.format(&[Xml, Zip, TarGz, Tar, Json, Html])?;
    let core = &call.site.core;
    match format {
        Format::Json => {
            core.demand_project_of(place).await?;
            let row = core.find_session_at(place).await?.as_ref().map(SessionRow::from);
            Ok(ReplyBody::table(table(&row).render(&Format::Json)))
        }
        Format::Xml | Format::Zip | Format::Tar | Format::TarGz => {
            let session = core.session_at(place).await?;
            let Some(manifest) = &session.manifest else { return Err(not_built()) };
            let mut manifest = core.manifest(manifest).await?;
            let scans = core.staged_scans(&session, &manifest).await?;
            if let Some(kind) = download::archive_kind(&format) {
                return downloads::session(call, kind, &session, manifest, scans).await;
            }
            let own = core.counted_resources(&session.resources).await?;
            let context = context(&session, &scans, &own);
            manifest.session.scans = scans.into_iter().map(|stored| stored.scan).collect();
            let document = session_document(&manifest.session, &context);
            Ok(ReplyBody::xml(document.map_err(|error| ClientError::internal(error.to_string()))?))
        }
        Format::Html => {
            let session = core.session_at(place).await?;
            Ok(ReplyBody::table(table([&SessionRow::from(&session)]).render(&Format::Html)))
        }
        _ => Err(ClientError::bad_request(
            "unsupported-format",
            "Requested type is not supported: a session is given as xml, json, html, zip, tar or tar.gz.",
        )),
    }
}

fn not_built() -> ClientError {
    ClientError::not_found(
        "not-built",
        "The named session exists, but its XNAT session document is not available. The session is likely invalid or \
         incomplete.",
    )
}
