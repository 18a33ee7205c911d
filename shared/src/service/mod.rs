//! What every component does around its handlers: read the request, let the user in, render what comes back.
//!
//! Only this module, the key-value back end and the clock know that the code runs as a component.

mod body;
pub mod download;
pub mod files;
pub mod items;
pub mod jobs;
pub mod quarantine;
mod reply;
mod site;
pub mod sources;
pub mod targets;
mod visible;
pub mod webhooks;

pub use body::RequestBody;
pub use reply::{Reply, ReplyBody};
pub use site::Site;

use std::rc::Rc;

use ::http::HeaderValue;
use ::http::header::SET_COOKIE;
use spin_sdk::http::Request;
use subtle::ConstantTimeEq;

use crate::accounts::{Account, AuthError, Identity, Via};
use crate::domain::DomainError;
use crate::domain::access::{self, Decision, Right};
use crate::domain::ids::{UNASSIGNED, project_or_unassigned};
use crate::domain::prearchive::upload::Arriving;
use crate::domain::prearchive::upload_files::form_fields;
use crate::domain::project::Project;
use crate::http::cookies::{EXPIRATION_COOKIE, expiration_cookie, sets_cookie};
use crate::http::{BodyKind, ClientError, ErrorFormat, RequestContext, content_coding};
use crate::intake::IntakeError;
use crate::limits::Limits;

/// One request with whoever makes it.
pub struct Call {
    /// The request without its body.
    pub context: RequestContext,
    /// Who makes it.
    pub identity: Identity,
    /// The stores and settings.
    pub site: Rc<Site>,
    /// Whether the request came with the token of whoever calls the sweep by the clock.
    pub is_sweeper: bool,
    body: RequestBody,
}

/// Whom a component lets in before its handlers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Users, and guests if the site allows them; the handler must still ask whether guests may do the thing.
    Login,
    /// Everybody; credentials that are given must be right all the same.
    Open,
}

/// The longest body that holds parameters, in bytes.
const MAX_FORM_BYTES: usize = 1024 * 1024;

impl Call {
    /// The name that records and logs show for whoever makes the request.
    pub fn user(&self) -> String {
        self.identity.name().to_owned()
    }

    /// The body, to be read once.
    pub fn take_body(&mut self) -> RequestBody {
        std::mem::take(&mut self.body)
    }

    /// The body as a file or form arrives in it, to be read once, within these limits.
    ///
    /// # Errors
    /// 413 if its announced length is beyond what an upload may have, 415 for a content coding that is not known.
    pub fn take_arriving(&mut self, limits: &Limits) -> Result<Arriving<RequestBody>, ClientError> {
        let limit_bytes = limits.max_upload_bytes;
        if self.context.content_length().is_some_and(|length| length > limit_bytes) {
            return Err(IntakeError::UploadTooLarge { limit_bytes }.into());
        }
        let coding = content_coding(&self.context.headers)?;
        Ok(Arriving::new(self.take_body(), coding, *limits))
    }

    /// Reads a body of parameters (form or JSON) and adds them to those of the query.
    ///
    /// # Errors
    /// A [`ClientError`] if it is malformed, too large or cut off.
    #[crate::boxed(?Send)]
    pub async fn read_params(&mut self) -> Result<(), ClientError> {
        let body = self.take_body().collect(MAX_FORM_BYTES).await?;
        self.context.add_body_params(&body)
    }

    /// As [`Call::read_params`], for operations that take a `multipart/form-data` form as well.
    ///
    /// # Errors
    /// As there; 400 if the form holds a file.
    #[crate::boxed(?Send)]
    pub async fn read_fields(&mut self) -> Result<(), ClientError> {
        let BodyKind::Multipart { boundary } = self.context.body_kind()? else { return self.read_params().await };
        let body = self.take_body().collect(MAX_FORM_BYTES).await?;
        for (name, value) in form_fields(&boundary, body).await? {
            self.context.params.add_field(&name, &value)?;
        }
        Ok(())
    }

    /// Refuses whoever has not logged in.
    ///
    /// # Errors
    /// 401.
    pub fn demand_login(&self) -> Result<&Account, ClientError> {
        match self.identity.user() {
            Some(user) => Ok(&user.account),
            None => Err(login_required()),
        }
    }

    /// Refuses whoever has not logged in, where the site requires it.
    ///
    /// # Errors
    /// 401.
    pub fn demand_visitor(&self) -> Result<(), ClientError> {
        match self.identity.user() {
            None if !self.site.auth.allow_guests => Err(login_required()),
            _ => Ok(()),
        }
    }

