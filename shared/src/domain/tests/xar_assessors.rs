//! XAR files with assessors.

use futures::executor::block_on;

use super::files::resource_files;
use super::xar::{Files, REPLACE, all_files, data, files, send, session_xml, site, xar_request, zipped};
use super::*;
use crate::domain::archive::{Experiment, ExperimentChange, Rules, StatusChange};
use crate::domain::history::ItemKind;
use crate::domain::xar::{XarError, XarRequest};
use crate::xml::{XNAT_NAMESPACE, XSI_NAMESPACE};

fn assessor_inside(label: &str, pass: &str) -> String {
    format!(
        "<xnat:assessor ID=\"XNAT_E00900\" label=\"{label}\" project=\"DEMO\" xsi:type=\"xnat:qcManualAssessorData\">\
         <xnat:date>2024-05-02</xnat:date><xnat:out><xnat:file label=\"OUT\" format=\"TXT\" \
         URI=\"/archive/DEMO/arc001/S01_MR1/ASSESSORS/{label}/OUT/OUT_catalog.xml\"/></xnat:out>\
         <xnat:pass>{pass}</xnat:pass></xnat:assessor>"
    )
}

/// A XAR of a session with assessors of these labels.
pub(super) fn assessed_files(labels: &[&str], pass: &str) -> Files {
    let mut all = files();
    let inner: String = labels.iter().map(|label| assessor_inside(label, pass)).collect();
    let shares = "<xnat:sharing><xnat:share project=\"OTHER\" label=\"X\"/></xnat:sharing><xnat:date>";
    let xml = session_xml("").replace("</xnat:MRSession>", "");
    let xml = format!("{xml}<xnat:assessors>{inner}</xnat:assessors></xnat:MRSession>");
    all.insert("session.xml".to_owned(), xml.replacen("<xnat:date>", shares, 1).into_bytes());
    for label in labels {
        all.insert(format!("ASSESSORS/{label}/OUT/sub/o.txt"), format!("out of {label}").into_bytes());
    }
    all
}

/// A XAR of assessors alone.
fn alone(session: &str, labels: &[&str], pass: &str, text: &str) -> Files {
    let mut all = Files::new();
    for label in labels {
        let xml = format!(
            "<xnat:QCManualAssessment xmlns:xnat=\"{XNAT_NAMESPACE}\" xmlns:xsi=\"{XSI_NAMESPACE}\" label=\"{label}\" \
             project=\"DEMO\"><xnat:note>n</xnat:note><xnat:imageSession_ID>{session}</xnat:imageSession_ID>\
             <xnat:pass>{pass}</xnat:pass></xnat:QCManualAssessment>"
        );
        all.insert(format!("{label}.xml"), xml.into_bytes());
        all.insert(format!("ASSESSORS/{label}/OUT/o.txt"), format!("{text} {label}").into_bytes());
    }
    all
}

async fn send_alone(core: &Core, session: &Experiment, files: &Files, rules: Rules) -> Result<Vec<String>, XarError> {
    let file = super::files::received(core, "upload.xar", &zipped(files)).await?;
    let xar = core.open_xar(file, false).await?;
    assert_eq!(core.session_of_xar(&xar).await?.map(|found| found.id).as_ref(), Some(&session.id));
    let request = XarRequest { session: Some(session.label.clone()), ..xar_request(rules) };
    Ok(core.import_xar(xar, &request).await?.uris())
}

/// What is seen of a session's assessors: label, value of `pass`, and files.
pub(super) async fn seen(core: &Core, session: &str) -> Vec<(String, String, Vec<(String, Vec<u8>)>)> {
    let session = core.experiment_by_id(session).await.unwrap().unwrap();
    let mut all = Vec::new();
    for assessor in core.assessors_of(&session).await.unwrap() {
        let pass = assessor.fields.iter().find(|field| field.path == "pass").map(|field| field.value.to_string());
        let files = resource_files(core, &assessor.resources).await;
        let files = files.into_iter().map(|(label, path, bytes)| (format!("{label}/{path}"), bytes)).collect();
        let by_label = core.experiment_by_label("DEMO", &assessor.label).await.unwrap();
        assert_eq!(by_label.map(|found| found.id), Some(assessor.id.clone()));
        all.push((assessor.label, pass.unwrap_or_default(), files));
    }
    all
}

