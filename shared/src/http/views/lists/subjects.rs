//! Lists of subjects.

use super::{ListField, ListKind, Listing, TYPE, URI};
use crate::domain::archive::Subject;
use crate::domain::time::date_time;
use crate::http::Table;
use crate::http::views::subject::value_at;

macro_rules! fields {
    ($($name:literal $xpath:literal)*) => { &[$(ListField { name: $name, xpath: concat!("xnat:subjectData/", $xpath), path: $xpath }),*] };
}

/// What a list of subjects can be asked for.
pub static SUBJECTS: ListKind = ListKind {
    fields: fields! {
        "ID" "ID"
        "project" "project"
        "label" "label"
        "group" "group"
        "src" "src"
        "initials" "initials"
        "pi_firstname" "investigator/firstname"
        "pi_lastname" "investigator/lastname"
        "dob" "demographics/dob"
        "yob" "demographics/yob"
        "age" "demographics/age"
        "gender" "demographics/gender"
        "handedness" "demographics/handedness"
        "ses" "demographics/ses"
        "education" "demographics/education"
        "educationDesc" "demographics/educationDesc"
        "race" "demographics/race"
        "ethnicity" "demographics/ethnicity"
        "weight" "demographics/weight"
        "height" "demographics/height"
        "gestational_age" "demographics/gestational_age"
        "post_menstrual_age" "demographics/post_menstrual_age"
        "birth_weight" "demographics/birth_weight"
        "insert_date" "meta/insert_date"
        "insert_user" "meta/insert_user/login"
        "last_modified" "meta/last_modified"
    },
    defaults: &["ID", "project", "label", "insert_date", "insert_user"],
    common_types: &[SUBJECT_TYPE],
    type_suffix: "",
    schema: &["ID", "project", "label", "group", "src", "initials", "investigator", "demographics", "fields"],
};

const SUBJECT_TYPE: &str = "xnat:subjectData";

/// The list of these subjects.
pub fn table(listing: &Listing, subjects: &[Subject]) -> Table {
    let wanted = subjects.iter().filter(|_| listing.wants_type(SUBJECT_TYPE));
    listing.table("Subjects", wanted.map(|subject| listing.row(SUBJECT_TYPE, |path| value(subject, path))).collect())
}

fn value(subject: &Subject, path: &str) -> String {
    match path {
        "ID" => subject.id.clone(),
        "project" => subject.project.clone(),
        "label" => subject.label.clone(),
        "meta/insert_date" => date_time(subject.insert_ms),
        "meta/insert_user/login" => subject.insert_user.clone(),
        "meta/last_modified" => date_time(subject.last_modified_ms()),
        TYPE => SUBJECT_TYPE.to_owned(),
        URI => format!("/data/subjects/{}", subject.id),
        path => value_at(subject, path),
    }
}
