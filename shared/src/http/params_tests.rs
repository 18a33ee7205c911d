use super::*;

#[test]
fn the_query_beats_the_body_and_the_last_value_wins() {
    let mut params = Params::from_query("a=q1&a=q2&b=1").unwrap();
    params.add_form(b"a=f1&c=x%20y+z&c=2").unwrap();
    assert_eq!(params.get("a"), Some("q2"));
    assert_eq!(params.all("a").collect::<Vec<_>>(), ["f1", "q1", "q2"]);
    assert_eq!(params.get("c"), Some("2"));
    assert_eq!(params.all("c").collect::<Vec<_>>(), ["x y z", "2"]);
    assert_eq!(params.get("A"), None);
    assert_eq!(params.in_query("c"), None);
}

#[test]
fn flags_follow_the_lenient_and_the_strict_rule() {
    let params = Params::from_query("a&b=&c=false&d=FALSE&e=0&f=no&g=True&h=1&i=yes").unwrap();
    let lenient = ["a", "b", "f", "g", "h", "i"];
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "absent"] {
        assert_eq!(params.flag(name), lenient.contains(&name), "{name}");
        assert_eq!(params.literal_true(name), name == "g", "{name}");
    }
    assert_eq!(params.flag_if_given("absent"), None);
}

#[test]
fn only_the_word_true_archives() {
    for (query, expected) in [
        ("", None),
        ("AA=", None),
        ("AA=true", Some(true)),
        ("AA=TRUE", Some(true)),
        ("auto-archive=true", Some(true)),
        ("AA=&auto-archive=true", Some(true)),
        ("AA=false", Some(false)),
        ("AA=false&auto-archive=true", Some(false)),
        ("AA=0", Some(false)),
        ("AA=1", Some(false)),
        ("auto-archive=maybe", Some(false)),
    ] {
        assert_eq!(Params::from_query(query).unwrap().archives(), expected, "{query}");
    }
}

#[test]
fn members_of_a_json_object_are_parameters() {
    let mut params = Params::default();
    params.add_json(br#"{"z":"FDG","n":4,"f":1.5,"t":true,"null":null,"l":["a",2],"z":"last"}"#).unwrap();
    let all: Vec<_> = params.iter().collect();
    assert_eq!(
        all,
        [("z", "FDG"), ("n", "4"), ("f", "1.5"), ("t", "true"), ("null", ""), ("l", "a"), ("l", "2"), ("z", "last")]
    );
    assert_eq!(params.get("z"), Some("last"));
    assert_eq!(Params::default().add_json(b" {} "), Ok(()));
    assert_eq!(Params::default().add_json(b" \n"), Ok(()));
}

#[test]
fn other_json_is_refused() {
    for body in [&b"[]"[..], b"1", b"{", b"\"a\"", b"{}x", b"\xff"] {
        assert_eq!(Params::default().add_json(body), Err(ParamsError::NotAnObject));
    }
    for body in [&br#"{"a":{}}"#[..], br#"{"a":[[1]]}"#] {
        assert_eq!(Params::default().add_json(body), Err(ParamsError::NotAPlainValue { name: "a".into() }));
    }
    let deep = [b"{\"a\":".as_slice(), &[b'['; 100_000]].concat();
    assert_eq!(Params::default().add_json(&deep), Err(ParamsError::NotAnObject));
}

#[test]
fn limits_hold() {
    assert_eq!(Params::from_query(&"a".repeat(MAX_QUERY_BYTES + 1)), Err(ParamsError::QueryTooLong));
    let mut params = Params::default();
    assert_eq!(params.add_form(&vec![b'a'; MAX_FORM_BYTES + 1]), Err(ParamsError::BodyTooLarge));
    assert_eq!(params.add_form(&b"a&".repeat(MAX_PARAMETERS + 1)), Err(ParamsError::TooMany));
    let mut params = Params::default();
    assert_eq!(params.add_form(&vec![b'a'; MAX_NAME_BYTES + 1]), Err(ParamsError::NameTooLong));
    let value = "v".repeat(MAX_VALUE_BYTES + 1);
    assert_eq!(params.add_field("a", &value), Err(ParamsError::ValueTooLong { name: "a".into() }));
}

#[test]
fn what_is_no_text_is_refused() {
    for query in ["a=%ff", "a=%00", "%00=a", "a=%c0%af"] {
        assert_eq!(Params::from_query(query), Err(ParamsError::NotText), "{query}");
    }
}

#[test]
fn the_field_reference_is_refused_in_a_body() {
    assert_eq!(Params::default().add_form(b"reference=/etc/passwd"), Err(ParamsError::Reference));
}

#[test]
fn lists_may_be_repeated_or_separated_by_commas() {
    let params = Params::from_query("options=checksum,%20delete&options=append,,").unwrap();
    assert_eq!(params.list("options").collect::<Vec<_>>(), ["checksum", "delete", "append"]);
}

#[test]
fn numbers_are_whole_and_bounded() {
    let params = Params::from_query("a=12&b=-1&c=1.5&d=&e=99999999999999999999999&f=+3").unwrap();
    assert_eq!(params.number("a"), Ok(Some(12)));
    assert_eq!(params.number("d"), Ok(None));
    for name in ["b", "c", "e"] {
        assert!(params.number(name).is_err(), "{name}");
    }
    assert_eq!(params.number("f"), Ok(Some(3)), "a plus in a query is a blank");
}

#[test]
fn aliases_are_tried_in_order_and_empty_values_skipped() {
    let params = Params::from_query("project=&PROJECT_ID=P").unwrap();
    assert_eq!(params.text_of(&["project", "PROJECT_ID"]), Some("P"));
}
