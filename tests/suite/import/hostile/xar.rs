//! What makes a XAR hostile: its archive, as with other handlers, or its documents.

use narthex_tests::{Packing, zip_files};

use super::{Hostile, OF_ARCHIVES, XAR};

/// Where it says that it belongs.
const PROJECT: &str = "project=P1";

/// With the archives that other handlers refuse.
pub(super) fn kinds(archives: &[Hostile]) -> Vec<Hostile> {
    let mut kinds: Vec<Hostile> = archives
        .iter()
        .filter(|kind| kind.handlers == OF_ARCHIVES)
        // What is no image is none of a XAR's concern, so that it may be refused for something else.
        .map(|kind| Hostile { handlers: &[XAR], word: "", ..kind.clone() }.query(PROJECT))
        .collect();
    kinds.extend(documents());
    kinds
}

/// Documents and catalogs that lie or explode.
fn documents() -> Vec<Hostile> {
    let with = |kind: &str, word: &'static str, files: Vec<(String, Vec<u8>)>| {
        let zip = zip_files(files, Packing::Deflated);
        Hostile::body(format!("XAR: {kind}"), &[XAR], zip).query(PROJECT).names(word)
    };
    let one = |kind: &str, word, text: String| with(kind, word, vec![("session.xml".to_owned(), text.into_bytes())]);
    let catalog = |kind: &str, word, text: String| {
        let files = [("session.xml", session("")), ("SCANS/4/NIFTI/4_catalog.xml", text)];
        with(kind, word, files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into())
    };
    let same = |count: usize| (0..count).map(|number| (format!("{number}.xml"), session("").into_bytes())).collect();
    let missing = "<entry URI=\"missing.nii\"/></Catalog>";
    vec![
        one("a document with entities", "DOCTYPE", "<!DOCTYPE a [<!ENTITY x \"xx\">]><a>&x;</a>".to_owned()),
        one("a document that is cut off", "", session("")[..200].to_owned()),
        one("a document nested 100,000 deep", "", "<a>".repeat(100_000)),
        one("a document of 200,000 elements", "", session(&"<xnat:scan/>".repeat(200_000))),
        one("a document of 5 MiB", "", session(&" ".repeat(5 << 20))),
        one("a document of 50,000 attributes", "", {
            let attributes: String = (0..50_000).map(|number| format!(" a{number}=\"\"")).collect();
            session(&format!("<xnat:scan{attributes}/>"))
        }),
        with("1,001 documents", "1000", same(1_001)),
        with("two documents of sessions", "", same(2)),
        catalog("a catalog of what is not there", "missing.nii", format!("<Catalog>{missing}")),
        catalog("a catalog of 60 MiB", "missing.nii", format!("<Catalog>{}{missing}", " ".repeat(60 << 20))),
        catalog("a catalog of 65 MiB", "", format!("<Catalog>{}{missing}", " ".repeat(65 << 20))),
        catalog("a catalog with a parent path", "", "<Catalog><entry URI=\"../../../x\"/></Catalog>".to_owned()),
        catalog("a catalog nested 1,000,000 deep", "", "<a>".repeat(1_000_000)),
    ]
}

fn session(more: &str) -> String {
    format!(
        "<xnat:MRSession xmlns:xnat=\"http://nrg.wustl.edu/xnat\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" project=\"P1\" label=\"E1\">\
         <xnat:subject_ID>S1</xnat:subject_ID><xnat:scans><xnat:scan ID=\"4\" xsi:type=\"xnat:mrScanData\">\
         <xnat:file URI=\"SCANS/4/NIFTI/4_catalog.xml\" label=\"NIFTI\" xsi:type=\"xnat:resourceCatalog\"/>\
         </xnat:scan>{more}</xnat:scans></xnat:MRSession>"
    )
}
