//! `GET` and `PUT /data/projects/ID/accessibility`

use narthex::domain::access::{Accessibility, Right};
use narthex::domain::project::ProjectChange;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

use crate::record::Record;

/// The bare word. Whoever may know that the project exists may know this.
pub async fn read(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::See).await?;
    Ok(ReplyBody::text(project.accessibility.word()))
}

/// Sets it. 200 with nothing.
pub async fn put(call: &Call, name: &str, level: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Own).await?;
    if level.is_empty() {
        let sentence = "Name the level in the address: .../accessibility/private, protected or public.";
        return Err(ClientError::bad_request("missing-level", sentence));
    }
    let change = ProjectChange { accessibility: Some(Accessibility::parse(level)?), ..Default::default() };
    let record = Record::of(call)?;
    call.site.core.change_project(project.id.as_str(), &change).await?;
    record.write(call, &project, &format!("accessibility: {level}")).await?;
    Ok(ReplyBody::nothing())
}