pub(super) async fn pass_time(site: &Site, core: &Core) {
    for _ in 0..3 {
        site.clock.advance(4_000_000);
        core.sweep().await.unwrap();
    }
}

pub(super) fn one(label: &str, pass: &str, files: &[(&str, &str)]) -> (String, String, Vec<(String, Vec<u8>)>) {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    (label.to_owned(), pass.to_owned(), files)
}

#[test]
fn a_session_comes_with_its_assessors() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let body = assessed_files(&["QC1", "QC2"], "1");
        let made = send(&core, &zipped(&body), Rules::default()).await.unwrap();
        let wanted =
            [one("QC1", "1", &[("OUT/sub/o.txt", "out of QC1")]), one("QC2", "1", &[("OUT/sub/o.txt", "out of QC2")])];
        assert_eq!(seen(&core, &made.id).await, wanted);
        assert!(all_files(&core, &made).await == data(&files()));
        assert_eq!(core.list_experiments("DEMO").await.unwrap().len(), 3);
        assert!(made.shares.is_empty());
        let told = core.history(ItemKind::Experiment, &made.id, 0, 10).await.unwrap();
        assert!(told[0].details.contains("sharing"), "{told:?}");
        let first = core.assessors_of(&made).await.unwrap().remove(0);
        assert_eq!((first.subject_id.as_str(), first.date.as_str()), (made.subject_id.as_str(), "2024-05-02"));
        assert_eq!(core.history(ItemKind::Experiment, &first.id, 0, 10).await.unwrap()[0].action, "Created");
        pass_time(&site, &core).await;
        // The same again changes nothing; more of one is added.
        let again = send(&core, &zipped(&body), Rules::default()).await.unwrap();
        assert_eq!((&again.id, seen(&core, &made.id).await), (&made.id, wanted.to_vec()));
        let mut more = assessed_files(&["QC1", "QC3"], "0");
        more.insert("ASSESSORS/QC1/MORE/m.txt".to_owned(), b"more".to_vec());
        send(&core, &zipped(&more), Rules::APPEND).await.unwrap();
        let wanted = [
            // What it says stays, unless it is to be replaced.
            one("QC1", "1", &[("MORE/m.txt", "more"), ("OUT/sub/o.txt", "out of QC1")]),
            one("QC2", "1", &[("OUT/sub/o.txt", "out of QC2")]),
            one("QC3", "0", &[("OUT/sub/o.txt", "out of QC3")]),
        ];
        assert_eq!(seen(&core, &made.id).await, wanted);
        pass_time(&site, &core).await;
        assert_eq!(seen(&core, &made.id).await, wanted);
        core.delete_experiment(&made.id).await.unwrap();
        pass_time(&site, &core).await;
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
    });
}

#[test]
fn assessors_come_alone_to_a_session_that_is_there() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let made = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        let uris = send_alone(&core, &made, &alone(&made.id, &["QC1", "QC2"], "1", "of"), Rules::default()).await;
        let present = core.experiment_by_id(&made.id).await.unwrap().unwrap();
        // The session's images are not written anew for that.
        assert_eq!(present.manifest, made.manifest);
        let ids = present.assessors.iter().map(|id| format!("/data/archive/experiments/{}/assessors/{id}", made.id));
        assert_eq!(uris.unwrap(), ids.collect::<Vec<_>>());
        let before = [one("QC1", "1", &[("OUT/o.txt", "of QC1")]), one("QC2", "1", &[("OUT/o.txt", "of QC2")])];
        assert_eq!(seen(&core, &made.id).await, before);
        // Other bytes are refused unless they are to replace what is there, and then nothing of the XAR is taken.
        let other = alone(&made.id, &["QC0", "QC1"], "0", "other");
        let refused = send_alone(&core, &made, &other, Rules::APPEND).await.unwrap_err().to_string();
        assert!(refused.contains("assessor QC1"), "{refused}");
        assert_eq!(seen(&core, &made.id).await, before);
        send_alone(&core, &made, &other, REPLACE).await.unwrap();
        let mut after = before.to_vec();
        after[0] = one("QC1", "0", &[("OUT/o.txt", "other QC1")]);
        after.push(one("QC0", "0", &[("OUT/o.txt", "other QC0")]));
        assert_eq!(seen(&core, &made.id).await, after);
        pass_time(&site, &core).await;
        assert_eq!(seen(&core, &made.id).await, after);
        assert!(all_files(&core, &present).await == data(&files()));
        // One that is alone may have its own folders, as in its download.
        let mut own = alone(&made.id, &["QC5"], "1", "of");
        own.remove("ASSESSORS/QC5/OUT/o.txt");
        own.insert("QC5/resources/OUT/files/a/b".to_owned(), b"ab".to_vec());
        send_alone(&core, &made, &own, Rules::default()).await.unwrap();
        assert_eq!(seen(&core, &made.id).await.pop(), Some(one("QC5", "1", &[("OUT/a/b", "ab")])));
    });
}

