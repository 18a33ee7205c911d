//! Subjects, experiments, scans, resources and files of the archive.

use std::collections::BTreeMap;

use super::prearchive::{catalog_path, described, file_uri};
use super::shelf;
use super::subject::share_items;
use crate::domain::archive::{Experiment, Finding};
use crate::domain::manifest::{FileEntry, Resource, StoredScan};
use crate::domain::resource::CountedResource;
use crate::domain::time::java_date;
use crate::http::path::join_segments;
use crate::http::{Column, FieldValue, Item, Table};
use crate::imaging::item::{self, ScanContext, SessionContext};
use crate::imaging::{Field, FieldValue as ImagingValue, ImageSession};
use crate::xml::schema::TYPE_STEP;

/// The columns of a list of resources.
const RESOURCE_COLUMNS: &[&str] = &[
    "xnat_abstractresource_id",
    "label",
    "element_name",
    "category",
    "cat_id",
    "cat_desc",
    "file_count",
    "file_size",
    "tags",
    "content",
    "format",
];

/// The address of an archived session as services answer with it: by labels.
pub fn address(experiment: &Experiment) -> String {
    let parts =
        ["projects", &experiment.project, "subjects", &experiment.subject_label, "experiments", &experiment.label];
    format!("/data/archive{}", join_segments(parts))
}

/// What stands against archiving: XNAT's columns, and our word for each thing that can.
pub fn findings(findings: &[Finding]) -> Table {
    let mut table = Table::with_columns(["code", "type", "message", "reason"]).titled("Validation");
    for finding in findings {
        let Finding { reason, message } = finding;
        table.push([&reason.code().to_string(), reason.kind().word(), message, reason.word()]);
    }
    table
}

/// The list of the resources of some scans.
pub fn resources<'a>(scans: impl IntoIterator<Item = &'a StoredScan>) -> Table {
    let mut table = Table::with_columns(RESOURCE_COLUMNS.iter().copied()).titled("Resources");
    add_resources(&mut table, scans);
    table
}

/// Adds the resources of some scans to such a list.
pub fn add_resources<'a>(table: &mut Table, scans: impl IntoIterator<Item = &'a StoredScan>) {
    for stored in scans {
        for resource in &stored.resources {
            table.push([
                resource.number.to_string(),
                resource.label.clone(),
                "xnat:resourceCatalog".to_owned(),
                "scans".to_owned(),
                stored.scan.id.clone(),
                stored.scan_type.clone().unwrap_or_default(),
                resource.count.to_string(),
                resource.bytes.to_string(),
                String::new(),
                resource.content.clone(),
                resource.format.clone(),
            ]);
        }
        let kind = stored.scan_type.as_deref().unwrap_or_default();
        shelf::add_resources(table, "scans", &stored.scan.id, kind, &stored.shelf);
    }
}

/// An empty list of files.
pub fn files() -> Table {
    let mut table = Table::new([
        Column::new("Name"),
        Column::new("Size"),
        Column::uri("URI"),
        Column::new("collection"),
        Column::new("file_tags"),
        Column::new("file_format"),
        Column::new("file_content"),
        Column::new("cat_ID"),
        Column::new("digest"),
    ])
    .titled("Files");
    table.counted = false;
    table
}

/// Adds files of a scan's resource to a list of files.
pub fn add_files(
    table: &mut Table,
    experiment: &Experiment,
    scan: &str,
    resource: &Resource,
    files: &[FileEntry],
    digests: &[String],
) {
    let base = format!("/data/experiments/{}/scans/{scan}/resources/{}/files", experiment.id, resource.number);
    for (file, digest) in files.iter().zip(digests) {
        table.push([
            file.name.rsplit('/').next().unwrap_or_default().to_owned(),
            file.extent.len.to_string(),
            file_uri(&base, &file.name),
            resource.label.clone(),
            String::new(),
            resource.format.clone(),
            resource.content.clone(),
            resource.number.to_string(),
            digest.clone(),
        ]);
    }
}

/// What an experiment's document says besides the headers; `resources` are those of the experiment itself.
pub fn context(experiment: &Experiment, scans: &[StoredScan], resources: &[CountedResource]) -> SessionContext {
    let scans = scans.iter().map(|stored| (stored.scan.id.clone(), scan_context(experiment, stored)));
    SessionContext {
        id: experiment.id.clone(),
        project: experiment.project.clone(),
        label: experiment.label.clone(),
        subject: experiment.subject_id.clone(),
        visit: experiment.visit.clone(),
        protocol: experiment.protocol.clone(),
        fields: experiment.fields.clone(),
        shares: experiment.shares.iter().map(|share| [share.project.clone(), share.label.clone()]).collect(),
        resources: resources.iter().map(|counted| described(counted, folder(experiment))).collect(),
        scans: scans.collect::<BTreeMap<_, _>>(),
        ..Default::default()
    }
}

/// Where XNAT has an experiment's files.
fn folder(experiment: &Experiment) -> String {
    format!("/archive/{}/arc001/{}", experiment.project, experiment.label)
}

