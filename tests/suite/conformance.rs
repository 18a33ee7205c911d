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
    let mut failures = Vec::new();
    for store in ["records", "blobs"] {
        for case in &cases {
            let response = client.get(&format!("/conformance/{store}/{case}")).unwrap();
            println!("{store}/{case}: {}", response.text());
            if response.status != 200 {
                failures.push(format!("{store}/{case}: {} {}", response.status, response.text()));
            }
        }
    }
    assert!(failures.is_empty(), "{} cases failed:\n{}", failures.len(), failures.join("\n"));
}
