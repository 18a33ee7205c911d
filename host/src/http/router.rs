//! Routes, matched as Spin matches them.
//!
//! Segment by segment from the left, a literal beats `:param`, `:param` beats the trailing wildcard `/...`; the
//! order in the manifest does not matter. A wildcard route also matches its own prefix, and slashes at either end of
//! a path do not count. Otherwise paths are matched as they came: nothing is decoded or normalised.

use crate::manifest::{HttpTrigger, ManifestError};
use std::cmp::Reverse;

/// Where requests go.
pub struct Router {
    /// In order of precedence.
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    component: String,
    raw: String,
    segments: Vec<Segment>,
    /// Whether it ends in `/...`.
    wildcard: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// What a path matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The component that answers.
    pub component: String,
    /// The route as the manifest writes it.
    pub route: String,
    /// What `...` stands for, with its leading slash; empty if the route has no wildcard.
    pub path_info: String,
    /// What each `:name` stands for.
    pub parameters: Vec<(String, String)>,
}

impl Matched {
    /// A call from one component to another, which has no route: everything is path info.
    pub fn internal(component: &str, path: &str) -> Self {
        Self {
            component: component.to_owned(),
            route: "/...".to_owned(),
            path_info: path.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The route without its wildcard.
    pub fn prefix(&self) -> &str {
        self.route.strip_suffix("/...").unwrap_or(&self.route)
    }
}

impl Router {
    /// Builds the router from the triggers; private ones have no route.
    pub fn build(triggers: &[HttpTrigger]) -> Result<Self, ManifestError> {
        let mut routes: Vec<Route> = Vec::new();
        for trigger in triggers {
            let Some(raw) = &trigger.route else { continue };
            let refuse = |reason: String| ManifestError::Route {
                route: raw.clone(),
                component: trigger.component.clone(),
                reason,
            };
            let route = Route::parse(raw, &trigger.component).map_err(refuse)?;
            if let Some(other) = routes.iter().find(|other| other.same_paths(&route)) {
                return Err(refuse(format!("component {:?} has the same route", other.component)));
            }
            routes.push(route);
        }
        routes.sort_by_key(Route::precedence);
        Ok(Self { routes })
    }

    /// The component for a path.
    pub fn find(&self, path: &str) -> Option<Matched> {
        self.routes.iter().find_map(|route| route.matches(path))
    }

    /// Every route with its component, in order of precedence.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes.iter().map(|route| (route.raw.as_str(), route.component.as_str()))
    }
}

impl Route {
    fn parse(raw: &str, component: &str) -> Result<Self, String> {
        if !raw.starts_with('/') {
            return Err("a route starts with a slash".to_owned());
        }
        let trimmed = raw.trim_matches('/');
        let (path, wildcard) = match trimmed.rsplit_once('/').unwrap_or(("", trimmed)) {
            (path, "..." | "*") => (path, true),
            _ => (trimmed, false),
        };
        let segments = path.split('/').filter(|_| !path.is_empty()).map(Segment::parse).collect::<Result<_, _>>()?;
        Ok(Self { component: component.to_owned(), raw: raw.to_owned(), segments, wildcard })
    }

    /// Whether both match exactly the same paths.
    fn same_paths(&self, other: &Self) -> bool {
        self.wildcard == other.wildcard
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|pair| match pair {
                (Segment::Literal(one), Segment::Literal(two)) => one == two,
                (Segment::Parameter(_), Segment::Parameter(_)) => true,
                _ => false,
            })
    }

    /// Sorts routes so that the first that matches is the one that Spin takes: at the leftmost segment where two
    /// routes differ in kind, the literal one comes first, then the parameter, then the wildcard.
    fn precedence(&self) -> Vec<Reverse<u8>> {
        let kinds = self.segments.iter().map(|segment| match segment {
            Segment::Literal(_) => 3,
            Segment::Parameter(_) => 2,
        });
        // A path that ends where the other has a wildcard is the more exact one.
        kinds.chain([if self.wildcard { 0 } else { 1 }]).map(Reverse).collect()
    }

