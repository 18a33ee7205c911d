//! Each user has a cache of their own.

use narthex_tests::Service;

use super::{CACHE, delete, put, send};
use crate::access::user;

#[test]
fn nobody_sees_or_changes_the_cache_of_another_not_even_administrators() {
    let service = Service::with(&[("require_login", "false")]);
    let admin = service.api();
    let anna = narthex_tests::Api { client: user(&admin.client, "anna") };
    let bert = narthex_tests::Api { client: user(&admin.client, "bert") };
    put(&anna, "X/files/secret", b"anna's");
    for other in [&bert, &admin] {
        assert!(other.table(CACHE).rows.is_empty());
        for path in ["X", "X/files", "X/files/secret", "X?format=zip"] {
            assert_eq!(other.get(&format!("{CACHE}/{path}")).status, 404, "{path}");
        }
        assert_eq!(delete(other, "X/files/secret").status, 404);
        assert_eq!(delete(other, "X").status, 404);
        put(other, "X/files/secret", b"mine");
        assert_eq!(other.bytes(&format!("{CACHE}/X/files/secret")), b"mine");
        assert_eq!(delete(other, "X").status, 200);
    }
    assert_eq!(anna.bytes(&format!("{CACHE}/X/files/secret")), b"anna's");
    let guest = narthex_tests::Api { client: admin.client.anonymous() };
    for path in ["", "/X", "/X/files/secret"] {
        assert_eq!(guest.get(&format!("{CACHE}{path}")).status, 401, "{path}");
    }
    assert_eq!(send(&guest, "PUT", &format!("{CACHE}/X/files/a"), "text/plain", b"x").status, 401);
}

#[test]
fn sixteen_clients_of_one_user_lose_no_file() {
    let service = Service::start();
    std::thread::scope(|scope| {
        for client in 0..16 {
            let api = service.api();
            scope.spawn(move || {
                for number in 0..3 {
                    put(&api, &format!("X/files/{client}-{number}"), format!("{client}").as_bytes());
                }
            });
        }
    });
    assert_eq!(service.api().table(&format!("{CACHE}/X")).rows.len(), 48);
}
