//! Filters of lists: `<field>=value` by XNAT's rules.
//!
//! Values that are divided by commas, or given repeatedly, are alternatives. Texts are compared without case, `*` and
//! `%` stand for anything; numbers and dates may be ranges (`a-b`).

use std::collections::HashSet;

use super::error::ClientError;
use super::params::Params;
use super::table::Table;
use crate::imaging::session::calendar_date;

/// How the cells of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As text.
    Text,
    /// As number.
    Number,
    /// As date: the cells begin with `yyyy-MM-dd`, a time may follow.
    Date,
}

/// A field that a list can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The parameter's name: a short name, or an XPath.
    pub name: &'a str,
    /// The column that is looked at.
    pub column: &'a str,
    /// How it is compared.
    pub kind: Kind,
}

/// Alternatives of one request, at most.
const MAX_ALTERNATIVES: usize = 1_000;
/// Alternatives with wildcards among them, at most: each is compared with every row.
const MAX_PATTERNS: usize = 64;
/// The longest alternative with wildcards, in characters.
const MAX_PATTERN_CHARACTERS: usize = 256;

/// Why a filter is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A value that is no number or range of numbers.
    #[error("The filter '{name}' must be a number or a range such as 1-5.")]
    NotANumber {
        /// The parameter.
        name: String,
    },
    /// A value that is no date or range of dates.
    #[error("The filter '{name}' must be a date such as 2024-05-31 or 05/31/2024, or a range of two dates.")]
    NotADate {
        /// The parameter.
        name: String,
    },
    /// Too many or too long alternatives.
    #[error("The filter '{name}' has too many or too long alternatives.")]
    TooMuch {
        /// The parameter.
        name: String,
    },
}

impl From<FilterError> for ClientError {
    fn from(error: FilterError) -> Self {
        Self::bad_request("bad-filter", error.to_string())
    }
}

/// The alternatives of one field.
#[derive(Debug, Clone, PartialEq)]
enum Alternatives {
    Texts {
        exact: HashSet<String>,
        patterns: Vec<Vec<char>>,
    },
    Numbers(Vec<(f64, f64)>),
    /// First and last day or time.
    Dates(Vec<(String, String)>),
}

/// The filters of a request; a row must pass all of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    by_column: Vec<(String, Alternatives)>,
}

impl Filters {
    /// The filters that a request gives for these fields. Empty values are none.
    ///
    /// # Errors
    /// A [`FilterError`] for values that cannot be compared, and beyond the limits.
    pub fn of(params: &Params, fields: &[Field<'_>]) -> Result<Self, FilterError> {
        let mut filters = Self::default();
        let (mut alternatives, mut patterns) = (0, 0);
        for field in fields {
            let values: Vec<&str> = params.list(field.name).collect();
            if values.is_empty() {
                continue;
            }
            let read = Alternatives::read(field, &values)?;
            alternatives += values.len();
            if let Alternatives::Texts { patterns: more, .. } = &read {
                patterns += more.len();
            }
            if alternatives > MAX_ALTERNATIVES || patterns > MAX_PATTERNS {
                return Err(FilterError::TooMuch { name: field.name.to_owned() });
            }
            filters.by_column.push((field.column.to_owned(), read));
        }
        Ok(filters)
    }

    /// Whether nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.by_column.is_empty()
    }

    /// Whether a row passes, whose cells are looked up by the names of their columns.
    pub fn pass<'c>(&self, cell: impl Fn(&str) -> Option<&'c str>) -> bool {
        self.by_column.iter().all(|(column, wanted)| wanted.accept(cell(column).unwrap_or_default()))
    }
}

impl Table {
    /// Keeps the rows that pass the filters.
    pub fn filter(&mut self, filters: &Filters) {
        let positions: Vec<(Option<usize>, &Alternatives)> =
            filters.by_column.iter().map(|(column, wanted)| (self.position(column), wanted)).collect();
        self.rows.retain(|row| {
            positions.iter().all(|(position, wanted)| {
                let cell = position.and_then(|position| row.get(position));
                wanted.accept(cell.map_or("", String::as_str))
            })
        });
    }
}