    fn matches(&self, path: &str) -> Option<Matched> {
        let trimmed = path.trim_matches('/');
        let mut rest = (!trimmed.is_empty()).then_some(trimmed);
        let mut parameters = Vec::new();
        for segment in &self.segments {
            let (present, after) = match rest?.split_once('/') {
                Some((present, after)) => (present, Some(after)),
                None => (rest?, None),
            };
            match segment {
                Segment::Literal(literal) if literal == present => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(name) => parameters.push((name.clone(), present.to_owned())),
            }
            rest = after;
        }
        let path_info = match (rest, path.ends_with('/')) {
            (Some(_), _) if !self.wildcard => return None,
            (_, _) if !self.wildcard => String::new(),
            (None, false) => String::new(),
            (None, true) => "/".to_owned(),
            (Some(rest), false) => format!("/{rest}"),
            (Some(rest), true) => format!("/{rest}/"),
        };
        Some(Matched { component: self.component.clone(), route: self.raw.clone(), path_info, parameters })
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix(':') {
            Some(name) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                Ok(Self::Parameter(name.to_owned()))
            }
            Some(_) => Err(format!("{text:?} is not a parameter, which is a colon and a name")),
            None if text == "..." || text.contains('*') => Err("a wildcard can only stand at the end".to_owned()),
            None if text.is_empty() => Err("a segment is empty".to_owned()),
            None => Ok(Self::Literal(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(routes: &[&str]) -> Router {
        try_build(routes).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_build(routes: &[&str]) -> Result<Router, ManifestError> {
        let triggers: Vec<_> = routes
            .iter()
            .map(|route| HttpTrigger { route: Some((*route).to_owned()), component: (*route).to_owned() })
            .collect();
        Router::build(&triggers)
    }

    /// The route found for a path, whatever the order of the routes.
    #[track_caller]
    fn expect(routes: &[&str], path: &str, wanted: Option<&str>) {
        let mut reversed = routes.to_vec();
        reversed.reverse();
        for order in [routes, &reversed] {
            let found = build(order).find(path).map(|found| found.component);
            assert_eq!(found.as_deref(), wanted, "{path} in {order:?}");
        }
    }

    #[test]
    fn a_literal_beats_a_parameter_beats_a_wildcard() {
        let routes = ["/data/...", "/data/:x", "/data/projects"];
        expect(&routes, "/data/projects", Some("/data/projects"));
        expect(&routes, "/data/other", Some("/data/:x"));
        expect(&routes, "/data/other/more", Some("/data/..."));
        expect(&routes, "/else", None);
    }

    #[test]
    fn the_leftmost_literal_decides() {
        let routes = ["/data/projects/:project/prearchive_code/...", "/data/:a/:b/prearchive_code/all", "/..."];
        expect(&routes, "/data/projects/P/prearchive_code/all", Some("/data/projects/:project/prearchive_code/..."));
        expect(&routes, "/data/subjects/P/prearchive_code/all", Some("/data/:a/:b/prearchive_code/all"));
        expect(&routes, "/data/subjects/P/prearchive_code/4", Some("/..."));
    }

    #[test]
    fn a_wildcard_matches_its_own_prefix_and_the_longest_one_wins() {
        let routes = ["/...", "/data/...", "/data/prearchive/..."];
        expect(&routes, "/data/prearchive", Some("/data/prearchive/..."));
        expect(&routes, "/data/prearchive/", Some("/data/prearchive/..."));
        expect(&routes, "/data/prearchive/projects/P", Some("/data/prearchive/..."));
        expect(&routes, "/data", Some("/data/..."));
        expect(&routes, "/data/prearchived", Some("/data/..."));
        expect(&["/data/prearchive/..."], "/data/prearchived", None);
        expect(&routes, "/", Some("/..."));
    }

    #[test]
    fn an_exact_route_also_takes_a_trailing_slash() {
        expect(&["/data/version"], "/data/version", Some("/data/version"));
        expect(&["/data/version"], "/data/version/", Some("/data/version"));
        expect(&["/data/version"], "/data/version/x", None);
        expect(&["/"], "/", Some("/"));
        expect(&["/"], "/x", None);
    }

    #[test]
    fn matching_is_case_sensitive() {
        expect(&["/data/JSESSION"], "/data/JSESSION", Some("/data/JSESSION"));
        expect(&["/data/JSESSION"], "/data/jsession", None);
    }

    #[test]
    fn odd_paths_are_passed_on_as_they_came() {
        let router = build(&["/data/...", "/data/:x/secret"]);
        for (path, info) in [
            ("/data/../etc", "/../etc"),
            ("/data/a//b", "/a//b"),
            ("/data/a%2Fb", "/a%2Fb"),
            ("/data/a/b/", "/a/b/"),
            ("/data", ""),
            ("/data/", "/"),
        ] {
            let found = router.find(path).unwrap();
            assert_eq!((found.component.as_str(), found.path_info.as_str()), ("/data/...", info), "{path}");
        }
        assert_eq!(router.find("/data/a%2Fb/secret").unwrap().component, "/data/:x/secret");
    }

    #[test]
    fn parameters_are_captured() {
        let found = build(&["/data/projects/:project/subjects/:subject/..."]).find("/data/projects/P/subjects/S/x/y");
        let found = found.unwrap();
        assert_eq!(found.path_info, "/x/y");
        assert_eq!(found.prefix(), "/data/projects/:project/subjects/:subject");
        let parameters = [("project".to_owned(), "P".to_owned()), ("subject".to_owned(), "S".to_owned())];
        assert_eq!(found.parameters, parameters);
    }

    #[test]
    fn dots_in_literals() {
        let routes = ["/data/catalog.xml", "/data/:x"];
        expect(&routes, "/data/catalog.xml", Some("/data/catalog.xml"));
        expect(&routes, "/data/other.xml", Some("/data/:x"));
    }

    #[test]
    fn broken_and_repeated_routes_are_refused() {
        assert!(try_build(&["data"]).is_err());
        assert!(try_build(&["/data/.../x"]).is_err());
        assert!(try_build(&["/data/:"]).is_err());
        assert!(try_build(&["/data/x*"]).is_err());
        assert!(try_build(&["/data//x"]).is_err());
        assert!(try_build(&["/data/x", "/data/x/"]).is_err());
        assert!(try_build(&["/data/:x/...", "/data/:y/..."]).is_err());
    }

    #[test]
    fn a_private_trigger_has_no_route() {
        let triggers = [HttpTrigger { route: None, component: "worker".to_owned() }];
        let router = Router::build(&triggers).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(router.find("/"), None);
        assert_eq!(router.routes().count(), 0);
    }
}
