//! What goes on after the answer.

use narthex::service::webhooks::deliver_new;
use narthex::service::{Call, after_the_answer};

/// Sees to what a list has shown to be due: folding, completing what is silent, jobs that nobody works on.
pub fn tidy_later(call: &Call, projects: Vec<String>, has_idle: bool, has_queued: bool) {
    let site = call.site.clone();
    after_the_answer(async move {
        let core = &site.core;
        for project in &projects {
            let done = match has_idle {
                true => core.finish_sessions_alone(project).await,
                false => core.fold_sessions(project).await.map_err(Into::into),
            };
            if let Err(error) = done {
                eprintln!("the list of {project} is not tidied: {error}");
            }
        }
        if has_queued && let Err(error) = core.run_due_jobs().await {
            eprintln!("jobs are not gone on with: {error}");
        }
        deliver_new(core);
        if let Err(error) = site.sweep_if_due().await {
            eprintln!("the sweep failed: {error}");
        }
    });
}
