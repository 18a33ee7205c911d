//! `POST /data/services/import`: what each handler takes, where it goes, what is answered.

mod again;
mod destinations;
mod dicom_zip;
mod forms;
mod gradual;
mod headers;
mod hostile;
mod parameters;
mod preambles;
mod quarantine;
mod resumable;
mod shapes;
mod stored;
mod together;
mod xar;

use std::time::Duration;

/// How long the service may need for what it does by itself.
const SOON: Duration = Duration::from_secs(20);
