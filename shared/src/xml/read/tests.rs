//! What is read of documents, and what is refused.

use super::*;

fn read_project(inner: &str) -> Result<Values, XmlError> {
    let document = format!("<xnat:Project xmlns:xnat=\"{XNAT_NAMESPACE}\" ID=\"P\">{inner}</xnat:Project>");
    read(document.as_bytes(), "Project")
}

fn pairs(values: &Values) -> Vec<(&str, &str)> {
    values.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect()
}

#[test]
fn attributes_and_texts_have_their_paths() {
    let document = format!(
        "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a comment --><Project xmlns=\"{XNAT_NAMESPACE}\" \
         xmlns:xsi=\"{XSI_NAMESPACE}\" xsi:schemaLocation=\"a b\" ID=\"P\" secondary_ID=\"a&amp;b&#228;\">\n \
         <name>A &lt;b&gt; &#x41;<![CDATA[ & <c>]]></name>\n<description/>\n<aliases>\n<alias>x</alias><alias>y\
         </alias>\n</aliases><PI ID=\"7\"><firstname>Marie</firstname></PI><!-- end --></Project>\n<?pi x?>"
    );
    let values = read(document.as_bytes(), "Project").unwrap();
    assert_eq!(
        pairs(&values),
        [
            ("ID", "P"),
            ("secondary_ID", "a&bä"),
            ("name", "A <b> A & <c>"),
            ("description", ""),
            ("aliases/alias", "x"),
            ("aliases/alias", "y"),
            ("PI/ID", "7"),
            ("PI/firstname", "Marie"),
        ]
    );
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for inner in ["<xnat:name>", "</xnat:name>", "<xnat:name></xnat:nome>", "&", "<a", "<xnat:a b=c/>", "&#0;", "&#1;"]
    {
        let error = read_project(inner).unwrap_err();
        assert!(matches!(error, XmlError::NotWellFormed { .. }), "{inner}: {error:?}");
    }
    for document in ["", "   ", "hello", "{}", "<!-- only -->"] {
        let error = read(document.as_bytes(), "Project").unwrap_err();
        assert!(matches!(error, XmlError::NotWellFormed { .. }), "{document}: {error:?}");
    }
    let twice = "<p:Project xmlns:p=\"http://nrg.wustl.edu/xnat\"/>";
    let error = read(format!("{twice}{twice}").as_bytes(), "Project").unwrap_err();
    assert!(matches!(error, XmlError::NotWellFormed { .. }), "{error:?}");
}

#[test]
fn document_types_and_entities_are_refused() {
    let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>";
    assert_eq!(read(bomb.as_bytes(), "Project"), Err(XmlError::DocType));
    let outside = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>";
    assert_eq!(read(outside.as_bytes(), "Project"), Err(XmlError::DocType));
    assert_eq!(read_project("<xnat:name>&x;</xnat:name>"), Err(XmlError::Entity));
    assert_eq!(read_project("<xnat:name a=\"&x;\"/>"), Err(XmlError::Entity));
}

#[test]
fn limits_hold() {
    assert_eq!(
        read(&vec![b' '; MAX_DOCUMENT_BYTES + 1], "Project"),
        Err(XmlError::TooLong { limit_bytes: MAX_DOCUMENT_BYTES })
    );
    let deep = "<xnat:a>".repeat(100_000);
    assert_eq!(read_project(&deep), Err(XmlError::TooRich));
    assert_eq!(read_project(&"<xnat:a/>".repeat(MAX_ELEMENTS + 1)), Err(XmlError::TooRich));
    let attributes: String = (0..60_000).map(|number| format!(" a{number}=''")).collect();
    assert_eq!(read_project(&format!("<xnat:a{attributes}/>")), Err(XmlError::TooRich));
}

#[test]
fn other_types_namespaces_and_encodings_are_refused() {
    let subject = format!("<xnat:Subject xmlns:xnat=\"{XNAT_NAMESPACE}\"/>");
    assert!(matches!(read(subject.as_bytes(), "Project"), Err(XmlError::WrongType { .. })));
    for document in ["<Project/>", "<xnat:Project/>", "<Project xmlns=\"http://example.org\"/>"] {
        assert!(matches!(read(document.as_bytes(), "Project"), Err(XmlError::WrongType { .. })), "{document}");
    }
    assert!(matches!(read_project("<name/>"), Err(XmlError::ForeignName { .. })));
    assert!(matches!(read_project("<xnat:a b:c=\"\"/>"), Err(XmlError::ForeignName { .. })));
    assert!(matches!(read_project("<xnat:a>x<xnat:b/></xnat:a>"), Err(XmlError::MixedContent { .. })));
    assert_eq!(read(b"\xff\xfe<\0", "Project"), Err(XmlError::Encoding));
    let latin = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>";
    assert_eq!(read(latin.as_bytes(), "Project"), Err(XmlError::Encoding));
}

#[test]
fn types_are_known_by_their_namespace() {
    let type_of = |bound: &str, value: &str| {
        let document = format!(
            "<x:MRSession xmlns:x=\"{XNAT_NAMESPACE}\" xmlns:i=\"{XSI_NAMESPACE}\" {bound}><x:a i:type=\"{value}\"/>\
             </x:MRSession>"
        );
        let root = read_tree(document.as_bytes(), "MRSession", &|_, name| name == "MRSession")?;
        Ok(root.children[0].xsi_type.clone())
    };
    for (bound, value, wanted) in [
        ("", "x:mrScanData", "xnat:mrScanData"),
        ("", " x:mrScanData ", "xnat:mrScanData"),
        ("xmlns=\"http://nrg.wustl.edu/xnat\"", "mrScanData", "xnat:mrScanData"),
        ("xmlns:p=\"http://nrg.wustl.edu/proc\"", "p:genProcData", "proc:genProcData"),
        ("xmlns:xnat=\"http://example.org\"", "xnat:mrScanData", "{http://example.org}mrScanData"),
        ("", "mrScanData", "mrScanData"),
    ] {
        assert_eq!(type_of(bound, value).as_deref(), Ok(wanted), "{bound} {value}");
    }
    assert_eq!(type_of("", "xnat:mrScanData"), Err(XmlError::UnboundPrefix { name: "xnat:mrScanData".to_owned() }));
}
