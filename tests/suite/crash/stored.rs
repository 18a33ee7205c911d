//! In the middle of an import of a stored file that goes on in the background.

use std::time::{Duration, Instant};

use narthex_tests::{Api, ServiceProcess, eventually, zip_study};

use super::{FEWER_KILLS, Moments, SETTLED, address, insist, kill_during, rest_of, study};

fn stored(round: u64) -> String {
    format!("/user/cache/resources/UP/files/{round}.zip")
}

/// Puts a study into the user's cache.
fn put(api: &Api, round: u64) {
    let put = api.client.request("PUT", &format!("/data{}", stored(round))).header("Content-Type", "application/zip");
    assert_eq!(put.send_bytes(&zip_study(&study(round))).unwrap().status, 200);
}

fn ask(api: &Api, round: u64) -> std::io::Result<narthex_tests::Response> {
    let query = format!("dest=/prearchive/projects/P1&http-session-listener=R{round}&src={}", stored(round));
    api.client.post(&format!("/data/services/import?import-handler=SI&{query}"), "", b"")
}

/// The last message of the job, if it has come to its end.
fn end(api: &Api, round: u64) -> std::io::Result<Option<String>> {
    let text = api.client.get(&format!("/data/status/R{round}?format=json"))?.text();
    let told: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let last = told["msgs"][0].as_array().and_then(|messages| messages.last().cloned()).unwrap_or_default();
    Ok((last["terminal"] == true).then(|| last["msg"].as_str().unwrap_or_default().to_owned()))
}

/// The times until the import is answered and until it is done.
fn usual(api: &Api, round: u64) -> (Duration, Duration) {
    put(api, round);
    let start = Instant::now();
    assert_eq!(ask(api, round).unwrap().status, 200);
    let answered = start.elapsed();
    eventually(SETTLED, "the import is done", || end(api, round).unwrap());
    (answered, start.elapsed())
}

#[test]
fn an_import_that_was_submitted_is_done_once_whoever_dies() {
    let mut service = ServiceProcess::start();
    service.api().project("P1");
    let (until_answer, whole) = usual(&service.api(), 1000);
    let about_the_answer = FEWER_KILLS.div_ceil(3);
    let mut early = Moments::new(31, about_the_answer, until_answer);
    let mut spread = Moments::new(32, FEWER_KILLS - about_the_answer, whole);
    let (mut answered, mut done) = (0, 0);
    for round in 0..FEWER_KILLS {
        put(&service.api(), round);
        let moments = if round % 3 == 0 { &mut early } else { &mut spread };
        let (sender, first_answer) = std::sync::mpsc::channel();
        let last = kill_during(&mut service, moments, move |api| {
            let answer = ask(api, round)?;
            let _ = sender.send(answer.status);
            // Stays here until the import is done, or the host dead.
            while end(api, round)?.is_none() {}
            Ok(answer)
        });
        service.restart();
        let api = service.api();
        let is_answered = first_answer.try_recv().is_ok_and(|status| status == 200);
        answered += u32::from(is_answered);
        done += u32::from(last.is_some());
        if !is_answered {
            // Whoever asks again is refused while the import goes on that was noted, and changes nothing behind it.
            let again = insist("import", || ask(&api, round).unwrap());
            assert_eq!(again.status, 200, "round {round}: {}", again.text());
        }
        let told = eventually(SETTLED, "the import has come to its end", || end(&api, round).unwrap());
        assert!(told.starts_with("Prearchive:"), "round {round}: {told}");
        let row = rest_of(&api, &["P1"], &study(round)).unwrap_or_else(|| panic!("round {round}: no session"));
        api.assert_holds(&address(&row), &study(round));
        // The stored file stays where it is.
        assert!(api.bytes(&format!("/data{}", stored(round))) == zip_study(&study(round)), "round {round}");
    }
    println!("{answered} of {FEWER_KILLS} answered, {done} done before the host died");
    assert!(answered > done && done > 0, "the host never died while the import was at work");
}
