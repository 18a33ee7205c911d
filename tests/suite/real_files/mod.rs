//! Real files: each is stored and read back byte for byte, or refused with the reason.

mod ecat;
mod facts;
mod python;
mod shapes;

use std::collections::BTreeMap;

use narthex_tests::{Api, Packing, RealFile, Service, real_files, sentence, zip_files};

/// Every file of the sessions named in an answer, by its bytes, with the place where it was found.
fn stored(api: &Api, answer: &str) -> BTreeMap<Vec<u8>, String> {
    answer
        .lines()
        .flat_map(|uri| {
            api.content(uri)
                .into_iter()
                .map(|((scan, resource, path), bytes)| (bytes, format!("{scan}/{resource}/{path}")))
        })
        .collect()
}

#[test]
fn each_alone_is_stored_and_read_back_or_refused_with_the_reason() {
    let service = Service::start();
    let api = service.api();
    api.project("REAL");
    let mut taken = 0;
    let mut refused = BTreeMap::new();
    for file in real_files() {
        let response = api.send("dest=/prearchive/projects/REAL", "application/octet-stream", &file.bytes);
        match response.status {
            200 => {
                let found = stored(&api, &response.text());
                let place = found.get(&file.bytes).unwrap_or_else(|| panic!("{} came back altered", file.name));
                println!("{:<70} {:>8}  {place}", file.name, file.bytes.len());
                taken += 1;
            }
            400 => {
                let reason = sentence(&response);
                println!("{:<70} {:>8}  REFUSED: {reason}", file.name, file.bytes.len());
                refused.insert(file.name, reason);
            }
            status => panic!("{}: {status} {}", file.name, response.text()),
        }
    }
    println!("{taken} taken, {} refused", refused.len());
    assert!(taken > refused.len() * 4, "most real files are images: {taken} taken, refused: {refused:#?}");
    // Images that any server must take.
    for name in ["CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "rtdose.dcm", "waveform_ecg.dcm", "ExplVR_BigEnd.dcm"]
    {
        let name = format!("test_files/{name}");
        assert!(!refused.contains_key(&name), "{name}: {}", refused[&name]);
    }
}

#[test]
fn all_in_one_zip_come_back_byte_for_byte() {
    let service = Service::start();
    let api = service.api();
    api.project("REAL");
    let files = real_files();
    let accepted = accepted(&api, &files);
    let zip = zip_files(accepted.iter().map(|file| (file.name.clone(), file.bytes.clone())), Packing::Deflated);
    let response = api.send("dest=/prearchive/projects/REAL", "application/zip", &zip);
    assert_eq!(response.status, 200, "{}", response.text());
    let found = stored(&api, &response.text());
    let lost: Vec<&str> =
        accepted.iter().filter(|file| !found.contains_key(&file.bytes)).map(|file| file.name.as_str()).collect();
    assert!(lost.is_empty(), "{} of {} files did not come back: {lost:#?}", lost.len(), accepted.len());
    println!("{} files in {} sessions", accepted.len(), response.text().lines().count());
}

/// The files that are taken when they come alone, tried on a service of their own.
fn accepted<'a>(api: &Api, files: &'a [RealFile]) -> Vec<&'a RealFile> {
    api.project("ALONE");
    let taken = |file: &&RealFile| {
        api.send("dest=/prearchive/projects/ALONE", "application/octet-stream", &file.bytes).status == 200
    };
    files.iter().filter(taken).collect()
}
