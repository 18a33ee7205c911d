//! What the operator sets: every limit and period of the domain.

use super::prearchive::import::ImportHandler;
use crate::imaging::naming::NameTemplate;
use crate::limits::Limits;

/// The least that unfinished uploads are kept, in seconds.
const LEAST_RETENTION_S: u64 = 10;

/// The settings of a site.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The site's identifier, the beginning of subject and experiment IDs.
    pub site_id: String,
    /// How long whoever works on a session may be silent before it is taken for dead, in seconds.
    pub lease_seconds: u64,
    /// How long a session that is being received must be silent before it is taken for complete, in seconds.
    pub session_idle_seconds: u64,
    /// How long an upload that was never finished is kept before the sweep removes it, in seconds; at least 10. An
    /// upload may take half of it, so that none is swept while it is under way.
    pub upload_retention_seconds: u64,
    /// How long a file stays in the user cache before the sweep removes it, in seconds; 0 for ever.
    pub cache_retention_seconds: u64,
    /// What one user may keep in the user cache, in bytes.
    pub max_cache_bytes: u64,
    /// Folders of one project's quarantine, at most.
    pub max_triage_folders: u64,
    /// Files of one folder of the quarantine, at most.
    pub max_triage_files: u64,
    /// The prearchive code of a new project: 0, 1, 4 or 5.
    pub default_prearchive_code: u8,
    /// Whether every user may make projects, or administrators only.
    pub users_may_create_projects: bool,
    /// What DICOM files are named after that do not keep their names.
    pub dicom_file_name_template: NameTemplate,
    /// The import handler of requests that name none.
    pub default_import_handler: ImportHandler,
    /// The limits of what is taken in.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            site_id: "XNAT".to_owned(),
            lease_seconds: 30,
            upload_retention_seconds: 24 * 60 * 60,
            session_idle_seconds: 300,
            cache_retention_seconds: 30 * 24 * 60 * 60,
            max_cache_bytes: 64 << 30,
            max_triage_folders: 1_000,
            max_triage_files: 10_000,
            default_prearchive_code: 0,
            users_may_create_projects: true,
            dicom_file_name_template: NameTemplate::default(),
            default_import_handler: ImportHandler::SessionImporter,
            limits: Limits::default(),
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the setting {name} has the value {value:?}, but must be {must_be}")]
pub struct SettingError {
    /// The setting's name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// What it must be.
    pub must_be: &'static str,
}

impl Settings {
    /// The settings that `lookup` gives by name, the defaults for those it does not give (or gives empty).
    ///
    /// # Errors
    /// [`SettingError`] for a value that cannot be used.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let defaults = Self::default();
        let given = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let site_id = match given("site_id") {
            None => defaults.site_id,
            Some(text) => site_id(&text)?,
        };
        let limits = Limits::from_lookup(|name| given(name)).map_err(|error| SettingError {
            name: error.name,
            value: error.value,
            must_be: "a whole number without sign",
        })?;
        if limits.max_nesting > MAX_NESTING {
            return Err(SettingError {
                name: "max_nesting",
                value: limits.max_nesting.to_string(),
                must_be: "at most 16",
            });
        }
        Ok(Self {
            site_id,
            lease_seconds: number(&given, "lease_seconds", defaults.lease_seconds, 1)?,
            upload_retention_seconds: number(
                &given,
                "upload_retention_seconds",
                defaults.upload_retention_seconds,
                LEAST_RETENTION_S,
            )?,
            session_idle_seconds: number(&given, "session_idle_seconds", defaults.session_idle_seconds, 1)?,
            cache_retention_seconds: number(&given, "cache_retention_seconds", defaults.cache_retention_seconds, 0)?,
            max_cache_bytes: bytes(&given, "max_cache_bytes", defaults.max_cache_bytes)?,
            max_triage_folders: count(&given, "max_triage_folders", 1_000)?.into(),
            max_triage_files: count(&given, "max_triage_files", 10_000)?.into(),
            default_prearchive_code: match given("default_prearchive_code").as_deref() {
                None | Some("0") => 0,
                Some("1") => 1,
                Some("4") => 4,
                Some("5") => 5,
                Some(other) => {
                    return Err(SettingError {
                        name: "default_prearchive_code",
                        value: other.to_owned(),
                        must_be: "0, 1, 4 or 5",
                    });
                }
            },
            users_may_create_projects: switch(&given, "users_may_create_projects", defaults.users_may_create_projects)?,
            default_import_handler: match given("default_import_handler") {
                None => defaults.default_import_handler,
                Some(word) => match ImportHandler::parse(&word) {
                    Some(handler @ (ImportHandler::SessionImporter | ImportHandler::DicomZip)) => handler,
                    _ => {
                        let must_be = "SI or DICOM-zip";
                        return Err(SettingError { name: "default_import_handler", value: word, must_be });
                    }
                },
            },
            dicom_file_name_template: match given("dicom_file_name_template") {
                None => defaults.dicom_file_name_template,
                Some(value) => NameTemplate::parse(&value).map_err(|_| SettingError {
                    name: "dicom_file_name_template",
                    value,
                    must_be: "a text of at most 512 bytes with keywords of DICOM elements that are read, as in ${SeriesNumber}",
                })?,
            },
            limits,
        })
    }
}

