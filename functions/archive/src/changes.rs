//! Changing what lies below an item: its resources and files, and the scans of an experiment.

use http::Method;
use narthex::domain::DomainError;
use narthex::domain::file_filter::PathFilter;
use narthex::domain::prearchive::upload_files::ReceivedFile;
use narthex::domain::shelf::{AddItemFiles, ShelfOf};
use narthex::http::views::prearchive::duplicates;
use narthex::http::{ClientError, Params};
use narthex::service::files::{notes, receive_unpacked};
use narthex::service::{Call, Reply, ReplyBody, after_the_answer};

use crate::assessor_changes;
use crate::assessors::without_side;
use crate::files::paths;
use crate::parent::Parent;
use crate::record::Record;
use crate::scan_changes;

/// Parameters that this version cannot serve.
const NOT_YET: &[(&str, &str)] = &[("async", "adding files later")];

/// PUT, POST or DELETE of what lies below an item that whoever asks may change so.
pub async fn change(call: Call, parent: &Parent, rest: &[String]) -> Result<Reply, ClientError> {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (parent, rest.as_slice()) {
        (Parent::Experiment(found), ["out", ..]) if found.assessed.is_some() => {
            change_resources(call, parent, &without_side(&rest)?).await
        }
        (_, ["resources" | "files", ..]) => change_resources(call, parent, &rest).await,
        (Parent::Experiment(found), ["scans", scan, "resources", below @ ..]) => {
            let shelf = ShelfOf::Scan { experiment: found.id.clone(), scan: (*scan).to_owned() };
            of_shelf(call, parent, shelf, below).await
        }
        (Parent::Experiment(found), ["scans", below @ ..]) => scan_changes::change(call, found, below).await,
        (Parent::Experiment(_), ["reconstructions", ..]) => {
            Err(ClientError::not_implemented("not-implemented", "This version keeps no reconstructions."))
        }
        (Parent::Experiment(found), ["assessors", below @ ..]) => assessor_changes::change(call, found, below).await,
        _ => Err(ClientError::unknown_route()),
    }
}

/// PUT, POST or DELETE of an item's own resources.
pub async fn change_resources(call: Call, parent: &Parent, rest: &[&str]) -> Result<Reply, ClientError> {
    match rest {
        ["resources", below @ ..] => of_shelf(call, parent, parent.shelf(), below).await,
        ["files", ..] => Err(ClientError::bad_request(
            "no-resource",
            "Files belong to a resource; address them below it: .../resources/RESOURCE/files/PATH.",
        )),
        _ => Err(ClientError::unknown_route()),
    }
}

async fn of_shelf(call: Call, parent: &Parent, shelf: ShelfOf, below: &[&str]) -> Result<Reply, ClientError> {
    let method = call.context.method.clone();
    match (method.as_str(), below) {
        ("PUT", [resource]) => make(call, parent, &shelf, resource).await,
        ("PUT" | "POST", [resource, "files", path @ ..]) => add(call, parent, &shelf, resource, &path.join("/")).await,
        ("DELETE", [resource]) => remove(&call, parent, shelf, resource).await,
        ("DELETE", [resource, "files", path @ ..]) if !path.is_empty() => {
            remove_files(&call, parent, &shelf, resource, path).await
        }
        (_, []) => Err(ClientError::method_not_allowed(&[Method::GET, Method::HEAD])),
        (_, [_]) => Err(ClientError::method_not_allowed(&[Method::DELETE, Method::GET, Method::HEAD, Method::PUT])),
        (_, [_, "files"]) => {
            Err(ClientError::method_not_allowed(&[Method::GET, Method::HEAD, Method::POST, Method::PUT]))
        }
        _ => Err(ClientError::unknown_route()),
    }
}

/// `PUT .../resources/R`: an empty resource.
async fn make(mut call: Call, parent: &Parent, shelf: &ShelfOf, label: &str) -> Result<Reply, ClientError> {
    ClientError::refuse_reference(&call.context.params)?;
    crate::no_body(&mut call, "A resource is made without a body; to store a file, send it to .../files/NAME.").await?;
    let notes = notes(&call.context.params)?;
    let record = Record::of(&call, "Modified", described(shelf, label, "made"))?;
    call.site.core.make_item_resource(shelf, label, &notes).await?;
    record.write_below(&call, parent).await?;
    Ok(ReplyBody::nothing())
}

