//! Names of files that came as a body.

/// The name of a file that came as a body, if the address does not name it: XNAT's list by media type.
pub fn upload_name(media_type: &str) -> String {
    let extension = match media_type {
        "text/plain" | "text/*" => "txt",
        "text/xml" => "xml",
        "text/csv" => "csv",
        "text/html" => "html",
        "application/dicom" => "dcm",
        "application/zip" => "zip",
        "application/xar" => "xar",
        "application/x-tar" => "tar",
        "application/x-gtar" => "tar.gz",
        "application/x-gzip" | "application/gzip" => "gzip",
        "application/pdf" => "pdf",
        "application/octet-stream" | "application/*" | "" => return "upload".to_owned(),
        "image/jpeg" => "jpg",
        "image/svg+xml" => "svg",
        "image/bmp" => "bmp",
        "image/gif" => "gif",
        "image/png" => "png",
        "image/tiff" => "tiff",
        "video/mp4" => "mp4",
        "video/mpeg" => "mpeg",
        "application/msword" => "doc",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.ms-powerpoint" => "ppt",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        _ => "unsupported",
    };
    format!("upload.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nameless_files_are_named_by_their_media_type() {
        for (media_type, name) in [
            ("text/plain", "upload.txt"),
            ("application/x-gtar", "upload.tar.gz"),
            ("application/octet-stream", "upload"),
            ("image/png", "upload.png"),
            ("application/../x", "upload.unsupported"),
        ] {
            assert_eq!(upload_name(media_type), name);
        }
    }
}