    /// Refuses a change that another site's page may have made a browser send along with the cookie of its user's
    /// login session, or with a password that the browser remembers. Such a page does not know the session's own
    /// token.
    async fn refuse_forged(&mut self) -> Result<(), ClientError> {
        if !self.site.auth.csrf_check || !self.context.may_be_forged() {
            return Ok(());
        }
        let csrf = match self.identity.user().map(|user| &user.via) {
            Some(Via::Session { csrf, .. }) => csrf.clone(),
            Some(Via::Password | Via::Token { .. }) if self.context.is_cross_site() => {
                return Err(ClientError::forbidden("csrf", "A page of another site cannot change anything here."));
            }
            _ => return Ok(()),
        };
        if self.context.csrf_token().is_none() && self.context.body_kind()? == BodyKind::Form {
            self.read_params().await?;
        }
        let shown = self.context.csrf_token().unwrap_or_default();
        if bool::from(shown.as_bytes().ct_eq(csrf.as_bytes())) {
            return Ok(());
        }
        Err(ClientError::forbidden(
            "csrf",
            "A browser must send the parameter XNAT_CSRF (or the header X-XNAT-CSRF) with the token of its login \
             session, which GET /data/JSESSION?CSRF=true tells.",
        ))
    }

    /// Refuses whoever is no administrator.
    ///
    /// # Errors
    /// 401 or 403.
    pub fn demand_admin(&self) -> Result<(), ClientError> {
        self.demand_login()?;
        if self.identity.is_admin() {
            return Ok(());
        }
        Err(ClientError::forbidden("administrators-only", "Only administrators of the site may do this."))
    }

    /// The project of this identifier or alias, for somebody who wants to do something in it.
    ///
    /// # Errors
    /// 404 if it does not exist for whoever asks, 403 if it does but this may not be done; 401 instead of both for
    /// guests.
    #[crate::boxed(?Send)]
    pub async fn project(&self, name: &str, right: Right) -> Result<Project, ClientError> {
        let project = self.site.core.find_project(name).await?;
        match (access::decide(project.as_ref(), &self.identity, right), project) {
            (Decision::Allowed, Some(project)) => Ok(project),
            _ if self.identity.login().is_none() => Err(login_required()),
            (Decision::Forbidden, _) => Err(self.forbidden(name, right)),
            _ => Err(DomainError::not_found("project", name).into()),
        }
    }

    /// Whether something may be done in the project of this identifier.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn may(&self, project: &str, right: Right) -> Result<bool, ClientError> {
        let project = self.site.core.find_project(project).await?;
        Ok(access::decide(project.as_ref(), &self.identity, right) == Decision::Allowed)
    }

    /// Refuses whoever may not do something with the staged sessions of a project, or of none (`Unassigned`). Gives the
    /// project's identifier, whichever of its names was used.
    ///
    /// # Errors
    /// 403, also for projects that do not exist: only those who may do it in all projects are told so, by 404. 401 for
    /// guests.
    #[crate::boxed(?Send)]
    pub async fn demand_prearchive(&self, project: &str, right: Right) -> Result<String, ClientError> {
        if project_or_unassigned(project) == UNASSIGNED {
            return match self.is_told_of_all(right) {
                true => Ok(UNASSIGNED.to_owned()),
                false if self.identity.login().is_none() => Err(login_required()),
                false => Err(ClientError::forbidden(
                    "administrators-only",
                    "Sessions that belong to no project are for administrators only.",
                )),
            };
        }
        let found = self.site.core.find_project(project).await?;
        match (access::decide(found.as_ref(), &self.identity, right), &found) {
            (Decision::Allowed, Some(found)) => Ok(found.id.to_string()),
            _ if self.identity.login().is_none() => Err(login_required()),
            _ if found.is_none() && self.is_told_of_all(right) => {
                Err(DomainError::not_found("project", project).into())
            }
            _ => Err(self.forbidden(project, right)),
        }
    }

    /// Whether whoever asks has this right in every project, so that there is nothing to hide.
    fn is_told_of_all(&self, right: Right) -> bool {
        self.identity.edits_all_data() || (right <= Right::Read && self.identity.reads_all_data())
    }

    fn forbidden(&self, project: &str, right: Right) -> ClientError {
        let what = match right {
            Right::See => "see",
            Right::Read => "read",
            Right::Edit => "edit",
            Right::Own => "manage",
        };
        let shown: String = project.chars().take(100).collect();
        let sentence = format!("User {} doesn't have permission to {what} the project {shown}.", self.identity.name());
        ClientError::forbidden("not-permitted", sentence)
    }
}

