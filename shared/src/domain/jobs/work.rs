//! What a job does with one session.

use super::{Job, JobItem, SessionWork};
use crate::domain::Core;
use crate::domain::archive::Experiment;
use crate::domain::error::DomainError;
use crate::domain::prearchive::commit::Committed;
use crate::domain::prearchive::session::HeldSession;
use crate::domain::prearchive::status::{Action, Status};
use crate::domain::prearchive::{PrearchiveSession, SessionPlace};

impl SessionWork {
    /// The state of the sessions that wait for it.
    pub fn queued_status(&self) -> Status {
        match self {
            Self::Move { .. } => Status::QueuedMoving,
            Self::Rebuild | Self::Commit { .. } => Status::QueuedBuilding,
            Self::Delete => Status::QueuedDeleting,
            Self::Archive { .. } => Status::QueuedArchiving,
        }
    }

    /// What it does, as the table of states knows it.
    pub fn action(&self) -> Action {
        match self {
            Self::Move { .. } => Action::Move,
            Self::Rebuild | Self::Commit { .. } => Action::Build,
            Self::Delete => Action::Delete,
            Self::Archive { .. } => Action::Archive,
        }
    }
}

fn archive_result(experiment: &Experiment) -> String {
    format!(
        "Archive:/archive/projects/{}/subjects/{}/experiments/{}",
        experiment.project, experiment.subject_label, experiment.label
    )
}

fn prearchive_result(place: &SessionPlace) -> String {
    format!("Prearchive:{}", place.uri())
}

impl Core {
    /// Marks sessions as waiting for a job: all of them, or none.
    ///
    /// # Errors
    /// [`DomainError::Busy`], [`DomainError::WrongState`] or [`DomainError::NotFound`] for the first that cannot wait,
    /// or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn queue_sessions(
        &self,
        sessions: &[PrearchiveSession],
        job: &str,
        work: &SessionWork,
    ) -> Result<Vec<PrearchiveSession>, DomainError> {
        let mut queued = Vec::with_capacity(sessions.len());
        for session in sessions {
            match self.queue_session(session, job, work).await {
                Ok(session) => queued.push(session),
                Err(error) => {
                    for session in &queued {
                        self.take_from_queue(session, job, None).await?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(queued)
    }

    async fn queue_session(
        &self,
        found: &PrearchiveSession,
        job: &str,
        work: &SessionWork,
    ) -> Result<PrearchiveSession, DomainError> {
        let mut held = self.hold_found(found).await?;
        let queued = match held.session.allow(work.action()) {
            Ok(()) => {
                held.session.status = work.queued_status();
                held.session.job = Some(job.to_owned());
                self.store_session(&mut held).await
            }
            Err(error) => Err(error),
        };
        let session = held.session.clone();
        self.let_go(held).await?;
        queued.map(|()| session)
    }

    /// Gives a session that waits for a job its resting state back, and notes why.
    async fn take_from_queue(
        &self,
        session: &PrearchiveSession,
        job: &str,
        why: Option<&str>,
    ) -> Result<(), DomainError> {
        let mut held = match self.hold_session_patiently(&session.id).await {
            Ok(held) => held,
            Err(DomainError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let is_waiting = held.session.status.is_queued() && held.session.job.as_deref() == Some(job);
        if is_waiting || why.is_some() {
            if is_waiting {
                held.session.status = held.session.resting();
                held.session.job = None;
            }
            if let Some(why) = why {
                held.session.note(self.clock.now_ms(), why);
            }
            self.store_session(&mut held).await?;
        }
        self.let_go(held).await?;
        Ok(())
    }

    /// Does a job's work on one session; gives what came of it, as XNAT words it. Unless it is the last try, a session
    /// that somebody else is in the way of goes on waiting.
    pub(super) async fn work(
        &self,
        job: &Job,
        work: &SessionWork,
        item: &JobItem,
        is_last: bool,
    ) -> Result<String, DomainError> {
        let held = match self.hold_session_patiently(&item.session).await {
            Ok(held) => held,
            // Somebody has deleted it meanwhile, maybe this job before its worker died.
            Err(DomainError::NotFound { .. }) if *work == SessionWork::Delete => {
                self.empty_trash_of(&item.session).await?;
                return Ok(format!("Deleted:{}", item.uri));
            }
            // Likewise: it is in the archive already.
            Err(error @ DomainError::NotFound { .. })
                if matches!(work, SessionWork::Archive { .. } | SessionWork::Commit { .. }) =>
            {
                self.empty_trash_of(&item.session).await?;
                let found = self.experiment_of(&item.session).await?;
                return found.map(|experiment| archive_result(&experiment)).ok_or(error);
            }
            Err(error) => return Err(error),
        };
        let session = held.session.clone();
        if session.status != work.queued_status() || session.job.as_deref() != Some(job.id.as_str()) {
            self.let_go(held).await?;
            return self.found_otherwise(work, &session);
        }
        let done = self.work_on(work, item, held).await;
        if let Err(error) = &done
            && !matches!(error, DomainError::Store(_))
            && (is_last || !matches!(error, DomainError::Busy { .. }))
        {
            self.take_from_queue(&session, &job.id, Some(&format!("The work that was asked for failed: {error}")))
                .await?;
        }
        done
    }

    /// A session that does not wait for the job: its work is done already (by a worker that died before it could say
    /// so), or was taken back.
    fn found_otherwise(&self, work: &SessionWork, session: &PrearchiveSession) -> Result<String, DomainError> {
        match work {
            SessionWork::Move { project } if session.place.project == *project => Ok(prearchive_result(&session.place)),
            SessionWork::Rebuild if session.status == Status::Ready => Ok(prearchive_result(&session.place)),
            _ => Err(DomainError::WrongState { status: session.status.as_str(), action: work.action().participle() }),
        }
    }

    async fn work_on(&self, work: &SessionWork, item: &JobItem, mut held: HeldSession) -> Result<String, DomainError> {
        // What it waited for has come. Only the record goes on to say that it waits, should the work not come to its end.
        held.session.status = held.session.resting();
        match work {
            SessionWork::Move { project } => {
                let moved = self.move_session(held, project).await?;
                Ok(prearchive_result(&moved.place))
            }
            SessionWork::Rebuild => {
                let built = self.build(&mut held).await;
                let place = held.session.place.clone();
                self.let_go(held).await?;
                built.map(|()| prearchive_result(&place))
            }
            SessionWork::Delete => {
                self.delete_session(held).await?;
                self.empty_trash_of(&item.session).await?;
                Ok(format!("Deleted:{}", item.uri))
            }
            SessionWork::Archive { request } => {
                let experiment = self.archive_held(held, request).await?;
                self.empty_trash_of(&item.session).await?;
                Ok(archive_result(&experiment))
            }
            SessionWork::Commit { request } => match self.commit_held(held, request).await? {
                Committed::Archived(experiment) => Ok(archive_result(&experiment)),
                Committed::Staged(session) => Ok(prearchive_result(&session.place)),
            },
        }
    }
}
