//! Tables: what every list of XNAT's API is.

use std::borrow::Cow;

use bytes::Bytes;

use super::format::Format;
use super::json_table::JsonTable;
use super::markup;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, the key of its cells in JSON.
    pub name: Cow<'static, str>,
    /// For columns of URIs: what stands before each. Such columns are listed in `Columns` and linked in HTML.
    pub server_root: Option<Cow<'static, str>>,
}

impl Column {
    /// A plain column.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), server_root: None }
    }

    /// A column of URIs below the server's root.
    pub fn uri(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), server_root: Some(Cow::Borrowed("")) }
    }
}

/// An answer's body and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// Ordered columns and rows of text; an empty cell is XNAT's null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The title, where the list has one.
    pub title: Option<Cow<'static, str>>,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows; missing cells at a row's end count as empty, surplus ones are not shown.
    pub rows: Vec<Vec<String>>,
    /// Whether the answer says how many rows it has. Paged answers do not.
    pub counted: bool,
}

impl Table {
    /// A table with neither title nor count, such as the prearchive's.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), ..Self::default() }
    }

    /// A table with plain columns of these names.
    pub fn with_columns<N: Into<Cow<'static, str>>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(names.into_iter().map(Column::new))
    }

    /// With a title, and with the number of rows.
    #[must_use]
    pub fn titled(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self.counted = true;
        self
    }

    /// Adds a row.
    pub fn push<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Where the column stands, if there is one of that name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The table in `format`, or as HTML in formats that tables do not have.
    pub fn render(&self, format: &Format) -> Rendered {
        let format = format.clone().for_table();
        let body = match format {
            Format::Json => self.to_json(),
            Format::Xml => markup::table_to_xml(self).into_bytes(),
            Format::Csv => self.to_csv(),
            Format::Xlist => markup::table_to_html(self, markup::Whole::No).into_bytes(),
            _ => markup::table_to_html(self, markup::Whole::Yes).into_bytes(),
        };
        Rendered { content_type: format.content_type(), body: body.into() }
    }

    /// XNAT's JSON: every cell is a string, the keys of a row are in the order of the columns.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = JsonTable::begin(&self.columns, 64 + self.rows.len() * self.estimated_row_bytes());
        for row in &self.rows {
            json.row(row.iter().map(String::as_str));
        }
        json.end(self.title.as_deref(), self.counted)
    }

    /// The first row stands for all, with some air.
    fn estimated_row_bytes(&self) -> usize {
        let names: usize = self.columns.iter().map(|column| column.name.len() + 6).sum();
        let cells: usize = self.rows.first().map_or(0, |row| row.iter().map(String::len).sum());
        names + cells + 16
    }

    /// A header line and a line for each row; `\n` ends lines, quotes only where they are needed.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.rows.len() * self.estimated_row_bytes() / 2);
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).flexible(true).from_writer(&mut out);
        let width = self.columns.len();
        let padding = std::iter::repeat("");
        // Writing to memory cannot fail, and lines of different lengths are allowed above.
        let _ = writer.write_record(self.columns.iter().map(|column| column.name.as_bytes()));
        for row in &self.rows {
            let cells = row.iter().map(String::as_str).chain(padding.clone()).take(width);
            let _ = writer.write_record(cells);
        }
        let _ = writer.flush();
        drop(writer);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: [&str; 7] = ["", "a,b", "say \"x\"", "two\nlines\r\n", "<&>'", "ä😀", "\u{1}\u{FFFF}=1+1"];

    fn nasty() -> Table {
        let mut table = Table::with_columns(["ID", "name \"x\""]).titled("T & <t>");
        for text in NASTY {
            table.push([text, text]);
        }
        table
    }

    #[test]
    fn json_is_as_xnat_writes_it() {
        let mut table = Table::new([Column::new("ID"), Column::new("name"), Column::uri("URI")]).titled("Projects");
        table.push(["P1", "Project one", "/data/projects/P1"]);
        let expected = concat!(
            r#"{"ResultSet":{"Columns":[{"key":"URI","serverRoot":""}],"#,
            r#""Result":[{"ID":"P1","name":"Project one","URI":"/data/projects/P1"}],"#,
            r#""title":"Projects","totalRecords":"1"}}"#
        );
        assert_eq!(String::from_utf8(table.to_json()).unwrap(), expected);
    }

    #[test]
    fn a_table_without_properties_has_nothing_but_its_result() {
        let table = Table::with_columns(["project", "status"]);
        assert_eq!(table.to_json(), br#"{"ResultSet":{"Result":[]}}"#);
        let mut two = table.clone();
        two.push(["P", "READY"]);
        two.push(["P"]);
        two.push(["P", "READY", "surplus"]);
        let expected = r#"{"ResultSet":{"Result":[{"project":"P","status":"READY"},{"project":"P","status":""},{"project":"P","status":"READY"}]}}"#;
        assert_eq!(String::from_utf8(two.to_json()).unwrap(), expected);
        assert_eq!(two.to_csv(), b"project,status\nP,READY\nP,\nP,READY\n");
    }

    #[test]
    fn json_holds_whatever_the_cells_hold() {
        let value: serde_json::Value = serde_json::from_slice(&nasty().to_json()).unwrap();
        let rows = value["ResultSet"]["Result"].as_array().unwrap();
        for (row, text) in rows.iter().zip(NASTY) {
            assert_eq!(row["ID"], text);
            assert_eq!(row["name \"x\""], text);
        }
        assert_eq!(value["ResultSet"]["totalRecords"], "7");
        assert_eq!(value["ResultSet"]["title"], "T & <t>");
    }

    #[test]
    fn csv_quotes_only_where_it_must_and_reads_back() {
        let bytes = nasty().to_csv();
        assert!(bytes.starts_with(b"ID,\"name \"\"x\"\"\"\n,\n\"a,b\",\"a,b\"\n\"say \"\"x\"\"\","));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), NASTY.len() + 1);
        for (row, text) in rows.iter().skip(1).zip(NASTY) {
            assert_eq!(row, [text, text].as_slice());
        }
    }

    #[test]
    fn ten_thousand_rows_are_written_quickly() {
        let mut table = Table::with_columns((0..19).map(|number| format!("column_{number}")));
        for number in 0..10_000 {
            table.push((0..19).map(|column| format!("value {number} of {column}")));
        }
        let best = (0..5).map(|_| {
            let start = std::time::Instant::now();
            assert!(table.to_json().len() > 5_000_000);
            start.elapsed()
        });
        let best = best.min().unwrap();
        println!("10,000 rows as JSON in {best:?}");
        assert!(best.as_millis() < 2_000, "even unoptimised: {best:?}");
    }

    #[test]
    fn unknown_formats_fall_back_to_html() {
        let rendered = nasty().render(&Format::Other("single".into()));
        assert_eq!(rendered.content_type, "text/html; charset=utf-8");
        assert!(rendered.body.starts_with(b"<html "));
    }
}
