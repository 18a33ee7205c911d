//! The user cache.

use crate::domain::user_cache::CacheResource;
use crate::http::path::{join_segments, push_segment};
use crate::http::{Column, Table};

/// The address of the list of resources.
const RESOURCES: &str = "/data/user/cache/resources";

/// The table of a user's resources.
pub fn resources(resources: &[CacheResource]) -> Table {
    let mut table = Table::new([Column::new("Resource"), Column::uri("URI")]);
    table.counted = true;
    for resource in resources {
        table.push([resource.label.clone(), format!("{RESOURCES}{}", join_segments([resource.label.as_str()]))]);
    }
    table
}

/// The address of the list of a resource's files.
pub fn files_address(label: &str) -> String {
    let mut address = RESOURCES.to_owned();
    push_segment(&mut address, label);
    address.push_str("/files");
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_any_label() {
        let resource = CacheResource { label: "a b/ü".to_owned(), catalog: String::new(), made_ms: 0 };
        let table = resources(&[resource]);
        assert_eq!(table.rows, [["a b/ü", "/data/user/cache/resources/a%20b%2F%C3%BC"]]);
        assert_eq!(files_address("a b"), "/data/user/cache/resources/a%20b/files");
        let json = String::from_utf8(table.to_json()).unwrap();
        assert!(json.contains(r#""totalRecords":"1""#) && json.contains(r#""Columns":[{"key":"URI""#), "{json}");
    }
}
