use super::experiments::{EXPERIMENTS, needs_headers};
use super::scans::SCANS;
use super::subjects::SUBJECTS;
use super::*;
use crate::domain::archive::{Experiment, Subject};
use crate::http::Params;
use crate::http::forms::items::SUBJECT_FIELDS;

fn params(query: &str) -> Params {
    Params::from_query(query).unwrap()
}

fn subject(label: &str, fields: &[(&str, &str)]) -> Subject {
    let fields: std::collections::BTreeMap<&str, &str> = fields.iter().copied().collect();
    let json = serde_json::json!({
        "id": format!("XNAT_{label}"), "project": "P", "label": label, "insert_ms": 0, "insert_user": "ann", "place": 1,
        "fields": fields,
    });
    serde_json::from_value(json).unwrap()
}

fn experiment(label: &str, xsi_type: &str, date: &str) -> Experiment {
    let json = serde_json::json!({
        "id": format!("XNAT_{label}"), "project": "P", "label": label, "subject_id": "XNAT_S1", "subject_label": "S1",
        "xsi_type": xsi_type, "uid": "1.2", "date": date, "manifest": "m", "content": "c", "status": "active",
        "insert_ms": 0, "insert_user": "ann", "place": 1,
        "fields": [{ "p": "fieldStrength", "v": "3.0" }, { "p": "scanner/model", "v": "M" }],
    });
    serde_json::from_value(json).unwrap()
}

fn subjects_of(query: &str, subjects: &[Subject]) -> Table {
    subjects::table(&Listing::read(&SUBJECTS, &params(query)).unwrap(), subjects)
}

fn experiments_of(query: &str, experiments: &[Experiment]) -> Table {
    let listing = Listing::read(&EXPERIMENTS, &params(query)).unwrap();
    let wanted = experiments.iter().filter(|found| listing.wants_type(found.xsi_type.as_str()));
    let rows: Vec<_> = wanted.map(|found| (found.clone(), None)).collect();
    let homes = std::collections::BTreeMap::from([("XNAT_S1".to_owned(), "P".to_owned())]);
    experiments::table(&listing, "Experiments", &rows, &homes)
}

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| &*column.name).collect()
}

fn cells<'a>(table: &'a Table, name: &str) -> Vec<&'a str> {
    let position = table.position(name).unwrap();
    table.rows.iter().map(|row| row[position].as_str()).collect()
}

#[test]
fn short_names_are_unique_and_defaults_are_among_them() {
    for kind in [&SUBJECTS, &EXPERIMENTS, &SCANS] {
        let names: std::collections::BTreeSet<&str> = kind.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), kind.fields.len());
        for name in kind.defaults {
            assert!(names.contains(name), "{name}");
        }
        for field in kind.fields {
            assert_eq!(kind.path_of(field.name).as_deref(), Some(field.path), "{}", field.name);
            assert_eq!(kind.path_of(&field.xpath.to_lowercase()).as_deref(), Some(field.path), "{}", field.xpath);
        }
        assert_eq!(kind.fields_table().rows.len(), kind.fields.len());
    }
}

#[test]
fn lists_of_subjects_know_every_field_that_can_be_set() {
    for (name, path) in SUBJECT_FIELDS {
        assert_eq!(SUBJECTS.path_of(name).as_deref(), Some(*path), "{name}");
    }
}

#[test]
fn paths_know_the_types_that_have_them() {
    for (name, path) in [
        ("date", Some("date")),
        ("xnat:experimentdata/DATE", Some("date")),
        ("xnat:imageSessionData/scanner/model", Some("scanner/model")),
        ("xnat:mrSessionData/fieldStrength", Some("fieldStrength")),
        ("xnat:ctSessionData/fieldStrength", Some("xnat:ctSessionData/fieldStrength")),
        ("xnat:subjectData/label", Some("subject/label")),
        ("xnat:mrSessionData/subject_id", Some("xnat:mrSessionData/subject_ID")),
        ("xnat:mrSessionData/nothing", None),
        ("xnat:mrScanData/date", None),
        ("nothing", None),
        ("/", None),
    ] {
        assert_eq!(EXPERIMENTS.path_of(name).as_deref(), path, "{name}");
    }
    let dob = SUBJECTS.path_of("xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/dob");
    assert_eq!(dob.as_deref(), Some("demographics/dob"));
    assert_eq!(SCANS.path_of("xnat:mrScanData/parameters/tr").as_deref(), Some("xnat:mrScanData/parameters/tr"));
    assert_eq!(compared_as("parameters/tr"), Kind::Number);
    assert_eq!(compared_as("meta/insert_date"), Kind::Date);
    assert_eq!(compared_as("label"), Kind::Text);
}