impl Alternatives {
    fn read(field: &Field<'_>, values: &[&str]) -> Result<Self, FilterError> {
        let name = || field.name.chars().take(100).collect::<String>();
        match field.kind {
            Kind::Text => {
                let (mut exact, mut patterns) = (HashSet::new(), Vec::new());
                for value in values {
                    let value = value.to_lowercase();
                    if !value.contains(['*', '%']) {
                        exact.insert(value);
                    } else if value.chars().count() <= MAX_PATTERN_CHARACTERS {
                        patterns.push(value.chars().collect());
                    } else {
                        return Err(FilterError::TooMuch { name: name() });
                    }
                }
                Ok(Self::Texts { exact, patterns })
            }
            Kind::Number => {
                let ranges = values.iter().map(|value| range(value, number));
                let ranges: Option<Vec<_>> = ranges.collect();
                ranges.map(Self::Numbers).ok_or_else(|| FilterError::NotANumber { name: name() })
            }
            Kind::Date => {
                let ranges: Option<Vec<_>> = values.iter().map(|value| range(value, date)).collect();
                ranges.map(Self::Dates).ok_or_else(|| FilterError::NotADate { name: name() })
            }
        }
    }

    fn accept(&self, cell: &str) -> bool {
        match self {
            Self::Texts { exact, patterns } => {
                let cell = cell.to_lowercase();
                if exact.contains(&cell) {
                    return true;
                }
                if patterns.is_empty() {
                    return false;
                }
                let cell: Vec<char> = cell.chars().collect();
                patterns.iter().any(|pattern| is_like(&cell, pattern))
            }
            Self::Numbers(ranges) => {
                number(cell).is_some_and(|number| ranges.iter().any(|(from, to)| *from <= number && number <= *to))
            }
            // Written as they are, dates are in the order of their texts; a day holds all its times.
            Self::Dates(ranges) => ranges.iter().any(|(from, to)| {
                !cell.is_empty() && cell >= from.as_str() && cell.get(..to.len()).unwrap_or(cell) <= to.as_str()
            }),
        }
    }
}

/// A value, or two with a hyphen between. Values may have hyphens themselves, so each is tried.
fn range<T: Clone>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<(T, T)> {
    if let Some(value) = read(text) {
        return Some((value.clone(), value));
    }
    text.match_indices('-').find_map(|(position, _)| {
        let (from, to) = text.split_at(position);
        Some((read(from)?, read(to.strip_prefix('-')?)?))
    })
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|_| is_plain)
}

