//! Limits, each of which is met while counting and not by what headers say.

use super::builder::{deflated, stored, zip, zip_with};
use super::harness::{WAYS, take_in};
use crate::limits::Limits;

#[track_caller]
fn limited(body: &[u8], limits: Limits, codes: &[&str]) {
    for way in WAYS {
        let error = take_in(body, way, limits).map(|_| ()).unwrap_err();
        assert!(codes.contains(&error.code()) && error.is_too_large(), "{way:?}: {}: {error}", error.code());
    }
}

#[test]
fn an_upload_over_the_limit_is_refused_as_it_passes() {
    let body = zip(&[deflated("a", b"x")]);
    let limits = Limits { max_upload_bytes: body.len() as u64 - 1, ..Limits::default() };
    let error = take_in(&body, Some(10), limits).unwrap_err();
    assert_eq!(error.code(), "upload.too_large");
    let limits = Limits { max_upload_bytes: body.len() as u64, ..Limits::default() };
    assert!(take_in(&body, Some(10), limits).is_ok());
}

#[test]
fn too_many_entries_are_refused() {
    let parts: Vec<_> = (0..20).map(|number| stored(format!("{number}"), b"")).collect();
    limited(&zip(&parts), Limits { max_entries: 19, ..Limits::default() }, &["zip.too_many_entries"]);
    assert!(take_in(&zip(&parts), None, Limits { max_entries: 20, ..Limits::default() }).is_ok());
}

#[test]
fn a_count_that_is_announced_only_is_refused_before_anything_is_allocated() {
    let body = zip_with(&[], |end| (end.zip64, end.entries, end.entries_here) = (true, 1 << 40, 1 << 40));
    limited(&body, Limits::default(), &["zip.too_many_entries"]);
    let body = zip_with(&[], |end| (end.zip64, end.directory_bytes) = (true, 1 << 40));
    limited(&body, Limits::default(), &["zip.directory.too_large"]);
}

#[test]
fn a_file_over_the_limit_is_refused_whether_its_headers_say_so_or_not() {
    let limits = Limits { max_entry_bytes: 99_999, ..Limits::default() };
    let data = vec![0; 100_000];
    limited(&zip(&[deflated("a", &data)]), limits, &["zip.entry.too_large"]);
    limited(&zip(&[stored("a", &data)]), limits, &["zip.entry.too_large"]);
    limited(&zip(&[deflated("a", &data).described(true, false)]), limits, &["zip.entry.too_large"]);
    let lying = deflated("a", &data).both(|head| head.len = 10);
    for way in WAYS {
        assert_eq!(take_in(&zip(std::slice::from_ref(&lying)), way, limits).unwrap_err().code(), "zip.entry.length");
    }
}

#[test]
fn files_that_are_too_large_together_are_refused() {
    let limits = Limits { max_inflated_bytes: 150_000, ..Limits::default() };
    let data = vec![0; 100_000];
    let body = zip(&[deflated("a", &data), deflated("b", &data)]);
    limited(&body, limits, &["zip.inflated_too_large"]);
    let body = zip(&[deflated("a", &data).described(true, false), deflated("b", &data).described(true, false)]);
    limited(&body, limits, &["zip.inflated_too_large"]);
}

#[test]
fn a_bomb_is_refused_beyond_its_free_allowance() {
    let free = 1 << 20;
    let limits = Limits { ratio_free_entry_bytes: free, ratio_free_total_bytes: 3 * free, ..Limits::default() };
    let zeros = |bytes: u64| vec![0; bytes as usize];
    // Blank images pass.
    for way in WAYS {
        assert!(take_in(&zip(&[deflated("a", &zeros(free)), deflated("b", &zeros(free))]), way, limits).is_ok());
    }
    let bomb = deflated("bomb", &zeros(2 * free));
    limited(&zip(std::slice::from_ref(&bomb)), limits, &["zip.entry.ratio"]);
    limited(&zip(&[bomb.described(true, false)]), limits, &["zip.entry.ratio"]);
    let many: Vec<_> = (0..4).map(|number| deflated(format!("{number}"), &zeros(free))).collect();
    limited(&zip(&many), limits, &["zip.ratio"]);
}
