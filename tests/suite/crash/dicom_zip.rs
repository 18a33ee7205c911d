//! In the middle of a zip of two studies, with and without a commit.

use std::time::Instant;

use narthex_tests::{Modality, Packing, ServiceProcess, Study, zip_files};

use super::{FEWER_KILLS, Moments, act, address, insist, kill_during, rest_of};

const IMPORT: &str = "/data/services/import?import-handler=DICOM-zip&project=P1";

fn studies(round: u64) -> [Study; 2] {
    [0, 1].map(|number| {
        let seed = 30_000 + 2 * round + number;
        Study::new(Modality::Ct, seed).patient(&format!("Z{seed}"), &format!("S{seed}")).slices(10).matrix(96)
    })
}

fn zip(round: u64) -> Vec<u8> {
    let files = studies(round).into_iter().enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    zip_files(files, Packing::Deflated)
}

/// Kills the host in each round. Gives how many answers came, and how many rounds left nothing.
fn kills(test: u64, query: &str, status: &str) -> (usize, usize) {
    let mut service = ServiceProcess::start();
    service.api().project("P1");
    let path = format!("{IMPORT}{query}");
    let mut usual = std::time::Duration::ZERO;
    for round in [1000, 1001] {
        let start = Instant::now();
        assert_eq!(service.api().client.post(&path, "application/zip", &zip(round)).unwrap().status, 200);
        usual = start.elapsed();
    }
    let (mut acknowledged, mut absent) = (0, 0);
    let mut moments = Moments::new(test, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        let (zip, to) = (zip(round), path.clone());
        let answer = kill_during(&mut service, &mut moments, move |api| api.client.post(&to, "application/zip", &zip));
        service.restart();
        let api = service.api();
        let rows = studies(round).map(|study| rest_of(&api, &["P1"], &study));
        if let Some(answer) = &answer {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            let told: Vec<String> = answer.text().lines().map(str::to_owned).collect();
            let found: Vec<String> = rows.iter().flatten().map(address).collect();
            assert_eq!(found, told, "round {round}: acknowledged and not listed");
            assert!(rows.iter().flatten().all(|row| row.get("status") == status), "round {round}: {rows:?}");
            acknowledged += 1;
        }
        absent += usize::from(rows.iter().all(Option::is_none));
        for (row, study) in rows.iter().zip(studies(round)) {
            let Some(row) = row else { continue };
            let session = address(row);
            let built = insist("build", || act(&api, &session, &[("action", "build")]).unwrap());
            assert_eq!(built.status, 200, "round {round}: {}", built.text());
            // All of it, whether that was acknowledged or not.
            api.assert_holds(&session, &study);
        }
    }
    println!("{acknowledged} acknowledged, {absent} of {FEWER_KILLS} rounds left nothing; {:?} each", moments.usual);
    (acknowledged, absent)
}

#[test]
fn sessions_that_wait_for_more_are_whole_or_not_there() {
    let (acknowledged, absent) = kills(21, "", "RECEIVING");
    assert!(absent > 0 && acknowledged > 0, "the moments were not spread over the upload");
}

#[test]
fn sessions_that_were_committed_are_whole_or_not_there() {
    let (acknowledged, absent) = kills(22, "&action=commit", "READY");
    assert!(absent > 0 && acknowledged > 0, "the moments were not spread over the upload");
}
