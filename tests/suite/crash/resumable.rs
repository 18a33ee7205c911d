//! In the middle of a resumable upload.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use narthex_tests::{Api, Modality, Packing, Response, ServiceProcess, Study, eventually, zip_files};

use super::{FEWER_KILLS, Moments, SETTLED, kill_during};

const RESUMABLE: &str = "/data/services/import/resumable";

/// How long the sweep may take to go on where somebody died: the leases of the dead last two seconds.
const FOR_THE_SWEEP: Duration = Duration::from_secs(6);

/// Bytes of one request.
const STEP: usize = 1_300_000;

fn study(round: u64) -> Study {
    let seed = 40_000 + round;
    Study::new(Modality::Ct, seed).patient(&format!("T{seed}"), &format!("S{seed}")).slices(10).matrix(512)
}

fn zip(round: u64) -> Vec<u8> {
    zip_files(study(round).files().map(|file| (file.name, file.bytes)), Packing::Stored)
}

fn begin(api: &Api, length: usize) -> String {
    begin_for(api, "dest=/prearchive/projects/P1", length)
}

fn begin_for(api: &Api, query: &str, length: usize) -> String {
    let path = format!("{RESUMABLE}?import-handler=SI&{query}");
    let request = api.client.request("POST", &path).header("Tus-Resumable", "1.0.0");
    let made = request.header("Upload-Length", &length.to_string()).send_bytes(b"").unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.header("location").and_then(|location| location.rsplit('/').next()).unwrap();
    format!("{RESUMABLE}/{id}")
}

fn patch(api: &Api, path: &str, offset: usize, bytes: &[u8]) -> std::io::Result<Response> {
    let request = api.client.request("PATCH", path).header("Tus-Resumable", "1.0.0");
    let request = request.header("Content-Type", "application/offset+octet-stream");
    request.header("Upload-Offset", &offset.to_string()).send_bytes(bytes)
}

/// Sends the whole in several requests, and notes the offset that was told last.
fn send(api: &Api, path: &str, zip: &[u8], told: &AtomicUsize) -> std::io::Result<Response> {
    loop {
        let from = told.load(Ordering::SeqCst);
        let to = zip.len().min(from + STEP);
        let answer = patch(api, path, from, &zip[from..to])?;
        if answer.status != 204 {
            return Ok(answer);
        }
        let offset = answer.header("upload-offset").and_then(|value| value.parse().ok()).expect("an offset");
        told.store(offset, Ordering::SeqCst);
        if offset == zip.len() {
            return Ok(answer);
        }
    }
}

fn offset(api: &Api, path: &str) -> usize {
    let head = api.client.request("HEAD", path).header("Tus-Resumable", "1.0.0").send().unwrap();
    assert_eq!(head.status, 200);
    head.header("upload-offset").and_then(|value| value.parse().ok()).expect("an offset")
}

#[test]
fn what_was_told_to_be_safe_need_not_be_sent_again_and_what_is_deleted_is_gone() {
    let mut service = ServiceProcess::start();
    service.api().project("P1");
    let mut usual = Duration::ZERO;
    for round in [1000, 1001] {
        let (api, zip) = (service.api(), zip(round));
        let path = begin(&api, zip.len());
        let start = Instant::now();
        let done = send(&api, &path, &zip, &AtomicUsize::new(0)).unwrap();
        assert_eq!(done.status, 204, "{}", done.text());
        usual = start.elapsed();
    }
    let (mut resumed, mut complete, mut deleted) = (0, 0, 0);
    let mut moments = Moments::new(23, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        let zip = zip(round);
        let (before, path) = (service.stores().chunks(), begin(&service.api(), zip.len()));
        let told = Arc::new(AtomicUsize::new(0));
        let (bytes, to, notes) = (zip.clone(), path.clone(), told.clone());
        kill_during(&mut service, &mut moments, move |api| send(api, &to, &bytes, &notes));
        service.restart();
        let api = service.api();
        let (told, at) = (told.load(Ordering::SeqCst), offset(&api, &path));
        assert!(at >= told, "round {round}: {told} bytes were told to be safe, {at} are");
        if round % 2 == 1 && at < zip.len() - 1 {
            let gone = eventually(SETTLED, "the lease of the dead ends", || {
                let request = api.client.request("DELETE", &path).header("Tus-Resumable", "1.0.0");
                request.send().ok().filter(|response| ![409, 423].contains(&response.status))
            });
            assert_eq!(gone.status, 204, "round {round}: {}", gone.text());
            assert_eq!(api.get(&path).status, 404, "round {round}");
            assert_eq!(service.stores().chunks(), before, "round {round}: bytes of a deleted upload are left");
            deleted += 1;
            continue;
        }
        // Also where the end was told: the repetition changes nothing.
        let done = eventually(SETTLED, "the lease of the dead ends", || {
            let answer = patch(&api, &path, offset(&api, &path), &zip[offset(&api, &path)..]).unwrap();
            (![409, 423].contains(&answer.status)).then_some(answer)
        });
        assert_eq!(done.status, 204, "round {round}: {}", done.text());
        let uris: Vec<&str> = done.all("x-narthex-imported").collect();
        assert_eq!(uris.len(), 1, "round {round}: {uris:?}");
        api.assert_holds(uris[0], &study(round));
        let rows = api.sessions("P1");
        let mine = rows.rows.iter().filter(|row| row.get("tag") == study(round).study_uid()).count();
        assert_eq!(mine, 1, "round {round}: one session");
        let chunks = before + zip.len().div_ceil(1024 * 1024);
        assert_eq!(service.stores().chunks(), chunks, "round {round}: nothing is stored twice");
        match told == zip.len() {
            true => complete += 1,
            false => resumed += 1,
        }
    }
    println!("{resumed} resumed, {complete} complete before, {deleted} deleted; {:?} each", moments.usual);
    assert!(resumed > 0 && deleted > 0, "the moments were not spread over the upload");
}

