//! In the middle of an upload.

use narthex_tests::{Api, ServiceProcess, Study, eventually, zip_study};

use super::{KILLS, Moments, SETTLED, kill_during, study, usual};

const IMPORT: &str = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1";

/// The URI of a study in the prearchive, once the list is settled: only whole sessions are listed.
fn settled(api: &Api, study: &Study) -> Option<String> {
    let list = eventually(SETTLED, "every session in the list is whole", || {
        let list = api.sessions("P1");
        list.column("status").iter().all(|status| *status == "READY").then_some(list)
    });
    let uid = study.study_uid();
    let rows: Vec<_> = list.rows.iter().filter(|row| row.get("tag") == uid).collect();
    assert!(rows.len() <= 1, "a study stands in the list twice: {rows:?}");
    rows.first().map(|row| format!("/data{}", row.get("url")))
}

#[test]
fn what_was_acknowledged_is_there_and_what_is_listed_is_whole() {
    let mut service = ServiceProcess::start();
    service.api().project("P1");
    let warm_up = zip_study(&study(1000));
    service.api().client.post(IMPORT, "application/zip", &warm_up).unwrap();
    let another = zip_study(&study(1001));
    let usual = usual(|| service.api().client.post(IMPORT, "application/zip", &another).unwrap());

    let (mut acknowledged, mut silent, mut absent) = (Vec::new(), 0, 0);
    let mut moments = Moments::new(0, KILLS, usual);
    for round in 0..KILLS {
        let zip = zip_study(&study(round));
        let answer =
            kill_during(&mut service, &mut moments, move |api| api.client.post(IMPORT, "application/zip", &zip));
        service.restart();
        let api = service.api();
        let found = settled(&api, &study(round));
        if let Some(answer) = answer {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            assert_eq!(found.as_deref(), Some(answer.text().trim()), "round {round}: acknowledged but not listed");
            acknowledged.push((round, answer.text().trim().to_owned()));
        } else if found.is_some() {
            silent += 1;
        } else {
            absent += 1;
        }
        // Listed is whole, acknowledged or not.
        if let Some(uri) = found {
            api.assert_holds(&uri, &study(round));
        }
    }
    println!(
        "{} acknowledged, {silent} in without an answer, {absent} not in; {:?} each",
        acknowledged.len(),
        moments.usual
    );
    for (round, uri) in &acknowledged {
        service.api().assert_holds(uri, &study(*round));
    }
    assert!(absent > 0 && acknowledged.len() + silent > 0, "the moments were not spread over the upload");
}
