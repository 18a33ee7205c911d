use futures::executor::block_on;

use super::*;
use crate::domain::Settings;
use crate::storage::Clock;
use crate::storage::memory::MemoryStore;
use crate::storage::mortal::MortalStore;

struct Site {
    records: MemoryStore,
    clock: Clock,
}

impl Site {
    fn new() -> Self {
        Self { records: MemoryStore::new(), clock: Clock::manual(1_700_000_000_000) }
    }

    fn core(&self) -> Core {
        Core::new(self.records.clone(), MemoryStore::new(), self.clock.clone(), Settings::default())
    }

    fn doomed(&self, changes: u64) -> (Core, MortalStore) {
        let mortal = MortalStore::new(self.records.clone(), changes);
        let blobs = MortalStore::new(MemoryStore::new(), u64::MAX);
        (Core::new(mortal.clone(), blobs, self.clock.clone(), Settings::default()), mortal)
    }
}

fn id(text: &str) -> ProjectId {
    ProjectId::parse(text).unwrap()
}

fn named(name: &str) -> ProjectChange {
    ProjectChange { texts: BTreeMap::from([(ProjectField::Name, name.to_owned())]), ..Default::default() }
}

fn aliased(aliases: &[&str]) -> ProjectChange {
    ProjectChange { aliases: Some(aliases.iter().map(|alias| (*alias).to_owned()).collect()), ..Default::default() }
}

#[test]
fn whoever_makes_a_project_owns_it_and_nothing_is_archived_by_surprise() {
    block_on(async {
        let core = Site::new().core();
        let project = core.create_project(&id("P"), &ProjectChange::default(), "ann").await.unwrap();
        assert_eq!(project.role_of("ann"), Some(ProjectRole::Owner));
        assert_eq!((project.fields.name.as_str(), project.fields.secondary_id.as_str()), ("P", "P"));
        assert_eq!(project.prearchive_code, PrearchiveCode::Manual);
        let again = core.create_project(&id("P"), &ProjectChange::default(), "bob").await;
        assert!(matches!(again, Err(DomainError::Exists { .. })), "{again:?}");
    });
}

#[test]
fn names_that_would_mean_two_projects_are_refused() {
    block_on(async {
        let core = Site::new().core();
        core.create_project(&id("A"), &aliased(&["first", "one"]), "ann").await.unwrap();
        let conflicts =
            [("B", named("A")), ("first", ProjectChange::default()), ("B", aliased(&["one"])), ("B", aliased(&["A"]))];
        for (name, change) in conflicts {
            let refused = core.create_project(&id(name), &change, "bob").await;
            assert!(matches!(refused, Err(DomainError::Conflict { .. })), "{name} {change:?}: {refused:?}");
        }
        core.create_project(&id("B"), &aliased(&["two"]), "bob").await.unwrap();
        let refused = core.change_project("B", &aliased(&["two", "one"])).await;
        assert!(matches!(refused, Err(DomainError::Conflict { .. })), "{refused:?}");
        assert_eq!(core.find_project("one").await.unwrap().unwrap().id, id("A"));
        assert_eq!(core.project("two").await.unwrap().id, id("B"));
    });
}

#[test]
fn an_alias_that_was_given_up_can_be_anothers() {
    block_on(async {
        let core = Site::new().core();
        core.create_project(&id("A"), &aliased(&["x", "y"]), "ann").await.unwrap();
        core.change_project("A", &aliased(&["y"])).await.unwrap();
        assert!(core.find_project("x").await.unwrap().is_none());
        core.create_project(&id("B"), &aliased(&["x"]), "ann").await.unwrap();
        assert_eq!(core.project("x").await.unwrap().id, id("B"));
        assert_eq!(core.project("y").await.unwrap().id, id("A"));
    });
}

