use super::*;

const MODIFIED: &str = "Thu, 20 Jun 2024 10:11:12 GMT";
const MODIFIED_MS: u64 = 1_718_878_272_345;

fn file() -> Representation {
    Representation { length_bytes: 100, etag: Some(ETag::strong("a,b\"c\n1")), modified_ms: Some(MODIFIED_MS) }
}

fn decide(pairs: &[(&str, &str)]) -> Result<Plan, DownloadError> {
    decide_with(&Method::GET, pairs, &file())
}

fn decide_with(method: &Method, pairs: &[(&str, &str)], file: &Representation) -> Result<Plan, DownloadError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    Plan::decide(method, &headers, file)
}

fn part(first: u64, last: u64) -> Result<Plan, DownloadError> {
    Ok(Plan::Part { first, last })
}

#[test]
fn one_range_of_bytes_is_served() {
    for (range, expected) in [
        ("bytes=0-0", part(0, 0)),
        ("bytes=10-19", part(10, 19)),
        ("bytes=10-", part(10, 99)),
        ("bytes=10-9999", part(10, 99)),
        ("bytes=-10", part(90, 99)),
        ("bytes=-1000", part(0, 99)),
        ("Bytes = 1-2", part(1, 2)),
        ("bytes=0-99999999999999999999999", part(0, 99)),
    ] {
        assert_eq!(decide(&[("range", range)]), expected, "{range}");
    }
}

#[test]
fn what_is_no_single_range_is_answered_with_the_whole() {
    for range in
        ["bytes=1-2,4-5", "lines=1-2", "bytes=2-1", "bytes=a-b", "bytes=-", "bytes", "", "bytes=+1-2", "bytes=1"]
    {
        assert_eq!(decide(&[("range", range)]), Ok(Plan::Whole), "{range}");
    }
    assert_eq!(decide(&[("range", "bytes=1-2"), ("range", "bytes=3-4")]), Ok(Plan::Whole));
    assert_eq!(decide_with(&Method::HEAD, &[("range", "bytes=1-2")], &file()), Ok(Plan::Whole));
}

#[test]
fn ranges_behind_the_end_are_refused() {
    for range in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"] {
        let expected = Err(DownloadError::RangeNotSatisfiable { length_bytes: 100 });
        assert_eq!(decide(&[("range", range)]), expected, "{range}");
    }
    let empty = Representation { length_bytes: 0, ..file() };
    for range in ["bytes=0-", "bytes=-5"] {
        assert!(decide_with(&Method::GET, &[("range", range)], &empty).is_err());
    }
}

#[test]
fn unchanged_files_are_not_sent_again() {
    for pairs in [
        [("if-none-match", "\"abc1\"")],
        [("if-none-match", "\"x\", W/\"abc1\"")],
        [("if-none-match", "*")],
        [("if-modified-since", MODIFIED)],
        [("if-modified-since", "Fri, 21 Jun 2024 00:00:00 GMT")],
    ] {
        assert_eq!(decide(&pairs), Ok(Plan::NotModified), "{pairs:?}");
    }
    for pairs in [
        vec![("if-none-match", "\"x\"")],
        vec![("if-none-match", "\"x\""), ("if-modified-since", MODIFIED)],
        vec![("if-modified-since", "Wed, 19 Jun 2024 00:00:00 GMT")],
        vec![("if-modified-since", "nonsense")],
    ] {
        assert_eq!(decide(&pairs), Ok(Plan::Whole), "{pairs:?}");
    }
    let put = decide_with(&Method::PUT, &[("if-none-match", "*")], &file());
    assert_eq!(put, Err(DownloadError::PreconditionFailed));
}

#[test]
fn expectations_that_do_not_hold_are_refused() {
    for pairs in [
        [("if-match", "\"x\"")],
        [("if-match", "W/\"abc1\"")],
        [("if-unmodified-since", "Wed, 19 Jun 2024 00:00:00 GMT")],
    ] {
        assert_eq!(decide(&pairs), Err(DownloadError::PreconditionFailed), "{pairs:?}");
    }
    for pairs in [[("if-match", "\"abc1\"")], [("if-match", "*")], [("if-unmodified-since", MODIFIED)]] {
        assert_eq!(decide(&pairs), Ok(Plan::Whole), "{pairs:?}");
    }
}

#[test]
fn a_range_of_another_version_is_answered_with_the_whole() {
    for (value, holds) in [
        ("\"abc1\"", true),
        (MODIFIED, true),
        ("\"x\"", false),
        ("W/\"abc1\"", false),
        ("Fri, 21 Jun 2024 00:00:00 GMT", false),
        ("nonsense", false),
    ] {
        let expected = if holds { part(1, 2) } else { Ok(Plan::Whole) };
        assert_eq!(decide(&[("range", "bytes=1-2"), ("if-range", value)]), expected, "{value}");
    }
}

#[test]
fn the_answer_describes_what_it_carries() {
    let mut headers = HeaderMap::new();
    let plan = Plan::Part { first: 10, last: 19 };
    plan.describe(&file(), &mut headers);
    assert_eq!(plan.status(), 206);
    assert_eq!(plan.extent(&file()), Some((10, 10)));
    assert_eq!(headers["content-range"], "bytes 10-19/100");
    assert_eq!(headers["content-length"], "10");
    assert_eq!(headers["etag"], "\"abc1\"");
    assert_eq!(headers["last-modified"], MODIFIED);
    Plan::NotModified.describe(&file(), &mut headers);
    assert!(!headers.contains_key("content-length"));
    assert_eq!(http_date(u64::MAX), None);
    assert!(http_date(253_402_300_799_000).is_some());
}
