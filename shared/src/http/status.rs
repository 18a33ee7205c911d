//! A status that can only be an error.

use std::fmt;

use ::http::StatusCode;

/// A status of 400 or above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorStatus(StatusCode);

impl ErrorStatus {
    /// 400
    pub const BAD_REQUEST: Self = Self(StatusCode::BAD_REQUEST);
    /// 401
    pub const UNAUTHORIZED: Self = Self(StatusCode::UNAUTHORIZED);
    /// 403
    pub const FORBIDDEN: Self = Self(StatusCode::FORBIDDEN);
    /// 404
    pub const NOT_FOUND: Self = Self(StatusCode::NOT_FOUND);
    /// 405
    pub const METHOD_NOT_ALLOWED: Self = Self(StatusCode::METHOD_NOT_ALLOWED);
    /// 406
    pub const NOT_ACCEPTABLE: Self = Self(StatusCode::NOT_ACCEPTABLE);
    /// 409
    pub const CONFLICT: Self = Self(StatusCode::CONFLICT);
    /// 412
    pub const PRECONDITION_FAILED: Self = Self(StatusCode::PRECONDITION_FAILED);
    /// 413
    pub const TOO_LARGE: Self = Self(StatusCode::PAYLOAD_TOO_LARGE);
    /// 414
    pub const URI_TOO_LONG: Self = Self(StatusCode::URI_TOO_LONG);
    /// 415
    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    /// 416
    pub const RANGE_NOT_SATISFIABLE: Self = Self(StatusCode::RANGE_NOT_SATISFIABLE);
    /// 417
    pub const EXPECTATION_FAILED: Self = Self(StatusCode::EXPECTATION_FAILED);
    /// 422
    pub const UNPROCESSABLE: Self = Self(StatusCode::UNPROCESSABLE_ENTITY);
    /// 423
    pub const LOCKED: Self = Self(StatusCode::LOCKED);
    /// 429
    pub const TOO_MANY: Self = Self(StatusCode::TOO_MANY_REQUESTS);
    /// 500
    pub const INTERNAL: Self = Self(StatusCode::INTERNAL_SERVER_ERROR);
    /// 501
    pub const NOT_IMPLEMENTED: Self = Self(StatusCode::NOT_IMPLEMENTED);
    /// 503
    pub const UNAVAILABLE: Self = Self(StatusCode::SERVICE_UNAVAILABLE);
    /// 507
    pub const INSUFFICIENT_STORAGE: Self = Self(StatusCode::INSUFFICIENT_STORAGE);

    /// The status, if it is an error.
    pub fn new(status: StatusCode) -> Option<Self> {
        (status.is_client_error() || status.is_server_error()).then_some(Self(status))
    }

    /// As the `http` crate has it.
    pub fn code(self) -> StatusCode {
        self.0
    }

    /// Its number.
    pub fn number(self) -> u16 {
        self.0.as_u16()
    }
}

impl From<ErrorStatus> for StatusCode {
    fn from(status: ErrorStatus) -> Self {
        status.0
    }
}

impl fmt::Display for ErrorStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_and_redirection_are_no_error_status() {
        for number in 100..1000 {
            let found = StatusCode::from_u16(number).ok().and_then(ErrorStatus::new);
            assert_eq!(found.is_some(), (400..600).contains(&number), "{number}");
        }
    }
}
