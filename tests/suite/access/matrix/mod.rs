//! Every operation of the API, times everybody who may ask, times every place: what is let through and what is refused.
//!
//! [`rows`] says for each operation what a right request for it is and which rule it follows, [`rules`] what a rule
//! means for somebody at a place. The requests are made of the two.

mod ask;
mod rows;
mod rows_access;
mod rows_prearchive;
mod rules;
mod world;

use std::collections::BTreeSet;

use narthex::http::endpoints::{Operation, operations};
use narthex_tests::Response;

use self::ask::Asked;
use self::rows::{Row, rows};
use self::rules::{Class, Place, Role};
use self::world::World;

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let known: BTreeSet<_> = operations().map(|operation| (operation.component, operation.name)).collect();
    let rows: BTreeSet<_> = rows().iter().map(|row| (row.component, row.name)).collect();
    let without_row: Vec<_> = known.difference(&rows).collect();
    assert!(without_row.is_empty(), "operations without a row in the table of access: {without_row:?}");
    let without_operation: Vec<_> = rows.difference(&known).collect();
    assert!(without_operation.is_empty(), "rows of the table of access without an operation: {without_operation:?}");
}

#[test]
fn everybody_may_do_what_the_rules_say_and_nothing_else() {
    let mut world = World::make();
    let mut wrong = Vec::new();
    ask_all(&mut world, &[Role::Guest], &mut wrong);
    world.require_login();
    ask_all(&mut world, &Role::WITH_LOGIN_REQUIRED, &mut wrong);
    world.check_nothing_is_lost();
    assert!(wrong.is_empty(), "{} answers are not what the rules say:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn refusals_do_not_tell_whether_what_is_hidden_exists() {
    let mut world = World::make();
    let mut wrong = Vec::new();
    compare_all(&mut world, &[Role::Guest], &mut wrong);
    world.require_login();
    compare_all(&mut world, &[Role::Nobody, Role::Stranger, Role::Collaborator, Role::Owner], &mut wrong);
    assert!(wrong.is_empty(), "{} refusals tell the two apart:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every row with each of its operation's addresses.
fn asked() -> Vec<(Row, Operation)> {
    let of_row = |row: &Row| -> Vec<Operation> {
        operations().filter(|operation| (operation.component, operation.name) == (row.component, row.name)).collect()
    };
    rows().into_iter().flat_map(|row| of_row(&row).into_iter().map(move |operation| (row.clone(), operation))).collect()
}

fn ask_all(world: &mut World, roles: &[Role], wrong: &mut Vec<String>) {
    for (row, operation) in asked() {
        for place in row.rule.places() {
            // Those who are refused ask first: what they ask for must be there for those who are not.
            let (refused, allowed): (Vec<Role>, Vec<Role>) =
                roles.iter().copied().partition(|role| row.rule.expected(*role, *place) != Class::Allowed);
            for role in refused.into_iter().chain(allowed) {
                // A wrong password is refused before anybody looks at the place, and takes long to check.
                if role == Role::WrongPassword && *place != row.rule.places()[0] {
                    continue;
                }
                let expected = row.rule.expected(role, *place);
                let asked = Asked::new(world, &row, &operation, role, *place, expected == Class::Allowed);
                let response = asked.send();
                if !fits(expected, &row, *place, &response) {
                    wrong.push(asked.complain(expected, &response));
                }
                world.clear(row.spoils, role, expected == Class::Allowed);
            }
        }
    }
}

fn fits(expected: Class, row: &Row, place: Place, response: &Response) -> bool {
    match expected {
        Class::Allowed => match row.never {
            Some((never, status)) if never == place => response.status == status,
            _ => row.answers.contains(&response.status),
        },
        Class::Unauthorized => {
            // A refusal of this kind must say how to log in.
            response.status == 401 && response.header("www-authenticate").is_some()
        }
        Class::Forbidden => response.status == 403,
        Class::NotFound => response.status == 404,
        Class::BadRequest => response.status == 400,
    }
}

fn compare_all(world: &mut World, roles: &[Role], wrong: &mut Vec<String>) {
    for (row, operation) in asked() {
        let Some(places) = row.rule.hidden_and_missing() else { continue };
        for role in roles {
            let [hidden, missing] = places.map(|place| {
                let asked = Asked::new(world, &row, &operation, *role, place, false);
                let response = asked.send();
                (asked, world.anonymise(place, &response))
            });
            if hidden.1 != missing.1 {
                wrong.push(format!("{}\n  there:   {:?}\n  missing: {:?}", hidden.0, hidden.1, missing.1));
            }
        }
    }
}
