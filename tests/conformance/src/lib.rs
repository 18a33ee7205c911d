//! The storage conformance suite, as a component: each case runs on a real store of the host.
//!
//! `GET /conformance` lists the cases; `GET /conformance/STORE/CASE` runs one on the store of this label and answers
//! 200 `passed`, or 500 with what failed.

use narthex::storage::conformance::{Bench, CASES, run};
use narthex::storage::kv::KvStore;
use spin_sdk::http::{Request, StatusCode};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> (StatusCode, String) {
    let path = request.uri().path().trim_matches('/').to_owned();
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["conformance"] => match serde_json::to_string(CASES) {
            Ok(list) => (StatusCode::OK, list),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        ["conformance", store, case] => on_store(store, case).await,
        _ => (StatusCode::NOT_FOUND, "no such case".to_owned()),
    }
}

async fn on_store(label: &str, case: &str) -> (StatusCode, String) {
    let store = match KvStore::open(label).await {
        Ok(store) => store,
        Err(error) => return (StatusCode::NOT_FOUND, error.to_string()),
    };
    // Keys of their own for each run, so that a suite may run twice on one store.
    let mut word = [0_u8; 8];
    if let Err(error) = getrandom::fill(&mut word) {
        return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    }
    let word = format!("{:016x}", u64::from_le_bytes(word));
    match run(Bench::new(store, &word), case).await {
        Some(Ok(())) => (StatusCode::OK, "passed".to_owned()),
        Some(Err(failure)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{case}: {failure}")),
        None => (StatusCode::NOT_FOUND, "no such case".to_owned()),
    }
}
