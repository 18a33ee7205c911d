//! Starting and stopping.

use crate::allowed_hosts::AllowedHosts;
use crate::app::App;
use crate::config::HostConfig;
use crate::error::HostError;
use crate::http::router::Router;
use crate::http::server;
use crate::kv::{Database, Store};
use crate::logs::ComponentLog;
use crate::manifest::{self, Manifest, ManifestError};
use crate::runtime::{Component, Keeper, Loaded, Loader, Places};
use crate::runtime_config::{RuntimeConfig, RuntimeConfigError, StoreFile};
use crate::variables::{self, Variables};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wasmtime_wasi_http::handler::ProxyHandler;

/// Threads beyond the processors': a guest that computes holds one, and the others' requests must still be read.
const SPARE_THREADS: usize = 2;

/// The local host.
pub struct Host;

impl Host {
    /// Reads the manifest, compiles the components, opens the stores and serves.
    ///
    /// The host has threads of its own, so it may be started from any runtime.
    pub async fn start(config: HostConfig) -> Result<Running, HostError> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(processors + SPARE_THREADS)
            .thread_name("narthex-host")
            .enable_all()
            .build()
            .map_err(HostError::Threads)?;
        // From here on the runtime is shut down with `Running`, whatever happens: a runtime that is simply dropped
        // in an asynchronous context panics.
        let mut running = Running { runtime: Some(runtime), serving: None };
        let runtime = running.runtime.as_ref().map(Runtime::handle).cloned();
        let starting = runtime.map(|runtime| runtime.spawn(start(config)));
        let died = |reason: &str| HostError::Threads(std::io::Error::other(reason.to_owned()));
        let started = starting.ok_or_else(|| died("no runtime"))?.await;
        running.serving = Some(started.map_err(|error| died(&error.to_string()))??);
        Ok(running)
    }
}

/// The host at work. Dropping it stops it at once; [`Running::stop`] lets it finish.
pub struct Running {
    runtime: Option<Runtime>,
    serving: Option<Serving>,
}

struct Serving {
    address: SocketAddr,
    routes: Vec<(String, String)>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    places: Arc<Places>,
    background_grace: Duration,
    databases: Vec<Arc<Database>>,
}

impl Running {
    /// Where the host listens.
    pub fn address(&self) -> SocketAddr {
        // There is no `Running` outside this module that is not serving.
        self.serving.as_ref().map_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)), |serving| serving.address)
    }

    /// The public routes with their components, in order of precedence.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.serving.iter().flat_map(|serving| &serving.routes).map(|(route, name)| (route.as_str(), name.as_str()))
    }

    /// Stops accepting, lets the requests in flight finish, gives the work after them a bounded time, and closes the
    /// stores.
    pub async fn stop(mut self) {
        let Some(serving) = self.serving.take() else { return };
        serving.stop.send_replace(true);
        if serving.server.await.is_err() {
            tracing::error!("the server had panicked");
        }
        if !serving.places.empty(serving.background_grace).await {
            tracing::warn!("some work after responses was not finished in time and is cut off");
        }
        let closing = tokio::task::spawn_blocking(move || {
            serving.databases.iter().for_each(|database| database.close());
        });
        if closing.await.is_err() {
            tracing::error!("closing the stores panicked");
        }
        // Dropping `self` ends the threads.
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn start(config: HostConfig) -> Result<Serving, HostError> {
    let Prepared { manifest, router, components, databases, loaded } = blocking({
        let config = config.clone();
        move || prepare(&config)
    })
    .await?;

    let failed = |source| HostError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;

    let places = Arc::new(Places::new(config.instances.max_instances));
    let routes = router.routes().map(|(route, name)| (route.to_owned(), name.to_owned())).collect();
    let app = Arc::new_cyclic(|app| {
        let mut components = components;
        let keepers = loaded.into_iter().filter_map(|Loaded { name, service }| {
            let (component, allowed_hosts) = components.remove(&name)?;
            let keeper = Keeper {
                component,
                service,
                allowed_hosts,
                app: app.clone(),
                places: places.clone(),
                limits: config.instances.clone(),
            };
            Some((name, ProxyHandler::new(keeper)))
        });
        App { components: keepers.collect(), router, address }
    });
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(server::serve(app, listener, stopped, config.request_grace));
    tracing::info!(application = manifest.name, %address, "serving");
    Ok(Serving { address, routes, stop, server, places, background_grace: config.background_grace, databases })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HostError> + Send + 'static,
) -> Result<T, HostError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(HostError::Threads(std::io::Error::other(error))),
    }
}

