//! Running other programs.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Runs a command to its end, its output on the terminal.
///
/// # Errors
/// When it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a command to its end and hands on every line of its output as it comes; the lines also go to the terminal.
///
/// # Errors
/// When it cannot be started or fails.
pub fn run_lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {}", shown(command)))?;
    if let Some(output) = child.stdout.take() {
        let mut terminal = std::io::stdout();
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("its output cannot be read")?;
            let line = String::from_utf8_lossy(&line);
            writeln!(terminal, "{line}")?;
            each(&line);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Asks again and again until there is an answer or the time is over.
///
/// # Errors
/// When the time is over, or the question itself fails.
pub fn eventually<T>(what: &str, within: Duration, mut question: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    const BETWEEN: Duration = Duration::from_millis(20);
    let start = Instant::now();
    loop {
        if let Some(answer) = question()? {
            return Ok(answer);
        }
        if start.elapsed() > within {
            bail!("{what}: waited {} seconds in vain", within.as_secs());
        }
        std::thread::park_timeout(BETWEEN);
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    format!("`{}`", words.join(" "))
}
