//! Waiting for something to become true.

use std::time::{Duration, Instant};

/// Asks again and again until there is an answer.
///
/// # Panics
/// When the time is over.
#[track_caller]
pub fn eventually<T>(within: Duration, what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    const BETWEEN: Duration = Duration::from_millis(10);
    let start = Instant::now();
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(start.elapsed() < within, "waited {} seconds in vain: {what}", within.as_secs());
        std::thread::park_timeout(BETWEEN);
    }
}
