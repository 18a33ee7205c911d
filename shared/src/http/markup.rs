//! Tables as XML and HTML.

use super::escape::{Breaks, push_markup};
use super::table::{Column, Table};

/// Whether a table is written as a page or for embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// A complete page.
    Yes,
    /// The table alone.
    No,
}

/// XNAT's XML of a table: no declaration, line breaks inside values become blanks. Unlike XNAT's it is always
/// well-formed.
pub fn table_to_xml(table: &Table) -> String {
    let mut out = String::with_capacity(256 + table.rows.len() * table.columns.len() * 24);
    out.push_str("<ResultSet");
    if table.counted {
        out.push_str(&format!(" totalRecords=\"{}\"", table.rows.len()));
    }
    if let Some(title) = &table.title {
        push_attribute(&mut out, "title", title);
    }
    out.push_str("><results><columns>");
    for column in &table.columns {
        out.push_str("<column");
        if let Some(server_root) = &column.server_root {
            push_attribute(&mut out, "serverRoot", server_root);
        }
        out.push('>');
        push_markup(&mut out, &column.name, Breaks::Blank);
        out.push_str("</column>");
    }
    out.push_str("</columns>\n<rows>");
    for row in &table.rows {
        out.push_str("<row>");
        for (_, cell) in cells(table, row) {
            out.push_str("<cell>");
            push_markup(&mut out, cell, Breaks::Blank);
            out.push_str("</cell>");
        }
        out.push_str("</row>\n");
    }
    out.push_str("</rows></results></ResultSet>");
    out
}

/// XNAT's HTML of a table. A page begins with `<html ` and an attribute: clients take a bare `<html>` for an error.
pub fn table_to_html(table: &Table, whole: Whole) -> String {
    let mut out = String::with_capacity(512 + table.rows.len() * table.columns.len() * 24);
    if whole == Whole::Yes {
        out.push_str("<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
        push_markup(&mut out, table.title.as_deref().unwrap_or("Table"), Breaks::Blank);
        out.push_str("</title></head><body>");
    }
    out.push_str("<table class=\"x_rs_t\" cellpadding=\"0\" cellspacing=\"0\">");
    out.push_str("<thead class=\"x_rs_thead\"><tr class=\"x_rs_tr_head\">");
    for column in &table.columns {
        out.push_str("<th>");
        push_markup(&mut out, &column.name, Breaks::Blank);
        out.push_str("</th>");
    }
    out.push_str("</tr></thead>\n<tbody id=\"dataRows\">");
    for (number, row) in table.rows.iter().enumerate() {
        let parity = if number % 2 == 0 { "odd" } else { "even" };
        out.push_str(&format!("<tr class=\"x_rs_tr_data {parity}\">"));
        for (column, cell) in cells(table, row) {
            out.push_str("<td>");
            push_cell(&mut out, column, cell);
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>");
    if whole == Whole::Yes {
        out.push_str("</body></html>\n");
    }
    out
}

fn push_cell(out: &mut String, column: &Column, cell: &str) {
    let link = column.server_root.as_ref().map(|root| format!("{root}{cell}"));
    match link {
        // Only links within this server: neither `javascript:` nor `//elsewhere` nor `/\elsewhere`.
        Some(link) if is_local(&link) => {
            out.push_str("<a");
            push_attribute(out, "href", &link);
            out.push('>');
            push_markup(out, cell, Breaks::Blank);
            out.push_str("</a>");
        }
        _ => push_markup(out, cell, Breaks::Blank),
    }
}

fn is_local(link: &str) -> bool {
    let mut characters = link.chars();
    characters.next() == Some('/')
        && !matches!(characters.next(), Some('/' | '\\'))
        && !link.chars().any(char::is_control)
}

fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    push_markup(out, value, Breaks::Blank);
    out.push('"');
}

fn cells<'a>(table: &'a Table, row: &'a [String]) -> impl Iterator<Item = (&'a Column, &'a str)> {
    table.columns.iter().zip(row.iter().map(String::as_str).chain(std::iter::repeat("")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quick_xml::events::Event;

    #[test]
    fn xml_is_as_xnat_writes_it() {
        let mut table = Table::new([Column::new("ID"), Column::uri("URI")]).titled("Projects");
        table.push(["P1", "/data/projects/P1"]);
        let expected = "<ResultSet totalRecords=\"1\" title=\"Projects\"><results><columns><column>ID</column>\
                        <column serverRoot=\"\">URI</column></columns>\n<rows><row><cell>P1</cell>\
                        <cell>/data/projects/P1</cell></row>\n</rows></results></ResultSet>";
        assert_eq!(table_to_xml(&table), expected);
        assert!(table_to_xml(&Table::with_columns(["a"])).starts_with("<ResultSet><results>"));
    }

    #[test]
    fn xml_reads_back_whatever_the_cells_hold() {
        let nasty = ["", "a & b", "<x>\"'", "]]>", "two\nlines", "\u{0}\u{b}\u{FFFF}", "ä😀"];
        let expected = ["", "a & b", "<x>\"'", "]]>", "two lines", "\u{FFFD}\u{FFFD}\u{FFFD}", "ä😀"];
        let mut table = Table::with_columns(["a\"<b>"]).titled("T & \"t\"");
        for text in nasty {
            table.push([text]);
        }
        let xml = table_to_xml(&table);
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut found = Vec::new();
        let mut text: Option<String> = None;
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) if start.name().as_ref() == "cell" => text = Some(String::new()),
                Event::End(end) if end.name().as_ref() == "cell" => found.extend(text.take()),
                Event::Text(part) => {
                    if let Some(text) = &mut text {
                        text.push_str(&part);
                    }
                }
                Event::GeneralRef(name) => {
                    if let Some(text) = &mut text {
                        let reference = format!("&{};", &*name);
                        text.push_str(&quick_xml::escape::unescape(&reference).unwrap());
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn html_begins_unlike_an_error_page_and_is_escaped() {
        let mut table = Table::new([Column::new("<script>"), Column::uri("URI")]);
        table.push(["<script>alert(1)</script>", "/data/projects/a\"b"]);
        table.push(["x", "javascript:alert(1)"]);
        table.push(["x", "//evil.example/"]);
        table.push(["x", "/\\evil.example/"]);
        let html = table_to_html(&table, Whole::Yes);
        assert!(html.starts_with("<html lang="), "{html}");
        assert!(!html.contains("<script>"));
        assert_eq!(html.matches("<a ").count(), 1);
        assert!(html.contains("<a href=\"/data/projects/a&quot;b\">"));
        assert!(html.contains("<tr class=\"x_rs_tr_data odd\">") && html.contains("<tr class=\"x_rs_tr_data even\">"));
        assert!(table_to_html(&table, Whole::No).starts_with("<table class=\"x_rs_t\""));
    }
}
