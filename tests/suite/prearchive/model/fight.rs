//! Clients that ask for different things of one session at the same moment.

use std::sync::Barrier;
use std::thread;

use super::{Alive, FIGHTERS, Outcome, PROJECTS, Player, assert_listed, rows_of};

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// To this project; index into [`PROJECTS`].
    Move(usize),
    Delete,
}

/// One session after the other is fought over until the time is over.
pub fn play(mut player: Player, number: u64) -> Outcome {
    let mut round = 0;
    while player.goes_on() {
        round += 1;
        let home = player.below(PROJECTS.len());
        let mut session = player.create(number * 10_000 + round, home);
        let wishes: [Wish; FIGHTERS] = std::array::from_fn(|_| match player.below(PROJECTS.len()) {
            0 => Wish::Delete,
            steps => Wish::Move((home + steps) % PROJECTS.len()),
        });
        let winner = fight(&mut player, &session, &wishes);
        let old = session.address.clone();
        let response = player.api.get(&old);
        player.expect(response, &[404], "the place that was fought over");
        let list = player.list();
        match winner {
            Wish::Delete => {
                assert!(rows_of(&list, session.seed).is_empty(), "{old} is deleted and listed");
                player.outcome.deleted.push(old);
                continue;
            }
            Wish::Move(to) => {
                let [old, new] = [session.project, to].map(|project| format!("/projects/{}/", PROJECTS[project]));
                (session.address, session.project) = (session.address.replacen(&old, &new, 1), to);
            }
        }
        assert_listed(&list, &session);
        if round % 4 == 0 {
            player.outcome.alive.push(session);
        } else {
            let response = player.delete(&session.address);
            player.expect(response, &[200], "a deletion after the fight");
            player.outcome.deleted.push(session.address);
        }
    }
    player.outcome
}

/// All at once; gives the wish of the one who had their way.
fn fight(player: &mut Player, session: &Alive, wishes: &[Wish; FIGHTERS]) -> Wish {
    let (client, start) = (&player.api.client, Barrier::new(FIGHTERS));
    let answers: Vec<_> = thread::scope(|scope| {
        let fighters: Vec<_> = wishes
            .iter()
            .map(|wish| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    match wish {
                        Wish::Delete => client.delete(&session.address),
                        Wish::Move(to) => {
                            client.post_form(&session.address, &[("action", "move"), ("newProject", PROJECTS[*to])])
                        }
                    }
                })
            })
            .collect();
        fighters.into_iter().map(|fighter| fighter.join().expect("a fighter").expect("an answer")).collect()
    });
    let mut winners = Vec::new();
    for (wish, answer) in wishes.iter().zip(answers) {
        let won = match wish {
            Wish::Delete => 200,
            Wish::Move(_) => 301,
        };
        let answer = player.expect(answer, &[won, 404, 409], "a wish that others stand against");
        if answer.status == won {
            winners.push(*wish);
        }
    }
    assert_eq!(winners.len(), 1, "of {wishes:?} for {} these were granted: {winners:?}", session.address);
    winners[0]
}
