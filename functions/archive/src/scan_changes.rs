//! Making, changing and deleting scans of an experiment.

use http::Method;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use narthex::domain::DomainError;
use narthex::domain::archive::Experiment;
use narthex::http::ClientError;
use narthex::http::forms::items::{PresentScan, ScanForm};
use narthex::http::path::join_segments;
use narthex::service::{Call, Reply, ReplyBody};

use crate::experiment::load;
use crate::item_body;
use crate::record::Record;

/// PUT, POST or DELETE below `.../scans`.
pub async fn change(call: Call, found: &Experiment, below: &[&str]) -> Result<Reply, ClientError> {
    let method = call.context.method.clone();
    match (method.as_str(), below) {
        ("POST", []) => create(call, found).await,
        ("PUT", [scan]) => put(call, found, scan).await,
        ("DELETE", [scan]) => delete(call, found, scan).await,
        (_, []) => Err(ClientError::method_not_allowed(&[Method::GET, Method::HEAD, Method::POST])),
        (_, [_]) => Err(ClientError::method_not_allowed(&[Method::DELETE, Method::GET, Method::HEAD, Method::PUT])),
        _ => Err(ClientError::unknown_route()),
    }
}

/// `PUT .../scans/ID`: makes or changes a scan.
async fn put(mut call: Call, found: &Experiment, scan: &str) -> Result<Reply, ClientError> {
    let document = item_body::document(&mut call).await?;
    let present = match &document {
        Some(_) => {
            let (_, scans) = load(&call, found).await?;
            scans.iter().find(|stored| stored.scan.id == scan).map(|stored| PresentScan::of(found, stored))
        }
        None => None,
    };
    let form = ScanForm::read(document.as_deref(), &call.context.params, present.as_ref(), &found.id)?;
    if form.id.as_ref().is_some_and(|named| named != scan) {
        let sentence = "The ID in the request differs from that in the address; a scan's ID cannot be changed.";
        return Err(ClientError::bad_request("other-item", sentence));
    }
    let record = Record::of(&call, "Modified", format!("scan {scan}"))?;
    call.site.core.put_scan(&found.id, scan, &form.change).await?;
    record.write(&call, &found.project, found.as_item()).await?;
    Ok(ReplyBody::nothing())
}

/// `POST .../scans`: makes a scan; answers with its address.
async fn create(mut call: Call, found: &Experiment) -> Result<Reply, ClientError> {
    let document = item_body::document(&mut call).await?;
    let form = ScanForm::read(document.as_deref(), &call.context.params, None, &found.id)?;
    let id = form.id.as_deref().filter(|id| !id.is_empty());
    let record = Record::of(&call, "Modified", "a new scan")?;
    let id = call.site.core.create_scan(&found.id, id, &form.change).await?;
    record.write(&call, &found.project, found.as_item()).await?;
    let path = join_segments(["data", "experiments", &found.id, "scans", &id]);
    let address = format!("{}{path}", call.context.origin());
    let mut reply = ReplyBody::reply(StatusCode::OK, "text/plain; charset=utf-8", address.clone());
    if let Ok(value) = HeaderValue::from_str(&address) {
        reply.headers_mut().insert(LOCATION, value);
    }
    Ok(reply)
}

/// `DELETE .../scans/ID`
async fn delete(call: Call, found: &Experiment, scan: &str) -> Result<Reply, ClientError> {
    let unknown = || ClientError::not_found("unknown-scan", "Unable to find the specified scan.");
    let record = Record::of(&call, "Modified", format!("scan {scan} removed"))?;
    match call.site.core.delete_archived_scan(&found.id, scan).await {
        Err(DomainError::NotFound { .. }) => Err(unknown()),
        done => {
            done?;
            record.write(&call, &found.project, found.as_item()).await?;
            Ok(ReplyBody::nothing())
        }
    }
}
