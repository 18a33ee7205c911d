//! What clients ask about types, fields and projects when they connect.

use narthex::domain::access::Right;
use narthex::http::views::search;
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Call, Reply, ReplyBody};

/// `GET /data/search/elements`: the types of what can be listed.
pub fn elements(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    answer(call, search::elements())
}

/// `GET /data/search/elements/TYPE`: the fields of one of them.
pub fn fields(call: &Call, element: &str) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    let found = search::fields(element).ok_or_else(|| {
        let shown: String = element.chars().take(100).collect();
        ClientError::not_found("unknown-element", format!("There is no element of the name {shown} to be searched."))
    })?;
    answer(call, found)
}

/// `POST /data/search`: XNAT's search engine, which is not served.
pub fn run(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    let sentence = "This server has no search engine; the lists of projects, subjects, experiments and scans take \
                    columns and conditions instead.";
    Err(ClientError::not_implemented("not-implemented", sentence))
}

/// `GET /xapi/access/projects`: what whoever asks is in each project that they may read.
pub async fn project_access(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    let projects = call.site.core.projects_for(&call.identity, Right::Read).await?;
    let login = call.identity.login().map(|login| login.as_str());
    Ok(ReplyBody::json(search::access(&projects, login)))
}

fn answer(call: &Call, mut table: Table) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}
