//! `POST /data/services/refresh/catalog`

use narthex::domain::DomainError;
use narthex::domain::history::{Deed, Item, ItemKind};
use narthex::domain::refresh::RefreshOptions;
use narthex::domain::shelf::ShelfOf;
use narthex::http::cause::cause;
use narthex::http::views::refresh as views;
use narthex::http::{ClientError, Format, Params};
use narthex::service::{Call, Reply, ReplyBody};

use crate::target;

/// Items in one request, at most.
const MAX_RESOURCES: usize = 1_000;

/// XNAT's options.
const OPTIONS: [&str; 4] = ["append", "checksum", "delete", "populateStats"];

/// Refreshes the catalogs of items. Nothing is done if one of them cannot be.
pub async fn run(mut call: Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    call.read_params().await?;
    let options = options(&call.context.params)?;
    let format = answer_format(&call)?;
    let named: Vec<String> = call.context.params.all("resource").map(str::to_owned).collect();
    if named.is_empty() {
        let sentence = "Name what is to be refreshed with resource=/archive/experiments/ID or the like.";
        return Err(ClientError::bad_request("no-resource", sentence));
    }
    if named.len() > MAX_RESOURCES {
        let sentence = format!("At most {MAX_RESOURCES} items can be refreshed in one request.");
        return Err(ClientError::bad_request("too-many", sentence));
    }
    let mut targets = Vec::new();
    for text in &named {
        targets.push((text, target::find(&call, text).await?));
    }
    let cause = cause(&call.context.params)?;
    let mut table = views::table();
    for (text, (project, target)) in targets {
        let refreshed = call.site.core.refresh(&target, options, &call.user()).await.map_err(|error| match error {
            DomainError::NotFound { .. } => target::unlocated(&text.chars().take(300).collect::<String>()),
            other => other.into(),
        })?;
        let details: String = text.chars().take(300).collect();
        // XNAT's name for it.
        let deed = Deed { by: &call.user(), action: "Catalog(s) Refreshed", details: &details, cause: &cause };
        call.site.core.remember(&project, item(&target.of), deed).await?;
        for resource in refreshed {
            if resource.damaged_count + resource.missing_count > 0 {
                eprintln!(
                    "refresh: the resource {} has {} damaged and {} missing files",
                    resource.number, resource.damaged_count, resource.missing_count
                );
            }
            views::add(&mut table, text, &resource);
        }
    }
    match format {
        None => Ok(ReplyBody::nothing()),
        Some(format) => Ok(ReplyBody::table(table.render(&format))),
    }
}

/// As the history names it.
fn item(of: &ShelfOf) -> Item<'_> {
    let (kind, id) = match of {
        ShelfOf::Project(id) => (ItemKind::Project, id),
        ShelfOf::Subject(id) => (ItemKind::Subject, id),
        ShelfOf::Experiment(id) | ShelfOf::Scan { experiment: id, .. } => (ItemKind::Experiment, id),
    };
    Item { kind, id, label: id }
}

/// XNAT answers with nothing. Whoever names a format is told what was found and done.
fn answer_format(call: &Call) -> Result<Option<Format>, ClientError> {
    if call.context.params.text("format").is_none() {
        return Ok(None);
    }
    Ok(Some(call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?))
}

/// The options that are asked for, as a list or as switches. None means that catalogs are looked at and counted.
fn options(params: &Params) -> Result<RefreshOptions, ClientError> {
    for name in params.list("options") {
        if !OPTIONS.contains(&name) {
            let shown: String = name.chars().take(60).collect();
            let sentence = format!("{shown:?} is no option of a refresh; these are: {}.", OPTIONS.join(", "));
            return Err(ClientError::bad_request("unknown-option", sentence));
        }
    }
    let is_wanted = |name: &str| params.flag(name) || params.list("options").any(|option| option == name);
    let [append, checksum, delete, populate] = OPTIONS.map(is_wanted);
    let is_plain = !OPTIONS.into_iter().any(is_wanted);
    Ok(RefreshOptions { append, checksum, delete, populate_stats: populate || is_plain })
}
