//! In the middle of a resumable upload.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use narthex_tests::{Api, Modality, Packing, Response, ServiceProcess, Study, eventually, zip_files};

use super::{FEWER_KILLS, SETTLED, kill_during, moments};

const RESUMABLE: &str = "/data/services/import/resumable";

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
    let path = format!("{RESUMABLE}?import-handler=SI&dest=/prearchive/projects/P1");
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
    let mut noise = moments(23);
    let mut service = ServiceProcess::start();
    service.api().project("P1");
    let mut usual = std::time::Duration::ZERO;
    for round in [1000, 1001] {
        let (api, zip) = (service.api(), zip(round));
        let path = begin(&api, zip.len());
        let start = Instant::now();
        let done = send(&api, &path, &zip, &AtomicUsize::new(0)).unwrap();
        assert_eq!(done.status, 204, "{}", done.text());
        usual = start.elapsed();
    }
    let (mut resumed, mut complete, mut deleted) = (0, 0, 0);
    for round in 0..FEWER_KILLS {
        let zip = zip(round);
        let (before, path) = (service.stores().chunks(), begin(&service.api(), zip.len()));
        let told = Arc::new(AtomicUsize::new(0));
        let (bytes, to, notes) = (zip.clone(), path.clone(), told.clone());
        kill_during(&mut service, &mut usual, &mut noise, move |api| send(api, &to, &bytes, &notes));
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
    println!("{resumed} resumed, {complete} complete before, {deleted} deleted; {usual:?} each");
    assert!(resumed > 0 && deleted > 0, "the moments were not spread over the upload");
}
