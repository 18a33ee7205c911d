//! Assessors of an experiment.

use narthex::domain::archive::Experiment;
use narthex::domain::contents::Folder;
use narthex::domain::resource::CountedResource;
use narthex::http::views::assessor as views;
use narthex::http::views::layout::Layout;
use narthex::http::views::subject::share_items;
use narthex::http::{ClientError, Format};
use narthex::imaging::item::AssessorContext;
use narthex::intake::archiveout::ArchiveKind;
use narthex::service::{Call, Reply, ReplyBody, download};

use crate::asked::is_all;
use crate::lists;
use crate::parent::Parent;
use crate::sharing;

/// GET below `.../assessors`.
pub async fn read(call: &Call, session: &Experiment, below: &[&str]) -> Result<Reply, ClientError> {
    match below {
        [] => {
            let found = call.site.core.assessors_of(session).await?;
            let found = found.into_iter().map(|assessor| (assessor, session.label.clone())).collect();
            lists::assessors(call, "Assessors", found)
        }
        [assessor, rest @ ..] => {
            let found = find(call, session, assessor).await?;
            crate::within_assessor(call, &Parent::Experiment(Box::new(found)), rest).await
        }
    }
}

/// The assessor of this label or identifier.
pub async fn find(call: &Call, session: &Experiment, name: &str) -> Result<Experiment, ClientError> {
    call.site.core.assessor(session, name).await?.ok_or_else(unknown_assessor)
}

/// The assessors of a session that a segment of an address names, each with its resources: by labels or identifiers with
/// commas between them, or all.
///
/// # Errors
/// 404 if there is none of them.
pub async fn several(
    call: &Call,
    session: &Experiment,
    names: &str,
) -> Result<Vec<(Experiment, Vec<CountedResource>)>, ClientError> {
    let mut found = with_resources(call, session).await?;
    if is_all(names) {
        return Ok(found);
    }
    let names: Vec<&str> = names.split(',').collect();
    found.retain(|(assessor, _)| names.contains(&assessor.label.as_str()) || names.contains(&assessor.id.as_str()));
    match found.is_empty() {
        true => Err(unknown_assessor()),
        false => Ok(found),
    }
}

fn unknown_assessor() -> ClientError {
    ClientError::not_found("unknown-assessor", "Unable to find the specified assessor.")
}

/// What lies below an assessor, without XNAT's word for its output: all its resources are that.
///
/// # Errors
/// 501 for its input.
pub fn without_side<'a>(rest: &[&'a str]) -> Result<Vec<&'a str>, ClientError> {
    match rest {
        ["out", below @ ..] => Ok(below.to_vec()),
        ["in", ..] => {
            let sentence = "The resources of an assessor are all its output (.../resources or .../out/resources); this \
                            version keeps no list of its input.";
            Err(ClientError::not_implemented("assessor-input", sentence))
        }
        rest => Ok(rest.to_vec()),
    }
}

/// One assessor: JSON item, document, page, or an archive of its files.
pub async fn show(call: &Call, assessor: &Experiment) -> Result<Reply, ClientError> {
    use Format::{Html, Json, Tar, TarGz, Xml, Zip};
    let format = call.context.format(&[Html, Xml, Json, Zip, TarGz, Tar])?;
    let session = session_label(call, assessor).await?;
    let own = call.site.core.counted_resources(&assessor.resources).await?;
    match format {
        Format::Json => {
            let mut item = views::item(assessor, &session, &own);
            let shares = sharing::shown(call, &assessor.project, &assessor.shares).await?;
            item.add_children("sharing/share", share_items(&shares));
            Ok(ReplyBody::json(item.to_json()))
        }
        Format::Html => {
            Ok(ReplyBody::table(views::item(assessor, &session, &own).fields_table().render(&Format::Html)))
        }
        Format::Xml => {
            let document = views::document(assessor, &session, &own);
            Ok(ReplyBody::xml(document.map_err(|error| ClientError::internal(error.to_string()))?))
        }
        Format::Zip | Format::Tar | Format::TarGz => {
            let layout = Layout::read(&call.context.params)?;
            let folder = |counted: &CountedResource| layout.resource_folder(assessor, &counted.resource.label);
            let folders = own.iter().map(|counted| Folder::of_resource(counted, folder(counted))).collect();
            let kind = download::archive_kind(&format).unwrap_or(ArchiveKind::Zip);
            Ok(download::archive(call, kind, &assessor.label, folders))
        }
        _ => Err(ClientError::bad_request(
            "unsupported-format",
            "Requested type is not supported: an assessor is given as json, xml, html, zip, tar or tar.gz.",
        )),
    }
}

/// The label of the session that an assessor belongs to; nothing for whoever may not see that.
pub async fn session_label(call: &Call, assessor: &Experiment) -> Result<String, ClientError> {
    let session = match &assessor.assessed {
        Some(id) => call.site.core.experiment_by_id(id).await?,
        None => None,
    };
    Ok(match session {
        Some(session) if call.sees_experiment(&session).await? => session.label,
        _ => String::new(),
    })
}

/// The assessors of a session, each with its resources.
pub async fn with_resources(
    call: &Call,
    session: &Experiment,
) -> Result<Vec<(Experiment, Vec<CountedResource>)>, ClientError> {
    let core = &call.site.core;
    let mut all = Vec::new();
    for assessor in core.assessors_of(session).await? {
        let own = core.counted_resources(&assessor.resources).await?;
        all.push((assessor, own));
    }
    Ok(all)
}

/// The folders of their files.
pub fn folders(layout: &Layout, session: &Experiment, assessors: &[(Experiment, Vec<CountedResource>)]) -> Vec<Folder> {
    let mut folders = Vec::new();
    for (assessor, own) in assessors {
        for counted in own {
            let name = layout.assessor_folder(session, &assessor.label, &counted.resource.label);
            folders.push(Folder::of_resource(counted, name));
        }
    }
    folders
}

/// What their session's document says of them.
pub fn contexts(session: &Experiment, assessors: &[(Experiment, Vec<CountedResource>)]) -> Vec<AssessorContext> {
    assessors.iter().map(|(assessor, own)| views::context(assessor, &session.label, own)).collect()
}