struct Prepared {
    manifest: Manifest,
    router: Router,
    components: BTreeMap<String, (Arc<Component>, Arc<AllowedHosts>)>,
    databases: Vec<Arc<Database>>,
    loaded: Vec<Loaded>,
}

/// All that blocks. What a person may have got wrong comes before what takes long.
fn prepare(config: &HostConfig) -> Result<Prepared, HostError> {
    let manifest = Manifest::read(&config.manifest)?;
    let router = Router::build(&manifest.triggers)?;
    let environment = if config.variables_from_environment { variables::from_environment() } else { BTreeMap::new() };
    let variables = Variables::resolve(&manifest, &config.variables, &environment)?;
    let runtime_config = RuntimeConfig::read(config.runtime_config.as_deref(), &config.manifest, &config.state_dir)?;
    check_labels(&manifest, &runtime_config)?;
    let allowed = allowed_hosts(&manifest, &variables)?;

    std::fs::create_dir_all(&config.state_dir).map_err(|source| HostError::Create {
        what: "the state folder",
        path: config.state_dir.clone(),
        source,
    })?;
    let mut stores = Stores::default();
    let mut components = BTreeMap::new();
    for ((name, declared), allowed) in manifest.components.iter().zip(allowed) {
        let component = component(name, declared, config, &variables, &runtime_config, &mut stores)?;
        components.insert(name.clone(), (Arc::new(component), Arc::new(allowed)));
    }
    let sources: Vec<_> =
        manifest.components.iter().map(|(name, component)| (name.clone(), component.source.clone())).collect();
    let loaded = Loader::new(&config.cache_folder(), &config.instances)?.load(&sources)?;
    Ok(Prepared { manifest, router, components, databases: stores.databases(), loaded })
}

fn check_labels(manifest: &Manifest, runtime_config: &RuntimeConfig) -> Result<(), RuntimeConfigError> {
    for (component, declared) in &manifest.components {
        if let Some(label) = declared.key_value_stores.iter().find(|label| !runtime_config.stores.contains_key(*label))
        {
            return Err(RuntimeConfigError::Undefined { component: component.clone(), label: label.clone() });
        }
    }
    Ok(())
}

/// The allowed hosts of each component, in the order of the components.
fn allowed_hosts(manifest: &Manifest, variables: &Variables) -> Result<Vec<AllowedHosts>, HostError> {
    let mut all = Vec::new();
    for (name, component) in &manifest.components {
        let place = format!("component {name:?}, allowed_outbound_hosts");
        let entries = component
            .allowed_outbound_hosts
            .iter()
            .map(|template| variables.render(template, &place))
            .collect::<Result<Vec<_>, _>>()?;
        let refuse = |reason| ManifestError::OutboundHost { component: name.clone(), reason };
        let allowed = AllowedHosts::parse(entries).map_err(refuse)?;
        if let Some(missing) = allowed.components().find(|other| !manifest.components.contains_key(*other)) {
            return Err(refuse(format!("there is no component {missing:?} in the application")).into());
        }
        all.push(allowed);
    }
    Ok(all)
}

fn component(
    name: &str,
    declared: &manifest::Component,
    config: &HostConfig,
    variables: &Variables,
    runtime_config: &RuntimeConfig,
    stores: &mut Stores,
) -> Result<Component, HostError> {
    let mut values = BTreeMap::new();
    for (variable, template) in &declared.variables {
        let place = format!("component {name:?}, variable {variable:?}");
        values.insert(variable.clone(), variables.render(template, &place)?);
    }
    let mut opened = BTreeMap::new();
    for label in &declared.key_value_stores {
        // The labels were checked before.
        if let Some(file) = runtime_config.stores.get(label) {
            opened.insert(label.clone(), stores.open(label, file)?);
        }
    }
    Ok(Component {
        name: name.to_owned(),
        stores: opened,
        variables: values,
        environment: declared.environment.clone(),
        log: ComponentLog::open(name, &config.log, &config.state_dir.join("logs"))?,
        max_memory_bytes: config.instances.max_memory_bytes,
    })
}

/// The files that are open: labels with the same file share it.
#[derive(Default)]
struct Stores {
    open: BTreeMap<PathBuf, Arc<Database>>,
}

impl Stores {
    fn open(&mut self, label: &str, file: &StoreFile) -> Result<Store, HostError> {
        let database = match self.open.get(&file.path) {
            Some(database) => database.clone(),
            None => {
                let database = Database::open(&file.path, file.profile)
                    .map_err(|source| HostError::Store { label: label.to_owned(), source })?;
                self.open.insert(file.path.clone(), database.clone());
                database
            }
        };
        Ok(Store::new(database, label))
    }

    fn databases(self) -> Vec<Arc<Database>> {
        self.open.into_values().collect()
    }
}
