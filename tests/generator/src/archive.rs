//! Zips of generated files.

use std::io::{self, Cursor, Seek, Write};

use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

use crate::study::Study;

/// How entries are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Deflated at the usual level.
    Deflated,
    /// As they are.
    Stored,
}

impl Packing {
    fn options(self) -> SimpleFileOptions {
        let method = match self {
            Self::Deflated => CompressionMethod::Deflated,
            Self::Stored => CompressionMethod::Stored,
        };
        // A fixed time: the same study gives the same zip.
        SimpleFileOptions::default().compression_method(method).last_modified_time(DateTime::default())
    }
}

/// A deflated zip of a study, its files in a folder named after the patient's study.
pub fn zip_study(study: &Study) -> Vec<u8> {
    let files = study.files().map(|file| (format!("study/{}", file.name), file.bytes));
    zip_files(files, Packing::Deflated)
}

/// A zip of any files, in the given order.
///
/// # Panics
/// When two names are equal, or a name is longer than a zip can hold: the caller's mistake.
pub fn zip_files(files: impl IntoIterator<Item = (String, Vec<u8>)>, packing: Packing) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    write_entries(&mut writer, files, packing).expect("writing into memory, under names that differ");
    writer.finish().expect("writing into memory").into_inner()
}

/// Streams a zip into a writer that cannot seek: lengths and checksums follow each entry (data descriptors).
///
/// # Errors
/// What the writer says.
pub fn write_zip<W: Write>(
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
    packing: Packing,
    into: W,
) -> io::Result<()> {
    let mut writer = ZipWriter::new_stream(into);
    write_entries(&mut writer, files, packing)?;
    writer.finish().map_err(io::Error::from)?;
    Ok(())
}

fn write_entries<W: Write + Seek>(
    writer: &mut ZipWriter<W>,
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
    packing: Packing,
) -> io::Result<()> {
    for (name, bytes) in files {
        writer.start_file(name, packing.options()).map_err(io::Error::from)?;
        writer.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{Packing, write_zip, zip_study};
    use crate::study::{Modality, Study};

    #[test]
    fn a_zip_holds_the_files_of_the_study() {
        let study = Study::new(Modality::Ct, 1);
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip_study(&study))).unwrap();
        for file in study.files() {
            let mut bytes = Vec::new();
            zip.by_name(&format!("study/{}", file.name)).unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, file.bytes);
        }
    }

    #[test]
    fn a_streamed_zip_can_be_read() {
        let mut bytes = Vec::new();
        let files = vec![("a".to_owned(), vec![1; 1000]), ("b".to_owned(), vec![2; 10])];
        write_zip(files, Packing::Stored, &mut bytes).unwrap();
        assert_eq!(zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap().len(), 2);
    }
}
