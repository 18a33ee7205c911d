//! What a client may ask of a list: which columns, in what order, and which part of it.

use std::cmp::Ordering;

use super::params::{Params, ParamsError};
use super::table::Table;

/// The other half of the pair when only one of `limit` and `offset` is given.
const DEFAULT_LIMIT_ROWS: usize = 100;
/// More columns in `columns=` or `sortBy=` are not looked at.
const MAX_NAMED_COLUMNS: usize = 256;

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows are passed over.
    pub offset: usize,
    /// How many rows follow at most; `None` for `limit=*`.
    pub limit: Option<usize>,
}

impl Page {
    /// Reads `limit` and `offset`; `None` if neither is given.
    ///
    /// # Errors
    /// [`ParamsError::NotANumber`].
    pub fn of(params: &Params) -> Result<Option<Self>, ParamsError> {
        let number = |name| Ok(params.number(name)?.map(|number| usize::try_from(number).unwrap_or(usize::MAX)));
        let offset = number("offset")?;
        if params.text("limit") == Some("*") {
            return Ok(Some(Self { offset: offset.unwrap_or(0), limit: None }));
        }
        let limit = number("limit")?;
        if limit.is_none() && offset.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { offset: offset.unwrap_or(0), limit: Some(limit.unwrap_or(DEFAULT_LIMIT_ROWS)) }))
    }

    /// The rows of this part, for lists that can be cut before they are made.
    pub fn range(&self, rows: usize) -> std::ops::Range<usize> {
        let start = self.offset.min(rows);
        let end = self.limit.map_or(rows, |limit| start.saturating_add(limit).min(rows));
        start..end
    }
}

/// Which columns a list answers with, for lists that can be told before they are made.
///
/// `requested` is the value of `columns=`: names that are not `available` are dropped silently, `DEFAULT` stands for
/// the defaults. `URI` comes last where the list has it, unless it was asked for elsewhere.
pub fn choose_columns<'a>(requested: Option<&str>, available: &[&'a str], defaults: &[&'a str]) -> Vec<&'a str> {
    let mut chosen: Vec<&'a str> = Vec::new();
    let mut add = |name: &'a str| {
        if !chosen.contains(&name) {
            chosen.push(name);
        }
    };
    match requested.map(str::trim).filter(|text| !text.is_empty()) {
        None => defaults.iter().copied().for_each(&mut add),
        Some(text) => {
            for word in text.split(',').map(str::trim).take(MAX_NAMED_COLUMNS) {
                if word == "DEFAULT" {
                    defaults.iter().copied().for_each(&mut add);
                } else if let Some(name) = available.iter().find(|name| **name == word) {
                    add(name);
                }
            }
        }
    }
    if let Some(uri) = available.iter().find(|name| **name == "URI") {
        add(uri);
    }
    chosen
}