#[test]
fn a_change_that_is_cut_off_is_done_or_not() {
    block_on(async {
        for changes in 0.. {
            let site = Site::new();
            site.core().create_project(&id("A"), &aliased(&["x"]), "ann").await.unwrap();
            let (doomed, mortal) = site.doomed(changes);
            let outcome = doomed.change_project("A", &aliased(&["y"])).await;
            site.clock.advance(100_000);
            let core = site.core();
            let aliases = core.project("A").await.unwrap().fields.aliases;
            assert!(aliases == ["y"] || (outcome.is_err() && aliases == ["x"]), "{changes}: {aliases:?}");
            for alias in ["x", "y"] {
                let is_found = core.find_project(alias).await.unwrap().is_some();
                assert_eq!(is_found, aliases.iter().any(|known| known == alias), "{changes}: {alias}");
            }
            assert_eq!(core.list_projects().await.unwrap().remove(0).fields.aliases, aliases, "{changes}");
            if outcome.is_ok() && !mortal.is_dead() {
                assert!(changes > 4);
                return;
            }
        }
    });
}

#[test]
fn what_is_set_again_changes_nothing() {
    block_on(async {
        let site = Site::new();
        let core = site.core();
        core.create_project(&id("A"), &named("Name"), "ann").await.unwrap();
        site.clock.advance(1_000);
        let first = core.set_quarantine_code("A", QuarantineCode::On).await.unwrap();
        site.clock.advance(1_000);
        assert_eq!(core.set_quarantine_code("A", QuarantineCode::On).await.unwrap(), first);
        assert_eq!(core.change_project("A", &named("Name")).await.unwrap(), first);
        assert_eq!(first.last_modified_ms(), first.created_ms + 1_000);
    });
}

#[test]
fn the_id_of_a_deleted_project_is_never_used_again() {
    block_on(async {
        let core = Site::new().core();
        core.create_project(&id("A"), &aliased(&["x"]), "ann").await.unwrap();
        core.delete_project("A", false, "ann").await.unwrap();
        assert!(core.find_project("A").await.unwrap().is_none());
        assert!(core.find_project("x").await.unwrap().is_none());
        assert!(core.list_projects().await.unwrap().is_empty());
        let again = core.create_project(&id("A"), &ProjectChange::default(), "ann").await;
        assert!(matches!(again, Err(DomainError::Refused { .. })), "{again:?}");
        let alias = core.create_project(&id("B"), &aliased(&["A"]), "ann").await;
        assert!(matches!(alias, Err(DomainError::Refused { .. })), "{alias:?}");
        // Its alias was free from the start, and what is left of the old project does not take it away again.
        core.create_project(&id("B"), &aliased(&["x"]), "ann").await.unwrap();
        core.finish_deleted_projects().await.unwrap();
        assert_eq!(core.project("x").await.unwrap().id, id("B"));
        let gone = core.delete_project("A", true, "ann").await;
        assert!(matches!(gone, Err(DomainError::NotFound { .. })), "{gone:?}");
    });
}

#[test]
fn the_largest_project_fits_into_a_record() {
    block_on(async {
        let core = Site::new().core();
        let aliases: Vec<String> = (10..42).map(|number| format!("\"{}{number}", "\"".repeat(125))).collect();
        let texts = ProjectField::ALL.map(|field| {
            let length = (1..).find(|length| {
                let change = |length| ProjectChange {
                    texts: BTreeMap::from([(field, "\"".repeat(length))]),
                    ..Default::default()
                };
                change(length + 1).apply("P", &mut ProjectFields::default()).is_err()
            });
            (field, "\"".repeat(length.unwrap()))
        });
        let change = ProjectChange {
            texts: texts.into(),
            aliases: Some(aliases),
            accessibility: Some(Accessibility::Protected),
        };
        core.create_project(&id(&"P".repeat(128)), &change, "ann").await.unwrap();
        let logins: Vec<crate::accounts::Login> = (1_000..2_999)
            .map(|number| crate::accounts::Login::parse(&format!("{}{number}", "u".repeat(60))).unwrap())
            .collect();
        let role = ProjectRole::Collaborator;
        core.add_members(&"P".repeat(128), role, &logins, LastOwner::Stays).await.unwrap();
        let project = core.project(&"P".repeat(128)).await.unwrap();
        assert_eq!(project.members.len(), MAX_MEMBERS);
        // The page of the list that holds it must fit too.
        assert!(serde_json::to_vec(&project).unwrap().len() < 220 * 1024);
    });
}
