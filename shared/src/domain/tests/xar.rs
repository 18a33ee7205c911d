//! XAR files on the memory store.

use std::collections::BTreeMap;

use futures::executor::block_on;
use narthex_generator::{Packing, zip_files};

use super::crash::settle;
use super::files::{received, resource_files};
use super::shelf::put;
use super::*;
use crate::domain::archive::SubjectChange;
use crate::domain::archive::{Experiment, Overwrite, Rules, Sharing};
use crate::domain::manifest::StoredScan;
use crate::domain::shelf::ShelfOf;
use crate::domain::xar::{XarError, XarRequest};
use crate::xml::{XNAT_NAMESPACE, XSI_NAMESPACE};

/// The document of a session with two scans and a resource of its own.
pub(super) fn session_xml(more: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xnat:MRSession xmlns:xnat=\"{XNAT_NAMESPACE}\" \
         xmlns:xsi=\"{XSI_NAMESPACE}\" ID=\"\" project=\"DEMO\" label=\"S01_MR1\" UID=\"1.2.3\" modality=\"MR\">\
         <xnat:date>2024-05-01</xnat:date><xnat:note>as it came</xnat:note><xnat:resources><xnat:resource \
         URI=\"RESOURCES/NOTES/NOTES_catalog.xml\" label=\"NOTES\" format=\"TXT\" xsi:type=\"xnat:resourceCatalog\"/>\
         </xnat:resources><xnat:subject_ID>S01</xnat:subject_ID><xnat:scans>\
         <xnat:scan ID=\"4\" UID=\"1.2.3.4\" type=\"T1\" xsi:type=\"xnat:mrScanData\"><xnat:quality>questionable\
         </xnat:quality><xnat:series_description>t1</xnat:series_description><xnat:frames>2</xnat:frames>\
         <xnat:file URI=\"SCANS/4/DICOM/scan_4_catalog.xml\" label=\"DICOM\" content=\"RAW\" format=\"DICOM\" \
         xsi:type=\"xnat:resourceCatalog\"/></xnat:scan>{more}</xnat:scans></xnat:MRSession>"
    )
}

pub(super) fn catalog(files: &[&str]) -> String {
    let entries: String = files.iter().map(|file| format!("<cat:entry URI=\"{file}\"/>")).collect();
    format!(
        "<cat:Catalog xmlns:cat=\"http://nrg.wustl.edu/catalog\"><cat:entries>{entries}</cat:entries></cat:Catalog>"
    )
}

pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// A XAR as XNAT makes one.
pub(super) fn files() -> Files {
    let texts = [
        ("session.xml", session_xml("")),
        ("SCANS/4/DICOM/scan_4_catalog.xml", catalog(&["a.dcm", "sub/b.dcm"])),
        ("SCANS/4/DICOM/a.dcm", "first".to_owned()),
        ("SCANS/4/DICOM/sub/b.dcm", "second".repeat(1000)),
        ("SCANS/4/NIFTI/c.nii", "third".to_owned()),
        ("RESOURCES/NOTES/n.txt", "a note".to_owned()),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
}

pub(super) fn zipped(files: &Files) -> Vec<u8> {
    zip_files(files.iter().map(|(name, bytes)| (name.clone(), bytes.clone())), Packing::Deflated)
}

pub(super) async fn site() -> Site {
    let site = Site::new().with_project().await;
    site.core().create_subject("DEMO", "S01", &SubjectChange::default(), "admin").await.unwrap();
    site
}

pub(super) fn xar_request(rules: Rules) -> XarRequest {
    XarRequest { by: "ann".to_owned(), project: "DEMO".to_owned(), rules, ..XarRequest::default() }
}

pub(super) async fn send(core: &Core, body: &[u8], rules: Rules) -> Result<Experiment, XarError> {
    let file = received(core, "upload.xar", body).await?;
    let xar = core.open_xar(file, false).await?;
    assert!(["DEMO", ""].contains(&xar.project()));
    Ok(core.import_xar(xar, &xar_request(rules)).await?.experiment)
}

pub(super) const REPLACE: Rules = Rules { overwrite: Overwrite::Delete, overwrite_files: false };

/// All files of an experiment, by scan (empty for its own), resource and path.
pub(super) async fn all_files(core: &Core, experiment: &Experiment) -> Files {
    let manifest = core.manifest(&experiment.manifest).await.unwrap();
    let mut all = Files::new();
    for scan in core.scans_of(experiment, &manifest).await.unwrap() {
        let shelved: Vec<_> = scan.shelf.iter().map(|counted| counted.resource.clone()).collect();
        for (label, path, bytes) in resource_files(core, &shelved).await {
            all.insert(format!("SCANS/{}/{label}/{path}", scan.scan.id), bytes);
        }
        for resource in &scan.resources {
            for file in core.files(&manifest, resource).await.unwrap() {
                let path = format!("SCANS/{}/{}/{}", scan.scan.id, resource.label, file.name);
                all.insert(path, bytes_of(core, &file).await);
            }
        }
    }
    for (label, path, bytes) in resource_files(core, &experiment.resources).await {
        all.insert(format!("RESOURCES/{label}/{path}"), bytes);
    }
    all
}

/// The files of a XAR that are data.
pub(super) fn data(files: &Files) -> Files {
    files
        .iter()
        .filter(|(name, _)| !name.ends_with(".xml"))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect()
}

async fn scan_of(core: &Core, experiment: &Experiment, id: &str) -> StoredScan {
    let manifest = core.manifest(&experiment.manifest).await.unwrap();
    core.scans(&manifest).await.unwrap().into_iter().find(|scan| scan.scan.id == id).unwrap()
}

#[test]
fn a_xar_becomes_an_experiment_with_every_file_as_it_came() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let made = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        assert_eq!((made.label.as_str(), made.subject_label.as_str(), made.uid.as_str()), ("S01_MR1", "S01", "1.2.3"));
        assert_eq!(
            (made.date.as_str(), made.status.as_str(), made.insert_user.as_str()),
            ("2024-05-01", "active", "ann")
        );
        assert!(all_files(&core, &made).await == data(&files()));
        let scan = scan_of(&core, &made, "4").await;
        assert_eq!((scan.scan_type.as_deref(), scan.quality.as_deref()), (Some("T1"), Some("questionable")));
        assert_eq!(scan.scan.frames, 2);
        let formats: Vec<_> = scan.resources.iter().map(|one| (one.label.as_str(), one.format.as_str())).collect();
        assert_eq!(formats, [("DICOM", "DICOM"), ("NIFTI", "")]);
        assert_eq!(core.list_experiments("DEMO").await.unwrap().len(), 1);
        assert_eq!(core.experiment_by_label("DEMO", "S01_MR1").await.unwrap().unwrap().id, made.id);
        // Time passes, and all of it stays.
        settle(&site, &core).await;
        assert!(all_files(&core, &made).await == data(&files()));
        // It goes with its experiment.
        core.delete_experiment(&made.id).await.unwrap();
        settle(&site, &core).await;
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
    });
}

#[test]
fn more_is_added_and_what_is_there_is_replaced_only_if_that_is_wanted() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let made = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        // The same again changes nothing.
        let chunks = site.blobs.keys().len();
        let again = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        assert_eq!(again.id, made.id);
        assert!(all_files(&core, &again).await == data(&files()));
        assert_eq!(site.blobs.keys().len(), chunks);
        // More of a scan, of the session, and another scan.
        let five = "<xnat:scan ID=\"5\" xsi:type=\"xnat:mrScanData\"/>";
        let mut more = files();
        more.insert("session.xml".to_owned(), session_xml(five).into_bytes());
        more.insert("SCANS/4/NIFTI/d.nii".to_owned(), b"fourth".to_vec());
        more.insert("SCANS/5/DICOM/e.dcm".to_owned(), b"fifth".to_vec());
        more.insert("RESOURCES/NOTES/o.txt".to_owned(), b"other".to_vec());
        more.insert("RESOURCES/MORE/p.txt".to_owned(), b"more".to_vec());
        let added = send(&core, &zipped(&more), Rules::APPEND).await.unwrap();
        assert_eq!(added.id, made.id);
        assert!(all_files(&core, &added).await == data(&more));
        assert_eq!(added.resources.len(), 2);
        // Other bytes under a known path.
        for path in ["SCANS/4/DICOM/a.dcm", "RESOURCES/NOTES/n.txt"] {
            let mut other = more.clone();
            other.insert(path.to_owned(), b"changed".to_vec());
            let refused = send(&core, &zipped(&other), Rules::APPEND).await.unwrap_err();
            assert!(matches!(refused, XarError::Domain(DomainError::Conflict { .. })), "{refused}");
            let present = core.experiment_by_id(&made.id).await.unwrap().unwrap();
            assert!(all_files(&core, &present).await == data(&more), "{path}");
            more = other;
            let replaced = send(&core, &zipped(&more), REPLACE).await.unwrap();
            assert!(all_files(&core, &replaced).await == data(&more), "{path}");
        }
        settle(&site, &core).await;
        let present = core.experiment_by_id(&made.id).await.unwrap().unwrap();
        assert!(all_files(&core, &present).await == data(&more));
    });
}

