//! A document that was read, as a tree.

use super::read::Values;
use super::schema::TYPE_STEP;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its namespace.
    pub namespace: String,
    /// Its name without prefix.
    pub name: String,
    /// Its `xsi:type`; empty if it names none.
    pub xsi_type: String,
    /// Its attributes, but for those that say how the document is written.
    pub attributes: Vec<(String, String)>,
    /// Its text; empty if it has elements in it.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Element>,
}

/// Elements that may be repeated, told from each other by their attribute `name`.
const NAMED: [&str; 2] = ["field", "addParam"];
/// Elements that may be repeated, told from each other by their position.
const NUMBERED: [&str; 3] = ["focalSpot", "processingError", "scan"];

impl Element {
    /// The value of an attribute; empty if there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The elements of this name in it.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The elements below a child that is a list, such as each `scan` in `scans`.
    pub fn list<'a>(&'a self, list: &'a str, item: &'a str) -> impl Iterator<Item = &'a Element> {
        self.named(list).flat_map(move |found| found.named(item))
    }

    /// The attributes and texts below it, each with its path; what repeats comes repeatedly.
    pub fn values(&self) -> Values {
        let mut values = Vec::new();
        self.collect(&mut String::new(), &mut values);
        values
    }

    fn collect(&self, path: &mut String, values: &mut Values) {
        let length = path.len();
        let step = |path: &mut String, name: &str| {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(name);
        };
        for (name, value) in &self.attributes {
            step(path, name);
            values.push((path.clone(), value.clone()));
            path.truncate(length);
        }
        for child in &self.children {
            step(path, &child.name);
            child.collect(path, values);
            path.truncate(length);
        }
        let says_something = !self.text.is_empty() || self.attributes.is_empty();
        if self.children.is_empty() && !path.is_empty() && says_something {
            values.push((path.clone(), self.text.clone()));
        }
    }

    /// The attributes and texts below it as the fields of an item, without the children `except`: each path is there
    /// once, and what may be repeated carries its name or position (`fields/field[name=x]`) and keeps its type.
    pub fn fields(&self, except: &[&str]) -> Values {
        let mut values = Vec::new();
        values.extend(self.attributes.iter().cloned());
        for child in self.children.iter().filter(|child| !except.contains(&child.name.as_str())) {
            child.collect_fields("", 1, &mut values);
        }
        values
    }

    fn collect_fields(&self, above: &str, position: usize, values: &mut Values) {
        let name = self.attribute("name");
        let is_named = NAMED.contains(&self.name.as_str()) && !name.is_empty();
        let own = match () {
            () if is_named => format!("{}[name={name}]", self.name),
            () if NUMBERED.contains(&self.name.as_str()) => format!("{}[{position}]", self.name),
            () => self.name.clone(),
        };
        let path = if above.is_empty() { own } else { format!("{above}/{own}") };
        for (attribute, value) in self.attributes.iter().filter(|(attribute, _)| !is_named || attribute != "name") {
            values.push((format!("{path}/{attribute}"), value.clone()));
        }
        let is_typed = self.xsi_type.starts_with("xnat:") && NUMBERED.contains(&self.name.as_str());
        if is_typed {
            values.push((format!("{path}/{TYPE_STEP}"), self.xsi_type.clone()));
        }
        let mut position = 0;
        for child in &self.children {
            position += usize::from(NUMBERED.contains(&child.name.as_str()));
            child.collect_fields(&path, position, values);
        }
        if self.children.is_empty() && (!self.text.is_empty() || self.attributes.is_empty()) {
            values.push((path, self.text.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::XNAT_NAMESPACE;
    use super::super::read::read_tree;

    #[test]
    fn what_repeats_has_its_name_or_position_and_lists_are_left_out() {
        let document = format!(
            "<MRSession xmlns=\"{XNAT_NAMESPACE}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ID=\"E\">\
             <fields><field name=\"a b\">1</field><field name=\"c\">2</field></fields>\
             <scanner model=\"M\">S</scanner><spots><focalSpot>1</focalSpot><focalSpot>2</focalSpot></spots>\
             <scans><scan ID=\"1\" xsi:type=\"mrScanData\"/><scan ID=\"2\"/></scans></MRSession>"
        );
        let root = read_tree(document.as_bytes(), "MRSession", &|_, name| name == "MRSession").unwrap();
        let fields = root.fields(&["scans"]);
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        let expected = [
            ("ID", "E"),
            ("fields/field[name=a b]", "1"),
            ("fields/field[name=c]", "2"),
            ("scanner/model", "M"),
            ("scanner", "S"),
            ("spots/focalSpot[1]", "1"),
            ("spots/focalSpot[2]", "2"),
        ];
        assert_eq!(pairs, expected);
        let scans: Vec<_> =
            root.list("scans", "scan").map(|scan| (scan.attribute("ID"), scan.xsi_type.as_str())).collect();
        assert_eq!(scans, [("1", "xnat:mrScanData"), ("2", "")]);
    }
}
