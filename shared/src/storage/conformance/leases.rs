//! Leases.

use super::{Bench, Failure, LEASE_LIFE_MS, check, same, unless_dead};
use crate::storage::mortal::MortalStore;
use crate::storage::{Leases, Records};

pub(super) async fn one_of_many_gets_it(bench: Bench) -> Result<(), Failure> {
    let (leases, name) = (bench.leases(), bench.name("race"));
    for round in 0..8 {
        let mut winners = Vec::new();
        for lease in futures::future::join_all((0..32).map(|_| leases.acquire(&name))).await {
            winners.extend(lease?);
        }
        same(winners.len(), 1, "winners")?;
        for winner in winners {
            same(winner.generation(), round + 1, "the fencing token")?;
            check(leases.is_held(&name).await?, "it is not seen as held")?;
            leases.release(winner).await?;
        }
        check(!leases.is_held(&name).await?, "it is seen as held after its release")?;
    }
    Ok(())
}

pub(super) async fn it_passes_on_when_released_or_ended(bench: Bench) -> Result<(), Failure> {
    let (leases, name) = (bench.leases(), bench.name("passing"));
    let first = leases.acquire(&name).await?.ok_or("a fresh lease was refused")?;
    check(leases.acquire(&name).await?.is_none(), "two hold it")?;
    leases.release(first).await?;
    let mut second = leases.acquire(&name).await?.ok_or("a released lease was refused")?;
    bench.clock.advance(LEASE_LIFE_MS / 2);
    check(leases.renew(&mut second).await?, "it could not be renewed in time")?;
    bench.clock.advance(LEASE_LIFE_MS / 2 + 10);
    check(leases.acquire(&name).await?.is_none(), "a renewed lease was taken over")?;
    bench.clock.advance(2 * LEASE_LIFE_MS);
    let third = leases.acquire(&name).await?.ok_or("an ended lease was refused")?;
    check(third.generation() > second.generation(), "the fencing token did not grow")?;
    check(!leases.renew(&mut second).await?, "an ended lease was renewed")?;
    leases.retire(third).await?;
    let fourth = leases.acquire(&name).await?.ok_or("a retired lease was refused")?;
    leases.release(fourth).await?;
    Ok(())
}

pub(super) async fn a_winner_who_dies_at_any_step_blocks_nobody_for_ever(bench: Bench) -> Result<(), Failure> {
    for steps in 0..6 {
        let name = bench.name(&format!("dead-{steps}"));
        let mortal = MortalStore::new(bench.store.clone(), steps);
        let doomed = Leases::new(Records::new(mortal.clone()), bench.clock.clone(), LEASE_LIFE_MS);
        if let Some(Some(lease)) = unless_dead(doomed.acquire(&name).await, mortal.is_dead())? {
            unless_dead(doomed.release(lease).await, mortal.is_dead())?;
        }
        let leases = bench.leases();
        let mut lease = None;
        for _ in 0..8 {
            lease = leases.acquire(&name).await?;
            if lease.is_some() {
                break;
            }
            bench.clock.advance(LEASE_LIFE_MS);
        }
        let lease = lease.ok_or(format!("after a death at step {steps} nobody gets it"))?;
        check(leases.acquire(&name).await?.is_none(), format!("after a death at step {steps} two hold it"))?;
        leases.release(lease).await?;
    }
    Ok(())
}

pub(super) async fn a_late_holder_knows_that_it_is_late(bench: Bench) -> Result<(), Failure> {
    let (leases, name) = (bench.leases(), bench.name("late"));
    let late = leases.acquire(&name).await?.ok_or("a fresh lease was refused")?;
    check(leases.holds(&late), "it does not hold what it has just taken")?;
    bench.clock.advance(2 * LEASE_LIFE_MS);
    check(!leases.holds(&late), "it believes to hold what has ended")?;
    let next = leases.acquire(&name).await?.ok_or("an ended lease was refused")?;
    leases.release(late).await?;
    check(leases.is_held(&name).await?, "the late holder gave back what is another's")?;
    leases.release(next).await?;
    Ok(())
}
