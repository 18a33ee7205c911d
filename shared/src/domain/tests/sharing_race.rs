//! Sharing at the same time as other work.

use futures::executor::block_on;
use futures::future::join;

use super::sharing::{two_projects, with};
use super::*;
use crate::storage::memory::give_way;

#[test]
fn whoever_takes_a_subject_out_while_a_session_of_it_is_archived_leaves_it_with_the_session() {
    block_on(async {
        let mut refused = 0;
        for delay in 0..300 {
            let (site, experiment) = two_projects().await;
            let core = site.core();
            let subject = experiment.subject_id.as_str();
            core.share_subject(subject, &with("OTHER")).await.unwrap();
            let upload = receive(&core, &zip_study(&study(2))).await.unwrap();
            let request = ImportRequest { project: Some("OTHER".to_owned()), ..request() };
            let session = core.import(upload, &request).await.unwrap().sessions.remove(0);
            let other = site.core();
            let take_out = async {
                for _ in 0..delay {
                    give_way().await;
                }
                other.unshare_subject(subject, "OTHER").await.map(|_| ())
            };
            let (archived, taken_out) = join(core.archive(&session, &archive_request()), take_out).await;
            let archived = match archived {
                Ok(archived) => archived,
                Err(DomainError::Busy { .. }) => continue,
                Err(error) => panic!("delay {delay}: {error}"),
            };
            let now = core.subject_by_id(&archived.subject_id).await.unwrap().unwrap();
            assert_eq!(now.label_in("OTHER"), Some(archived.subject_label.as_str()), "delay {delay}: {taken_out:?}");
            refused += usize::from(matches!(taken_out, Err(DomainError::Conflict { .. })));
        }
        assert!(refused > 0 && refused < 300, "{refused}");
    });
}
