//! The documents of sessions and scans, in the prearchive and in the archive.

use super::assessor::fill_assessor;
use super::node::{Node, declaration};
use super::schema;
use super::{XNAT_NAMESPACE, XSI_NAMESPACE};
use crate::imaging::item::{self, Resource, ScanContext, SessionContext};
use crate::imaging::session::{ImageSession, Scan};
use crate::imaging::{Field, fields};
use quick_xml::Writer;
use std::io;

/// First steps of paths that are attributes of a session.
static SESSION_ATTRIBUTES: &[&str] =
    &["ID", "project", "label", "visit", "protocol", "version", "UID", "modality", "session_type", "study_id"];

/// First steps of paths that are attributes of a scan.
static SCAN_ATTRIBUTES: &[&str] = &["ID", "type", "UID", "project"];

/// The document of a session. In the archive (with an ID) its scans name the session, their type and quality.
pub fn session_document(session: &ImageSession, context: &SessionContext) -> io::Result<Vec<u8>> {
    let mut root = root(session.xsi_type.element());
    let all = item::session_fields(session, context);
    let resources = Some(&context.resources).filter(|list| !list.is_empty()).map(|list| {
        let mut resources = Node::new("xnat:resources");
        list.iter().for_each(|one| resources.child(resource("xnat:resource", one)));
        resources
    });
    let mut scans = Node::new("xnat:scans");
    for scan in &session.scans {
        let none = ScanContext::default();
        let scan_context = context.scans.get(&scan.id).unwrap_or(&none);
        let mut node = Node::new("xnat:scan");
        fill_scan(&mut node, scan, scan_context, &context.id, true);
        scans.child(node);
    }
    let assessors = Some(&context.assessors).filter(|list| !list.is_empty()).map(|list| {
        let mut assessors = Node::new("xnat:assessors");
        for one in list {
            let mut node = Node::new("xnat:assessor");
            fill_assessor(&mut node, one);
            node.attribute("xsi:type", &one.xsi_type);
            assessors.child(node);
        }
        assessors
    });
    let scans = Some(scans).filter(|_| !session.scans.is_empty());
    let sharing = sharing(&context.shares);
    let inserts = [("sharing", sharing), ("resources", resources), ("scans", scans), ("assessors", assessors)];
    let inserts = inserts.into_iter().filter_map(|(at, node)| Some((at, vec![node?])));
    fill(&mut root, &all, SESSION_ATTRIBUTES, fields::SESSION_SCHEMA, inserts.collect());
    document(&root)
}

/// The document of one scan, as an item of its own.
pub fn scan_document(scan: &Scan, context: &ScanContext, session_id: &str) -> io::Result<Vec<u8>> {
    let mut root = root(scan.xsi_type.element());
    fill_scan(&mut root, scan, context, session_id, false);
    document(&root)
}

fn fill_scan(node: &mut Node, scan: &Scan, context: &ScanContext, session_id: &str, typed: bool) {
    let all = item::scan_fields(scan, context, session_id);
    let (attributes, elements): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|field| SCAN_ATTRIBUTES.contains(&field.path.as_str()));
    fill(node, &attributes, SCAN_ATTRIBUTES, fields::SCAN_SCHEMA, Vec::new());
    if typed {
        node.attribute("xsi:type", scan.xsi_type.as_str());
    }
    let files = context.resources.iter().map(|one| resource("xnat:file", one)).collect();
    fill(node, &elements, &[], fields::SCAN_SCHEMA, vec![("file", files)]);
}

/// Sets fields, which are in schema order, and puts nodes where the schema has their place.
pub(super) fn fill(
    node: &mut Node,
    all: &[Field],
    attributes: &[&str],
    order: &[&str],
    mut inserts: Vec<(&str, Vec<Node>)>,
) {
    let insert_before = |node: &mut Node, rank: usize, inserts: &mut Vec<(&str, Vec<Node>)>| {
        while inserts.first().is_some_and(|(place, _)| fields::rank(place, order) < rank) {
            inserts.remove(0).1.into_iter().for_each(|child| node.child(child));
        }
    };
    for field in all {
        insert_before(node, fields::rank(field.head(), order), &mut inserts);
        let is_attribute = schema::is_attribute(&field.path) || attributes.contains(&field.path.as_str());
        node.set(&field.path, field.value.to_string(), is_attribute);
    }
    insert_before(node, usize::MAX, &mut inserts);
}

/// The other projects that an item is in, each with the item's label there.
pub(super) fn sharing(shares: &[[String; 2]]) -> Option<Node> {
    if shares.is_empty() {
        return None;
    }
    let mut sharing = Node::new("xnat:sharing");
    for [project, label] in shares {
        let mut share = Node::new("xnat:share");
        share.attribute("label", label);
        share.attribute("project", project);
        sharing.child(share);
    }
    Some(sharing)
}

pub(super) fn resource(name: &str, resource: &Resource) -> Node {
    let mut node = Node::new(name);
    node.attribute("URI", &resource.uri);
    let (count, size) = (resource.file_count.map(|n| n.to_string()), resource.file_size.map(|n| n.to_string()));
    for (name, value) in [
        ("content", resource.content.as_str()),
        ("format", &resource.format),
        ("description", &resource.description),
        ("label", &resource.label),
        ("file_count", count.as_deref().unwrap_or_default()),
        ("file_size", size.as_deref().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            node.attribute(name, value);
        }
    }
    node.attribute("xsi:type", "xnat:resourceCatalog");
    node
}

pub(super) fn root(element: String) -> Node {
    let mut root = Node::new(element);
    root.attribute("xmlns:xnat", XNAT_NAMESPACE);
    root.attribute("xmlns:xsi", XSI_NAMESPACE);
    root
}

pub(super) fn document(root: &Node) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    declaration(&mut writer)?;
    root.write(&mut writer)?;
    let mut document = writer.into_inner();
    document.push(b'\n');
    Ok(document)
}
