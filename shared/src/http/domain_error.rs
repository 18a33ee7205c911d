//! How errors of the domain are told to clients.

use super::error::ClientError;
use crate::domain::DomainError;
use crate::domain::digests::ReadError;
use crate::domain::prearchive::upload::UploadError;
use crate::domain::prearchive::upload_files::FilesError;
use crate::domain::xar::XarError;
use crate::intake::IntakeError;

impl From<DomainError> for ClientError {
    fn from(error: DomainError) -> Self {
        let sentence = error.to_string();
        match error {
            DomainError::NotFound { .. } => Self::not_found("not-found", capitalised(sentence)),
            DomainError::Exists { .. } => Self::conflict("exists", capitalised(sentence)),
            DomainError::Invalid { .. } => Self::bad_request("invalid", sentence),
            DomainError::Busy { .. } => Self::conflict("busy", capitalised(sentence)),
            DomainError::WrongState { .. } => Self::conflict("wrong-state", capitalised(sentence)),
            DomainError::Conflict { .. } => Self::conflict("conflict", sentence),
            DomainError::NothingParsable { .. } => Self::bad_request("nothing-parsable", capitalised(sentence)),
            DomainError::Refused { .. } => Self::forbidden("refused", sentence),
            DomainError::Full { .. } => Self::insufficient_storage("full", sentence),
            DomainError::NotImplemented { .. } => Self::not_implemented("not-implemented", sentence),
            DomainError::Store(error) => error.into(),
        }
    }
}

impl From<UploadError> for ClientError {
    fn from(error: UploadError) -> Self {
        let sentence = capitalised(error.to_string());
        match error {
            UploadError::CutOff { .. } => Self::bad_request("upload.cut-off", sentence),
            UploadError::Empty => Self::bad_request("upload.empty", sentence),
            UploadError::Unsupported { .. } => Self::bad_request("upload.unsupported", sentence),
            UploadError::NothingParsable { .. } => Self::bad_request("nothing-parsable", sentence),
            UploadError::NotAnImage { .. } => Self::bad_request("not-an-image", sentence),
            UploadError::TooManyStudies { .. } => Self::too_large("upload.too-many-studies", sentence),
            UploadError::Intake(error) => error.into(),
            UploadError::Store(error) => error.into(),
        }
    }
}

impl From<FilesError> for ClientError {
    fn from(error: FilesError) -> Self {
        let sentence = capitalised(error.to_string());
        match error {
            FilesError::Upload(error) => error.into(),
            FilesError::FileNotWanted => Self::bad_request("body-not-wanted", sentence),
            FilesError::NoFile => Self::bad_request("no-file", sentence),
            FilesError::Form(_) => Self::bad_request("bad-multipart", sentence),
            FilesError::TooManyFiles { .. } => Self::too_large("upload.too-many-files", sentence),
            FilesError::FieldsTooLarge { .. } => Self::too_large("upload.fields-too-large", sentence),
            FilesError::Name { .. } => Self::bad_request("bad-file-name", sentence),
        }
    }
}

impl From<XarError> for ClientError {
    fn from(error: XarError) -> Self {
        match error {
            XarError::Files(error) => error.into(),
            XarError::Domain(error) => error.into(),
        }
    }
}

impl From<IntakeError> for ClientError {
    fn from(error: IntakeError) -> Self {
        let sentence = capitalised(error.to_string());
        if error.is_too_large() {
            Self::too_large(error.code(), sentence)
        } else if error.is_client_fault() {
            Self::bad_request(error.code(), sentence)
        } else {
            Self::internal(with_causes(&error))
        }
    }
}

impl From<ReadError> for ClientError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::Extent(error) => Self::internal(with_causes(&error)),
        }
    }
}

/// An error with all that caused it, for the log.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A sentence with a capital at its beginning and a stop at its end.
fn capitalised(text: String) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return text };
    let mut sentence: String = first.to_uppercase().collect();
    sentence.push_str(characters.as_str());
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}
