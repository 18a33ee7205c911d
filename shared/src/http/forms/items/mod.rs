//! What a client says of a subject, experiment or scan, in parameters or in a document.

mod assessor;
mod experiment;
mod present;
mod scan;
mod subject;
#[cfg(test)]
mod tests;

pub use assessor::AssessorForm;
pub use experiment::ExperimentForm;
pub use present::{Present, PresentScan};
pub use scan::ScanForm;
pub use subject::{SUBJECT_FIELDS, SubjectForm};

use super::project::CONTROLS;
use crate::http::{ClientError, Params};
use crate::imaging::Field;
use crate::imaging::session::document_date;

/// The parameters that say what an item is.
fn asked(params: &Params) -> impl Iterator<Item = (&str, &str)> {
    params.iter().filter(|(name, _)| !CONTROLS.contains(name))
}

/// The path that a parameter's name means: without a data type before it, and without predicates that name a type.
fn path_of(name: &str, types: &[&str]) -> String {
    let path = types.iter().find_map(|kind| name.strip_prefix(kind)?.strip_prefix('/')).unwrap_or(name);
    let without_type = |step: &str| match step.split_once("[@xsi:type") {
        Some((step, _)) => step.to_owned(),
        None => step.to_owned(),
    };
    path.split('/').map(without_type).collect::<Vec<_>>().join("/")
}

fn unknown_field(what: &str, path: &str) -> ClientError {
    let shown: String = path.chars().take(100).collect();
    ClientError::bad_request("unknown-field", format!("{what} has no field {shown:?} that can be set; leave it out."))
}

/// A field of an experiment, checked where its type says what it may be; a date has one form.
///
/// # Errors
/// 400 for a date, time or age that is none.
pub(in crate::http) fn field(path: &str, value: &str) -> Result<Field, ClientError> {
    let trimmed = value.trim();
    let bad = |sentence: &str| ClientError::bad_request("bad-value", sentence);
    let value = match path {
        _ if value.is_empty() => String::new(),
        "date" => date(trimmed).ok_or_else(|| bad("The date must be given as yyyy-MM-dd or MM/dd/yyyy."))?,
        "time" if !is_time(trimmed) => return Err(bad("The time must be given as HH:mm:ss.")),
        "age" if !is_decimal(trimmed) => return Err(bad("The age must be a number.")),
        "time" | "age" => trimmed.to_owned(),
        _ => value.to_owned(),
    };
    Ok(Field::text(path, value))
}

/// `HH:mm` or `HH:mm:ss`, with fractions of a second and a time zone at most (XML Schema's `time`).
fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', '+', '-']).and_then(|at| text.split_at_checked(at)) {
        Some((clock, zone)) => (clock, zone),
        None => (text, "Z"),
    };
    let is_zone = zone == "Z" || zone.get(1..).is_some_and(|offset| offset.len() == 5 && is_clock(offset));
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let has_seconds = whole.matches(':').count() == 2;
    let is_fraction = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_zone && is_clock(whole) && is_fraction && (has_seconds || clock == whole)
}

/// Hours, minutes and perhaps seconds.
fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let below = |(part, limit): (&&str, u32)| {
        (1..=2).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|number| number < limit)
    };
    matches!(parts.len(), 2 | 3) && parts.iter().zip([24, 60, 60]).all(below)
}

fn is_decimal(text: &str) -> bool {
    text.len() <= 32 && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `yyyy-MM-dd`, of that or `MM/dd/yyyy`.
fn date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let (year, month, day) = match (text.contains('/'), parts.as_slice()) {
        (false, [year, month, day]) => (*year, *month, *day),
        (true, [month, day, year]) => (*year, *month, *day),
        _ => return None,
    };
    document_date(year, month, day)
}
