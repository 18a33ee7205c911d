//! Numbers for packs, taken from the store several at a time while many packs are written.

use std::cell::RefCell;
use std::rc::Rc;

use super::PackId;

/// Most numbers kept ready.
const MOST: u64 = 16;

/// How long a number may be kept ready, in milliseconds: the sweep counts an upload's age from when its number was taken.
const KEPT_MS: u64 = 2_000;

/// Over which time the packs are counted that say how many numbers will be needed, in milliseconds.
const WINDOW_MS: u64 = 500;

/// What is kept ready in this instance. A number that is not used in time is lost, which costs nothing but a look of the
/// sweep; a lone upload takes one number only.
#[derive(Debug, Clone, Default)]
pub struct PackNumbers {
    state: Rc<RefCell<State>>,
    is_off: bool,
}

#[derive(Debug, Default)]
struct State {
    ready: std::ops::Range<u64>,
    taken_ms: u64,
    /// Since when a request for several is under way; one that was given up is forgotten after a while.
    asked_ms: Option<u64>,
    /// When the present window began, and the packs that began in it.
    window: (u64, u64),
    /// The packs of the window before.
    before: u64,
}

/// What there is for a new pack.
pub(super) enum Taken {
    /// A number.
    Number(PackId),
    /// None; this many should be taken from the store.
    Nothing {
        /// How many.
        reserve: u64,
    },
}

impl PackNumbers {
    /// Keeps nothing ready: for services whose uploads must end so soon that a kept number may be too old.
    pub fn off() -> Self {
        Self { is_off: true, ..Self::default() }
    }

    /// A number for a new pack, or how many to take.
    pub(super) fn take(&self, now_ms: u64) -> Taken {
        let mut state = self.state.borrow_mut();
        state.count(now_ms);
        if now_ms.saturating_sub(state.taken_ms) <= KEPT_MS
            && let Some(number) = state.ready.next()
        {
            return Taken::Number(PackId(number));
        }
        if self.is_off || state.asked_ms.is_some_and(|asked_ms| now_ms.saturating_sub(asked_ms) <= KEPT_MS) {
            return Taken::Nothing { reserve: 1 };
        }
        let reserve = state.before.max(state.window.1).clamp(1, MOST);
        state.asked_ms = (reserve > 1).then_some(now_ms);
        Taken::Nothing { reserve }
    }

    /// Keeps what was taken, but for the first, which is used at once.
    pub(super) fn keep(&self, first: Option<PackId>, count: u64, asked_ms: u64) {
        if count < 2 {
            return;
        }
        let mut state = self.state.borrow_mut();
        state.asked_ms = None;
        if let Some(PackId(first)) = first {
            state.ready = first + 1..first + count;
            state.taken_ms = asked_ms;
        }
    }
}

impl State {
    fn count(&mut self, now_ms: u64) {
        let since = now_ms.saturating_sub(self.window.0);
        if since >= WINDOW_MS {
            self.before = if since < 2 * WINDOW_MS { self.window.1 } else { 0 };
            self.window = (now_ms, 0);
        }
        self.window.1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(numbers: &PackNumbers, now_ms: u64, next: &mut u64) -> u64 {
        match numbers.take(now_ms) {
            Taken::Number(id) => id.number(),
            Taken::Nothing { reserve } => {
                let first = *next;
                *next += reserve;
                numbers.keep(Some(PackId(first)), reserve, now_ms);
                first
            }
        }
    }

    #[test]
    fn a_lone_upload_takes_one_number() {
        let (numbers, mut next) = (PackNumbers::default(), 1);
        for round in 0..20 {
            take(&numbers, round * 5_000, &mut next);
        }
        assert_eq!(next, 21);
    }

    #[test]
    fn many_take_several_at_a_time_and_none_twice() {
        let (numbers, mut next) = (PackNumbers::default(), 1);
        let mut given: Vec<u64> = (0..1_000).map(|round| take(&numbers, round * 2, &mut next)).collect();
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), 1_000);
        assert!(next <= 1_001 + MOST);
    }

    #[test]
    fn a_burst_need_not_last_for_a_window_to_take_several() {
        let (numbers, mut next, mut asked) = (PackNumbers::default(), 1, 0);
        for _ in 0..40 {
            if let Taken::Nothing { reserve } = numbers.take(7_000) {
                asked += 1;
                numbers.keep(Some(PackId(next)), reserve, 7_000);
                next += reserve;
            }
        }
        assert!(asked <= 7, "{asked}");
    }

    #[test]
    fn a_number_that_was_kept_too_long_is_not_used() {
        let (numbers, mut next) = (PackNumbers::default(), 1);
        for round in 0..1_000 {
            take(&numbers, round, &mut next);
        }
        let known = next;
        assert_eq!(take(&numbers, 999 + KEPT_MS + 1, &mut next), known);
    }

    #[test]
    fn a_request_that_fails_leaves_the_next_to_ask() {
        let (numbers, mut next) = (PackNumbers::default(), 1);
        for round in 0..600 {
            take(&numbers, round, &mut next);
        }
        let ask = || loop {
            if let Taken::Nothing { reserve } = numbers.take(600) {
                return reserve;
            }
        };
        let reserve = ask();
        assert!(reserve > 1);
        assert_eq!(ask(), 1);
        numbers.keep(None, reserve, 600);
        assert!(ask() > 1);
    }

    #[test]
    fn switched_off_it_keeps_nothing() {
        let (numbers, mut next) = (PackNumbers::off(), 1);
        for round in 0..1_000 {
            take(&numbers, round, &mut next);
        }
        assert_eq!(next, 1_001);
    }
}
