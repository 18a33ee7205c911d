//! Which files are asked for: those of scans, and of resources of items themselves.

use narthex::domain::archive::Experiment;
use narthex::domain::manifest::{Manifest, StoredScan};
use narthex::domain::resource::CountedResource;
use narthex::http::ClientError;
use narthex::http::views::layout::Layout;
use narthex::service::Call;

use crate::asked::Part;
use crate::assessors::{self, with_resources};
use crate::experiment::load;
use crate::parent::Parent;
use crate::resources::{find, several_named, unknown_catalog};
use crate::scans::several;

/// Scans of an experiment whose files are asked for.
pub struct Scans<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its manifest.
    pub manifest: Manifest,
    /// The scans, with the resources that are wanted.
    pub stored: Vec<StoredScan>,
}

/// Says which folder the resource of a label has.
pub type NameFolder = dyn Fn(&Layout, &str) -> String;

/// Resources of one item, and how their files are named.
pub struct Own {
    /// The item's address.
    pub address: String,
    /// The resources.
    pub resources: Vec<CountedResource>,
    /// The folder of a resource of this label in an archive.
    pub folder: Box<NameFolder>,
}

/// The files that are asked for.
#[derive(Default)]
pub struct Chosen<'a> {
    /// Scans.
    pub scans: Vec<Scans<'a>>,
    /// Resources of items themselves.
    pub own: Vec<Own>,
}

/// An item's own resources.
pub fn own_of(parent: &Parent, resources: Vec<CountedResource>) -> Own {
    let named = parent.clone();
    Own { address: parent.address(), resources, folder: Box::new(move |layout, label| named.folder(layout, label)) }
}

/// Those of an assessor of a session.
fn own_of_assessor(session: &Experiment, assessor: Experiment, resources: Vec<CountedResource>) -> Own {
    let (session, label) = (session.clone(), assessor.label.clone());
    Own {
        address: Parent::Experiment(Box::new(assessor)).address(),
        resources,
        folder: Box::new(move |layout, resource| layout.assessor_folder(&session, &label, resource)),
    }
}

impl<'a> Chosen<'a> {
    /// Adds a part of an experiment.
    ///
    /// # Errors
    /// 404 if it has no such part.
    pub async fn add(&mut self, call: &Call, experiment: &'a Experiment, part: Part<'_>) -> Result<(), ClientError> {
        let parent = Parent::Experiment(Box::new(experiment.clone()));
        match part {
            Part::All => {
                if experiment.assessed.is_none() {
                    let (manifest, stored) = load(call, experiment).await?;
                    self.scans.push(Scans { experiment, manifest, stored });
                }
                self.own.push(own_of(&parent, crate::resources::own(call, &parent).await?));
                for (assessor, resources) in with_resources(call, experiment).await? {
                    self.own.push(own_of_assessor(experiment, assessor, resources));
                }
            }
            Part::Own(None) => self.own.push(own_of(&parent, crate::resources::own(call, &parent).await?)),
            Part::Own(Some(names)) => {
                let resources = several_named(&crate::resources::own(call, &parent).await?, names);
                if resources.is_empty() {
                    return Err(unknown_catalog());
                }
                self.own.push(own_of(&parent, resources));
            }
            Part::Scans(scans, resource) => {
                let (manifest, all) = load(call, experiment).await?;
                let stored = with_named(several(all, scans)?, resource)?;
                self.scans.push(Scans { experiment, manifest, stored });
            }
            Part::Assessors(names, resource) => {
                let mut own = Vec::new();
                for (assessor, resources) in assessors::several(call, experiment, names).await? {
                    let wanted = match resource {
                        Some(names) => several_named(&resources, names),
                        None => resources,
                    };
                    own.push(own_of_assessor(experiment, assessor, wanted));
                }
                if resource.is_some() && own.iter().all(|own| own.resources.is_empty()) {
                    return Err(unknown_catalog());
                }
                self.own.extend(own);
            }
        }
        Ok(())
    }
}

/// The scans with those of their resources that are named with commas, if any are.
fn with_named(mut stored: Vec<StoredScan>, resource: Option<&str>) -> Result<Vec<StoredScan>, ClientError> {
    let Some(names) = resource else { return Ok(stored) };
    for scan in &mut stored {
        let wanted: Vec<u64> = names.split(',').filter_map(|name| Some(find(scan, name)?.number())).collect();
        scan.resources.retain(|resource| wanted.contains(&resource.number));
        scan.shelf.retain(|counted| wanted.contains(&counted.resource.number));
    }
    match stored.iter().all(|scan| scan.resources.is_empty() && scan.shelf.is_empty()) {
        true => Err(unknown_catalog()),
        false => Ok(stored),
    }
}
