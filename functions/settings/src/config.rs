//! `/data/projects/ID/config/TOOL/FILE` and `/data/config/TOOL/FILE`
//!
//! Of XNAT's store of configurations only what decides about uploads is kept: `separatePETMR/config`.

use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use narthex::domain::access::Right;
use narthex::domain::project::PetMrHandling;
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Call, Reply, ReplyBody};

use crate::record::Record;

const TOOL: &str = "separatePETMR";
const FILE: &str = "config";

/// Longer contents are refused, in bytes; the longest word has eight.
const MAX_CONTENTS_BYTES: usize = 1024;

/// Parameters that need what is not kept here.
const UNSERVED: &[(&str, &str)] = &[("status", "switching configurations off"), ("version", "earlier configurations")];

/// The configuration of a project; the site's where the project has none of its own.
pub async fn read(call: &Call, name: &str, tool: &str, file: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Read).await?;
    if !is_kept(tool, file) {
        return missing(call);
    }
    answer(call, project.id.as_str(), project.pet_mr)
}

/// The configuration of the site, which is the same for every site.
pub fn of_site(call: &Call, tool: &str, file: &str) -> Result<Reply, ClientError> {
    call.demand_login()?;
    if !is_kept(tool, file) {
        return missing(call);
    }
    answer(call, "", PetMrHandling::default())
}

/// Sets the configuration of a project to the word in the body. 200 with nothing.
pub async fn put(mut call: Call, name: &str, tool: &str, file: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Own).await?;
    if !is_kept(tool, file) {
        return Err(unknown());
    }
    ClientError::refuse_unserved(&call.context.params, UNSERVED)?;
    let body = call.take_body().collect(MAX_CONTENTS_BYTES).await?;
    let contents = std::str::from_utf8(&body).unwrap_or_default().trim();
    let handling = PetMrHandling::parse(contents)?;
    let record = Record::of(&call)?;
    call.site.core.set_pet_mr(project.id.as_str(), handling).await?;
    record.write(&call, &project, &format!("{TOOL}: {}", handling.word())).await?;
    Ok(ReplyBody::nothing())
}

/// Takes the configuration of a project away: the site's counts again. 200 with nothing.
pub async fn delete(call: &Call, name: &str, tool: &str, file: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Own).await?;
    if !is_kept(tool, file) {
        return Err(unknown());
    }
    let record = Record::of(call)?;
    call.site.core.set_pet_mr(project.id.as_str(), PetMrHandling::default()).await?;
    record.write(call, &project, &format!("{TOOL}: as the site has it")).await?;
    Ok(ReplyBody::nothing())
}

fn is_kept(tool: &str, file: &str) -> bool {
    tool == TOOL && file == FILE
}

/// The word alone with `contents=true`, else a table.
fn answer(call: &Call, project: &str, handling: PetMrHandling) -> Result<Reply, ClientError> {
    ClientError::refuse_unserved(&call.context.params, UNSERVED)?;
    if call.context.params.flag("contents") {
        return Ok(ReplyBody::text(handling.word()));
    }
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let mut table = Table::with_columns(["tool", "path", "project", "contents", "status"]);
    table.push([TOOL, FILE, project, handling.word(), "enabled"]);
    Ok(ReplyBody::table(table.render(&format)))
}

/// There is no such configuration. Clients that ask for many say that this is no error.
fn missing(call: &Call) -> Result<Reply, ClientError> {
    if call.context.params.flag("accept-not-found") {
        let mut reply = ReplyBody::nothing();
        *reply.status_mut() = StatusCode::NO_CONTENT;
        reply.headers_mut().remove(CONTENT_LENGTH);
        reply.headers_mut().remove(CONTENT_TYPE);
        return Ok(reply);
    }
    Err(ClientError::not_found("unknown-config", "There is no such configuration."))
}

fn unknown() -> ClientError {
    let sentence = "This server keeps the configuration separatePETMR/config only.";
    ClientError::not_implemented("not-implemented", sentence)
}