/// What a scan's document says besides the headers.
pub fn scan_context(experiment: &Experiment, stored: &StoredScan) -> ScanContext {
    let folder = folder(experiment);
    let resources = stored.resources.iter().map(|resource| item::Resource {
        label: resource.label.clone(),
        content: resource.content.clone(),
        format: resource.format.clone(),
        description: resource.description.clone(),
        uri: format!("{folder}/{}", catalog_path(&stored.scan.id, &resource.label)),
        file_count: Some(resource.count),
        file_size: Some(resource.bytes),
    });
    let shelved = stored.shelf.iter().map(|counted| shelf::described(counted, &stored.scan.id, &folder));
    ScanContext {
        scan_type: stored.scan_type.clone().unwrap_or_default(),
        quality: stored.quality.clone().unwrap_or_default(),
        resources: resources.chain(shelved).collect(),
        ..Default::default()
    }
}

/// An experiment as a JSON item, with its scans and resources.
pub fn experiment(
    experiment: &Experiment,
    session: &ImageSession,
    scans: &[StoredScan],
    resources: &[CountedResource],
) -> Item {
    let mut root = Item::new(experiment.xsi_type.as_str().to_owned());
    set_fields(&mut root, item::session_fields(session, &context(experiment, &[], &[])));
    root.set_meta("start_date", java_date(experiment.insert_ms));
    let uri = |counted: &CountedResource| described(counted, folder(experiment)).uri;
    root.add_children("sharing/share", share_items(&experiment.shares));
    root.add_children("resources/resource", resource_items(resources, uri));
    root.add_children("scans/scan", scans.iter().map(|stored| scan(experiment, stored)).collect());
    root
}

/// Resources as JSON items; `uri` says where XNAT has the catalog of one.
pub(super) fn resource_items(resources: &[CountedResource], uri: impl Fn(&CountedResource) -> String) -> Vec<Item> {
    let one = |counted: &CountedResource| {
        let CountedResource { resource, catalog } = counted;
        let mut item = Item::new("xnat:resourceCatalog");
        item.set("xnat_abstractresource_id", number(resource.number))
            .set("label", resource.label.clone())
            .set("format", resource.notes.format.clone())
            .set("content", resource.notes.content.clone())
            .set("description", resource.notes.description.clone())
            .set("URI", uri(counted))
            .set("file_count", number(catalog.files))
            .set("file_size", number(catalog.bytes));
        item
    };
    resources.iter().map(one).collect()
}

/// A scan as a JSON item, with its resources.
pub fn scan(experiment: &Experiment, stored: &StoredScan) -> Item {
    let context = scan_context(experiment, stored);
    let mut root = Item::new(stored.scan.xsi_type.as_str().to_owned());
    set_fields(&mut root, item::scan_fields(&stored.scan, &context, &experiment.id));
    root.set("xnat_imagescandata_id", number(stored.number));
    let numbers = stored.resources.iter().map(|resource| resource.number);
    let numbers = numbers.chain(stored.shelf.iter().map(|counted| counted.resource.number));
    let files = numbers.zip(&context.resources).map(|(resource, shown)| {
        let mut item = Item::new("xnat:resourceCatalog");
        item.set("xnat_abstractresource_id", number(resource))
            .set("label", shown.label.clone())
            .set("format", shown.format.clone())
            .set("content", shown.content.clone())
            .set_some("description", Some(shown.description.as_str()))
            .set("URI", shown.uri.clone())
            .set("file_count", number(shown.file_count.unwrap_or_default()))
            .set("file_size", number(shown.file_size.unwrap_or_default()));
        item
    });
    root.add_children("file", files.collect());
    root
}

fn number(number: u64) -> FieldValue {
    FieldValue::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Sets scalars; what can be repeated becomes children, each with its name and value, or with its own fields.
pub(super) fn set_fields(item: &mut Item, fields: Vec<Field>) {
    let mut repeated: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    let mut nested: BTreeMap<String, Vec<(String, Vec<Field>)>> = BTreeMap::new();
    for field in fields {
        let Some((path, rest)) = field.path.split_once('[') else {
            item.set(field.path.clone(), shown(&field));
            continue;
        };
        if let Some((place, inner)) = rest.split_once("]/") {
            let field = Field { path: inner.to_owned(), value: field.value.clone() };
            let of_path = nested.entry(path.to_owned()).or_default();
            match of_path.iter_mut().find(|(known, _)| known == place) {
                Some((_, fields)) => fields.push(field),
                None => of_path.push((place.to_owned(), vec![field])),
            }
            continue;
        }
        let name = rest.split(']').next().unwrap_or_default();
        let name = name.split_once('=').map_or(name, |(_, name)| name).to_owned();
        let last = path.rsplit('/').next().unwrap_or(path);
        // XNAT's name for the value of a further parameter.
        let last = if last == "addParam" { "addField" } else { last }.to_owned();
        let mut child = Item::new(format!("{}_{}", item.xsi_type, path.replace('/', "_")));
        child.set("name", name).set(last, shown(&field));
        repeated.entry(path.to_owned()).or_default().push(child);
    }
    for (path, parts) in nested {
        for (_, mut fields) in parts {
            let at = fields.iter().position(|field| field.path == TYPE_STEP);
            let named = at.map(|at| fields.remove(at).value.to_string());
            let mut child = Item::new(named.unwrap_or_else(|| format!("{}_{}", item.xsi_type, path.replace('/', "_"))));
            set_fields(&mut child, fields);
            repeated.entry(path.clone()).or_default().push(child);
        }
    }
    for (path, items) in repeated {
        item.add_children(path, items);
    }
}

fn shown(field: &Field) -> FieldValue {
    match &field.value {
        ImagingValue::Int(number) => FieldValue::Integer(*number),
        ImagingValue::Float(number) => FieldValue::Number(*number),
        ImagingValue::Text(text) => FieldValue::Text(text.clone()),
    }
}
