//! How much an upload may ask of us. Limits are data: given at the call, counted while streaming, one error a limit.

use std::str::FromStr;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The limits of one intake. Every field has its unit in its name; [`Limits::default`] holds the sane values and
/// [`Limits::from_lookup`] takes others from settings named like the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request body, as they arrive. Default 32 GiB.
    pub max_upload_bytes: u64,
    /// Entries of one archive, folders included. Default 100,000.
    pub max_entries: u64,
    /// Bytes of one file after inflating. Default 16 GiB.
    pub max_entry_bytes: u64,
    /// Bytes of all files of one archive together after inflating. Default 256 GiB.
    pub max_inflated_bytes: u64,
    /// Inflated bytes for one stored byte. Deflate cannot pass 1,032 and a real image seldom passes 10, but a blank
    /// image or a segmentation mask does reach deflate's own bound. So the ratio is only applied to what exceeds a
    /// free allowance ([`Limits::ratio_free_entry_bytes`], [`Limits::ratio_free_total_bytes`]): a bomb gets less
    /// than a second of work and must then pay a byte for every 200. Default 200.
    pub max_ratio: u64,
    /// Inflated bytes of one file to which [`Limits::max_ratio`] is not applied. Default 512 MiB.
    pub ratio_free_entry_bytes: u64,
    /// Inflated bytes of a whole archive to which [`Limits::max_ratio`] is not applied. Default 640 MiB.
    pub ratio_free_total_bytes: u64,
    /// Bytes that decompressing bodies and files as a whole (gzip, bzip2, xz) may make before [`Limits::max_ratio`] is
    /// applied to it. They are written to the store, where the content of a zip is only looked at, so this allowance is
    /// smaller. Default 64 MiB.
    pub ratio_free_decompressed_bytes: u64,
    /// How deep archives inside archives are opened; those that lie deeper are files like any other. Default 2.
    pub max_nesting: u32,
    /// Archives inside the archives of one upload that are opened, all together. Default 1,000.
    pub max_archives: u64,
    /// Bytes of a file's path (UTF-8) inside an archive. Default 1,024; never more than 65,535, which is zip's own.
    pub max_name_bytes: usize,
    /// Bytes (UTF-8) of one component of that path. Default 255, as on the usual file systems.
    pub max_component_bytes: usize,
    /// Bytes of an archive's table of contents. Default 64 MiB: 100,000 entries with long names.
    pub max_central_directory_bytes: u64,
    /// Bytes that a decoder of xz keeps of what it has made, as a stream may ask for. Default 64 MiB, which is what
    /// `xz -9` asks for.
    pub max_dictionary_bytes: u64,
    /// Bytes of a DICOM file before its pixel data that are looked at. Default 16 MiB.
    pub max_header_bytes: usize,
    /// Bytes of one DICOM value that is kept. Default 16 KiB.
    pub max_value_bytes: usize,
    /// Depth of nested DICOM sequences. Default 32.
    pub max_depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_upload_bytes: 32 * GIB,
            max_entries: 100_000,
            max_entry_bytes: 16 * GIB,
            max_inflated_bytes: 256 * GIB,
            max_ratio: 200,
            ratio_free_entry_bytes: 512 * MIB,
            ratio_free_total_bytes: 640 * MIB,
            ratio_free_decompressed_bytes: 64 * MIB,
            max_nesting: 2,
            max_archives: 1_000,
            max_name_bytes: 1_024,
            max_component_bytes: 255,
            max_central_directory_bytes: 64 * MIB,
            max_dictionary_bytes: 64 * MIB,
            max_header_bytes: (16 * MIB) as usize,
            max_value_bytes: (16 * KIB) as usize,
            max_depth: 32,
        }
    }
}

/// A setting that should hold a limit does not hold a decimal integer that fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the setting {name} must be a whole number in decimal digits, but it is {value:?}")]
pub struct LimitsError {
    /// The setting's name, which is that of the field.
    pub name: &'static str,
    /// What it holds.
    pub value: String,
}

impl Limits {
    /// The defaults, with every limit replaced for which `lookup` knows a setting of the same name. An empty setting
    /// counts as absent, because a Spin variable must have a default value and the empty one is the natural one.
    ///
    /// # Errors
    /// [`LimitsError`] names the first setting that is not a decimal integer of the field's size.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, LimitsError> {
        let mut limits = Self::default();
        let Self {
            max_upload_bytes,
            max_entries,
            max_entry_bytes,
            max_inflated_bytes,
            max_ratio,
            ratio_free_entry_bytes,
            ratio_free_total_bytes,
            ratio_free_decompressed_bytes,
            max_nesting,
            max_archives,
            max_name_bytes,
            max_component_bytes,
            max_central_directory_bytes,
            max_dictionary_bytes,
            max_header_bytes,
            max_value_bytes,
            max_depth,
        } = &mut limits;
        set(max_upload_bytes, "max_upload_bytes", &lookup)?;
        set(max_entries, "max_entries", &lookup)?;
        set(max_entry_bytes, "max_entry_bytes", &lookup)?;
        set(max_inflated_bytes, "max_inflated_bytes", &lookup)?;
        set(max_ratio, "max_ratio", &lookup)?;
        set(ratio_free_entry_bytes, "ratio_free_entry_bytes", &lookup)?;
        set(ratio_free_total_bytes, "ratio_free_total_bytes", &lookup)?;
        set(ratio_free_decompressed_bytes, "ratio_free_decompressed_bytes", &lookup)?;
        set(max_nesting, "max_nesting", &lookup)?;
        set(max_archives, "max_archives", &lookup)?;
        set(max_name_bytes, "max_name_bytes", &lookup)?;
        set(max_component_bytes, "max_component_bytes", &lookup)?;
        set(max_central_directory_bytes, "max_central_directory_bytes", &lookup)?;
        set(max_dictionary_bytes, "max_dictionary_bytes", &lookup)?;
        set(max_header_bytes, "max_header_bytes", &lookup)?;
        set(max_value_bytes, "max_value_bytes", &lookup)?;
        set(max_depth, "max_depth", &lookup)?;
        Ok(limits)
    }
}

fn set<T: FromStr>(
    field: &mut T,
    name: &'static str,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<(), LimitsError> {
    let Some(value) = lookup(name).filter(|value| !value.is_empty()) else { return Ok(()) };
    // `parse` alone would take a plus sign.
    let parsed = if value.bytes().all(|byte| byte.is_ascii_digit()) { value.parse().ok() } else { None };
    *field = parsed.ok_or(LimitsError { name, value })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_replace_defaults_and_the_rest_stays() {
        let limits = Limits::from_lookup(|name| match name {
            "max_entries" => Some("5".into()),
            "max_depth" => Some(String::new()),
            _ => None,
        });
        assert_eq!(limits, Ok(Limits { max_entries: 5, ..Limits::default() }));
    }

    #[test]
    fn a_setting_that_is_no_number_is_named() {
        for bad in ["+5", "-1", "5 GiB", "0x10", " 5", "99999999999999999999999"] {
            let error = Limits::from_lookup(|name| (name == "max_upload_bytes").then(|| bad.to_owned())).unwrap_err();
            assert_eq!((error.name, error.value.as_str()), ("max_upload_bytes", bad));
        }
    }

    #[test]
    fn a_number_too_large_for_its_field_is_refused() {
        let error = Limits::from_lookup(|name| (name == "max_depth").then(|| "4294967296".to_owned())).unwrap_err();
        assert_eq!(error.name, "max_depth");
    }
}
