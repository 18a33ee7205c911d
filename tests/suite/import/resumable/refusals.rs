//! What the protocol refuses.

use narthex_tests::{Service, sentence, zip_study};

use super::{BYTES, RESUMABLE, add, begin, create, imported, offset, patch, service, status, study};

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let (_service, api) = service();
    let zip = zip_study(&study(2));
    let path = begin(&api, "project=P1", zip.len());
    let half = zip.len() / 2;
    assert_eq!(patch(&api, &path, 0, &zip[..half]).status, 204);
    for wrong in [0, half - 1, half + 1, zip.len(), zip.len() + 1] {
        let refused = patch(&api, &path, wrong, &zip[half..]);
        assert_eq!((refused.status, refused.header("tus-resumable")), (409, Some("1.0.0")), "{wrong}");
        assert!(sentence(&refused).contains(&half.to_string()), "{}", sentence(&refused));
    }
    let with = |headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(api.client.request("PATCH", &path), |it, (name, value)| it.header(name, value));
        let response = request.send_bytes(&zip[half..]).unwrap();
        sentence(&response);
        assert_eq!(response.header("tus-resumable"), Some("1.0.0"));
        response
    };
    let at = half.to_string();
    let (at, version, kind) = (("Upload-Offset", at.as_str()), ("Tus-Resumable", "1.0.0"), ("Content-Type", BYTES));
    let other = with(&[("Tus-Resumable", "0.2.2"), at, kind]);
    assert_eq!((other.status, other.header("tus-version")), (412, Some("1.0.0")));
    assert_eq!(with(&[at, kind]).status, 412);
    assert_eq!(with(&[version, at, ("Content-Type", "application/zip")]).status, 415);
    assert_eq!(with(&[version, at]).status, 415);
    assert_eq!(with(&[version, kind]).status, 400);
    for value in ["-1", "x", "", "1.5", "99999999999999999999999"] {
        assert_eq!(with(&[version, kind, ("Upload-Offset", value)]).status, 400, "{value}");
    }
    assert_eq!(with(&[version, kind, at, ("Upload-Checksum", "sha1 AAAA")]).status, 400);
    assert_eq!(offset(&api, &path), half);
    // What is too long is taken as far as it belongs there, but for the last byte, which starts the import.
    let longer = [&zip[half..], b"more"].concat();
    let refused = patch(&api, &path, half, &longer);
    assert_eq!(refused.status, 400, "{}", refused.text());
    let reached = offset(&api, &path);
    assert_eq!((reached, status(&api, &path)["state"].as_str()), (zip.len() - 1, Some("receiving")));
    let done = add(&api, &path, reached, &zip[reached..]);
    assert_eq!(done.status, 204, "{}", done.text());
    api.assert_holds(&imported(&api, &path)[0], &study(2));
    let beyond = patch(&api, &path, zip.len(), b"x");
    assert_eq!(beyond.status, 400, "{}", beyond.text());
    assert_eq!(patch(&api, &path, zip.len(), b"").status, 204);
    let gone = patch(&api, &format!("{RESUMABLE}/0123"), 0, b"x");
    assert_eq!((gone.status, gone.header("tus-resumable")), (404, Some("1.0.0")));
}

#[test]
fn an_upload_that_is_refused_with_its_creation_can_be_addressed() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let request = api.client.request("POST", &format!("{RESUMABLE}?project=P1")).header("Tus-Resumable", "1.0.0");
    let request = request.header("Upload-Length", "10").header("Content-Type", "application/offset+octet-stream");
    let refused = request.send_bytes(&[0; 20]).unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    let address = refused.header("location").expect("an address").to_owned();
    let path = &address[address.find("/data/").unwrap()..];
    let removed = api.client.request("DELETE", path).header("Tus-Resumable", "1.0.0").send_bytes(b"").unwrap();
    assert_eq!(removed.status, 204, "{}", removed.text());
    assert_eq!(service.stores().chunks(), 0);
}

#[test]
fn an_upload_that_cannot_be_begun_is_refused_at_once() {
    let service = Service::with(&[("max_upload_bytes", "60000")]);
    let api = service.api();
    api.project("P1");
    let too_large = create(&api, "project=P1", 60_001);
    assert_eq!(too_large.status, 413);
    assert!(sentence(&too_large).contains("60000"));
    for (query, status) in [
        ("project=GHOST", 404),
        ("import-handler=nonsense", 404),
        ("import-handler=inbox", 501),
        ("src=/user/cache/resources/X/files/a.zip", 400),
        ("http-session-listener=x", 400),
        ("dest=/nowhere", 400),
        ("project=P1&xnat:mrSessionData/date=x", 400),
    ] {
        let refused = create(&api, query, 1_000);
        assert_eq!(refused.status, status, "{query}: {}", refused.text());
        assert_eq!(refused.header("tus-resumable"), Some("1.0.0"), "{query}");
        sentence(&refused);
    }
    assert_eq!(create(&api, "project=P1", 0).status, 400);
    let request = || api.client.request("POST", RESUMABLE);
    assert_eq!(request().header("Tus-Resumable", "1.0.0").send_bytes(b"").unwrap().status, 400);
    assert_eq!(request().header("Upload-Length", "10").send_bytes(b"").unwrap().status, 412);
    let deferred = request().header("Tus-Resumable", "1.0.0").header("Upload-Defer-Length", "1");
    assert_eq!(deferred.send_bytes(b"").unwrap().status, 400);
    let long = format!("project=P1&SOURCE={}", "x".repeat(9_000));
    assert!([400, 414].contains(&create(&api, &long, 1_000).status));
    assert_eq!(service.stores().keys().iter().filter(|key| key.starts_with("resumable:")).count(), 0);
}

#[test]
fn whoever_only_looks_is_told_off_for_another_version_alone() {
    let (_service, api) = service();
    let path = begin(&api, "project=P1", 10);
    for (method, version, status) in
        [("HEAD", Some("1.0.0"), 200), ("HEAD", Some("0.2.2"), 412), ("GET", Some("0.2.2"), 412), ("GET", None, 200)]
    {
        let request = api.client.request(method, &path);
        let request = version.iter().fold(request, |request, version| request.header("Tus-Resumable", version));
        assert_eq!(request.send().unwrap().status, status, "{method} {version:?}");
    }
}

#[test]
fn what_a_browser_may_do_unasked_is_never_taken_for_anything_else() {
    let (_service, api) = service();
    let path = begin(&api, "project=P1", 10);
    let overridden = |method: &str, path: &str, named: &str| {
        let request = api.client.request(method, path).header("Tus-Resumable", "1.0.0");
        request.header("X-HTTP-Method-Override", named).send().unwrap().status
    };
    for named in ["DELETE", "PATCH", "POST"] {
        assert_eq!(overridden("GET", &path, named), 400, "{named}");
    }
    assert_eq!(offset(&api, &path), 0);
    assert_eq!(overridden("POST", &path, "DELETE"), 204);
    assert_eq!(api.get(&path).status, 404);
}
