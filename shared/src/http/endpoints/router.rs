//! Finding the operation that a request asks for.

use std::collections::BTreeMap;

use ::http::Method;
use percent_encoding::percent_decode_str;

use crate::http::{ClientError, RequestContext};

/// A row of a component's table.
#[derive(Debug, Clone, Copy)]
pub struct Route<E> {
    /// The HTTP method.
    pub method: &'static str,
    /// The path.
    pub pattern: &'static str,
    /// What it stands for.
    pub endpoint: E,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<E> {
    /// The operation.
    pub endpoint: E,
    names: Vec<(String, String)>,
}

impl<E> Found<E> {
    /// The part of the path that stands where the pattern has `{name}`, decoded; empty if the pattern has none.
    pub fn get(&self, name: &str) -> &str {
        self.names.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// A component's table, ready to be asked.
#[derive(Debug)]
pub struct Router<E> {
    patterns: matchit::Router<Vec<(Method, E)>>,
}

impl<E: Copy> Router<E> {
    /// The router of these rows. Rows whose pattern contradicts an earlier one are left out, which a test would notice.
    pub fn new(routes: &[Route<E>]) -> Self {
        let mut methods: BTreeMap<&str, Vec<(Method, E)>> = BTreeMap::new();
        for route in routes {
            if let Ok(method) = route.method.parse() {
                methods.entry(route.pattern).or_default().push((method, route.endpoint));
            }
        }
        let mut patterns = matchit::Router::new();
        for (pattern, methods) in methods {
            let _ = patterns.insert(pattern, methods);
        }
        Self { patterns }
    }

    /// What the request asks for. HEAD is served as GET.
    ///
    /// # Errors
    /// 404 for an unknown path, 405 for another method.
    pub fn find(&self, context: &RequestContext) -> Result<Found<E>, ClientError> {
        let path = context.path.canonical();
        let matched = self.patterns.at(&path).map_err(|_| ClientError::unknown_route())?;
        let wanted = context.routed_method();
        let Some((_, endpoint)) = matched.value.iter().find(|(method, _)| *method == wanted) else {
            let mut allowed: Vec<Method> = matched.value.iter().map(|(method, _)| method.clone()).collect();
            if allowed.contains(&Method::GET) {
                allowed.push(Method::HEAD);
            }
            allowed.sort_by(|a, b| a.as_str().cmp(b.as_str()));
            return Err(ClientError::method_not_allowed(&allowed));
        };
        // The path was checked and written anew, so it decodes to what was checked.
        let decoded = |value: &str| percent_decode_str(value).decode_utf8_lossy().into_owned();
        let names = matched.params.iter().map(|(name, value)| (name.to_owned(), decoded(value))).collect();
        Ok(Found { endpoint: *endpoint, names })
    }
}
