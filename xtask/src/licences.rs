//! The licences of everything that is built, against a list of those we may use. Works offline.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::project::cargo;

/// Licences that let Apache-2.0 software be built with what carries them.
const ALLOWED: [&str; 17] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
    // BSD-like: attribution, and altered versions must say so.
    "bzip2-1.0.6",
];

/// Checks every package that the lock file names.
///
/// # Errors
/// Names the packages whose licence is missing or not allowed.
pub fn check() -> Result<()> {
    let output = cargo(&["metadata", "--format-version", "1", "--locked"]).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("`cargo metadata` gave no JSON")?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let mut refused = BTreeSet::new();
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("no licence given");
        if !allowed(licence) {
            refused.insert(format!("{} {}: {licence}", text(&package["name"]), text(&package["version"])));
        }
    }
    if !refused.is_empty() {
        let list = refused.into_iter().collect::<Vec<_>>().join("\n  ");
        bail!("these packages have a licence that is not on the list in xtask:\n  {list}");
    }
    eprintln!("{} packages, every licence on the list", packages.len());
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// Whether an SPDX expression can be satisfied with the allowed licences. `AND` binds tighter than `OR`; a slash is
/// how old packages write `OR`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest).is_some_and(|fine| fine && rest.is_empty())
}

fn any(words: &mut &[&str]) -> Option<bool> {
    let mut fine = all(words)?;
    while take(words, "OR") {
        fine |= all(words)?;
    }
    Some(fine)
}

fn all(words: &mut &[&str]) -> Option<bool> {
    let mut fine = one(words)?;
    while take(words, "AND") {
        fine &= one(words)?;
    }
    Some(fine)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    if take(words, "(") {
        let fine = any(words)?;
        return take(words, ")").then_some(fine);
    }
    let name = next(words)?;
    if take(words, "WITH") {
        let exception = next(words)?;
        return Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()));
    }
    Some(ALLOWED.contains(&name))
}

fn next<'a>(words: &mut &[&'a str]) -> Option<&'a str> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    Some(first)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let found = words.first() == Some(&word);
    if found {
        *words = &words[1..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn expressions_are_weighed_as_spdx_says() {
        for fine in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR GPL-3.0) AND ISC"] {
            assert!(allowed(fine), "{fine}");
        }
        assert!(allowed("Apache-2.0 WITH LLVM-exception OR GPL-2.0"));
        for refused in ["GPL-3.0", "MIT AND GPL-3.0", "", "MIT OR", "(MIT", "no licence given"] {
            assert!(!allowed(refused), "{refused}");
        }
    }
}