#[test]
fn columns_keep_the_names_that_they_were_asked_for_by() {
    let found = [subject("A", &[("gender", "female")]), subject("B", &[])];
    let table = subjects_of("columns=xnat:subjectData/demographics/gender,nothing,gender,label", &found);
    assert_eq!(names(&table), ["xnat:subjectData/demographics/gender", "gender", "label", "URI"]);
    assert_eq!(cells(&table, "gender"), ["female", ""]);
    assert_eq!(cells(&table, "URI"), ["/data/subjects/XNAT_A", "/data/subjects/XNAT_B"]);
    let table = subjects_of("", &found);
    assert_eq!(names(&table), ["ID", "project", "label", "insert_date", "insert_user", "URI"]);
    assert!(table.counted);
    let table = subjects_of("columns=URI,DEFAULT", &found);
    assert_eq!(names(&table), ["URI", "ID", "project", "label", "insert_date", "insert_user"]);
}

#[test]
fn rows_are_filtered_by_what_is_not_shown_sorted_and_cut() {
    let found: Vec<Subject> = [("A", "30"), ("B", "4"), ("C", ""), ("D", "51")]
        .into_iter()
        .map(|(label, age)| subject(label, &[("age", age)][..usize::from(!age.is_empty())]))
        .collect();
    for (query, expected) in [
        ("age=4-40", "A B"),
        ("label=a,d", "A D"),
        ("label=*", "A B C D"),
        ("xnat:subjectData/demographics/age=51", "D"),
        ("sortBy=age", "B A D C"),
        ("sortBy=age&sortOrder=DESC", "D A B C"),
        ("sortBy=nothing,label&sortOrder=desc&limit=2", "D C"),
        ("limit=1&offset=2", "C"),
        ("xsiType=xnat:subjectData", "A B C D"),
        ("xsiType=xnat:mrSessionData", ""),
        ("project=q", ""),
    ] {
        let table = subjects_of(&format!("columns=label&{query}"), &found);
        assert_eq!(cells(&table, "label").join(" "), expected, "{query}");
        assert_eq!(table.counted, !query.contains("limit"));
    }
    for query in ["age=x", "insert_date=yesterday", "limit=x"] {
        assert_eq!(Listing::read(&SUBJECTS, &params(query)).unwrap_err().status.number(), 400, "{query}");
    }
}

#[test]
fn a_field_of_another_type_is_empty_and_passes_no_condition() {
    let found =
        [experiment("M", "xnat:mrSessionData", "2024-05-01"), experiment("C", "xnat:ctSessionData", "2024-06-01")];
    let table = experiments_of("columns=label,xnat:ctSessionData/fieldStrength,fieldStrength", &found);
    assert_eq!(cells(&table, "xnat:ctSessionData/fieldStrength"), ["", "3.0"]);
    assert_eq!(cells(&table, "fieldStrength"), ["3.0", "3.0"]);
    for (query, expected) in [
        ("xnat:ctSessionData/fieldStrength=3*", "C"),
        ("xsiType=xnat:mrSessionData", "M"),
        ("xsiType=xnat:mrSessionData,xnat:CTSESSIONDATA", "M C"),
        ("xsiType=xnat:subjectAssessorData", "M C"),
        ("xsiType=xnat:petSessionData", ""),
        ("date=05/01/2024-05/31/2024", "M"),
        ("xnat:subjectData/label=S1", "M C"),
        ("subject_label=S2", ""),
    ] {
        let table = experiments_of(&format!("columns=label&{query}"), &found);
        assert_eq!(cells(&table, "label").join(" "), expected, "{query}");
    }
}

#[test]
fn headers_are_needed_for_what_no_record_says() {
    let needed = |query: &str| Listing::read(&EXPERIMENTS, &params(query)).unwrap().paths().any(needs_headers);
    assert!(!needed(""));
    assert!(!needed("columns=subject_label,insert_user,UID&date=2024-05-01&xsiType=xnat:mrSessionData"));
    assert!(needed("columns=modality"));
    assert!(needed("xnat:mrSessionData/scanner/model=x"));
    assert!(needed("sortBy=operator"));
}

#[test]
fn a_list_takes_only_so_many_conditions() {
    let many: Vec<String> = (0..70).map(|n| format!("xnat:subjectData/fields/field[name%3Df{n}]=x")).collect();
    assert_eq!(Listing::read(&SUBJECTS, &params(&many.join("&"))).unwrap_err().status.number(), 400);
}

#[test]
fn recent_is_a_number_of_days() {
    const DAY_MS: u64 = 86_400_000;
    let since = |query: &str| experiments::recent_since(&params(query), 100 * DAY_MS);
    assert_eq!(since("").unwrap(), None);
    assert_eq!(since("recent=7").unwrap(), Some(93 * DAY_MS));
    assert_eq!(since("recent=true").unwrap(), Some(90 * DAY_MS));
    assert_eq!(since("recent=18446744073709551615").unwrap(), Some(0));
    for query in ["recent=0", "recent=-1", "recent=soon"] {
        assert_eq!(since(query).unwrap_err().status.number(), 400, "{query}");
    }
}