#[test]
fn a_scan_that_was_changed_in_the_archive_takes_more_as_any_other() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let made = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        let of = ShelfOf::Scan { experiment: made.id.clone(), scan: "4".to_owned() };
        put(&core, &of, "DICOM", "extra.txt", b"extra").await.unwrap();
        core.remove_item_resource(&of, "NIFTI").await.unwrap();
        let mut all = files();
        all.retain(|path, _| !path.starts_with("SCANS/4/NIFTI/"));
        all.insert("SCANS/4/DICOM/new.dcm".to_owned(), b"new".to_vec());
        all.insert("SCANS/4/NIFTI/new.nii".to_owned(), b"new".to_vec());
        let sent = zipped(&all);
        all.insert("SCANS/4/DICOM/extra.txt".to_owned(), b"extra".to_vec());
        let added = send(&core, &sent, Rules::APPEND).await.unwrap();
        assert!(all_files(&core, &added).await == data(&all));
        // Other bytes under a known path.
        all.insert("SCANS/4/DICOM/a.dcm".to_owned(), b"changed".to_vec());
        let refused = send(&core, &zipped(&all), Rules::APPEND).await.unwrap_err();
        assert!(matches!(refused, XarError::Domain(DomainError::Conflict { .. })), "{refused}");
        let replaced = send(&core, &zipped(&all), REPLACE).await.unwrap();
        assert!(all_files(&core, &replaced).await == data(&all));
        settle(&site, &core).await;
        let present = core.experiment_by_id(&made.id).await.unwrap().unwrap();
        assert!(all_files(&core, &present).await == data(&all));
        core.delete_experiment(&made.id).await.unwrap();
        settle(&site, &core).await;
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
    });
}

#[test]
fn a_xar_of_scans_adds_to_the_session_that_they_name() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let made = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        let scan = |id: &str, session: &str| {
            format!(
                "<xnat:MRScan xmlns:xnat=\"{XNAT_NAMESPACE}\" ID=\"{id}\" type=\"T2\"><xnat:image_session_ID>{session}\
                 </xnat:image_session_ID></xnat:MRScan>"
            )
        };
        let xar = |texts: &[(&str, String)]| {
            zipped(&texts.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into_bytes())).collect())
        };
        let body = xar(&[
            ("top/7.xml", scan("7", &made.id)),
            ("top/8.xml", scan("8", &made.id)),
            ("top/SCANS/7/DICOM/x", "seven".to_owned()),
            ("top/SCANS/8/DICOM/x", "eight".to_owned()),
        ]);
        let open = async |body: &[u8]| {
            let file = received(&core, "upload.xar", body).await.unwrap();
            core.open_xar(file, false).await
        };
        let found = open(&body).await.unwrap();
        let named = core.session_of_xar(&found).await.unwrap().unwrap();
        assert_eq!(named.id, made.id);
        let request = XarRequest { session: Some(named.label), ..xar_request(Rules::default()) };
        let taken = core.import_xar(found, &request).await.unwrap();
        assert!(!taken.is_new);
        let all = all_files(&core, &taken.experiment).await;
        assert_eq!(all.get("SCANS/8/DICOM/x").map(Vec::as_slice), Some(&b"eight"[..]));
        assert_eq!(all.len(), data(&files()).len() + 2);
        // Two sessions, two kinds.
        for texts in [
            [("7.xml", scan("7", &made.id)), ("8.xml", scan("8", "XNAT_E99999"))],
            [("7.xml", scan("7", &made.id)), ("s.xml", session_xml(""))],
            [("t.xml", session_xml("")), ("s.xml", session_xml(""))],
        ] {
            let refused = open(&xar(&texts)).await.unwrap_err().to_string();
            assert!(refused.contains("one imaging session") || refused.contains("Multiple data types"), "{refused}");
        }
    });
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let with = |name: &str, text: &str| {
            let mut all = files();
            all.insert(name.to_owned(), text.as_bytes().to_vec());
            all
        };
        let without = |name: &str| {
            let mut all = files();
            all.remove(name);
            all
        };
        let xml = session_xml("");
        for (what, files, word) in [
            ("no document", without("session.xml"), "Unable to locate XNAT xml document."),
            ("no such subject", with("session.xml", &xml.replace(">S01<", ">S02<")), "Invalid subject."),
            ("a file of no scan", with("SCANS/9/DICOM/x", "x"), "does not describe"),
            ("a file of nothing", with("stray.txt", "x"), "belongs to no scan"),
            ("a catalog lists what is missing", without("SCANS/4/DICOM/a.dcm"), "lists the file"),
            ("a resource without files", without("RESOURCES/NOTES/n.txt"), "no file of it"),
            ("a long label", with("session.xml", &xml.replace("S01_MR1", &"x".repeat(129))), "label"),
            (
                "a scan twice",
                with("session.xml", &session_xml("<xnat:scan ID=\"4\" xsi:type=\"xnat:mrScanData\"/>")),
                "twice",
            ),
            ("a file and a folder", with("SCANS/4/DICOM/a.dcm/b", "x"), "as a folder"),
            ("no XML", with("session.xml", "<xnat"), "session.xml"),
            ("a catalog that is none", with("SCANS/4/NIFTI/x_catalog.xml", "<a/>"), "called as a catalog"),
            (
                "an assessor without a type",
                with(
                    "session.xml",
                    &xml.replace("<xnat:scans>", "<xnat:assessors><xnat:assessor/></xnat:assessors><xnat:scans>"),
                ),
                "data type of an assessor",
            ),
        ] {
            let refused = send(&core, &zipped(&files), Rules::default()).await.unwrap_err().to_string();
            assert!(refused.contains(word), "{what}: {refused}");
            assert!(site.blobs.keys().is_empty(), "{what}");
            assert!(core.list_experiments("DEMO").await.unwrap().is_empty(), "{what}");
        }
        let refused = send(&core, b"no archive at all", Rules::default()).await.unwrap_err().to_string();
        assert!(refused.contains("zip or a tar"), "{refused}");
        let refused = send(&core, &zip_files(Vec::<(String, Vec<u8>)>::new(), Packing::Stored), Rules::default()).await;
        assert!(refused.unwrap_err().to_string().contains("no files"));
        assert!(site.blobs.keys().is_empty());
    });
}

