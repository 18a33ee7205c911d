//! Which files of a list are wanted.

use crate::domain::file_filter::{FileFilter, PathFilter};
use crate::http::{ClientError, Params};

/// What stands for files of which nothing was said.
const NONE: &str = "NULL";

/// Parameters of lists of files that cannot be served.
const UNSERVED: &[(&str, &str)] = &[
    ("locator", "telling where on a disk files lie, which they do not, as files of their own"),
    ("listContents", "looking into archives that are kept as files"),
];

/// Which files of a list are wanted, and what is to be done if there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileSelection {
    /// By what was said of them; their paths are the address's.
    pub filter: FileFilter,
    /// The place in the list, from 0, of the one file that is wanted itself.
    pub index: Option<u64>,
    /// Whether nothing is no failure.
    pub accepts_none: bool,
}

impl FileSelection {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// 501 for parameters that cannot be served, 400 for an index that is no number.
    pub fn read(params: &Params) -> Result<Self, ClientError> {
        ClientError::refuse_unserved(params, UNSERVED)?;
        let words = |name| {
            let plain = |word: &str| if word == NONE { String::new() } else { word.to_owned() };
            params.list(name).map(plain).collect()
        };
        Ok(Self {
            filter: FileFilter {
                formats: words("file_format"),
                contents: words("file_content"),
                paths: PathFilter::default(),
            },
            index: params.number("index")?,
            accepts_none: params.flag("accept-not-found"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<FileSelection, u16> {
        FileSelection::read(&Params::from_query(query).unwrap()).map_err(|error| error.status.number())
    }

    #[test]
    fn files_are_chosen_by_format_and_content() {
        let chosen = read("file_format=DICOM,NIFTI&file_format=NULL&file_content=RAW").unwrap().filter;
        for (format, content, expected) in [
            ("DICOM", "RAW", true),
            ("NIFTI", "RAW", true),
            ("", "RAW", true),
            ("dicom", "RAW", false),
            ("DICOM", "", false),
        ] {
            assert_eq!(chosen.accepts_notes(format, content), expected, "{format} {content}");
        }
        assert!(read("").unwrap().filter.accepts_notes("x", ""));
        assert_eq!(read("index=3&accept-not-found=true").unwrap().index, Some(3));
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        assert_eq!(read("locator=absolutePath"), Err(501));
        assert_eq!(read("listContents=true"), Err(501));
        assert_eq!(read("index=last"), Err(400));
        assert!(read("listContents=false").is_ok());
    }
}
