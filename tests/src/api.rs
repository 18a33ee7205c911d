//! What tests want of the service, in one line each.

use std::collections::BTreeMap;

use crate::{Client, Response, Study, Table, encode, form, zip_study};

/// The files of a session as they can be read back: (scan, resource, path) and bytes.
pub type Content = BTreeMap<(String, String, String), Vec<u8>>;

/// A client that fails the test when the service refuses.
#[derive(Clone)]
pub struct Api {
    /// For everything that has no method here.
    pub client: Client,
}

impl Api {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// GET, whatever the status.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.client.get(path).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// GET of something that must be there.
    #[track_caller]
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let response = self.get(path);
        assert_eq!(response.status, 200, "GET {path}: {}", response.text());
        response.body
    }

    /// GET of a table.
    #[track_caller]
    pub fn table(&self, path: &str) -> Table {
        let separator = if path.contains('?') { '&' } else { '?' };
        Table::of(&self.get(&format!("{path}{separator}format=json")))
    }

    /// PUT without a body, whatever the status.
    #[track_caller]
    pub fn put(&self, path: &str) -> Response {
        self.client.put(path).unwrap_or_else(|error| panic!("PUT {path}: {error}"))
    }

    /// Makes a project.
    #[track_caller]
    pub fn project(&self, id: &str) {
        let response = self.put(&format!("/data/projects/{id}"));
        assert_eq!(response.status, 200, "making the project {id}: {}", response.text());
    }

    /// Sets a project's prearchive code.
    #[track_caller]
    pub fn code(&self, project: &str, code: u8) {
        let response = self.put(&format!("/data/projects/{project}/prearchive_code/{code}"));
        assert_eq!(response.status, 200, "setting the code {code}: {}", response.text());
    }

    /// POST to the import service, whatever the status. `query` is what follows `import-handler=SI&`.
    #[track_caller]
    pub fn send(&self, query: &str, content_type: &str, body: &[u8]) -> Response {
        let path = format!("/data/services/import?import-handler=SI&{query}");
        self.client.post(&path, content_type, body).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// Imports a zip and returns the URIs of the answer.
    #[track_caller]
    pub fn import_zip(&self, query: &str, zip: &[u8]) -> Vec<String> {
        uris(&self.send(query, "application/zip", zip))
    }

    /// Imports a study into the prearchive of a project and returns its URI, which begins with `/data/prearchive`.
    #[track_caller]
    pub fn import(&self, project: &str, study: &Study) -> String {
        let uris = self.import_zip(&format!("dest=/prearchive/projects/{project}"), &zip_study(study));
        assert_eq!(uris.len(), 1, "{uris:?}");
        uris.into_iter().next().unwrap_or_default()
    }

    /// The prearchive list of one project.
    #[track_caller]
    pub fn sessions(&self, project: &str) -> Table {
        self.table(&format!("/data/prearchive/projects/{project}"))
    }

    /// POST to the archive service with one `src`, whatever the status.
    #[track_caller]
    pub fn send_archive(&self, src: &str) -> Response {
        let body = form(&[("src", src)]);
        self.client
            .post("/data/services/archive", "application/x-www-form-urlencoded", body.as_bytes())
            .unwrap_or_else(|error| panic!("archiving {src}: {error}"))
    }

    /// Archives a session of the prearchive and returns the URI of the answer.
    #[track_caller]
    pub fn archive(&self, src: &str) -> String {
        let uris = uris(&self.send_archive(src));
        assert_eq!(uris.len(), 1, "{uris:?}");
        uris.into_iter().next().unwrap_or_default()
    }

    /// Every file of a session in the prearchive or the archive, read through its scans, resources and file lists.
    /// The sizes in the lists are compared on the way.
    #[track_caller]
    pub fn content(&self, session: &str) -> Content {
        let mut content = Content::new();
        for scan in self.table(&format!("{session}/scans")).column("ID") {
            let resources = format!("{session}/scans/{}/resources", encode(scan));
            for resource in &self.table(&resources).rows {
                let label = resource.get("label");
                let files = self.table(&format!("{resources}/{}/files", encode(label)));
                assert_eq!(resource.get("file_count"), files.rows.len().to_string(), "{resources}/{label}");
                for file in &files.rows {
                    let uri = file.get("URI");
                    let bytes = self.bytes(uri);
                    assert_eq!(file.get("Size"), bytes.len().to_string(), "{uri}");
                    let (_, path) = uri.split_once("/files/").expect("a file's URI has /files/");
                    assert!(path.ends_with(&encode(file.get("Name"))), "{uri} is named {}", file.get("Name"));
                    content.insert((scan.to_owned(), label.to_owned(), path.to_owned()), bytes);
                }
            }
        }
        content
    }

    /// Fails unless a session holds exactly the files of a study, byte for byte, each in its scan.
    #[track_caller]
    pub fn assert_holds(&self, session: &str, study: &Study) {
        let mut wanted: Vec<(String, Vec<u8>)> =
            study.files().map(|file| (file.series.to_string(), file.bytes)).collect();
        let mut found: Vec<(String, Vec<u8>)> =
            self.content(session).into_iter().map(|((scan, _, _), bytes)| (scan, bytes)).collect();
        wanted.sort();
        found.sort();
        let summary = |list: &[(String, Vec<u8>)]| -> Vec<(String, usize)> {
            list.iter().map(|(scan, bytes)| (scan.clone(), bytes.len())).collect()
        };
        assert_eq!(summary(&found), summary(&wanted), "scans and sizes in {session}");
        assert!(found == wanted, "{session} has other bytes than were sent");
    }
}

/// The URIs of an answer of the import or archive service, whose every line ends with CRLF.
#[track_caller]
fn uris(response: &Response) -> Vec<String> {
    let text = response.text();
    assert_eq!(response.status, 200, "{text}");
    let content_type = response.header("content-type").unwrap_or_default();
    assert!(content_type.starts_with("text/uri-list"), "content type {content_type:?}");
    assert!(text.ends_with("\r\n"), "the answer must end with CRLF: {text:?}");
    let lines: Vec<String> = text.trim_end_matches("\r\n").split("\r\n").map(str::to_owned).collect();
    assert!(lines.iter().all(|line| line.starts_with("/data/") && !line.contains(['\r', '\n'])), "{text:?}");
    lines
}
