//! `narthex-host files`: files that are put by hand into the folders of the archive's resources.
//!
//! It works on the stores' files, whether a service runs on them or not: a process of its own is one more node to the
//! domain, which has its leases in the stores. What is put waits there until the catalog of the resource is refreshed.

mod put;
mod source;
mod store;

use crate::cli::parse_variable;
use crate::error::HostError;
use crate::kv::{Database, Store};
use crate::runtime_config::{DEFAULT_STATE_FOLDER, RuntimeConfig};
use crate::variables::from_environment;
use narthex::domain::settings::{SettingError, Settings};
use narthex::domain::shelf::placed::ArchiveFolder;
use narthex::domain::{Core, DomainError};
use narthex::storage::Clock;
use source::Sources;
use std::path::{Path, PathBuf};
use store::KeyValue;

/// What is to be done with files.
#[derive(Debug, clap::Args)]
pub struct FilesArgs {
    #[command(subcommand)]
    command: FilesCommand,
}

#[derive(Debug, clap::Subcommand)]
enum FilesCommand {
    /// Put files into the folder of a resource, where they wait until a refresh of its catalog takes them up
    Put {
        #[command(flatten)]
        site: SiteArgs,
        /// Who puts them
        #[arg(long = "as", value_name = "NAME", default_value = "")]
        by: String,
        /// The folder: archive/PROJECT/arc001/SESSION/SCANS/1/DICOM and the like
        folder: String,
        /// Files, and folders with all that is in them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List the files that wait in the folder of a resource, or of an item and those below it
    List {
        #[command(flatten)]
        site: SiteArgs,
        /// The folder: archive/PROJECT, archive/PROJECT/arc001/SESSION, archive/PROJECT/subjects/SUBJECT/RESOURCE, ...
        folder: String,
    },
    /// Remove files that wait in the folder of a resource
    Remove {
        #[command(flatten)]
        site: SiteArgs,
        /// The folder of a resource, or one within it
        folder: String,
        /// Names of files in it [default: all]
        names: Vec<String>,
    },
}

/// Where the stores are.
#[derive(Debug, clap::Args)]
struct SiteArgs {
    /// The application's manifest, or the folder it is in
    #[arg(short = 'f', long, value_name = "PATH", default_value = "spin.toml")]
    from: PathBuf,

    /// Where state lies [default: .spin beside the manifest]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// Which key-value stores stand behind which labels
    #[arg(long, value_name = "FILE", env = "RUNTIME_CONFIG_FILE")]
    runtime_config_file: Option<PathBuf>,

    /// Set a variable as the service has it, so that the same limits apply; SPIN_VARIABLE_<NAME> does the same
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = parse_variable)]
    variables: Vec<(String, String)>,
}

/// What a command did.
#[derive(Debug, Default)]
pub struct Done {
    /// What there is to say.
    pub lines: Vec<String>,
    /// What was not done, and why.
    pub refused: Vec<String>,
}

