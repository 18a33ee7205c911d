//! What the steps of a run took, and what the test runners said.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps that have been run, and the tests they ran.
#[derive(Debug, Default)]
pub struct Summary {
    steps: Vec<(&'static str, Duration, bool)>,
    passed: u64,
    failed: u64,
}

impl Summary {
    /// Runs a step, announced and timed.
    ///
    /// # Errors
    /// The step's own.
    pub fn step<T>(&mut self, name: &'static str, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let done = work(self);
        self.steps.push((name, start.elapsed(), done.is_ok()));
        done
    }

    /// Adds up the closing lines of Rust's test runner.
    pub fn count(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            match (words.next().and_then(|word| word.parse::<u64>().ok()), words.next()) {
                (Some(number), Some("passed")) => self.passed += number,
                (Some(number), Some("failed")) => self.failed += number,
                _ => {}
            }
        }
    }

    /// The table of the steps, and the one line that a machine reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, took, done) in &self.steps {
            let done = if *done { "ok" } else { "FAILED" };
            let _ = writeln!(text, "{name:<28} {:>8.1} s  {done}", took.as_secs_f64());
        }
        // A step can fail without a test (formatting, a compile error): that is one failure too.
        let failed_steps = self.steps.iter().filter(|(_, _, done)| !done).count() as u64;
        let _ = writeln!(text, "\n{} passed, {} failed", self.passed, self.failed.max(failed_steps));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn closing_lines_are_added_up() {
        let mut summary = Summary::default();
        summary.count("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s");
        summary.count("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        summary.count("running 3 tests");
        assert!(summary.text().ends_with("\n15 passed, 2 failed\n"), "{}", summary.text());
    }

    #[test]
    fn a_failed_step_counts_even_without_a_test() {
        let mut summary = Summary::default();
        assert!(summary.step::<()>("formatting", |_| anyhow::bail!("no")).is_err());
        assert!(summary.text().ends_with("\n0 passed, 1 failed\n"));
    }
}