#[test]
fn what_cannot_be_of_assessors_is_refused_and_leaves_nothing() {
    block_on(async {
        let site = site().await;
        let core = site.core();
        let made = send(&core, &zipped(&files()), Rules::default()).await.unwrap();
        let usual = alone(&made.id, &["QC1"], "1", "of");
        send_alone(&core, &made, &usual, Rules::default()).await.unwrap();
        pass_time(&site, &core).await;
        let (chunks, before) = (site.blobs.keys().len(), seen(&core, &made.id).await);
        let with = |from: &str, to: &str| -> Files {
            let change = |(name, bytes): (&String, &Vec<u8>)| {
                let text = String::from_utf8(bytes.clone()).unwrap();
                (name.replace(from, to), text.replace(from, to).into_bytes())
            };
            alone(&made.id, &["QC7"], "1", "of").iter().map(change).collect()
        };
        let mut stray = alone(&made.id, &["QC7"], "1", "of");
        stray.insert("SCANS/4/DICOM/x".to_owned(), b"x".to_vec());
        let mut of_other = alone(&made.id, &["QC7"], "1", "of");
        of_other.insert("ASSESSORS/QC8/OUT/x".to_owned(), b"x".to_vec());
        let mut of_session = alone(&made.id, &["QC7", "QC8"], "1", "of");
        of_session.insert("RESOURCES/OUT/x".to_owned(), b"x".to_vec());
        for (files, word) in [
            (with("QC7", "S01_MR1"), "another experiment"),
            (with("QC7", "Q 7"), "label"),
            (with("<xnat:pass>", "<xnat:in><xnat:file/></xnat:in><xnat:pass>"), "input files"),
            (with("xnat:pass>", "xnat:nothing>"), "no field"),
            (stray, "does not describe"),
            (of_other, "QC8"),
            (of_session, "only assessors"),
        ] {
            let refused = send_alone(&core, &made, &files, Rules::default()).await.unwrap_err().to_string();
            assert!(refused.contains(word), "{word}: {refused}");
            assert_eq!(seen(&core, &made.id).await, before, "{word}");
            assert_eq!(site.blobs.keys().len(), chunks, "{word}");
        }
        let other_type: Files = usual
            .iter()
            .map(|(name, bytes)| {
                let text = String::from_utf8(bytes.clone()).unwrap();
                let text = text.replace("QCManualAssessment", "QCAssessment").replace("xnat:pass", "xnat:type");
                (name.clone(), text.into_bytes())
            })
            .collect();
        let refused = send_alone(&core, &made, &other_type, Rules::default()).await.unwrap_err();
        assert!(matches!(refused, XarError::Domain(DomainError::Conflict { .. })), "{refused}");
        let id = core.assessor(&made, "QC1").await.unwrap().unwrap().id;
        let lock = ExperimentChange { status: Some(StatusChange::Lock), ..ExperimentChange::default() };
        core.change_experiment(&id, &lock).await.unwrap();
        let refused = send_alone(&core, &made, &usual, REPLACE).await.unwrap_err();
        assert!(matches!(refused, XarError::Domain(DomainError::Refused { .. })), "{refused}");
    });
}