/// Why a command did nothing, or came to no end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// The configuration cannot be used.
    #[error("{}", .0.report())]
    Host(#[from] HostError),
    /// There is no store.
    #[error("there is no store {label:?} at {path}: name the state folder of the service with --state-dir", path = path.display())]
    NoStore {
        /// Its label.
        label: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The archive does not have it, or does not allow it.
    #[error("{0}")]
    Domain(#[from] DomainError),
    /// Files were put before it failed.
    #[error("{source}. {files} files were put before; put the others again")]
    Stopped {
        /// How many.
        files: u64,
        /// Why it stopped.
        source: DomainError,
    },
}

/// Does what the command line asks for.
///
/// # Errors
/// [`FilesError`].
pub async fn run(arguments: FilesArgs) -> Result<Done, FilesError> {
    match arguments.command {
        FilesCommand::Put { site, by, folder, files } => {
            let parsed = ArchiveFolder::parse(&folder)?;
            let site = Site::open(site)?;
            let done = put::run(&site.core, &parsed, &folder, &by, Sources::find(&files)).await;
            site.close(done)
        }
        FilesCommand::List { site, folder } => {
            let folder = ArchiveFolder::parse(&folder)?;
            let site = Site::open(site)?;
            let done = list(&site.core, &folder).await;
            site.close(done)
        }
        FilesCommand::Remove { site, folder, names } => {
            let folder = ArchiveFolder::parse(&folder)?;
            let site = Site::open(site)?;
            let done = remove(&site.core, &folder, &names).await;
            site.close(done)
        }
    }
}

/// The stores, open.
struct Site {
    core: Core,
    databases: Vec<std::sync::Arc<Database>>,
}

impl Site {
    fn open(arguments: SiteArgs) -> Result<Self, FilesError> {
        let SiteArgs { from, state_dir, runtime_config_file, variables } = arguments;
        let manifest = if from.is_dir() { from.join("spin.toml") } else { from };
        let folder = manifest.parent().unwrap_or(Path::new(""));
        let state_dir = state_dir.unwrap_or_else(|| folder.join(DEFAULT_STATE_FOLDER));
        let config = RuntimeConfig::read(runtime_config_file.as_deref(), &manifest, &state_dir)?;
        let mut values = from_environment();
        values.extend(variables);
        let settings = Settings::from_lookup(|name| values.get(name).cloned())?;
        let mut databases = Vec::new();
        let mut open = |label: &'static str| {
            let file = config.stores.get(label);
            let Some(file) = file.filter(|file| file.path.is_file()) else {
                let path = file.map_or_else(|| state_dir.clone(), |file| file.path.clone());
                return Err(FilesError::NoStore { label, path });
            };
            let opened = Database::open(&file.path, file.profile);
            let database = opened.map_err(|source| HostError::Store { label: label.to_owned(), source })?;
            databases.push(database.clone());
            Ok(KeyValue(Store::new(database, label)))
        };
        let core = Core::new(open("records")?, open("blobs")?, Clock::system(), settings);
        Ok(Self { core, databases })
    }

    /// Closes the stores in good order.
    fn close<T>(self, outcome: T) -> T {
        drop(self.core);
        self.databases.iter().for_each(|database| database.close());
        outcome
    }
}

/// Whether a path in a resource lies in a folder.
fn lies_in(folder: &ArchiveFolder, path: &str) -> bool {
    match &folder.within {
        Some(within) => path.strip_prefix(within.as_str()).is_some_and(|rest| rest.starts_with('/')),
        None => true,
    }
}

async fn list(core: &Core, folder: &ArchiveFolder) -> Result<Done, FilesError> {
    let mut done = Done::default();
    for (path, of) in core.items_below(folder).await? {
        for placed in core.placed_on(&of).await.map_err(DomainError::from)? {
            if folder.resource.as_ref().is_some_and(|label| *label != placed.label) {
                continue;
            }
            for (name, bytes) in core.placed_files(&placed).await.map_err(DomainError::from)? {
                if lies_in(folder, &name) {
                    done.lines.push(format!("{bytes}\t{path}/{}/{name}", placed.label));
                }
            }
        }
    }
    Ok(done)
}

async fn remove(core: &Core, folder: &ArchiveFolder, names: &[String]) -> Result<Done, FilesError> {
    let of = core.item_of_folder(folder).await?;
    let label = folder.demand_resource()?;
    let paths: Vec<String> = names.iter().map(|name| folder.path_of(name)).collect();
    let is_unwanted = |path: &str| match paths.is_empty() {
        true => lies_in(folder, path),
        false => paths.iter().any(|wanted| wanted == path),
    };
    let removed = core.remove_placed(&of, label, is_unwanted).await?;
    let mut done = Done { lines: vec![format!("{removed} files that waited are removed.")], ..Done::default() };
    if removed < paths.len() as u64 {
        done.refused.push("not all of these files were waiting there".to_owned());
    }
    Ok(done)
}
