//! The storage conformance suite inside the host, on its real SQLite stores.

use narthex_tests::{Service, root};

#[test]
fn every_case_passes_on_the_stores_of_the_host() {
    let service = Service::of(&root().join("tests/conformance/spin.toml"), &[]);
    let client = service.client().anonymous();
    let list = client.get("/conformance").unwrap();
    assert_eq!(list.status, 200, "{}", list.text());
    let cases: Vec<String> = serde_json::from_slice(&list.body).unwrap();
    assert!(cases.len() > 10, "{cases:?}");
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let response = client.get(&format!("/conformance/{case}")).unwrap();
            println!("{case}: {}", response.text());
            (response.status != 200).then(|| format!("{case}: {} {}", response.status, response.text()))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} cases failed:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
