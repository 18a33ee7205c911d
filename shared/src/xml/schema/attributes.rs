//! Which fields of items are attributes of the element before them: the schema's, as one table.

/// Elements within items, each with its attributes.
static ATTRIBUTES: &[(&str, &[&str])] = &[
    ("PI", &["ID"]),
    ("collimationWidth", &["single", "total"]),
    ("dcmValidation", &["status"]),
    ("dimensions", &["x", "y", "z"]),
    ("dose", &["units"]),
    ("fov", &["x", "y"]),
    ("frames", &["numFrames"]),
    ("height", &["units"]),
    ("investigator", &["ID"]),
    ("isotope", &["half-life"]),
    ("matrix", &["x", "y"]),
    ("pixelSize", &["x", "y", "z"]),
    ("rating", &["scale"]),
    ("rescale", &["intercept", "slope"]),
    ("scanner", &["manufacturer", "model"]),
    ("transmissions", &["startTime"]),
    ("validation", &["status"]),
    ("voxelRes", &["x", "y", "z", "units"]),
    ("weight", &["units"]),
];

/// The last step of the path of the data type that an element says it has.
pub const TYPE_STEP: &str = "xsi:type";

/// Whether the last step of a field's path is an attribute of the element before it. Those of the item itself are not
/// meant.
pub fn is_attribute(path: &str) -> bool {
    let Some((before, name)) = path.rsplit_once('/') else { return false };
    let element = before.rsplit('/').next().unwrap_or(before);
    name == TYPE_STEP || ATTRIBUTES.iter().any(|(known, names)| *known == element && names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;
    use quick_xml::Reader;
    use quick_xml::events::{BytesStart, Event};
    use std::collections::BTreeSet;

    /// Elements that are told from their like by the attribute `name`, which is part of their step of a path.
    const NAMED: [&str; 3] = ["alias", "field", "addParam"];
    /// Types that the elements of items have, and that are no items or resources themselves.
    const PARTS: [&str; 2] = ["investigatorData", "validationData"];

    fn value(tag: &BytesStart<'_>, name: &str) -> Option<String> {
        tag.try_get_attribute(name).unwrap().map(|found| found.value.into_owned())
    }

    type Pairs = BTreeSet<(String, String)>;

    /// What the schema declares: attributes of elements, and of types; and elements with their types.
    fn declared() -> (Pairs, Pairs) {
        let mut reader = Reader::from_str(schema("xnat").unwrap().document);
        reader.config_mut().expand_empty_elements = true;
        let (mut open, mut attributes, mut elements) = (Vec::new(), Pairs::new(), Pairs::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) => {
                    let named = value(&tag, "name");
                    match tag.name().as_ref() {
                        "xs:attribute" => {
                            let of: &String = open.iter().rev().flatten().next().unwrap();
                            attributes.insert((of.clone(), named.clone().unwrap()));
                        }
                        "xs:element" => elements.extend(named.clone().zip(value(&tag, "type"))),
                        _ => {}
                    }
                    open.push(named);
                }
                Event::End(_) => drop(open.pop()),
                Event::Eof => return (attributes, elements),
                _ => {}
            }
        }
    }

    #[test]
    fn the_table_is_what_the_schema_declares() {
        let (attributes, elements) = declared();
        let types: BTreeSet<&str> = attributes.iter().map(|(of, _)| of.as_str()).filter(|of| is_type(of)).collect();
        let mut expected: BTreeSet<(&str, &str)> = attributes
            .iter()
            .filter(|(of, _)| !types.contains(of.as_str()) && !NAMED.contains(&of.as_str()))
            .map(|(of, name)| (of.as_str(), name.as_str()))
            .collect();
        for part in PARTS {
            let of_part = attributes.iter().filter(|(of, _)| of == part);
            for (_, name) in of_part {
                let has_it = elements.iter().filter(|(_, kind)| kind.strip_prefix("xnat:") == Some(part));
                expected.extend(has_it.map(|(element, _)| (element.as_str(), name.as_str())));
            }
        }
        let table: BTreeSet<(&str, &str)> =
            ATTRIBUTES.iter().flat_map(|(of, names)| names.iter().map(move |name| (*of, *name))).collect();
        assert_eq!(table, expected);
    }

    fn is_type(name: &str) -> bool {
        let definition = format!("<xs:complexType name=\"{name}\">");
        schema("xnat").unwrap().document.contains(&definition)
    }

    #[test]
    fn the_last_two_steps_decide() {
        for path in ["investigator/ID", "parameters/voxelRes/units", "scanner/model", "scans/scan[1]/xsi:type"] {
            assert!(is_attribute(path), "{path}");
        }
        for path in ["ID", "investigator/title", "parameters/myfov/x", "validation/method", "frames", "x/y"] {
            assert!(!is_attribute(path), "{path}");
        }
    }
}
