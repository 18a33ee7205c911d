//! Lists of what waits.

use narthex::domain::access::Right;
use narthex::domain::catalog::{CatalogCursor, CatalogFile};
use narthex::domain::contents::{FileSource, Folder};
use narthex::domain::file_filter::FileFilter;
use narthex::domain::triage::{Shown, TriageFolder};
use narthex::http::views::triage as views;
use narthex::http::{ClientError, Format, Table};
use narthex::service::targets::PresentTargets;
use narthex::service::{Call, Reply, ReplyBody, download, sweep_later};

use crate::{find, reviews};

/// Rows of one list, at most: it is made as a whole.
const MAX_ROWS: usize = 50_000;

/// `GET .../projects/P[/resources]`: a row for each file, of all folders for those who review, of their own for others.
pub async fn project(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let project = call.project(name, Right::Read).await?;
    let user = call.user();
    let by = (!reviews(call, &project)).then_some(user.as_str());
    let mut table = views::list();
    let mut targets = PresentTargets::new(call);
    for folder in call.site.core.list_triage(project.id.as_str(), by).await? {
        let folder = as_called_now(&mut targets, folder).await?;
        each_page(call, &folder, |files| {
            views::add_to_list(&mut table, &folder, files);
            demand_rows(&table)
        })
        .await?;
    }
    sweep_later(call);
    render(call, table, &format)
}

/// `GET .../resources/X`: the folder's files.
pub async fn folder(call: &Call, project: &str, label: &str) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    answer(call, project, label, &format).await
}

/// `GET .../resources/X/files`: all of them as an archive, or their list where one is asked for.
pub async fn files(call: &Call, project: &str, label: &str) -> Result<Reply, ClientError> {
    use Format::{Csv, Html, Json, Tar, TarGz, Xml, Zip};
    let format = call.context.format(&[Zip, Json, Html, Xml, Csv, TarGz, Tar])?;
    answer(call, project, label, &format).await
}

async fn answer(call: &Call, project: &str, label: &str, format: &Format) -> Result<Reply, ClientError> {
    let folder = find(call, project, label).await?;
    if let Some(kind) = download::archive_kind(format) {
        if call.site.core.shown_of(&folder).await? != Shown::All {
            let sentence = "Some of these files are being approved just now; ask again in a moment.";
            return Err(ClientError::conflict("busy", sentence));
        }
        let files = FileSource::Catalog(folder.catalog.clone());
        let all = Folder { prefix: String::new(), files, filter: FileFilter::default() };
        return Ok(download::archive(call, kind, label, vec![all]));
    }
    let mut table = views::files();
    let folder = as_called_now(&mut PresentTargets::new(call), folder).await?;
    each_page(call, &folder, |files| {
        views::add_files(&mut table, &folder, files);
        demand_rows(&table)
    })
    .await?;
    render(call, table, format)
}

/// A folder with what its target is called now.
async fn as_called_now(
    targets: &mut PresentTargets<'_>,
    mut folder: TriageFolder,
) -> Result<TriageFolder, ClientError> {
    if let Some(target) = &folder.target {
        folder.target = Some(targets.of(target).await?);
    }
    Ok(folder)
}

/// Calls `add` with the files of a folder that are there, some after the other.
async fn each_page(
    call: &Call,
    folder: &TriageFolder,
    mut add: impl FnMut(&[CatalogFile]) -> Result<(), ClientError>,
) -> Result<(), ClientError> {
    let core = &call.site.core;
    let shown = core.shown_of(folder).await?;
    if shown == Shown::Nothing {
        return Ok(());
    }
    let mut cursor = CatalogCursor::new(folder.catalog.clone());
    while let Some(mut files) = core.next_files(&mut cursor).await? {
        files.retain(|file| shown.has(&file.file.name));
        add(&files)?;
    }
    Ok(())
}

fn demand_rows(table: &Table) -> Result<(), ClientError> {
    if table.rows.len() <= MAX_ROWS {
        return Ok(());
    }
    let sentence = format!("The list has more than {MAX_ROWS} rows; ask for single folders (.../resources/NAME).");
    Err(ClientError::too_large("list-too-long", sentence))
}

fn render(call: &Call, mut table: Table, format: &Format) -> Result<Reply, ClientError> {
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(format)))
}
