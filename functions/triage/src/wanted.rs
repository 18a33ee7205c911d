//! What an approval asks for: `src` and `dest`, or pairs of a source as the name and a destination as the value.

use narthex::domain::access::Right;
use narthex::domain::triage::{Approve, Source, Target};
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

/// What is to be approved, one by one for each destination, for somebody who may.
///
/// # Errors
/// 400 for what cannot be read, 403 for who does not review or may not change a destination, 404.
pub async fn read(call: &Call) -> Result<Vec<Approve>, ClientError> {
    let params = &call.context.params;
    let (notes, cause) = (notes(params)?, cause(params)?);
    let mut all: Vec<Approve> = Vec::new();
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
        let source = Source { project, label, paths: path.map(|path| vec![path]) };
        match all.iter_mut().find(|wanted| wanted.dest.is_same(&dest)) {
            Some(wanted) => add(&mut wanted.sources, source),
            None => all.push(Approve {
                sources: vec![source],
                dest,
                overwrite: params.flag("overwrite"),
                notes: notes.clone(),
                by: call.user(),
                cause: cause.clone(),
            }),
        }
        if all.iter().map(|wanted| wanted.sources.len()).sum::<usize>() > MAX_GROUPS {
            let sentence =
                format!("At most {MAX_GROUPS} different folders and destinations can be named in one request.");
            return Err(ClientError::bad_request("too-many", sentence));
        }
    }
    for paths in all.iter_mut().flat_map(|wanted| &mut wanted.sources).filter_map(|source| source.paths.as_mut()) {
        paths.sort();
        paths.dedup();
    }
    refuse_twice(&all)?;
    Ok(all)
}

fn is_same_folder(one: &Source, other: &Source) -> bool {
    (&one.project, &one.label) == (&other.project, &other.label)
}

/// Adds a source for the same destination; the whole folder stands for its files as well.
fn add(sources: &mut Vec<Source>, new: Source) {
    match sources.iter_mut().find(|source| is_same_folder(source, &new)) {
        Some(source) => {
            source.paths = source.paths.take().zip(new.paths).map(|(mut paths, more)| {
                paths.extend(more);
                paths
            });
        }
        None => sources.push(new),
    }
}

/// Refuses files that are to go to two places.
fn refuse_twice(all: &[Approve]) -> Result<(), ClientError> {
    for (at, wanted) in all.iter().enumerate() {
        let others: Vec<&Source> = all.iter().skip(at + 1).flat_map(|other| &other.sources).collect();
        for source in &wanted.sources {
            let has_same_file = |other: &Source| match (&source.paths, &other.paths) {
                (Some(paths), Some(others)) => others.iter().any(|path| paths.contains(path)),
                _ => true,
            };
            if others.iter().any(|other| is_same_folder(source, other) && has_same_file(other)) {
                let sentence = format!(
                    "Files of the folder {} are to go to two destinations; name one for each.",
                    ShownName::new(&source.label)
                );
                return Err(ClientError::bad_request("two-destinations", sentence));
            }
        }
    }
    Ok(())
}