/// How deep archives inside archives may be opened, whatever the operator sets.
const MAX_NESTING: u32 = 16;

/// XNAT's rule: blanks, quotes and `^` go, `-` becomes `_`.
fn site_id(text: &str) -> Result<String, SettingError> {
    let cleaned: String =
        text.chars().filter(|c| !matches!(c, ' ' | '"' | '\'' | '^')).map(|c| if c == '-' { '_' } else { c }).collect();
    let is_fit =
        !cleaned.is_empty() && cleaned.len() <= 32 && cleaned.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_fit {
        Ok(cleaned)
    } else {
        Err(SettingError { name: "site_id", value: text.to_owned(), must_be: "1 to 32 letters, digits or underscores" })
    }
}

/// A setting in whole seconds.
///
/// # Errors
/// [`SettingError`] if it is none, below `least` or beyond all sense.
pub(crate) fn number(
    given: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: u64,
    least: u64,
) -> Result<u64, SettingError> {
    match given(name) {
        None => Ok(default),
        Some(value) => match value.parse::<u64>() {
            Ok(number) if number >= least && number <= 10_000_000 => Ok(number),
            _ => Err(SettingError {
                name,
                value,
                must_be: "a whole number of seconds, not too small and at most 10 million",
            }),
        },
    }
}

/// A setting in bytes.
fn bytes(given: &impl Fn(&str) -> Option<String>, name: &'static str, default: u64) -> Result<u64, SettingError> {
    match given(name) {
        None => Ok(default),
        Some(value) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            value.parse().map_err(|_| SettingError { name, value, must_be: "a number of bytes below 2^64" })
        }
        Some(value) => Err(SettingError { name, value, must_be: "a whole number of bytes, in digits" }),
    }
}

/// A setting that counts something; 0 for never.
///
/// # Errors
/// [`SettingError`] if it is no number or beyond all sense.
pub(crate) fn count(
    given: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: u32,
) -> Result<u32, SettingError> {
    match given(name) {
        None => Ok(default),
        Some(value) => match value.parse::<u32>() {
            Ok(number) if number <= 1_000_000 => Ok(number),
            _ => Err(SettingError { name, value, must_be: "a whole number, at most one million" }),
        },
    }
}

/// A setting that is on or off.
///
/// # Errors
/// [`SettingError`] for anything but `true` and `false`.
pub(crate) fn switch(
    given: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: bool,
) -> Result<bool, SettingError> {
    match given(name) {
        None => Ok(default),
        Some(value) => {
            value.to_ascii_lowercase().parse().map_err(|_| SettingError { name, value, must_be: "true or false" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<Settings, SettingError> {
        Settings::from_lookup(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn what_is_not_set_or_empty_has_its_default() {
        let settings = with("site_id", "").unwrap();
        assert_eq!((settings.site_id.as_str(), settings.lease_seconds), ("XNAT", 30));
        assert_eq!(with("site_id", "my-site").unwrap().site_id, "my_site");
        let template = with("dicom_file_name_template", "${Modality}").unwrap().dicom_file_name_template;
        assert_eq!(template, NameTemplate::parse("${Modality}").unwrap());
        assert_eq!(settings.dicom_file_name_template, NameTemplate::default());
        assert_eq!(with("max_entries", "7").unwrap().limits.max_entries, 7);
        assert_eq!(with("max_cache_bytes", "7").unwrap().max_cache_bytes, 7);
        assert_eq!(with("cache_retention_seconds", "0").unwrap().cache_retention_seconds, 0);
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_its_name() {
        for (name, value) in [
            ("site_id", "a/b"),
            ("lease_seconds", "0"),
            ("lease_seconds", "soon"),
            ("session_idle_seconds", "0"),
            ("cache_retention_seconds", "-1"),
            ("max_cache_bytes", "64 GiB"),
            ("max_cache_bytes", "99999999999999999999"),
            ("max_triage_folders", "many"),
            ("max_triage_files", "-1"),
            ("default_prearchive_code", "2"),
            ("max_entries", "-1"),
            ("max_nesting", "17"),
            ("default_import_handler", "XAR"),
            ("users_may_create_projects", "perhaps"),
            ("dicom_file_name_template", "${Nope}"),
            ("dicom_file_name_template", "${Modality"),
        ] {
            let error = with(name, value).unwrap_err();
            assert_eq!((error.name, error.value.as_str()), (name, value));
        }
    }

    #[test]
    fn switches_and_counts_are_read_strictly() {
        let given = |value: &'static str| move |_: &str| Some(value.to_owned());
        assert_eq!(switch(&given("TRUE"), "x", false).ok(), Some(true));
        assert_eq!(switch(&given("false"), "x", true).ok(), Some(false));
        assert_eq!(switch(&|_: &str| None, "x", true).ok(), Some(true));
        assert!(switch(&given("yes"), "x", true).is_err());
        assert_eq!(count(&given("0"), "x", 20).ok(), Some(0));
        assert_eq!(count(&|_: &str| None, "x", 20).ok(), Some(20));
        assert!(count(&given("-1"), "x", 20).is_err() && count(&given("99999999"), "x", 20).is_err());
    }
}