/// `PUT` or `POST .../resources/R/files[/PATH]`: one file as the body, or files as parts of a form.
async fn add(
    mut call: Call,
    parent: &Parent,
    shelf: &ShelfOf,
    resource: &str,
    path: &str,
) -> Result<Reply, ClientError> {
    let core = call.site.core.clone();
    wanted(&call.context.params, resource, &call.user())?;
    let files = receive_unpacked(&mut call, &core, path).await?;
    // Fields of a form are parameters as well.
    let add = match wanted(&call.context.params, resource, &call.user()) {
        Ok(add) => add,
        Err(error) => {
            core.abandon_files(files).await;
            return Err(error);
        }
    };
    let record = match Record::of(&call, "Modified", described(shelf, resource, "files added")) {
        Ok(record) => record,
        Err(error) => {
            core.abandon_files(files).await;
            return Err(error);
        }
    };
    let sent: u64 = files.iter().map(ReceivedFile::count).sum();
    let there = core.add_item_files(shelf, &add, files).await?;
    if (there.len() as u64) < sent {
        record.write_below(&call, parent).await?;
    }
    if there.is_empty() {
        return Ok(ReplyBody::nothing());
    }
    Ok(ReplyBody::text(duplicates(&there)))
}

/// What the parameters ask for.
fn wanted(params: &Params, resource: &str, by: &str) -> Result<AddItemFiles, ClientError> {
    ClientError::refuse_unserved(params, NOT_YET)?;
    ClientError::refuse_reference(params)?;
    Ok(AddItemFiles {
        resource: resource.to_owned(),
        by: by.to_owned(),
        notes: notes(params)?,
        overwrite: params.flag("overwrite"),
    })
}

/// `DELETE .../resources/R`
async fn remove(call: &Call, parent: &Parent, shelf: ShelfOf, resource: &str) -> Result<Reply, ClientError> {
    let core = call.site.core.clone();
    let record = Record::of(call, "Modified", described(&shelf, resource, "removed"))?;
    let removed = core.remove_item_resource(&shelf, resource).await;
    if is_missing(&removed) && call.context.params.flag("accept-not-found") {
        return Ok(ReplyBody::no_content());
    }
    removed.map_err(|error| crate::not_found_as(error, unknown_resource))?;
    record.write_below(call, parent).await?;
    after_the_answer(async move {
        if let Err(error) = core.tidy_shelf(&shelf).await {
            eprintln!("the bytes of a removed resource are not given back yet: {error}");
        }
    });
    Ok(ReplyBody::nothing())
}

/// `DELETE .../resources/R/files/PATH`: a file, or those in a folder, or those that fit a pattern.
async fn remove_files(
    call: &Call,
    parent: &Parent,
    shelf: &ShelfOf,
    resource: &str,
    path: &[&str],
) -> Result<Reply, ClientError> {
    let wanted = paths(call, Some(path));
    let what = if matches!(wanted, PathFilter::File(_)) { "a file removed" } else { "files removed" };
    let record = Record::of(call, "Modified", described(shelf, resource, what))?;
    let removed = call.site.core.remove_item_files(shelf, resource, &path.join("/"), &wanted).await.map(drop);
    if is_missing(&removed) && call.context.params.flag("accept-not-found") {
        return Ok(ReplyBody::no_content());
    }
    let no_match = || ClientError::not_found("unknown-file", "No matched files");
    removed.map_err(|error| crate::not_found_as(error, no_match))?;
    record.write_below(call, parent).await?;
    Ok(ReplyBody::nothing())
}

/// What was done to a resource, for the history.
fn described(shelf: &ShelfOf, resource: &str, what: &str) -> String {
    match shelf {
        ShelfOf::Scan { scan, .. } => format!("scan {scan}, resource {resource}: {what}"),
        _ => format!("resource {resource}: {what}"),
    }
}

fn is_missing(outcome: &Result<(), DomainError>) -> bool {
    matches!(outcome, Err(DomainError::NotFound { .. }))
}

fn unknown_resource() -> ClientError {
    ClientError::not_found("unknown-resource", "Unable to find the specified catalog.")
}