#[test]
fn a_session_that_is_only_shared_with_the_project_is_not_changed() {
    block_on(async {
        let site = site().await.with("OTHER").await;
        let core = site.core();
        let made = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        let sharing = Sharing { project: "OTHER".to_owned(), label: None };
        let shared = core.share_experiment(&made.id, &sharing).await.unwrap();
        let mut more = files();
        more.insert("SCANS/4/DICOM/more".to_owned(), b"more".to_vec());
        more.remove("SCANS/4/DICOM/scan_4_catalog.xml");
        for session in [made.label.clone(), made.id.clone()] {
            let file = received(&core, "upload.xar", &zipped(&more)).await.unwrap();
            let xar = core.open_xar(file, false).await.unwrap();
            let request = XarRequest { project: "OTHER".to_owned(), ..xar_request(Rules::APPEND) };
            let request = XarRequest { session: Some(session.clone()), subject: Some("S01".to_owned()), ..request };
            let outcome = core.import_xar(xar, &request).await.map(|taken| taken.experiment);
            if session == made.label {
                let refused = outcome.unwrap_err().to_string();
                assert!(refused.contains("shared with the project"), "{refused}");
            } else {
                // An identifier of another project names nothing here.
                assert_ne!(outcome.unwrap().id, made.id);
            }
            let present = core.experiment_by_id(&made.id).await.unwrap().unwrap();
            assert_eq!(present.manifest, shared.manifest);
        }
    });
}

#[test]
fn what_stands_in_the_archive_is_looked_at_first() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        core.create_subject("DEMO", "S02", &SubjectChange::default(), "admin").await.unwrap();
        let made = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        let before = all_files(&core, &made).await;
        let with = |from: &str, to: &str| {
            let mut all = files();
            all.insert("session.xml".to_owned(), session_xml("").replace(from, to).into_bytes());
            all.insert("SCANS/4/NIFTI/new.nii".to_owned(), b"new".to_vec());
            zipped(&all)
        };
        for (from, to, word) in [
            (">S01<", ">S02<", "another Subject"),
            ("UID=\"1.2.3\"", "UID=\"9.9\"", "session UID"),
            ("UID=\"1.2.3.4\"", "UID=\"9.9\"", "different UID"),
            ("ID=\"4\" UID", "ID=\"6\" UID", "different number"),
            ("xnat:mrScanData", "xnat:ctScanData", "xsiType"),
            ("MRSession", "CTSession", "modality"),
        ] {
            let body = if from.starts_with("ID=\"4\"") {
                let all = files().into_iter().map(|(name, bytes)| (name.replace("SCANS/4", "SCANS/6"), bytes));
                let mut all: Files = all.collect();
                let xml = session_xml("").replace(from, to).replace("SCANS/4", "SCANS/6");
                all.insert("session.xml".to_owned(), xml.into_bytes());
                zipped(&all)
            } else {
                with(from, to)
            };
            let refused = send(&core, &body, Rules::APPEND).await.unwrap_err();
            assert!(refused.to_string().contains(word), "{to}: {refused}");
            let present = core.experiment_by_id(&made.id).await.unwrap().unwrap();
            assert!(all_files(&core, &present).await == before, "{to}");
        }
    });
}
