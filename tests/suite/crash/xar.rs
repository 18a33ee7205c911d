//! In the middle of a XAR.

use narthex_tests::{Api, Noise, Packing, ServiceProcess, zip_files};

use super::{FEWER_KILLS, Moments, insist, kill_during, usual};

const IMPORT: &str = "/data/services/import?import-handler=XAR";

/// Files in each XAR.
const FILES: u64 = 12;

fn label(round: u64) -> String {
    format!("XAR{round}")
}

/// The files of a round, by the paths at which they are read below the session.
fn files(round: u64) -> Vec<(String, Vec<u8>)> {
    let mut noise = Noise::new(40_000 + round);
    (0..FILES).map(|number| (format!("{number}.nii"), noise.bytes(20_000))).collect()
}

fn xar(round: u64) -> Vec<u8> {
    let document = format!(
        "<xnat:MRSession xmlns:xnat=\"http://nrg.wustl.edu/xnat\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         ID=\"\" project=\"P1\" label=\"{}\"><xnat:subject_ID>S</xnat:subject_ID><xnat:scans><xnat:scan ID=\"4\" \
         xsi:type=\"xnat:mrScanData\"><xnat:file URI=\"SCANS/4/NIFTI/4_catalog.xml\" label=\"NIFTI\" \
         xsi:type=\"xnat:resourceCatalog\"/></xnat:scan></xnat:scans></xnat:MRSession>",
        label(round)
    );
    let entries: String = files(round).iter().map(|(name, _)| format!("<cat:entry URI=\"{name}\"/>")).collect();
    let catalog = format!("<cat:Catalog xmlns:cat=\"c\">{entries}</cat:Catalog>");
    let all = [("session.xml".to_owned(), document), ("SCANS/4/NIFTI/4_catalog.xml".to_owned(), catalog)];
    let all = all.map(|(name, text)| (name, text.into_bytes())).into_iter();
    zip_files(
        all.chain(files(round).into_iter().map(|(name, bytes)| (format!("SCANS/4/NIFTI/{name}"), bytes))),
        Packing::Stored,
    )
}

/// The session's address if it is in the archive.
fn found(api: &Api, round: u64) -> Option<String> {
    let rows = api.table("/data/projects/P1/experiments?columns=ID,label").rows;
    let mut ids = rows.iter().filter(|row| row.get("label") == label(round)).map(|row| row.get("ID").to_owned());
    let id = ids.next();
    assert_eq!(ids.next(), None, "a session stands in the list more than once");
    id.map(|id| format!("/data/archive/experiments/{id}"))
}

#[test]
fn a_session_of_a_xar_is_whole_or_not_there() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.put("/data/projects/P1/subjects/S").status, 201);
    let send = |api: &Api, zip: &[u8]| api.client.post(IMPORT, "application/zip", zip);
    send(&api, &xar(1_000)).unwrap();
    let mut moments = Moments::new(31, FEWER_KILLS, usual(|| send(&api, &xar(1_001)).unwrap()));
    let (mut acknowledged, mut absent) = (0, 0);
    for round in 0..FEWER_KILLS {
        let zip = xar(round);
        let answer = kill_during(&mut service, &mut moments, move |api| send(api, &zip));
        service.restart();
        let api = service.api();
        let session = found(&api, round);
        if let Some(answer) = &answer {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            assert_eq!(
                session.as_deref(),
                Some(answer.text().trim_end()),
                "round {round}: acknowledged and not listed"
            );
            acknowledged += 1;
        }
        absent += usize::from(session.is_none());
        let session = session.unwrap_or_else(|| {
            let again = insist("the XAR again", || send(&api, &xar(round)).unwrap());
            assert_eq!(again.status, 200, "round {round}: {}", again.text());
            found(&api, round).expect("the session")
        });
        for (name, bytes) in files(round) {
            let path = format!("{session}/scans/4/resources/NIFTI/files/{name}");
            assert!(api.bytes(&path) == bytes, "round {round}: {path}");
        }
        assert_eq!(api.table(&format!("{session}/scans/4/resources/NIFTI/files")).rows.len(), files(round).len());
    }
    println!("{acknowledged} acknowledged, {absent} of {FEWER_KILLS} rounds left nothing; {:?} each", moments.usual);
    assert!(absent > 0 && acknowledged > 0, "the moments were not spread over the upload");
}
