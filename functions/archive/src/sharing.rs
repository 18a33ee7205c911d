//! Sharing subjects and experiments with other projects, and moving them there.

use narthex::domain::access::Right;
use narthex::domain::archive::{Experiment, Share, Sharing, Subject};
use narthex::domain::history::Item;
use narthex::http::ClientError;
use narthex::http::views::subject::sharing as table;
use narthex::service::{Call, Reply, ReplyBody};

use crate::parent::demand;
use crate::record::Record;

/// What a request wants to do with an item and another project.
struct Wanted {
    sharing: Sharing,
    is_move: bool,
}

/// Reads what is wanted, and sees to it that whoever asks may do it: sharing needs the right to change data in both
/// projects, moving that to delete it in the item's own.
async fn wanted(call: &mut Call, own: &str, target: &str) -> Result<Wanted, ClientError> {
    call.read_params().await?;
    let is_move = call.context.params.flag("primary");
    demand(call, own, if is_move { Right::Own } else { Right::Edit }).await?;
    let project = call.project(target, Right::Edit).await?.id.to_string();
    let label = call.context.params.text("label").map(str::to_owned);
    Ok(Wanted { sharing: Sharing { project, label }, is_move })
}

/// `PUT .../experiments/E/projects/P2`
pub async fn put_experiment(mut call: Call, found: &Experiment, target: &str) -> Result<Reply, ClientError> {
    let Wanted { sharing, is_move } = wanted(&mut call, &found.project, target).await?;
    let core = call.site.core.clone();
    let record = Told::read(&call, is_move, &found.project, &sharing.project)?;
    let changed = match is_move {
        true => core.move_experiment(&found.id, &sharing).await?,
        false => core.share_experiment(&found.id, &sharing).await?,
    };
    record.write(&call, changed.as_item()).await?;
    Ok(ReplyBody::nothing())
}

/// `PUT .../subjects/S/projects/P2`
pub async fn put_subject(mut call: Call, found: &Subject, target: &str) -> Result<Reply, ClientError> {
    let Wanted { sharing, is_move } = wanted(&mut call, &found.project, target).await?;
    let core = call.site.core.clone();
    let record = Told::read(&call, is_move, &found.project, &sharing.project)?;
    let changed = match is_move {
        true => core.move_subject(&found.id, &sharing).await?,
        false => core.share_subject(&found.id, &sharing).await?,
    };
    record.write(&call, changed.as_item()).await?;
    Ok(ReplyBody::nothing())
}

/// `DELETE .../experiments/E/projects/P2`: takes it out of that project.
pub async fn delete_experiment(call: &Call, found: &Experiment, target: &str) -> Result<Reply, ClientError> {
    let target = withdrawn(call, &found.project, target).await?;
    let record = Told::of_withdrawal(call, &found.project, &target)?;
    call.site.core.unshare_experiment(&found.id, &target).await?;
    record.write(call, found.as_item()).await?;
    Ok(ReplyBody::nothing())
}

/// `DELETE .../subjects/S/projects/P2`: takes it out of that project.
pub async fn delete_subject(call: &Call, found: &Subject, target: &str) -> Result<Reply, ClientError> {
    let target = withdrawn(call, &found.project, target).await?;
    let record = Told::of_withdrawal(call, &found.project, &target)?;
    call.site.core.unshare_subject(&found.id, &target).await?;
    record.write(call, found.as_item()).await?;
    Ok(ReplyBody::nothing())
}

/// The project that an item is to be taken out of, for somebody who may delete data there or in the item's own.
async fn withdrawn(call: &Call, own: &str, target: &str) -> Result<String, ClientError> {
    let found = call.site.core.find_project(target).await?;
    let there = found.as_ref().is_some_and(|found| found.grants(&call.identity, Right::Own));
    if !there {
        demand(call, own, Right::Own).await?;
    }
    let id = found.map_or_else(|| target.to_owned(), |found| found.id.to_string());
    if id == own {
        let sentence = "The item belongs to this project; delete the item itself, or move it with primary=true.";
        return Err(ClientError::conflict("own-project", sentence));
    }
    Ok(id)
}

/// What the history of both projects is told.
struct Told {
    record: Record,
    from: String,
    to: String,
}

impl Told {
    fn read(call: &Call, is_move: bool, from: &str, to: &str) -> Result<Self, ClientError> {
        let (action, details) = match is_move {
            true => ("Moved", format!("from the project {from} to {to}")),
            false => ("Shared", format!("with the project {to}")),
        };
        Self::of(call, action, details, from, to)
    }

    fn of_withdrawal(call: &Call, from: &str, to: &str) -> Result<Self, ClientError> {
        Self::of(call, "Unshared", format!("taken out of the project {to}"), from, to)
    }

    fn of(call: &Call, action: &'static str, details: String, from: &str, to: &str) -> Result<Self, ClientError> {
        Ok(Self { record: Record::of(call, action, details)?, from: from.to_owned(), to: to.to_owned() })
    }

    async fn write(&self, call: &Call, item: Item<'_>) -> Result<(), ClientError> {
        self.record.write(call, &self.from, item).await?;
        // The item's own log has it already.
        self.record.write_removal(call, &self.to, item).await
    }
}

/// The other projects of an item as whoever asks is told of them: all that exist, if they may change the item's data,
/// else those that they may see.
pub async fn shown(call: &Call, own: &str, shares: &[Share]) -> Result<Vec<Share>, ClientError> {
    if shares.is_empty() {
        return Ok(Vec::new());
    }
    let sees_all = call.may(own, Right::Edit).await?;
    let mut shown = Vec::with_capacity(shares.len());
    for share in shares {
        let project = call.site.core.find_project(&share.project).await?;
        if project.is_some_and(|project| sees_all || project.grants(&call.identity, Right::See)) {
            shown.push(share.clone());
        }
    }
    Ok(shown)
}

/// The projects that an item is in, its own first. Of one that whoever asks may not see only the identifier is told.
pub async fn projects(call: &Call, (own, label): (&str, &str), shares: &[Share]) -> Result<Reply, ClientError> {
    let mut rows = Vec::new();
    let shares = shown(call, own, shares).await?;
    let of_shares = shares.iter().map(|share| (share.project.as_str(), share.label.as_str()));
    for (id, label) in std::iter::once((own, label)).chain(of_shares) {
        let project = call.site.core.find_project(id).await?;
        let project = project.filter(|project| project.grants(&call.identity, Right::See));
        let (secondary, name) =
            project.map(|project| (project.fields.secondary_id, project.fields.name)).unwrap_or_default();
        rows.push([label.to_owned(), id.to_owned(), secondary, name]);
    }
    crate::render(call, table(rows))
}
