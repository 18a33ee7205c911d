//! How figures are shown.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

/// How a table says that a promise is not kept.
const MISSED: &str = "MISSED";

/// Whether a promise is kept, as tables say it at the end of a cell.
pub fn verdict(is_kept: bool) -> &'static str {
    if is_kept { "met" } else { MISSED }
}

/// Prints one JSON object, or else the table.
///
/// # Errors
/// When a promise of the table is not kept.
pub fn print(json: bool, object: &Value, table: &[Vec<String>]) -> Result<()> {
    if json {
        println!("{object}")
    } else {
        println!("\n{}", aligned(table))
    }
    demand_kept(table)
}

fn demand_kept(table: &[Vec<String>]) -> Result<()> {
    let is_missed = |row: &&Vec<String>| row.iter().any(|cell| cell.ends_with(MISSED));
    let missed: Vec<String> = table.iter().filter(is_missed).map(|row| row.join(" ")).collect();
    ensure!(missed.is_empty(), "what is promised is not kept:\n{}", missed.join("\n"));
    Ok(())
}

/// The columns of a table one below the other: the first to the left, the others to the right.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = if column == 0 { write!(text, "{cell:<width$}") } else { write!(text, "  {cell:>width$}") };
        }
        text.push('\n');
    }
    text
}

/// The middle of the measurements, and the shortest.
pub fn median_and_least(measurements: &[Duration]) -> (f64, f64) {
    let mut sorted: Vec<f64> = measurements.iter().map(Duration::as_secs_f64).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = match sorted.len() {
        0 => f64::NAN,
        count if count.is_multiple_of(2) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    };
    (median, sorted.first().copied().unwrap_or(f64::NAN))
}

/// A million bytes.
pub const MEGABYTE: f64 = 1e6;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{aligned, demand_kept, median_and_least, verdict};

    #[test]
    fn medians_of_odd_and_even_numbers() {
        let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect::<Vec<_>>();
        assert_eq!(median_and_least(&seconds(&[3, 1, 2])), (2.0, 1.0));
        assert_eq!(median_and_least(&seconds(&[4, 1, 2, 3])), (2.5, 1.0));
    }

    #[test]
    fn a_promise_that_is_not_kept_fails_with_its_row() {
        let table = |kept: [bool; 2]| {
            let row = |what: &str, is_kept| vec![what.to_owned(), format!("50 ms {}", verdict(is_kept))];
            [vec!["list".to_owned(), String::new()], row("all", kept[0]), row("a page", kept[1])]
        };
        assert!(demand_kept(&table([true, true])).is_ok());
        let error = demand_kept(&table([true, false])).unwrap_err().to_string();
        assert!(error.contains("a page 50 ms MISSED") && !error.contains("all"), "{error}");
    }

    #[test]
    fn columns_line_up() {
        let rows = [["a", "bbb"], ["aaaa", "b"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), "a     bbb\naaaa    b\n");
    }
}
