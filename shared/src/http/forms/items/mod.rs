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

/// A field of an experiment, whose date has one form.
fn field(path: &str, value: &str) -> Result<Field, ClientError> {
    let value = match path {
        "date" if !value.is_empty() => date(value.trim()).ok_or_else(|| {
            ClientError::bad_request("bad-value", "The date must be given as yyyy-MM-dd or MM/dd/yyyy.")
        })?,
        _ => value.to_owned(),
    };
    Ok(Field::text(path, value))
}

/// `yyyy-MM-dd`, of that or `MM/dd/yyyy`.
fn date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let (year, month, day) = match (text.contains('/'), parts.as_slice()) {
        (false, [year, month, day]) => (*year, *month, *day),
        (true, [month, day, year]) => (*year, *month, *day),
        _ => return None,
    };
    let in_range = |text: &str, digits: usize, most: u32| {
        text.len() <= digits
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|n| (1..=most).contains(&n))
    };
    let is_date = year.len() == 4 && in_range(year, 4, 9999) && in_range(month, 2, 12) && in_range(day, 2, 31);
    is_date.then(|| format!("{year}-{month:0>2}-{day:0>2}"))
}
