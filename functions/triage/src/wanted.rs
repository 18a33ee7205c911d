//! What an approval asks for: `src` and `dest`, or pairs of a source as the name and a destination as the value.

use narthex::domain::access::Right;
use narthex::domain::triage::{Approve, Target};
use narthex::http::cause::cause;
use narthex::http::{ClientError, Params, ResourceUri};
use narthex::intake::name::ShownName;
use narthex::service::Call;
use narthex::service::files::notes;
use narthex::service::quarantine::target;

/// Different folders and destinations in one request, at most.
const MAX_GROUPS: usize = 100;

/// Sources with their destinations, as the request names them.
fn pairs(params: &Params) -> Result<Vec<(String, String)>, ClientError> {
    let own = |text: &str| text.trim().to_owned();
    let is_source = |name: &str| name.starts_with('/');
    let mut pairs: Vec<(String, String)> =
        params.iter().filter(|(name, _)| is_source(name)).map(|(name, value)| (own(name), own(value))).collect();
    let sources: Vec<&str> = params.all("src").map(str::trim).filter(|src| !src.is_empty()).collect();
    match params.text("dest") {
        Some(dest) => pairs.extend(sources.iter().map(|src| (own(src), own(dest)))),
        None if !sources.is_empty() => return Err(ClientError::bad_request("no-dest", "Missing dest path")),
        None => {}
    }
    if pairs.is_empty() {
        return Err(ClientError::bad_request("no-src", "Missing src and dest path"));
    }
    if pairs.iter().any(|(_, dest)| dest.is_empty()) {
        return Err(ClientError::bad_request("no-dest", "Missing dest path"));
    }
    Ok(pairs)
}

/// What is to be approved, a part for each folder and destination, for somebody who may.
///
/// # Errors
/// 400 for what cannot be read, 403 for who does not review or may not change a destination, 404.
pub async fn read(call: &Call) -> Result<Vec<Approve>, ClientError> {
    let params = &call.context.params;
    let (notes, cause) = (notes(params)?, cause(params)?);
    let mut parts: Vec<Approve> = Vec::new();
    let mut known: Vec<(String, Target)> = Vec::new();
    for (src, dest) in pairs(params)? {
        let invalid = || {
            let sentence = format!("Invalid Source: {} names nothing in the quarantine.", ShownName::new(&src));
            ClientError::bad_request("invalid-uri", sentence)
        };
        let (project, label, path) =
            ResourceUri::parse(&src).map_err(|_| invalid())?.quarantined().map_err(|_| invalid())?;
        let project = call.project(&project, Right::Own).await?.id.to_string();
        let dest = match known.iter().find(|(text, _)| *text == dest) {
            Some((_, target)) => target.clone(),
            None => {
                let found = target(call, &dest, "Destination").await?;
                call.project(&found.project, Right::Edit).await?;
                known.push((dest, found.clone()));
                found
            }
        };
        let is_same = |part: &&mut Approve| part.project == project && part.label == label && part.dest == dest;
        match parts.iter_mut().find(is_same) {
            // The whole folder stands for its files as well.
            Some(part) => {
                part.paths = part.paths.take().zip(path).map(|(mut paths, path)| {
                    paths.push(path);
                    paths
                })
            }
            None => parts.push(Approve {
                project,
                label,
                paths: path.map(|path| vec![path]),
                dest,
                overwrite: params.flag("overwrite"),
                notes: notes.clone(),
                by: call.user(),
                cause: cause.clone(),
            }),
        }
        if parts.len() > MAX_GROUPS {
            let sentence =
                format!("At most {MAX_GROUPS} different folders and destinations can be named in one request.");
            return Err(ClientError::bad_request("too-many", sentence));
        }
    }
    for part in &mut parts {
        if let Some(paths) = &mut part.paths {
            paths.sort();
            paths.dedup();
        }
    }
    refuse_twice(&parts)?;
    Ok(parts)
}

/// Refuses files that are to go to two places.
fn refuse_twice(parts: &[Approve]) -> Result<(), ClientError> {
    for (at, part) in parts.iter().enumerate() {
        let others =
            parts.iter().skip(at + 1).filter(|other| (&other.project, &other.label) == (&part.project, &part.label));
        for other in others {
            let is_shared = match (&part.paths, &other.paths) {
                (Some(paths), Some(others)) => others.iter().any(|path| paths.contains(path)),
                _ => true,
            };
            if is_shared {
                let sentence = format!(
                    "Files of the folder {} are to go to two destinations; name one for each.",
                    ShownName::new(&part.label)
                );
                return Err(ClientError::bad_request("two-destinations", sentence));
            }
        }
    }
    Ok(())
}
