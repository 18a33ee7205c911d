//! The built components import nothing that Spin 4.1 lacks.

use std::fs;

use narthex_tests::root;
use wasmparser::{Parser, Payload};

/// The interfaces of Spin 4.1 that a component for its HTTP trigger may import. A trailing `*` stands for any end.
const PROVIDED: [&str; 16] = [
    "wasi:cli/*@0.2.*",
    "wasi:clocks/*@0.2.*",
    "wasi:filesystem/*@0.2.*",
    "wasi:http/*@0.2.*",
    "wasi:io/*@0.2.*",
    "wasi:random/*@0.2.*",
    "wasi:sockets/*@0.2.*",
    "wasi:cli/*@0.3.0",
    "wasi:clocks/*@0.3.0",
    "wasi:filesystem/*@0.3.0",
    "wasi:http/*@0.3.0",
    "wasi:random/*@0.3.0",
    "wasi:sockets/*@0.3.0",
    "wasi:keyvalue/*@0.2.0-draft2",
    "spin:key-value/key-value@3.0.0",
    "spin:variables/variables@3.0.0",
];

const COMPONENTS: [&str; 8] = ["prearchive", "import", "archive", "catalog", "triage", "events", "settings", "access"];

/// Whether a name fits a pattern in which `*` stands for anything without a slash.
fn fits(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            let mut ends = ends.take_while(|at| !name[..*at].contains('/'));
            ends.any(|at| fits(&name[at..], rest))
        }),
    }
}

/// The imports and exports of a component, by name.
fn interface(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            // What is inside a component's modules and components is its own affair.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(section.into_iter().map(|import| import.unwrap().name.0.to_owned()));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(section.into_iter().map(|export| export.unwrap().name.0.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

#[test]
fn every_import_is_one_that_spin_provides() {
    for component in COMPONENTS {
        let file = root().join(format!("target/wasm32-wasip2/guest/narthex_{component}.wasm"));
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (imports, exports) = interface(&bytes);
        println!("{component}: {} KB, imports {imports:#?}", bytes.len() / 1000);
        let unknown: Vec<&String> =
            imports.iter().filter(|name| !PROVIDED.iter().any(|pattern| fits(name, pattern))).collect();
        assert!(unknown.is_empty(), "{component} imports what Spin 4.1 does not provide: {unknown:?}");
        assert!(!imports.is_empty(), "{component} imports nothing, so it was not read rightly");
        let handler = exports.iter().any(|name| fits(name, "wasi:http/handler@0.3.0"));
        assert!(handler, "{component} has no handler of WASI 0.3: {exports:?}");
    }
}

#[test]
fn patterns_fit_what_they_should() {
    assert!(fits("wasi:cli/stdout@0.2.6", "wasi:cli/*@0.2.*"));
    assert!(fits("spin:key-value/key-value@3.0.0", "spin:key-value/key-value@3.0.0"));
    assert!(!fits("wasi:cli/stdout@0.3.1", "wasi:cli/*@0.3.0"));
    assert!(!fits("wasi:nn/graph@0.2.0", "wasi:cli/*@0.2.*"));
}
