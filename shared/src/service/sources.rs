//! Staged sessions that a request names with `src`.

use std::collections::{BTreeMap, BTreeSet};

use super::Call;
use crate::domain::access::Right;
use crate::domain::jobs::MAX_SESSIONS;
use crate::domain::prearchive::SessionPlace;
use crate::http::{ClientError, ResourceUri};

/// The sessions that `src` names, each once; none if there is no `src`.
///
/// # Errors
/// 400 for what is no session of the prearchive, or for too many.
pub fn sources(call: &Call) -> Result<Vec<SessionPlace>, ClientError> {
    let mut places = Vec::new();
    let mut seen = BTreeSet::new();
    let mut malformed = Vec::new();
    for source in call.context.params.all("src") {
        match ResourceUri::parse(source.trim()).and_then(|uri| uri.prearchive()) {
            Ok(uri) => {
                let place = SessionPlace::new(&uri.project, &uri.timestamp, &uri.folder);
                if seen.insert(place.uri()) {
                    places.push(place);
                }
            }
            Err(_) => malformed.push(source.chars().take(200).collect::<String>()),
        }
    }
    if let Some(first) = malformed.first() {
        let sentence = format!(
            "One or more source values contained a malformed URL: {first}. It must be \
             /prearchive/projects/PROJECT/TIMESTAMP/SESSION."
        );
        return Err(ClientError::bad_request("malformed-source", sentence));
    }
    if places.len() > MAX_SESSIONS {
        let sentence = format!("At most {MAX_SESSIONS} sessions can be named in one request.");
        return Err(ClientError::bad_request("too-many-sources", sentence));
    }
    Ok(places)
}

/// Refuses the whole request if one of the sessions' projects is not the user's to change; `verb` says what is to be
/// done. Gives the places with the projects' identifiers, whichever of their names were used.
///
/// # Errors
/// 401, 403 or 404.
#[crate::boxed(?Send)]
pub async fn demand_rights(call: &Call, verb: &str, places: &[SessionPlace]) -> Result<Vec<SessionPlace>, ClientError> {
    let projects: BTreeSet<&str> = places.iter().map(|place| place.project.as_str()).collect();
    let mut refused = Vec::new();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for project in projects {
        match call.demand_prearchive(project, Right::Edit).await {
            Ok(id) => drop(names.insert(project, id)),
            Err(error) if error.status.number() == 403 => refused.push(project.chars().take(60).collect::<String>()),
            Err(error) => return Err(error),
        }
    }
    if refused.is_empty() {
        let found = places.iter().map(|place| SessionPlace {
            project: names.get(place.project.as_str()).cloned().unwrap_or_default(),
            ..place.clone()
        });
        return Ok(found.collect());
    }
    refused.truncate(20);
    let sentence = format!(
        "Invalid permissions for user {} to {verb} prearchive sessions in one or more projects: {}",
        call.user(),
        refused.join(", ")
    );
    Err(ClientError::forbidden("not-permitted", sentence))
}
