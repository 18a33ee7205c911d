//! The history of items.

use futures::executor::block_on;

use super::Site;
use crate::domain::history::{Cause, Deed, Item, ItemKind};

#[test]
fn an_event_stands_in_the_log_of_its_item_and_of_the_project() {
    block_on(async {
        let core = Site::new().core();
        let cause = Cause { reason: "typo".to_owned(), ..Cause::default() };
        for (n, action) in ["Transfer", "Modified", "Removed"].into_iter().enumerate() {
            let details = format!("scan {n}");
            let item = Item { kind: ItemKind::Experiment, id: "XNAT_E00001", label: "S1" };
            core.remember("P1", item, Deed { by: "anna", action, details: &details, cause: &cause }).await.unwrap();
        }
        let item = Item { kind: ItemKind::Project, id: "P1", label: "P1" };
        core.remember("P1", item, Deed { by: "anna", action: "Changed", details: "", cause: &cause }).await.unwrap();
        let actions = async |kind, id, offset, limit| -> Vec<String> {
            let events = core.history(kind, id, offset, limit).await.unwrap();
            events.into_iter().map(|event| event.action).collect()
        };
        assert_eq!(actions(ItemKind::Experiment, "XNAT_E00001", 0, 100).await, ["Removed", "Modified", "Transfer"]);
        assert_eq!(actions(ItemKind::Project, "P1", 0, 2).await, ["Changed", "Removed"]);
        assert_eq!(actions(ItemKind::Project, "P1", 3, 100).await, ["Transfer"]);
        assert!(actions(ItemKind::Project, "P1", 4, 100).await.is_empty());
        core.forget_history(ItemKind::Project, "P1").await.unwrap();
        assert!(actions(ItemKind::Project, "P1", 0, 100).await.is_empty());
    });
}

#[test]
fn reasons_are_bounded() {
    let cause = |reason: &str| Cause { reason: reason.to_owned(), ..Cause::default() };
    assert!(cause("a line\nand another").check().is_ok());
    assert!(cause(&"a".repeat(1_025)).check().is_err());
    assert!(cause("a\0b").check().is_err());
}
