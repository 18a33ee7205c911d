//! Everything that a hostile client may send: each kind is refused in time and in bounded memory, and leaves nothing.
//!
//! The kinds are data, a file for each subject; one test sends them all and prints a table of what came back.

mod bombs;
mod compressed;
mod dicom;
mod dicom_bytes;
mod multipart;
mod request;
mod tar;
mod tar_bytes;
mod transport;
mod xar;
mod zip;

use std::time::{Duration, Instant};

use narthex_tests::{Api, Modality, Response, ServiceProcess, Study, encode, eventually, sentence, zip_study};

use super::SOON;

/// The processor time that the service may take for an answer.
const MAX_WORK: Duration = Duration::from_secs(1);

/// What an answer may take on the clock: tests run beside others and builds.
const MAX_TIME: Duration = Duration::from_secs(60);

/// What one of these requests may add to the memory of the whole service, in bytes.
const MAX_GROWTH_BYTES: u64 = 256 << 20;

const SI: &str = "SI";
const DICOM_ZIP: &str = "DICOM-zip";
const GRADUAL: &str = "gradual-DICOM";
const XAR: &str = "XAR";
/// The handlers that take archives.
const OF_ARCHIVES: &[&str] = &[SI, DICOM_ZIP];
/// Those that take images.
const ALL: &[&str] = &[SI, DICOM_ZIP, GRADUAL];

/// Where uploads go unless the kind is about that.
const DESTINATION: &str = "dest=/prearchive/projects/P1";

/// One thing that must be refused.
#[derive(Clone)]
struct Hostile {
    kind: String,
    handlers: &'static [&'static str],
    /// Parameters beside the handler.
    query: String,
    media_type: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// A word that the sentence must hold.
    word: &'static str,
    max_work: Duration,
    /// Why it may take more than [`MAX_WORK`].
    because: &'static str,
}

