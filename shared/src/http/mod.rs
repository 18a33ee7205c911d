//! Requests and answers as XNAT's API has them: paths, parameters, formats, tables, errors, downloads.
//!
//! This module knows the types of the `http` crate and nothing of the platform that carries the bytes. A component
//! builds a [`RequestContext`], routes on its path, and renders what the domain says:
//!
//! ```ignore
//! let request = RequestContext::new(method, &uri, headers)?;
//! match &request.path.segments()[..] {
//!     ["projects", project, "prearchive_code"] => ...,
//!     _ => Err(ClientError::unknown_route()),
//! }
//! ```

pub mod cause;
pub mod conditional;
mod content_coding;
pub mod cookies;
mod domain_error;
pub mod download;
pub mod endpoints;
pub mod error;
pub mod escape;
pub mod filter;
pub mod format;
pub mod forms;
pub mod item;
pub mod json_table;
pub mod markup;
pub mod params;
pub mod path;
pub mod request;
pub mod shape;
pub mod status;
pub mod table;
pub mod upload_name;
pub mod uri;
pub mod user_body;
pub mod views;
pub mod xpath;

pub use conditional::{ETag, Plan, Representation};
pub use content_coding::content_coding;
pub use error::{ClientError, ErrorFormat};
pub use format::Format;
pub use item::{FieldValue, Item};
pub use params::Params;
pub use path::{Mount, RequestPath};
pub use request::{BodyKind, RequestContext};
pub use shape::Page;
pub use status::ErrorStatus;
pub use table::{Column, Rendered, Table};
pub use upload_name::upload_name;
pub use uri::{Destination, PrearchiveUri, ResourceUri};
