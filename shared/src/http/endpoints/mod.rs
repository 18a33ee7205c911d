//! Every operation of the API, in one table: what the components dispatch on, and what the tests of access go through.
//!
//! A component asks for its own part ([`prearchive::find`], ...) and matches on the endpoint, so that no operation can
//! be served that does not stand here. Wrong methods are answered with 405 and unknown paths with 404 by the table.

mod router;
mod table;

pub use router::{Found, Route, Router};
pub use table::*;

/// One row of the table, as tests and documents see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The component that serves it.
    pub component: &'static str,
    /// The endpoint's name.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path; `{name}` stands for one part of it, `{*name}` for the rest.
    pub pattern: &'static str,
}

/// All operations of all components.
pub fn operations() -> impl Iterator<Item = Operation> {
    table::ALL.iter().flat_map(|rows| rows.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::RequestContext;
    use ::http::{HeaderMap, Method};

    fn context(method: Method, uri: &str) -> RequestContext {
        RequestContext::new(method, &uri.parse().unwrap(), HeaderMap::new()).unwrap()
    }

    #[test]
    fn an_operation_is_found_with_its_names_decoded() {
        let found = prearchive::find(&context(Method::HEAD, "/REST/prearchive/projects/P%20x/T/F/scans/4/")).unwrap();
        assert_eq!(found.endpoint, prearchive::Endpoint::Scan);
        assert_eq!((found.get("project"), found.get("scan"), found.get("nothing")), ("P x", "4", ""));
        let path = "/data/prearchive/projects/P/T/F/scans/4/resources/DICOM/files/a/b%20c.dcm";
        let found = prearchive::find(&context(Method::GET, path)).unwrap();
        assert_eq!((found.endpoint, found.get("file")), (prearchive::Endpoint::ScanFile, "a/b c.dcm"));
    }

    #[test]
    fn unknown_paths_are_404_and_wrong_methods_405_with_the_right_ones() {
        let error = settings::find(&context(Method::GET, "/data/projects/P/nothing/at/all")).unwrap_err();
        assert_eq!(error.status.number(), 404);
        let error = settings::find(&context(Method::PATCH, "/data/archive/projects/P")).unwrap_err();
        assert_eq!(error.status.number(), 405);
        let allow: Vec<_> = error.headers.iter().filter(|(name, _)| name == "allow").collect();
        assert_eq!(allow[0].1, "DELETE, GET, HEAD, PUT");
    }

    #[test]
    fn every_pattern_can_be_routed() {
        for operation in operations() {
            let path = operation.pattern.replace(['{', '}', '*'], "");
            let context = context(operation.method.parse().unwrap(), &path);
            let is_found = match operation.component {
                "prearchive" => prearchive::find(&context).is_ok(),
                "import" => import::find(&context).is_ok(),
                "archive" => archive::find(&context).is_ok(),
                "catalog" => catalog::find(&context).is_ok(),
                "triage" => triage::find(&context).is_ok(),
                "events" => events::find(&context).is_ok(),
                "settings" => settings::find(&context).is_ok(),
                "access" => access::find(&context).is_ok(),
                other => panic!("{other} is no component"),
            };
            assert!(is_found, "{operation:?}");
        }
    }
}