impl Hostile {
    /// A body for the usual destination.
    fn body(kind: impl Into<String>, handlers: &'static [&'static str], body: Vec<u8>) -> Self {
        Self {
            kind: kind.into(),
            handlers,
            query: DESTINATION.to_owned(),
            media_type: "application/octet-stream".to_owned(),
            headers: Vec::new(),
            body,
            word: "",
            max_work: MAX_WORK,
            because: "",
        }
    }

    /// The sentence must hold this.
    fn names(self, word: &'static str) -> Self {
        Self { word, ..self }
    }

    /// The answer may take more work, for a reason.
    fn within(self, max_work: Duration, because: &'static str) -> Self {
        Self { max_work, because, ..self }
    }

    fn query(self, query: impl Into<String>) -> Self {
        Self { query: query.into(), ..self }
    }

    fn media_type(self, media_type: impl Into<String>) -> Self {
        Self { media_type: media_type.into(), ..self }
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn send(&self, api: &Api, handler: &str) -> Response {
        let mut path = format!("/data/services/import?import-handler={handler}");
        if !self.query.is_empty() {
            path = format!("{path}&{}", self.query);
        }
        let mut request = api.client.request("POST", &path);
        if !self.media_type.is_empty() {
            request = request.header("Content-Type", &self.media_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.send_bytes(&self.body).unwrap_or_else(|error| panic!("{} ({handler}): no answer: {error}", self.kind))
    }
}

/// A sound study, of which kinds take files: they would be taken but for what is wrong with them.
fn study() -> Study {
    Study::new(Modality::Ct, 81).patient("HOSTILE", "HOSTILE")
}

/// Two sound files.
fn two_files() -> (Vec<u8>, Vec<u8>) {
    let files: Vec<_> = study().files().collect();
    (files[0].bytes.clone(), files[1].bytes.clone())
}

/// What was there before and must stay.
fn kept() -> Study {
    Study::new(Modality::Mr, 71).patient("KEPT", "KEPT")
}

/// A service, and its chunks with one session in it. What a refused upload has written must go with the refusal, not
/// with the sweep, which leaves unfinished uploads alone for a day.
fn service() -> (ServiceProcess, usize) {
    let service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.put("/data/projects/P1/subjects/S1").status, 201);
    api.import("P1", &kept());
    // What is taken for the first time (a login, a component) is not counted as the growth of what comes next.
    let response = api.send(DESTINATION, "application/zip", b"PK\x03\x04");
    assert_eq!(response.status, 400, "{}", response.text());
    let chunks = service.stores().chunks();
    (service, chunks)
}

/// Nothing is listed but what was there, and no bytes are left in the store.
#[track_caller]
fn assert_nothing_left(what: &str, service: &ServiceProcess, chunks: usize) {
    let api = service.api();
    let list = api.table("/data/prearchive/projects");
    assert_eq!(list.column("name"), ["KEPT"], "{what}: the prearchive list has changed");
    eventually(SOON, &format!("{what}: chunks of the upload are left in the store"), || {
        // A listing gives the service a chance to do what is due.
        api.table("/data/prearchive/projects");
        (service.stores().chunks() == chunks).then_some(())
    });
}

/// Nothing of our inside is told.
#[track_caller]
fn assert_discreet(what: &str, text: &str) {
    for leak in ["panicked", "RUST_BACKTRACE", "src/", ".rs:", "Error(", "Err(", "<script", "<img"] {
        assert!(!text.contains(leak), "{what}: the answer has {leak:?}: {text}");
    }
}

#[test]
fn each_kind_is_refused_in_time_in_bounded_memory_and_leaves_nothing() {
    let (service, chunks) = service();
    let api = service.api();
    let mut kinds: Vec<Hostile> = [zip::kinds(), tar::kinds(), compressed::kinds()].into_iter().flatten().collect();
    let of_xar = xar::kinds(&kinds);
    kinds.extend([multipart::kinds(), dicom::kinds(), request::kinds(), transport::kinds()].into_iter().flatten());
    kinds.extend(of_xar);
    let mut wrong = Vec::new();
    println!("{:<64} {:<14} {:>6} {:>6} {:>6} {:>5}  sentence", "kind", "handler", "status", "ms", "work", "MiB");
    for kind in &kinds {
        for handler in kind.handlers {
            let what = format!("{} ({handler})", kind.kind);
            service.forget_peak();
            let before = service.peak_bytes();
            let worked = service.processor_time();
            let started = Instant::now();
            let response = kind.send(&api, handler);
            let took = started.elapsed();
            let work = service.processor_time().zip(worked).map(|(after, before)| after.saturating_sub(before));
            let growth = service.peak_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
            let is_refused = (400..500).contains(&response.status);
            let text = response.text();
            let said = if is_refused && !text.is_empty() { sentence(&response) } else { text.clone() };
            println!(
                "{:<64} {handler:<14} {:>6} {:>6} {:>6} {:>5}  {}{}",
                kind.kind,
                response.status,
                took.as_millis(),
                work.map_or_else(String::new, |work| work.as_millis().to_string()),
                growth.map_or_else(String::new, |bytes| (bytes >> 20).to_string()),
                said.chars().take(200).collect::<String>().escape_debug(),
                if kind.because.is_empty() { String::new() } else { format!(" (may take longer: {})", kind.because) }
            );
            if !is_refused {
                wrong.push(format!("{what}: {} {text}", response.status));
                // So that what follows is still told.
                for uri in text.lines().filter(|line| line.starts_with("/data/")) {
                    let _ = api.client.delete(uri.trim());
                }
                continue;
            }
            if !said.contains(kind.word) {
                wrong.push(format!("{what}: the sentence does not name {:?}: {said}", kind.word));
            }
            if took > MAX_TIME {
                wrong.push(format!("{what}: it took {} ms", took.as_millis()));
            }
            if work.is_some_and(|work| work > kind.max_work) {
                wrong.push(format!("{what}: it took {work:?} of processor time"));
            }
            if growth.is_some_and(|growth| growth > MAX_GROWTH_BYTES) {
                wrong.push(format!("{what}: the service grew by {growth:?} bytes"));
            }
            assert_discreet(&what, &text);
            assert_nothing_left(&what, &service, chunks);
        }
    }
    println!("{} kinds", kinds.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(kinds.len() >= 40, "only {} kinds", kinds.len());
    assert!(api.table("/data/projects/P1/experiments").rows.is_empty());
    // And the service goes on.
    let uri = api.import("P1", &study());
    api.assert_holds(&uri, &study());
    let list = api.table("/data/prearchive/projects");
    api.assert_holds(&format!("/data{}", list.row("name", "KEPT").get("url")), &kept());
}

#[test]
fn the_same_builders_without_a_lie_are_taken() {
    let (service, _) = service();
    let api = service.api();
    let sound = [zip::sound(), tar::sound(), compressed::sound(), multipart::sound(), dicom::sound()];
    for kind in sound.into_iter().flatten() {
        for handler in kind.handlers {
            let response = kind.send(&api, handler);
            assert_eq!(response.status, 200, "{} ({handler}): {}", kind.kind, response.text());
        }
    }
}

#[test]
fn names_with_markup_are_cleaned_or_refused_and_never_shown_as_markup() {
    let (service, _) = service();
    let api = service.api();
    let zip = zip_study(&study());
    for markup in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a&amp;b'c", "{{7*7}}", "$(reboot)"]
    {
        for parameter in ["session", "subject", "EXPT_LABEL", "SUBJECT_ID", "VISIT", "SOURCE", "TIMEZONE"] {
            let query = format!("{DESTINATION}&{parameter}={}", encode(markup));
            let response = api.send(&query, "application/zip", &zip);
            assert!(matches!(response.status, 200 | 400), "{query}: {} {}", response.status, response.text());
            assert_discreet(&query, &response.text());
        }
    }
    let rows = api.table("/data/prearchive/projects/P1");
    for label in rows.column("name").into_iter().chain(rows.column("subject")) {
        let is_plain = label.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
        assert!(is_plain, "a label with markup: {label:?}");
    }
    for format in ["html", "xml"] {
        let page = api.get(&format!("/data/prearchive/projects/P1?format={format}")).text();
        assert_discreet(format, &page);
    }
    for row in &rows.rows {
        let uri = format!("/data{}", row.get("url"));
        for page in [format!("{uri}?format=xml"), format!("{uri}/logs?format=html"), format!("{uri}/scans?format=html")]
        {
            assert_discreet(&page, &api.get(&page).text());
        }
    }
}