/// Where the token of [`Call::is_sweeper`] counts, and nowhere else.
const SWEEP: [&str; 3] = ["services", "prearchive", "sweep"];

fn login_required() -> ClientError {
    crate::accounts::AuthError::Required.into()
}

/// Serves one request: whatever happens, there is an answer.
pub async fn serve(
    request: Request,
    access: Access,
    handler: impl AsyncFnOnce(Call) -> Result<Reply, ClientError>,
) -> Reply {
    let (parts, body) = request.into_parts();
    let format = ErrorFormat::choose(&parts.headers);
    let context = match RequestContext::new(parts.method, &parts.uri, parts.headers) {
        Ok(context) => context,
        Err(error) => return ReplyBody::error(&error, format),
    };
    let is_head = context.is_head();
    let body = RequestBody::new(body, context.content_length());
    let (answer, cookie) = answer(context, body, access, handler).await;
    let mut reply = answer.unwrap_or_else(|error| {
        if error.status.number() >= 500 {
            eprintln!("{}", error.log_line());
        }
        ReplyBody::error(&error, format)
    });
    let headers = reply.headers_mut();
    if let Some(cookie) = cookie.filter(|_| !sets_cookie(headers, EXPIRATION_COOKIE)) {
        headers.append(SET_COOKIE, cookie);
    }
    crate::http::error::add_security_headers(headers);
    if is_head {
        *reply.body_mut() = ReplyBody::empty();
    }
    reply
}

/// What the handler says, and the cookie that tells when the login session ends, if the request came by one.
async fn answer(
    context: RequestContext,
    body: RequestBody,
    access: Access,
    handler: impl AsyncFnOnce(Call) -> Result<Reply, ClientError>,
) -> (Result<Reply, ClientError>, Option<HeaderValue>) {
    let call = match admit(context, body, access).await {
        Ok(call) => call,
        Err(error) => return (Err(error), None),
    };
    let cookie = match call.identity.user().map(|user| &user.via) {
        Some(Via::Session { .. }) => {
            let (now_ms, idle_ms) = (call.site.core.clock.now_ms(), call.site.auth.idle_ms());
            expiration_cookie(now_ms, idle_ms, call.context.is_secure(false))
        }
        _ => None,
    };
    (guarded(call, handler).await, cookie)
}

async fn guarded(
    mut call: Call,
    handler: impl AsyncFnOnce(Call) -> Result<Reply, ClientError>,
) -> Result<Reply, ClientError> {
    call.refuse_forged().await?;
    let site = call.site.clone();
    let answer = handler(call).await;
    webhooks::deliver_new(&site.core);
    answer
}

/// Finds out who makes the request.
async fn admit(context: RequestContext, body: RequestBody, access: Access) -> Result<Call, ClientError> {
    let site = Site::open().await?;
    if let Some(token) = &site.sweep_token
        && context.path.segments() == SWEEP
        && context.bearer_token().is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(token.as_bytes())))
    {
        return Ok(Call { context, identity: Identity::Guest, site, is_sweeper: true, body });
    }
    let credentials = context.credentials();
    let is_anonymous = credentials.authorization.is_none() && credentials.session_token.is_none();
    let identity = if access == Access::Open && is_anonymous {
        Identity::Guest
    } else {
        match site.authenticator().authenticate(credentials).await {
            Ok(identity) => identity,
            // A login that has ended is as good as none where none is needed.
            Err(AuthError::Required) if access == Access::Open => Identity::Guest,
            Err(error) => return Err(error.into()),
        }
    };
    if let Some(user) = identity.user() {
        site.core.enlist_user(&user.account).await?;
    }
    Ok(Call { context, identity, site, is_sweeper: false, body })
}

/// Removes what is left of sessions that have gone, after the answer and one after the other.
pub fn empty_trash_later(call: &Call, sessions: Vec<String>) {
    let core = call.site.core.clone();
    after_the_answer(async move {
        for session in sessions {
            // Should it fail, the sweep does it.
            if let Err(error) = core.empty_trash_of(&session).await {
                eprintln!("the remains of a session are not removed yet: {error}");
            }
        }
    });
}

/// Sweeps after the answer if it is time to: what is due goes on the way of lists.
pub fn sweep_later(call: &Call) {
    let site = call.site.clone();
    after_the_answer(async move {
        if let Err(error) = site.sweep_if_due().await {
            eprintln!("the sweep failed: {error}");
        }
    });
}

/// Lets `work` go on after the answer was given.
pub fn after_the_answer(work: impl Future<Output = ()> + 'static) {
    spin_sdk::wit_bindgen::spawn(work);
}
