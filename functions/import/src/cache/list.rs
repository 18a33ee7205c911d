//! The lists of a user's resources and of their files.

use narthex::domain::catalog::CatalogCursor;
use narthex::domain::contents::{FileSource, Folder};
use narthex::domain::file_filter::FileFilter;
use narthex::http::views::prearchive::{add_files, files as files_table};
use narthex::http::views::user_cache as views;
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Call, Reply, ReplyBody, download, sweep_later};

use super::find;

/// The formats of lists.
const TABLES: [Format; 4] = [Format::Json, Format::Html, Format::Xml, Format::Csv];

/// `GET /data/user/cache/resources`
pub async fn resources(call: &Call) -> Result<Reply, ClientError> {
    let login = &call.demand_login()?.login;
    let resources = call.site.core.cache_resources(login).await?;
    let format = call.context.format(&TABLES)?;
    sweep_later(call);
    render(call, views::resources(&resources), &format)
}

/// `GET .../X` and `GET .../X/files`: the list of a resource's files, or all of them as an archive.
pub async fn files(call: &Call, label: &str) -> Result<Reply, ClientError> {
    let resource = find(call, label).await?;
    download::refuse_rendering(call, None)?;
    let [json, html, xml, csv] = TABLES;
    let format = call.context.format(&[json, html, xml, csv, Format::Zip, Format::TarGz, Format::Tar])?;
    if let Some(kind) = download::archive_kind(&format) {
        let files = FileSource::Catalog(resource.catalog);
        let folder = Folder { prefix: String::new(), files, filter: FileFilter::default() };
        return Ok(download::archive(call, kind, label, vec![folder]));
    }
    let address = views::files_address(label);
    let mut table = files_table();
    table.counted = true;
    let mut cursor = CatalogCursor::new(&resource.catalog);
    while let Some(files) = call.site.core.next_files(&mut cursor).await? {
        add_files(&mut table, files.iter().map(|file| &file.file), &address);
    }
    render(call, table, &format)
}

fn render(call: &Call, mut table: Table, format: &Format) -> Result<Reply, ClientError> {
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(format)))
}
