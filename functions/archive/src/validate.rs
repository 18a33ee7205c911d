//! `POST /data/services/validate-archive`

use narthex::http::{ClientError, Format, views};
use narthex::service::{Call, Reply, ReplyBody};

use crate::archive::found;
use crate::wanted::{archive_request, destination, places};

/// What stands against archiving one session with the same parameters. Nothing is changed.
pub async fn run(mut call: Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    call.read_params().await?;
    let format = call.context.format_without_accept(Format::Xml);
    let dest = destination(&call).await?;
    let places = places(&call)?;
    let [place] = places.as_slice() else {
        let sentence = "Cannot validate multiple sessions in one request.";
        return Err(ClientError::bad_request("several-sources", sentence));
    };
    let request = archive_request(&call, &dest).await?;
    let session = found(&call, place).await?;
    let findings = call.site.core.validate_archiving(&session, &request).await?;
    Ok(ReplyBody::table(views::archive::findings(&findings).render(&format)))
}
