//! In the middle of an upload into the user cache.

use narthex_tests::{Api, ServiceProcess};

use super::{FEWER_KILLS, Moments, SETTLED, insist, kill_during, usual};

const FILES: &str = "/data/user/cache/resources/X/files";

fn put(api: &Api, name: &str, bytes: &[u8]) -> std::io::Result<narthex_tests::Response> {
    api.client.request("PUT", &format!("{FILES}/{name}")).header("Content-Type", "text/plain").send_bytes(bytes)
}

#[test]
fn a_cached_file_is_there_whole_or_not_at_all() {
    let mut service = ServiceProcess::start();
    let bytes =
        |round: u64| -> Vec<u8> { (0..3_000_000_u64).map(|number| ((number * 7 + round) % 251) as u8).collect() };
    put(&service.api(), "warm-up", &bytes(1000)).unwrap();
    let usual = usual(|| put(&service.api(), "another", &bytes(1001)).unwrap());
    let (mut acknowledged, mut absent) = (Vec::new(), 0);
    let mut moments = Moments::new(7, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        let answer = kill_during(&mut service, &mut moments, move |api| put(api, &round.to_string(), &bytes(round)));
        service.restart();
        let api = service.api();
        let found = api.get(&format!("{FILES}/{round}"));
        match (answer.map(|answer| answer.status), found.status) {
            (Some(200) | None, 200) => assert!(found.body == bytes(round), "round {round}: other bytes"),
            (None, 404) => absent += 1,
            (answer, found) => panic!("round {round}: answered {answer:?}, found {found}"),
        }
        if found.status == 200 {
            acknowledged.push(round);
        }
        // The lease of the dead ends by itself.
        let next = insist("the next upload", || put(&api, "next", b"next").unwrap());
        assert_eq!(next.status, 200, "round {round}: {}", next.text());
    }
    println!("{} there, {absent} not; {:?} each, settled within {SETTLED:?}", acknowledged.len(), moments.usual);
    let names = service.api().table(FILES);
    for round in &acknowledged {
        let name = round.to_string();
        assert_eq!(names.row("Name", &name).get("Size"), "3000000");
    }
    assert_eq!(names.rows.len(), acknowledged.len() + 3);
    assert!(absent > 0 && !acknowledged.is_empty(), "the moments were not spread over the upload");
}
