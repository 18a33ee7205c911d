//! Answers compared with files that were looked at by a person.

use std::fs;
use std::path::PathBuf;

use narthex_tests::root;

/// Set to anything, it has the files written anew instead of compared.
const WRITE: &str = "NARTHEX_WRITE_GOLDEN";

/// Fails unless an answer is what the file of that name holds, but for times.
#[track_caller]
pub fn check(name: &str, answer: &str) {
    let file: PathBuf = root().join("tests").join("golden").join(name);
    let answer = without_times(answer);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&file, &answer).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        return;
    }
    let golden = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; run with {WRITE}=1 to write it", file.display()));
    assert!(
        golden == answer,
        "the answer is not as in {}; run with {WRITE}=1 to write it anew and look at what differs:\n{answer}",
        file.display()
    );
}

/// Moments become `{time}`, numbers of milliseconds `{ms}`.
pub fn without_times(text: &str) -> String {
    replace(&replace(text, "9999-99-99 99:99:99.999", "{time}"), "9999999999999", "{ms}")
}

/// Replaces what has a form, in which 9 stands for any digit, and is not followed by a further digit nor after one.
fn replace(text: &str, form: &str, by: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let bytes = rest.as_bytes();
        let is_free = !out.ends_with(|last: char| last.is_ascii_digit() || last == '.');
        let fits = bytes.len() >= form.len()
            && bytes.iter().zip(form.bytes()).all(|(byte, form)| match form {
                b'9' => byte.is_ascii_digit(),
                form => *byte == form,
            })
            && !bytes.get(form.len()).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
        let (taken, written) = match (is_free && fits, rest.chars().next()) {
            (true, _) => (form.len(), by.to_owned()),
            (false, first) => (first.map_or(1, char::len_utf8), first.map(String::from).unwrap_or_default()),
        };
        out.push_str(&written);
        rest = &rest[taken..];
    }
    out
}

#[test]
fn only_what_is_a_moment_is_replaced() {
    let text = "a 2024-05-01 00:00:00.0, 2024-05-01 10:11:12.123 1732492800123 1.2.1732492800123 17324928001234";
    assert_eq!(without_times(text), "a 2024-05-01 00:00:00.0, {time} {ms} 1.2.1732492800123 17324928001234");
}
