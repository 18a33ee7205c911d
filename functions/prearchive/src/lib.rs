//! The prearchive: list, read, change and clear staged sessions.

mod act;
mod background;
mod delete;
mod downloads;
mod files;
mod list;
mod logs;
mod resources;
mod services;
mod session;
mod sweep;

use crate::services::Service;
use narthex::domain::access::Right;
use narthex::domain::prearchive::SessionPlace;
use narthex::http::ClientError;
use narthex::http::endpoints::prearchive::{self, Endpoint};
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Login, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    let found = prearchive::find(&call.context)?;
    let name = |name| found.get(name);
    let mut place = SessionPlace::new(name("project"), name("timestamp"), name("session"));
    // Whatever names a session is for those who may change its project's data; `Act` has rules of its own beside that.
    if !place.folder.is_empty() && found.endpoint != Endpoint::Act {
        place.project = call.demand_prearchive(&place.project, Right::Edit).await?;
    }
    match found.endpoint {
        Endpoint::ListAll => list::all(&call).await,
        Endpoint::ListProject => list::of_projects(&call, name("project")).await,
        Endpoint::Recent => list::recent(&call).await,
        Endpoint::Resync => list::resync(&call).await,
        Endpoint::Session => session::read(&call, &place).await,
        Endpoint::Act => act::run(call, &place).await,
        Endpoint::DeleteSession => delete::session(&call, &place).await,
        Endpoint::Logs => logs::list(&call, &place).await,
        Endpoint::Log => logs::one(&call, &place, name("log")).await,
        Endpoint::Scans => files::scans(&call, &place).await,
        Endpoint::DeleteScan => delete::scan(&call, &place, name("scan")).await,
        Endpoint::Resources => files::all_resources(&call, &place).await,
        Endpoint::ScanResources => files::resources(&call, &place, name("scan")).await,
        Endpoint::ScanFiles => files::list(&call, &place, name("scan"), name("resource")).await,
        Endpoint::ScanFile => files::one(&call, &place, name("scan"), name("resource"), name("file")).await,
        Endpoint::Scan => downloads::scan(&call, &place, name("scan")).await,
        Endpoint::ScanResource => downloads::scan_resource(&call, &place, name("scan"), name("resource")).await,
        Endpoint::Resource => downloads::resource(&call, &place, name("resource")).await,
        Endpoint::DeleteResource => resources::remove(&call, &place, name("resource")).await,
        Endpoint::Files => resources::list(&call, &place, name("resource")).await,
        Endpoint::File => resources::one(&call, &place, name("resource"), name("file")).await,
        Endpoint::AddFiles | Endpoint::AddFile => resources::add(call, &place, name("resource"), name("file")).await,
        Endpoint::DeleteFile => resources::remove_file(&call, &place, name("resource"), name("file")).await,
        Endpoint::Move => services::run(call, Service::Move).await,
        Endpoint::Rebuild => services::run(call, Service::Rebuild).await,
        Endpoint::Delete => services::run(call, Service::Delete).await,
        Endpoint::Sweep => sweep::run(&call).await,
    }
}
