//! The time of day, and waiting, behind one type so that tests can move the hands.

use std::cell::Cell;
use std::rc::Rc;

/// The longest of the pauses between two tries, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 50;

/// Waiting for somebody else to be done, with pauses that grow.
pub struct Patience<'a> {
    clock: &'a Clock,
    started_ms: u64,
    patience_ms: u64,
    pause_ms: u64,
}

impl Patience<'_> {
    /// Pauses before the next try. `false`, without a pause, when the patience is at its end.
    pub async fn wait(&mut self) -> bool {
        if self.clock.now_ms().saturating_sub(self.started_ms) >= self.patience_ms {
            return false;
        }
        self.clock.pause(self.pause_ms).await;
        self.pause_ms = (self.pause_ms * 2).min(LONGEST_PAUSE_MS);
        true
    }
}

/// A clock of milliseconds since the epoch.
#[derive(Clone, Default)]
pub struct Clock {
    hands: Option<Rc<Cell<u64>>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { hands: None }
    }

    /// A clock that stands at `start_ms` until [`Clock::advance`] moves it.
    pub fn manual(start_ms: u64) -> Self {
        Self { hands: Some(Rc::new(Cell::new(start_ms))) }
    }

    /// Moves a manual clock on; the machine's clock cannot be moved.
    pub fn advance(&self, ms: u64) {
        if let Some(hands) = &self.hands {
            hands.set(hands.get().saturating_add(ms));
        }
    }

    /// Milliseconds since the epoch.
    pub fn now_ms(&self) -> u64 {
        match &self.hands {
            Some(hands) => hands.get(),
            None => std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// Patience that lasts `ms` milliseconds from now.
    pub fn patience(&self, ms: u64) -> Patience<'_> {
        Patience { clock: self, started_ms: self.now_ms(), patience_ms: ms, pause_ms: 1 }
    }

    /// Waits `ms` milliseconds and lets other tasks run meanwhile.
    pub async fn pause(&self, ms: u64) {
        if let Some(hands) = &self.hands {
            hands.set(hands.get().saturating_add(ms));
            return super::memory::give_way().await;
        }
        #[cfg(target_family = "wasm")]
        spin_sdk::wasip3::clocks::monotonic_clock::wait_for(ms.saturating_mul(1_000_000)).await;
        #[cfg(not(target_family = "wasm"))]
        {
            std::thread::sleep(std::time::Duration::from_millis(ms));
            super::memory::give_way().await;
        }
    }
}
