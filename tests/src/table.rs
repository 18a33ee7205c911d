//! XNAT's tables in JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::Response;

/// The rows of a `ResultSet`, and what else it says.
#[derive(Debug, Clone)]
pub struct Table {
    /// The rows.
    pub rows: Vec<Row>,
    /// Every other member of the `ResultSet`, as JSON.
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// One row: its cells in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<(String, String)>);

impl Table {
    /// Reads an answer.
    ///
    /// # Panics
    /// When it is not a table, or a cell is not a string.
    #[track_caller]
    pub fn of(response: &Response) -> Self {
        assert_eq!(response.status, 200, "{}", response.text());
        let content_type = response.header("content-type").unwrap_or_default();
        assert!(content_type.starts_with("application/json"), "content type {content_type:?}");
        serde_json::from_slice::<Outer>(&response.body)
            .unwrap_or_else(|error| panic!("not a table of strings ({error}): {}", response.text()))
            .result_set
    }

    /// The one row there is.
    ///
    /// # Panics
    /// When there is another number of rows.
    #[track_caller]
    pub fn only(&self) -> &Row {
        assert_eq!(self.rows.len(), 1, "rows: {:?}", self.rows);
        &self.rows[0]
    }

    /// One column of all rows.
    #[track_caller]
    pub fn column(&self, name: &str) -> Vec<&str> {
        self.rows.iter().map(|row| row.get(name)).collect()
    }

    /// The first row with that value in that column.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn row(&self, column: &str, value: &str) -> &Row {
        let row = self.rows.iter().find(|row| row.get(column) == value);
        row.unwrap_or_else(|| panic!("no row has {column}={value}: {:?}", self.rows))
    }
}

impl Row {
    /// A cell.
    ///
    /// # Panics
    /// When there is no such column.
    #[track_caller]
    pub fn get(&self, column: &str) -> &str {
        let cell = self.0.iter().find(|(name, _)| name == column);
        cell.map_or_else(|| panic!("no column {column} in {:?}", self.columns()), |(_, value)| value.as_str())
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

struct Outer {
    result_set: Table,
}

impl<'de> Deserialize<'de> for Outer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Fields {
            #[serde(rename = "ResultSet")]
            result_set: Inner,
        }
        #[derive(serde::Deserialize)]
        struct Inner {
            #[serde(rename = "Result")]
            rows: Vec<Row>,
            #[serde(flatten)]
            rest: BTreeMap<String, serde_json::Value>,
        }
        let inner = Fields::deserialize(deserializer)?.result_set;
        Ok(Self { result_set: Table { rows: inner.rows, rest: inner.rest } })
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Cells;
        impl<'de> Visitor<'de> for Cells {
            type Value = Row;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a row whose cells are all strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut cells: Vec<(String, String)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    if cells.iter().any(|(other, _)| *other == name) {
                        return Err(de::Error::custom(format!("the column {name} comes twice")));
                    }
                    cells.push((name, value));
                }
                Ok(Row(cells))
            }
        }
        deserializer.deserialize_map(Cells)
    }
}
