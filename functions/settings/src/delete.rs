//! `DELETE /data/projects/ID`

use narthex::domain::access::Right;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody, after_the_answer};

/// Deletes a project, with all that it holds if `removeFiles=true` says so. When the answer comes nobody finds the
/// project any more; what it held is removed afterwards.
pub async fn project(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Own).await?;
    let with_content = call.context.params.flag("removeFiles");
    let core = call.site.core.clone();
    core.delete_project(project.id.as_str(), with_content, &call.user()).await?;
    after_the_answer(async move {
        // Should it fail, the sweep goes on with it.
        if let Err(error) = core.finish_deleted_projects().await {
            eprintln!("what a deleted project held is not removed yet: {error}");
        }
    });
    Ok(ReplyBody::nothing())
}
