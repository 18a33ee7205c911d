//! What one request asks of a list.

use super::assessors::ASSESSORS;
use super::{ListKind, TYPE, URI, compared_as, demanded_type, is_of_type};
use crate::http::filter::{Field, Filters};
use crate::http::{ClientError, Column, Page, Params, Table};

/// More names in `columns=` or `sortBy=` are not looked at.
const MAX_NAMES: usize = 256;
/// More conditions are refused.
const MAX_CONDITIONS: usize = 64;

/// What one request asks of a list.
#[derive(Debug, Clone)]
pub struct Listing {
    kind: &'static ListKind,
    /// The columns of the answer: their names as the client wrote them, and their paths.
    shown: Vec<(String, String)>,
    filters: Filters,
    /// The types one of which an item must be of; none for all.
    types: Vec<String>,
    /// The paths to sort by.
    order: Vec<String>,
    descending: bool,
    page: Option<Page>,
    /// Every path whose values are needed, each once.
    paths: Vec<String>,
}

impl Listing {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// 400 for conditions that cannot be compared, and for parts that are none.
    pub fn read(kind: &'static ListKind, params: &Params) -> Result<Self, ClientError> {
        let shown = columns(kind, params.text("columns"));
        let named = conditions(kind, params)?;
        let fields: Vec<Field<'_>> = named
            .iter()
            .map(|(name, path)| Field { name, column: path, kind: compared_as(demanded_type(path).1) })
            .collect();
        let filters = Filters::of(params, &fields)?;
        let order: Vec<String> = params
            .list("sortBy")
            .take(MAX_NAMES)
            .filter_map(|name| kind.path_of(name).or_else(|| (name == URI).then(|| URI.to_owned())))
            .collect();
        let descending = params.text("sortOrder").is_some_and(|word| word.eq_ignore_ascii_case("desc"));
        let mut paths: Vec<String> = Vec::new();
        let shown_paths = shown.iter().map(|(_, path)| path);
        for path in shown_paths.chain(named.iter().map(|(_, path)| path)).chain(&order) {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        let types = params.list(TYPE).map(str::to_owned).collect();
        Ok(Self { kind, shown, filters, types, order, descending, page: Page::of(params)?, paths })
    }

    /// Every path whose value is needed of each item.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|path| demanded_type(path).1)
    }

    /// Whether an item of this type can be in the list.
    pub fn wants_type(&self, xsi_type: &str) -> bool {
        is_of_type(self.kind, &self.types, xsi_type)
    }

    /// Whether an assessor of this type can be in the list: only if it is asked for.
    pub fn wants_assessor(&self, xsi_type: &str) -> bool {
        !self.types.is_empty() && is_of_type(&ASSESSORS, &self.types, xsi_type)
    }

    /// A row of [`table`](Self::table): the values of an item of this type at each of the paths.
    pub fn row(&self, xsi_type: &str, value: impl Fn(&str) -> String) -> Vec<String> {
        let cell = |path: &String| match demanded_type(path) {
            (Some(demanded), _) if !demanded.eq_ignore_ascii_case(xsi_type) => String::new(),
            (_, path) => value(path),
        };
        self.paths.iter().map(cell).collect()
    }

    /// The answer: of the rows those that pass, in order, cut, with the columns that were asked for.
    pub fn table(&self, title: &'static str, rows: Vec<Vec<String>>) -> Table {
        let mut table = Table::new(self.paths.iter().map(|path| Column::new(path.clone()))).titled(title);
        table.rows = rows;
        table.filter(&self.filters);
        if !self.order.is_empty() {
            table.sort_by(&self.order.join(","), self.descending.then_some("desc"));
        }
        if let Some(page) = self.page {
            table.cut(page);
        }
        let shown: Vec<(String, &str)> = self.shown.iter().map(|(name, path)| (name.clone(), path.as_str())).collect();
        table.keep_named_columns(&shown);
        table
    }
}

/// The columns of the answer. Names that are not known are dropped silently, `DEFAULT` stands for the defaults, and the
/// address comes last unless it was asked for elsewhere: XNAT's rules.
fn columns(kind: &ListKind, requested: Option<&str>) -> Vec<(String, String)> {
    let mut chosen: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str| {
        let path = if name == URI { Some(URI.to_owned()) } else { kind.path_of(name) };
        if let Some(path) = path.filter(|_| !chosen.iter().any(|(known, _)| known == name)) {
            chosen.push((name.to_owned(), path));
        }
    };
    match requested {
        None => kind.defaults.iter().for_each(|name| add(name)),
        Some(text) => {
            for word in text.split(',').map(str::trim).take(MAX_NAMES) {
                match word {
                    "DEFAULT" => kind.defaults.iter().for_each(|name| add(name)),
                    word => add(word),
                }
            }
        }
    }
    add(URI);
    chosen
}

/// The parameters that are conditions, with their paths. The type has a parameter of its own kind.
fn conditions(kind: &ListKind, params: &Params) -> Result<Vec<(String, String)>, ClientError> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, _) in params.iter() {
        if name == TYPE || found.iter().any(|(known, _)| known == name) {
            continue;
        }
        let Some(path) = kind.path_of(name) else { continue };
        if found.len() >= MAX_CONDITIONS {
            let sentence = format!("A list can be restricted by at most {MAX_CONDITIONS} fields.");
            return Err(ClientError::bad_request("bad-filter", sentence));
        }
        found.push((name.to_owned(), path));
    }
    Ok(found)
}