/// Whether an upload is done, as its address tells.
fn is_imported(api: &Api, path: &str) -> bool {
    let told: serde_json::Value = serde_json::from_slice(&api.bytes(path)).unwrap();
    match told["state"].as_str() {
        Some("imported") => true,
        Some("receiving" | "importing") => false,
        state => panic!("{state:?}: {told}"),
    }
}

#[test]
fn what_was_to_be_archived_is_archived_whenever_the_host_dies_behind_the_last_byte() {
    let mut service = ServiceProcess::start();
    service.api().project("P1");
    let usual_of = |api: &Api, round: u64| {
        let zip = zip(round);
        let path = begin_for(api, "dest=/archive/projects/P1", zip.len());
        assert_eq!(patch(api, &path, 0, &zip[..zip.len() - 1]).unwrap().status, 204);
        let start = Instant::now();
        let done = patch(api, &path, zip.len() - 1, &zip[zip.len() - 1..]).unwrap();
        assert_eq!(done.status, 204, "{}", done.text());
        start.elapsed()
    };
    let usual = usual_of(&service.api(), 1100);
    let (mut by_client, mut by_sweep) = (0, 0);
    let mut moments = Moments::new(29, FEWER_KILLS, usual);
    for round in 200..200 + FEWER_KILLS {
        let zip = zip(round);
        let (api, from) = (service.api(), zip.len() - 1);
        let path = begin_for(&api, "dest=/archive/projects/P1", zip.len());
        assert_eq!(patch(&api, &path, 0, &zip[..from]).unwrap().status, 204);
        let (to, last) = (path.clone(), zip[from..].to_vec());
        kill_during(&mut service, &mut moments, move |api| patch(api, &to, from, &last));
        service.restart();
        let (api, back) = (service.api(), Instant::now());
        let done = eventually(SETTLED, "the upload is done", || {
            // In every other round the client does not come back; the sweep goes on where it can.
            if round % 2 == 1 {
                let swept = api.client.post("/data/services/prearchive/sweep", "", b"").unwrap();
                assert!([200, 409].contains(&swept.status), "round {round}: {}", swept.text());
                if is_imported(&api, &path) {
                    return Some(true);
                }
                // Where the import itself was not done, it needs the client.
                if back.elapsed() < FOR_THE_SWEEP {
                    return None;
                }
            }
            let at = offset(&api, &path);
            let answer = patch(&api, &path, at, &zip[at..]).unwrap();
            match answer.status {
                204 => Some(false),
                409 | 423 => None,
                status => panic!("round {round}: {status} {}", answer.text()),
            }
        });
        match done {
            true => by_sweep += 1,
            false => by_client += 1,
        }
        assert!(is_imported(&api, &path), "round {round}");
        let label = format!("T{}", 40_000 + round);
        let found = api.table("/data/projects/P1/experiments");
        let mine: Vec<_> = found.rows.iter().filter(|row| row.get("label") == label).collect();
        assert_eq!(mine.len(), 1, "round {round}: one experiment");
        api.assert_holds(&format!("/data/experiments/{}", mine[0].get("ID")), &study(round));
        assert!(api.sessions("P1").rows.is_empty(), "round {round}: nothing stays in the prearchive");
    }
    println!("{by_client} finished by the client, {by_sweep} by the sweep; {:?} each", moments.usual);
}
