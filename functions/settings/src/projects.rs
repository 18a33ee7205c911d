//! `GET /data/projects`

use narthex::domain::access::Right;
use narthex::http::filter::Filters;
use narthex::http::shape::{Page, choose_named_columns};
use narthex::http::views::project::{
    COLUMNS, DEFAULT_COLUMNS, chooser, fields_table, filter_fields, short_name, table,
};
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Call, Reply, ReplyBody};

use crate::display;

/// The list of projects in one of its three forms: XNAT tells them by their parameters.
pub async fn list(call: &Call) -> Result<Reply, ClientError> {
    let params = &call.context.params;
    if params.has("fields") {
        return render(call, fields_table());
    }
    if let Some(permission) = params.text("permissions") {
        return choose(call, permission).await;
    }
    if display::is_wanted(params) {
        let table = display::table(call).await?;
        return render(call, table);
    }
    let filters = Filters::of(params, &filter_fields())?;
    let mut table = table(&call.site.core.projects_for(&call.identity, Right::Read).await?);
    table.filter(&filters);
    if let Some(columns) = params.text("sortBy") {
        // The rows can be sorted by what is not shown, and by longer names.
        let short: Vec<&str> = columns.split(',').map(|name| short_name(name.trim()).unwrap_or(name)).collect();
        table.sort_by(&short.join(","), params.text("sortOrder"));
    }
    table.keep_named_columns(&choose_named_columns(params.text("columns"), COLUMNS, DEFAULT_COLUMNS, short_name));
    if let Some(page) = Page::of(params)? {
        table.cut(page);
    }
    answer(call, &table)
}

/// The projects in which the user may do something with data of a type. Roles do not tell types apart, so the type only
/// has to be named rightly.
async fn choose(call: &Call, permission: &str) -> Result<Reply, ClientError> {
    let right = match permission.to_ascii_lowercase().as_str() {
        "read" => Right::Read,
        "edit" | "create" => Right::Edit,
        "delete" | "activate" => Right::Own,
        _ => {
            let sentence = "The parameter permissions must be read, edit, create, delete or activate.";
            return Err(ClientError::bad_request("bad-permission", sentence));
        }
    };
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let data_type = call.context.params.text("dataType").and_then(|name| name.split_once(':'));
    if !data_type.is_some_and(|(prefix, name)| is_word(prefix) && is_word(name)) {
        let sentence = "Name the data type that the permissions are for, such as dataType=xnat:subjectData.";
        return Err(ClientError::bad_request("bad-data-type", sentence));
    }
    answer(call, &chooser(&call.site.core.projects_for(&call.identity, right).await?))
}

fn render(call: &Call, mut table: Table) -> Result<Reply, ClientError> {
    table.arrange(&call.context.params)?;
    answer(call, &table)
}

fn answer(call: &Call, table: &Table) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    Ok(ReplyBody::table(table.render(&format)))
}
