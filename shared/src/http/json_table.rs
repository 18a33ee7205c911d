//! A table as JSON, written row by row, for lists that are too long to be held as a table first.

use super::escape::push_json_string;
use super::table::Column;

/// A table of which some rows have been written.
pub struct JsonTable {
    /// What stands before each cell, made once: `{"first":`, `,"second":`, ...
    keys: Vec<Vec<u8>>,
    out: Vec<u8>,
    rows: usize,
}

impl JsonTable {
    /// Begins a table with these columns that will have about so many bytes.
    pub fn begin(columns: &[Column], bytes: usize) -> Self {
        let key = |(position, column): (usize, &Column)| {
            let mut key = vec![if position == 0 { b'{' } else { b',' }];
            push_json_string(&mut key, &column.name);
            key.push(b':');
            key
        };
        let keys = columns.iter().enumerate().map(key).collect();
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(b"{\"ResultSet\":{");
        push_columns(&mut out, columns);
        out.extend_from_slice(b"\"Result\":[");
        Self { keys, out, rows: 0 }
    }

    /// Adds a row; missing cells at its end count as empty, surplus ones are not shown.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        if self.rows > 0 {
            self.out.push(b',');
        }
        if self.keys.is_empty() {
            self.out.push(b'{');
        }
        let mut cells = cells.into_iter();
        for key in &self.keys {
            self.out.extend_from_slice(key);
            push_json_string(&mut self.out, cells.next().unwrap_or_default());
        }
        self.out.push(b'}');
        self.rows += 1;
    }

    /// Ends the table, with its title and the number of its rows where it has them.
    pub fn end(mut self, title: Option<&str>, counted: bool) -> Vec<u8> {
        self.out.push(b']');
        if let Some(title) = title {
            self.out.extend_from_slice(b",\"title\":");
            push_json_string(&mut self.out, title);
        }
        if counted {
            self.out.extend_from_slice(format!(",\"totalRecords\":\"{}\"", self.rows).as_bytes());
        }
        self.out.extend_from_slice(b"}}");
        self.out
    }
}

fn push_columns(out: &mut Vec<u8>, columns: &[Column]) {
    let mut before: &[u8] = b"\"Columns\":[";
    let mut any = false;
    for column in columns {
        let Some(server_root) = &column.server_root else { continue };
        out.extend_from_slice(before);
        out.extend_from_slice(b"{\"key\":");
        push_json_string(out, &column.name);
        out.extend_from_slice(b",\"serverRoot\":");
        push_json_string(out, server_root);
        out.push(b'}');
        before = b",";
        any = true;
    }
    if any {
        out.extend_from_slice(b"],");
    }
}
