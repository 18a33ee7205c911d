//! Tables read by a real parser of each format.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use narthex_tests::{Response, Table};
use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// The names of the columns, and the cells of each row.
#[derive(Debug, PartialEq, Eq)]
pub struct Cells {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Cells {
    /// The same with blanks for line breaks and tabs, as tables in XML and HTML have them.
    pub fn on_one_line(&self) -> Self {
        let line = |cell: &String| cell.replace(['\n', '\r', '\t'], " ");
        let rows = self.rows.iter().map(|row| row.iter().map(line).collect()).collect();
        Self { columns: self.columns.clone(), rows }
    }
}

/// By serde_json; every cell must be a string, and all rows have the same columns.
#[track_caller]
pub fn json(response: &Response) -> Cells {
    let table = Table::of(response);
    let columns: Vec<String> = table.rows[0].columns().into_iter().map(str::to_owned).collect();
    let rows = table.rows.iter().map(|row| {
        assert_eq!(row.columns(), columns);
        row.0.iter().map(|(_, cell)| cell.clone()).collect()
    });
    Cells { rows: rows.collect(), columns }
}

/// By the crate csv; every line must have as many fields as the first.
#[track_caller]
pub fn csv(body: &[u8]) -> Cells {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(body);
    let fields = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = fields(reader.headers().expect("a line of columns"));
    let rows = reader.records().map(|record| fields(&record.expect("a line of cells"))).collect();
    Cells { columns, rows }
}

/// By quick-xml.
#[track_caller]
pub fn xml(text: &str) -> Cells {
    let elements = elements(text);
    let of = |name: &str| -> Vec<String> {
        elements.iter().filter(|(path, _)| path.ends_with(name)).map(|(_, text)| text.clone()).collect()
    };
    let columns = of("ResultSet/results/columns/column");
    let cells = of("ResultSet/results/rows/row/cell");
    let count = elements.iter().filter(|(path, _)| path.ends_with("rows/row")).count();
    assert_eq!(cells.len(), count * columns.len(), "every row has a cell for each column");
    Cells { rows: cells.chunks(columns.len()).map(<[String]>::to_vec).collect(), columns }
}

/// The path and the text of every element of a document and, as `path/@name`, every attribute; fails the test where
/// the document is not well-formed.
#[track_caller]
pub fn elements(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.check_comments = true;
    config.allow_unmatched_ends = false;
    config.allow_dangling_amp = false;
    config.expand_empty_elements = true;
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut roots = 0;
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("not well-formed ({error}): {xml}"));
        let mut push = |text: &str| match open.last() {
            Some(index) => found[*index].1.push_str(text),
            None => assert!(text.trim().is_empty(), "text outside of the root: {text:?}"),
        };
        match event {
            Event::Start(start) => {
                roots += usize::from(open.is_empty());
                let above = open.last().map(|index| format!("{}/", found[*index].0)).unwrap_or_default();
                let path = format!("{above}{}", start.name().as_ref());
                open.push(found.len());
                found.push((path.clone(), String::new()));
                for attribute in start.attributes().with_checks(true) {
                    let attribute = attribute.unwrap_or_else(|error| panic!("a bad attribute ({error}): {xml}"));
                    let raw = attribute.value.as_ref();
                    assert!(!raw.contains('<'), "a < in an attribute: {raw}");
                    let value = quick_xml::escape::unescape(raw).expect("entities that exist").into_owned();
                    found.push((format!("{path}/@{}", attribute.key.as_ref()), value));
                }
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(text) => push(&text.xml10_content()),
            Event::CData(text) => push(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().expect("a character") {
                Some(character) => push(character.encode_utf8(&mut [0; 4])),
                None => push(
                    quick_xml::escape::resolve_predefined_entity(&reference.xml10_content()).expect("a known entity"),
                ),
            },
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) => {}
            other => panic!("{other:?} in {xml}"),
        }
    }
    assert!(open.is_empty(), "elements are left open: {xml}");
    assert_eq!(roots, 1, "one root: {xml}");
    found
}

/// By the HTML parser of browsers.
#[track_caller]
pub fn html(text: &str) -> Cells {
    let options = ParseOpts::default();
    let page = parse_document(RcDom::default(), options).one(text);
    // XNAT's pages have no document type; that is all a browser may find wrong with them.
    let errors = page.errors.borrow();
    let wrong: Vec<_> = errors.iter().filter(|error| !error.contains("DOCTYPE") && !error.is_empty()).collect();
    assert!(wrong.iter().all(|error| error.contains("Unexpected token")) && wrong.len() <= 1, "{wrong:?}");
    let table = below(&page.document, "table", "x_rs_t");
    let [table] = table.as_slice() else { panic!("one table: {text}") };
    let heads: Vec<Handle> =
        below(table, "thead", "x_rs_thead").iter().flat_map(|head| below(head, "tr", "x_rs_tr_head")).collect();
    let [head] = heads.as_slice() else { panic!("one line of columns: {text}") };
    let cells = |row: &Handle, name: &str| below(row, name, "").iter().map(text_of).collect::<Vec<_>>();
    let rows = below(table, "tbody", "").iter().flat_map(|body| below(body, "tr", "x_rs_tr_data")).collect::<Vec<_>>();
    Cells { columns: cells(head, "th"), rows: rows.iter().map(|row| cells(row, "td")).collect() }
}

/// The elements of a name below a node that have a class, in order; any of that name if no class is asked for.
fn below(node: &Handle, wanted: &str, class: &str) -> Vec<Handle> {
    let mut found = Vec::new();
    for child in node.children.borrow().iter() {
        if let NodeData::Element { name, attrs, .. } = &child.data {
            let attributes = attrs.borrow();
            let classes = attributes.iter().find(|attribute| &*attribute.name.local == "class");
            let has_class = classes.is_some_and(|classes| classes.value.split_whitespace().any(|one| one == class));
            if &*name.local == wanted && (class.is_empty() || has_class) {
                found.push(child.clone());
            }
        }
        found.extend(below(child, wanted, class));
    }
    found
}

/// All text below a node.
fn text_of(node: &Handle) -> String {
    let own = match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => String::new(),
    };
    node.children.borrow().iter().fold(own, |text, child| text + &text_of(child))
}