/// A date written as `MM/dd/yyyy` or `yyyy-MM-dd[ HH:mm[:ss[.S]]]`, in the latter form; `None` if it is none.
pub fn date(text: &str) -> Option<String> {
    let text = text.trim();
    let number = |digits: &str, length: usize| {
        (digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse::<u16>().ok())?
    };
    if let Some((month, rest)) = text.split_once('/') {
        let (day, year) = rest.split_once('/')?;
        return calendar_date(year, month, day);
    }
    let (day, clock) = match text.split_once([' ', 'T']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let mut parts = day.splitn(3, '-');
    let (year, month, of_month) = (parts.next()?, parts.next()?, parts.next()?);
    let day = calendar_date(year, month, of_month).filter(|date| date == day)?;
    let Some(clock) = clock else { return Some(day) };
    let (whole, fraction) = clock.split_once('.').map_or((clock, None), |(whole, fraction)| (whole, Some(fraction)));
    let parts: Vec<&str> = whole.split(':').collect();
    let limits = [24, 60, 60];
    let is_clock = (2..=3).contains(&parts.len())
        && parts.iter().zip(limits).all(|(part, limit)| number(part, 2).is_some_and(|value| value < limit));
    let is_fraction = fraction.is_none_or(|digits| {
        parts.len() == 3 && (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    });
    (is_clock && is_fraction).then(|| format!("{day} {clock}"))
}

/// Whether a text is like a pattern in which `*` and `%` stand for anything.
fn is_like(text: &[char], pattern: &[char]) -> bool {
    let (mut t, mut p) = (0, 0);
    // Where the last wildcard stood, and how much of the text it has taken: it takes one more when the rest fails.
    let mut last: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*' | '%') => {
                last = Some((p, t));
                p += 1;
            }
            Some(wanted) if text.get(t) == Some(wanted) => {
                t += 1;
                p += 1;
            }
            _ => match last {
                Some((position, taken)) => {
                    last = Some((position, taken + 1));
                    t = taken + 1;
                    p = position + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|rest| matches!(rest, '*' | '%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [Field<'static>; 4] = [
        Field { name: "name", column: "name", kind: Kind::Text },
        Field { name: "xnat:projectData/name", column: "name", kind: Kind::Text },
        Field { name: "frames", column: "frames", kind: Kind::Number },
        Field { name: "date", column: "date", kind: Kind::Date },
    ];

    fn passes(query: &str, cells: &[(&str, &str)]) -> bool {
        let filters = Filters::of(&Params::from_query(query).unwrap(), &FIELDS).unwrap();
        let found = |column: &str| cells.iter().find(|(name, _)| *name == column).map(|(_, cell)| *cell);
        let mut table = Table::with_columns(cells.iter().map(|(name, _)| (*name).to_owned()));
        table.push(cells.iter().map(|(_, cell)| *cell));
        table.filter(&filters);
        assert_eq!(filters.pass(found), !table.rows.is_empty());
        filters.pass(found)
    }

    #[test]
    fn texts_are_compared_without_case_and_commas_divide_alternatives() {
        for (query, passing) in [
            ("", true),
            ("name=", true),
            ("name=brain", true),
            ("name=BRAIN,other", true),
            ("name=other&name=brain", true),
            ("name=other", false),
            ("name=bra", false),
            ("name=br*", true),
            ("name=%25AI%25", true),
            ("name=*", true),
            ("name=b*n", true),
            ("name=b*x*n", false),
            ("xnat:projectData/name=brain", true),
            ("xnat:projectData/name=other", false),
            ("Name=other", true),
        ] {
            assert_eq!(passes(query, &[("name", "Brain")]), passing, "{query}");
        }
        assert!(passes("name=%C3%84*", &[("name", "äb")]));
        assert!(!passes("name=a", &[("name", "")]));
    }

    #[test]
    fn numbers_may_be_ranges() {
        for (query, passing) in [
            ("frames=4", true),
            ("frames=4.0", true),
            ("frames=1-4", true),
            ("frames=-1-4", true),
            ("frames=-9--1", false),
            ("frames=5,1-3", false),
            ("frames=5,1-3,4", true),
        ] {
            assert_eq!(passes(query, &[("frames", "4")]), passing, "{query}");
        }
        assert!(!passes("frames=0-9", &[("frames", "")]));
        for query in ["frames=x", "frames=inf", "frames=1-", "frames=-", "frames=1-2-x"] {
            let read = Filters::of(&Params::from_query(query).unwrap(), &FIELDS);
            assert_eq!(read, Err(FilterError::NotANumber { name: "frames".to_owned() }), "{query}");
        }
    }

    #[test]
    fn dates_may_be_ranges_and_a_day_holds_its_times() {
        let cell = [("date", "2024-05-31 10:22:33.123")];
        for (query, passing) in [
            ("date=2024-05-31", true),
            ("date=05/31/2024", true),
            ("date=5/31/2024", true),
            ("date=2024-05-30", false),
            ("date=2024-05-01-2024-05-31", true),
            ("date=05/01/2024-05/30/2024", false),
            ("date=2024-06-01-2024-07-01,2024-05-31", true),
            ("date=2024-05-31 10:00-2024-05-31 10:22", true),
            ("date=2024-05-31 10:23-2024-05-31 11:00", false),
        ] {
            assert_eq!(passes(&query.replace(' ', "%20"), &cell), passing, "{query}");
        }
        assert!(!passes("date=2024-05-31", &[("date", "")]));
        for query in ["date=x", "date=2024-02-30", "date=13/01/2024", "date=2024-05-31T25:00", "date=2024", "date=%25"]
        {
            let read = Filters::of(&Params::from_query(query).unwrap(), &FIELDS);
            assert_eq!(read, Err(FilterError::NotADate { name: "date".to_owned() }), "{query}");
        }
    }

    #[test]
    fn filters_have_limits() {
        let many = vec!["a"; MAX_ALTERNATIVES + 1].join(",");
        let patterns = vec!["*a"; MAX_PATTERNS + 1].join(",");
        let long = format!("*{}", "a".repeat(MAX_PATTERN_CHARACTERS));
        for value in [many, patterns, long] {
            let read = Filters::of(&Params::from_query(&format!("name={value}")).unwrap(), &FIELDS);
            assert_eq!(read, Err(FilterError::TooMuch { name: "name".to_owned() }));
        }
        let slow = "*a".repeat(MAX_PATTERN_CHARACTERS / 2 - 1);
        assert!(!passes(&format!("name={slow}b"), &[("name", &"a".repeat(20_000))]));
    }
}