/// As [`choose_columns`], for lists whose columns have longer names too (XPaths), by which they can be asked for: each
/// column is called what the client called it. `short` gives the short name of a longer one.
pub fn choose_named_columns<'a>(
    requested: Option<&str>,
    available: &[&'a str],
    defaults: &[&'a str],
    short: impl Fn(&str) -> Option<&'a str>,
) -> Vec<(String, &'a str)> {
    let mut chosen: Vec<(String, &'a str)> = Vec::new();
    let mut add = |name: &str, column: &'a str| {
        if !chosen.iter().any(|(known, _)| known == name) {
            chosen.push((name.to_owned(), column));
        }
    };
    match requested.map(str::trim).filter(|text| !text.is_empty()) {
        None => defaults.iter().for_each(|name| add(name, name)),
        Some(text) => {
            for word in text.split(',').map(str::trim).take(MAX_NAMED_COLUMNS) {
                if word == "DEFAULT" {
                    defaults.iter().for_each(|name| add(name, name));
                } else if let Some(name) = available.iter().copied().find(|name| *name == word) {
                    add(name, name);
                } else if let Some(column) = short(word) {
                    add(word, column);
                }
            }
        }
    }
    if let Some(uri) = available.iter().find(|name| **name == "URI") {
        add(uri, uri);
    }
    chosen
}

impl Table {
    /// Keeps columns under the names that [`choose_named_columns`] gives them.
    pub fn keep_named_columns(&mut self, names: &[(String, &str)]) {
        let found: Vec<(&String, usize)> =
            names.iter().filter_map(|(name, column)| Some((name, self.position(column)?))).collect();
        let columns = found.iter().filter_map(|(name, position)| {
            let column = self.columns.get(*position)?.clone();
            Some(super::table::Column { name: (*name).clone().into(), ..column })
        });
        self.columns = columns.collect();
        for row in &mut self.rows {
            *row = found.iter().map(|(_, position)| row.get(*position).cloned().unwrap_or_default()).collect();
        }
    }

    /// Sorts by `sortBy` (and `sortOrder`) and cuts by `limit` and `offset`, as far as they are given.
    ///
    /// # Errors
    /// [`ParamsError::NotANumber`] for a `limit` or `offset` that is none.
    pub fn arrange(&mut self, params: &Params) -> Result<(), ParamsError> {
        let page = Page::of(params)?;
        if let Some(columns) = params.text("sortBy") {
            self.sort_by(columns, params.text("sortOrder"));
        }
        if let Some(page) = page {
            self.cut(page);
        }
        Ok(())
    }

    /// Sorts by several columns (a comma list; unknown ones are passed over). Empty cells come last in either
    /// direction; numbers are compared as numbers where a column holds nothing else.
    pub fn sort_by(&mut self, columns: &str, order: Option<&str>) {
        let mut positions: Vec<usize> = Vec::new();
        for name in columns.split(',').map(str::trim).take(MAX_NAMED_COLUMNS) {
            if let Some(position) = self.position(name)
                && !positions.contains(&position)
            {
                positions.push(position);
            }
        }
        if positions.is_empty() {
            return;
        }
        let descending = order.is_some_and(|order| order.trim().eq_ignore_ascii_case("desc"));
        let numeric: Vec<bool> = positions.iter().map(|&position| self.is_numeric(position)).collect();
        let rows = std::mem::take(&mut self.rows);
        let mut keyed: Vec<(Vec<SortKey>, Vec<String>)> =
            rows.into_iter()
                .map(|row| {
                    let key = positions.iter().zip(&numeric).map(|(&position, &numeric)| {
                        SortKey::of(row.get(position).map_or("", String::as_str), numeric)
                    });
                    (key.collect(), row)
                })
                .collect();
        keyed.sort_by(|(left, _), (right, _)| {
            let each = left.iter().zip(right).map(|(left, right)| left.compare(right, descending));
            each.fold(Ordering::Equal, Ordering::then)
        });
        self.rows = keyed.into_iter().map(|(_, row)| row).collect();
    }

    fn is_numeric(&self, position: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(position)).filter(|cell| !cell.is_empty());
        cells.all(|cell| number(cell).is_some())
    }

    /// Keeps one part of the rows; such an answer does not say how many there are.
    pub fn cut(&mut self, page: Page) {
        let range = page.range(self.rows.len());
        self.rows.truncate(range.end);
        self.rows.drain(..range.start);
        self.counted = false;
    }

    /// Keeps the columns of these names, in their order.
    pub fn keep_columns(&mut self, names: &[&str]) {
        let positions: Vec<usize> = names.iter().filter_map(|name| self.position(name)).collect();
        self.columns = positions.iter().filter_map(|&position| self.columns.get(position).cloned()).collect();
        for row in &mut self.rows {
            *row = positions
                .iter()
                .map(|&position| row.get_mut(position).map(std::mem::take).unwrap_or_default())
                .collect();
        }
    }
}

/// A cell as it is compared.
enum SortKey {
    Missing,
    Number(f64),
    Text(String),
}

