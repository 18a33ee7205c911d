//! Items: one project, subject, experiment or scan as XNAT's JSON has it.

use std::borrow::Cow;
use std::fmt;

use super::Table;
use super::escape::push_json_string;

/// A scalar of an item; unlike the cells of tables it keeps its type.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// Text, also dates and times.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Another number; what is not finite is left out.
    Number(f64),
    /// True or false.
    Flag(bool),
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for FieldValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for FieldValue {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u64> for FieldValue {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for FieldValue {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for FieldValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            // The debug form keeps `.0`, so that a number stays one of its kind.
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

impl FieldValue {
    fn is_writable(&self) -> bool {
        !matches!(self, Self::Number(number) if !number.is_finite())
    }

    fn push_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => push_json_string(out, text),
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
    }
}

/// A name and a value.
type Field = (Cow<'static, str>, FieldValue);

/// One item with its scalars and its repeated children.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item {
    /// The data type, such as `xnat:mrSessionData`.
    pub xsi_type: Cow<'static, str>,
    /// Whether this is an older version of the record.
    pub is_history: bool,
    /// Further members of `meta`, such as `start_date`.
    pub meta: Vec<Field>,
    /// Every scalar that is set, nested single elements flattened with `/`.
    pub fields: Vec<Field>,
    /// The repeated elements, by their XML path.
    pub children: Vec<(Cow<'static, str>, Vec<Item>)>,
}

impl Item {
    /// An item of a data type.
    pub fn new(xsi_type: impl Into<Cow<'static, str>>) -> Self {
        Self { xsi_type: xsi_type.into(), ..Self::default() }
    }

    /// Sets a scalar.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<FieldValue>) -> &mut Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Sets a scalar if there is a value, and one that is not empty text.
    pub fn set_some<V: Into<FieldValue>>(&mut self, name: impl Into<Cow<'static, str>>, value: Option<V>) -> &mut Self {
        match value.map(Into::into) {
            None => self,
            Some(FieldValue::Text(text)) if text.is_empty() => self,
            Some(value) => self.set(name, value),
        }
    }

    /// Sets a further member of `meta`.
    pub fn set_meta(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<FieldValue>) -> &mut Self {
        self.meta.push((name.into(), value.into()));
        self
    }

    /// Adds repeated elements; none at all are not mentioned.
    pub fn add_children(&mut self, field: impl Into<Cow<'static, str>>, items: Vec<Item>) -> &mut Self {
        if !items.is_empty() {
            self.children.push((field.into(), items));
        }
        self
    }

    /// Its scalars as a table of names and values, for people.
    pub fn fields_table(&self) -> Table {
        let mut table = Table::with_columns(["field", "value"]).titled(self.xsi_type.clone());
        for (name, value) in &self.fields {
            table.push([name.clone().into_owned(), value.to_string()]);
        }
        table
    }

    /// The whole answer: this item alone.
    pub fn to_json(&self) -> Vec<u8> {
        items_to_json(std::slice::from_ref(self))
    }

    fn push_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"children\":[");
        for (number, (field, items)) in self.children.iter().enumerate() {
            out.extend_from_slice(if number > 0 { b",{\"field\":" } else { b"{\"field\":" });
            push_json_string(out, field);
            out.push(b',');
            push_items(out, items);
            out.push(b'}');
        }
        out.extend_from_slice(b"],\"meta\":{\"isHistory\":");
        out.extend_from_slice(self.is_history.to_string().as_bytes());
        out.extend_from_slice(b",\"xsi:type\":");
        push_json_string(out, &self.xsi_type);
        for (name, value) in self.meta.iter().filter(|(_, value)| value.is_writable()) {
            out.push(b',');
            push_json_string(out, name);
            out.push(b':');
            value.push_json(out);
        }
        out.extend_from_slice(b"},\"data_fields\":{");
        for (number, (name, value)) in self.fields.iter().filter(|(_, value)| value.is_writable()).enumerate() {
            if number > 0 {
                out.push(b',');
            }
            push_json_string(out, name);
            out.push(b':');
            value.push_json(out);
        }
        out.extend_from_slice(b"}}");
    }
}

/// The whole answer: `{"items":[...]}`.
pub fn items_to_json(items: &[Item]) -> Vec<u8> {
    let mut out = vec![b'{'];
    push_items(&mut out, items);
    out.push(b'}');
    out
}

fn push_items(out: &mut Vec<u8>, items: &[Item]) {
    out.extend_from_slice(b"\"items\":[");
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        item.push_json(out);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_as_xnat_writes_it() {
        let mut file = Item::new("xnat:resourceCatalog");
        file.set("label", "DICOM").set("file_count", 176_i64);
        let mut scan = Item::new("xnat:mrScanData");
        scan.set("ID", "4").set("parameters/tr", 2400.0).set_some("note", None::<&str>).set_some("type", Some(""));
        scan.add_children("file", vec![file]);
        let mut session = Item::new("xnat:mrSessionData");
        session.set("ID", "XNAT_E00001").set("prevent", true).set_meta("create_event_id", 5_i64);
        session.add_children("scans/scan", vec![scan]).add_children("nothing", Vec::new());
        let expected = concat!(
            r#"{"items":[{"children":[{"field":"scans/scan","items":[{"children":[{"field":"file","items":["#,
            r#"{"children":[],"meta":{"isHistory":false,"xsi:type":"xnat:resourceCatalog"},"#,
            r#""data_fields":{"label":"DICOM","file_count":176}}]}],"#,
            r#""meta":{"isHistory":false,"xsi:type":"xnat:mrScanData"},"#,
            r#""data_fields":{"ID":"4","parameters/tr":2400.0}}]}],"#,
            r#""meta":{"isHistory":false,"xsi:type":"xnat:mrSessionData","create_event_id":5},"#,
            r#""data_fields":{"ID":"XNAT_E00001","prevent":true}}]}"#
        );
        assert_eq!(String::from_utf8(session.to_json()).unwrap(), expected);
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_left_out() {
        let mut item = Item::new("x");
        item.set("a", f64::NAN).set("b", f64::INFINITY).set("c", 1e300).set("d", -0.5).set("e", u64::MAX);
        let value: serde_json::Value = serde_json::from_slice(&item.to_json()).unwrap();
        let fields = value["items"][0]["data_fields"].as_object().unwrap();
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["c", "d", "e"]);
    }

    #[test]
    fn hostile_text_stays_inside_its_string() {
        let mut item = Item::new("x");
        item.set("a\"", "\",\"b\":1,\"\n");
        let value: serde_json::Value = serde_json::from_slice(&item.to_json()).unwrap();
        assert_eq!(value["items"][0]["data_fields"]["a\""], "\",\"b\":1,\"\n");
    }
}
