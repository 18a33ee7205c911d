//! One suite that every back end passes: values, counters, leases, rosters and packs, with racing writers and
//! writers that die between any two steps.
//!
//! Natively it runs on the memory store; as a component (`tests/conformance`) on the stores of its host. A case
//! names its keys after itself and a word of the caller's, so that a suite may run twice on one store.

mod leases;
mod packs;
mod rosters;
mod values;

use super::store::{Store, StoreError};
use super::{Clock, Leases, Records};

/// Why a case failed.
pub type Failure = Box<dyn std::error::Error>;

/// What a case is given.
#[derive(Clone)]
pub struct Bench {
    store: Store,
    clock: Clock,
    word: String,
}

/// The life of the leases in the suite, in milliseconds of the suite's own clock.
const LEASE_LIFE_MS: u64 = 1_000;

impl Bench {
    /// A bench on `store`, whose keys all hold `word`.
    pub fn new(store: impl Into<Store>, word: &str) -> Self {
        Self { store: store.into(), clock: Clock::manual(1_700_000_000_000), word: word.to_owned() }
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.word)
    }

    fn records(&self) -> Records {
        Records::new(self.store.clone())
    }

    fn leases(&self) -> Leases {
        Leases::new(self.records(), self.clock.clone(), LEASE_LIFE_MS)
    }
}

/// Fails the case with `message` unless `holds`.
fn check(holds: bool, message: impl Into<String>) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(message.into().into()) }
}

/// Fails the case unless both are equal.
fn same<T: PartialEq + std::fmt::Debug>(found: T, wanted: T, what: &str) -> Result<(), Failure> {
    check(found == wanted, format!("{what}: found {found:?}, wanted {wanted:?}"))
}

/// Lets a step of a mortal writer fail; any other failure is the case's.
fn unless_dead<T>(result: Result<T, StoreError>, is_dead: bool) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(_) if is_dead => Ok(None),
        Err(error) => Err(error.into()),
    }
}

macro_rules! cases {
    ($($module:ident :: $case:ident),+ $(,)?) => {
        /// The names of all cases.
        pub const CASES: &[&str] = &[$(concat!(stringify!($module), "::", stringify!($case))),+];

        /// Runs one case by its name; `None` if there is no such case.
        pub async fn run(bench: Bench, case: &str) -> Option<Result<(), Failure>> {
            $(if case == concat!(stringify!($module), "::", stringify!($case)) {
                return Some($module::$case(bench).await);
            })+
            None
        }
    };
}

cases! {
    values::come_back_as_they_were_written,
    values::counters_give_each_number_once,
    leases::one_of_many_gets_it,
    leases::it_passes_on_when_released_or_ended,
    leases::a_winner_who_dies_at_any_step_blocks_nobody_for_ever,
    leases::a_late_holder_knows_that_it_is_late,
    rosters::each_of_many_writers_is_seen_once,
    rosters::readers_during_folding_see_each_row_once,
    rosters::a_writer_who_dies_at_any_step_leaves_a_true_list,
    rosters::a_folding_that_dies_at_any_step_loses_nothing,
    rosters::lists_follow_what_is_alive,
    packs::read_back_at_every_offset,
    packs::abandoned_ones_leave_nothing,
    packs::a_writer_who_dies_at_any_step_leaves_only_what_the_sweep_finds,
    packs::live_until_the_last_owner_lets_go,
}

#[cfg(test)]
mod tests {
    use super::super::memory::MemoryStore;
    use super::*;

    #[test]
    fn the_memory_store_conforms() {
        for case in CASES {
            let outcome = futures::executor::block_on(run(Bench::new(MemoryStore::new(), "memory"), case));
            match outcome {
                Some(Ok(())) => {}
                Some(Err(failure)) => panic!("{case}: {failure}"),
                None => panic!("{case} is listed but cannot be run"),
            }
        }
    }
}