impl SortKey {
    fn of(cell: &str, numeric: bool) -> Self {
        match number(cell) {
            _ if cell.is_empty() => Self::Missing,
            Some(number) if numeric => Self::Number(number),
            _ => Self::Text(cell.to_owned()),
        }
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let ordering = match (self, other) {
            (Self::Missing, Self::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, Self::Missing) => return Ordering::Less,
            (Self::Number(left), Self::Number(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { ordering.reverse() } else { ordering }
    }
}

/// The cell as a number; the words that Rust also takes for numbers (`inf`, `nan`) are text here.
fn number(cell: &str) -> Option<f64> {
    let plain = cell.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain { cell.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(table: &Table) -> Vec<&str> {
        table.rows.iter().map(|row| row[0].as_str()).collect()
    }

    fn table(cells: &[&str]) -> Table {
        let mut table = Table::with_columns(["ID"]).titled("T");
        for cell in cells {
            table.push([*cell]);
        }
        table
    }

    #[test]
    fn numbers_are_sorted_as_numbers_only_where_all_are() {
        let mut numbers = table(&["10", "9", "", "-1.5", "2e1"]);
        numbers.sort_by("ID", None);
        assert_eq!(column(&numbers), ["-1.5", "9", "10", "2e1", ""]);
        numbers.sort_by("ID", Some("desc"));
        assert_eq!(column(&numbers), ["2e1", "10", "9", "-1.5", ""]);
        let mut mixed = table(&["10", "9", "a", "nan"]);
        mixed.sort_by("ID", None);
        assert_eq!(column(&mixed), ["10", "9", "a", "nan"]);
    }

    #[test]
    fn several_columns_sort_one_after_the_other_and_unknown_ones_are_passed_over() {
        let mut table = Table::with_columns(["a", "b"]);
        for row in [["2", "x"], ["1", "z"], ["2", "a"], ["1", "y"]] {
            table.push(row);
        }
        table.sort_by("nothing, a ,b,a", Some("ASC"));
        let rows: Vec<String> = table.rows.iter().map(|row| row.concat()).collect();
        assert_eq!(rows, ["1y", "1z", "2a", "2x"]);
        let before = table.clone();
        table.sort_by("unknown", Some("DESC"));
        assert_eq!(table, before);
    }

    #[test]
    fn limit_and_offset_cut_and_the_count_is_left_out() {
        for (query, expected) in [
            ("limit=2", Some(vec!["a", "b"])),
            ("limit=2&offset=3", Some(vec!["d"])),
            ("offset=1", Some(vec!["b", "c", "d"])),
            ("limit=*&offset=2", Some(vec!["c", "d"])),
            ("limit=0", Some(vec![])),
            ("offset=99", Some(vec![])),
            ("limit=18446744073709551615&offset=18446744073709551615", Some(vec![])),
            ("", Some(vec!["a", "b", "c", "d"])),
            ("limit=-1", None),
            ("offset=x", None),
        ] {
            let mut table = table(&["a", "b", "c", "d"]);
            let result = table.arrange(&Params::from_query(query).unwrap());
            assert_eq!(result.is_ok(), expected.is_some(), "{query}");
            if let Some(expected) = expected {
                assert_eq!(column(&table), expected, "{query}");
                assert_eq!(table.counted, query.is_empty());
            }
        }
        let only_offset = Page::of(&Params::from_query("offset=5").unwrap()).unwrap();
        assert_eq!(only_offset, Some(Page { offset: 5, limit: Some(100) }));
    }

    #[test]
    fn columns_are_chosen_and_the_uri_always_comes() {
        let available = ["ID", "label", "project", "URI"];
        let defaults = ["ID", "project"];
        for (requested, expected) in [
            (None, vec!["ID", "project", "URI"]),
            (Some(""), vec!["ID", "project", "URI"]),
            (Some("label,ID"), vec!["label", "ID", "URI"]),
            (Some("URI,label"), vec!["URI", "label"]),
            (Some("nothing,label,label"), vec!["label", "URI"]),
            (Some("label,DEFAULT"), vec!["label", "ID", "project", "URI"]),
            (Some("nothing"), vec!["URI"]),
        ] {
            assert_eq!(choose_columns(requested, &available, &defaults), expected, "{requested:?}");
        }
        assert_eq!(choose_columns(Some("x"), &["ID"], &["ID"]), Vec::<&str>::new());
    }

    #[test]
    fn columns_can_be_kept_in_another_order() {
        let mut table = Table::with_columns(["a", "b", "c"]);
        table.push(["1", "2", "3"]);
        table.push(["4"]);
        table.keep_columns(&["c", "a", "x"]);
        assert_eq!(table.to_csv(), b"c,a\n3,1\n,4\n");
    }
}
