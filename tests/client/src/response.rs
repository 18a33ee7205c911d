//! Reading an answer.

use std::io::{self, BufRead, BufReader, Read, Write};

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, in order, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every header of that name (any case).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn read(stream: &mut impl Read, head_only: bool) -> io::Result<Self> {
        let mut body = Vec::new();
        let response = Self::read_into(stream, head_only, &mut body)?;
        Ok(Self { body, ..response })
    }

    /// Reads an answer whose body goes to `sink` as it comes.
    pub(crate) fn read_into(stream: &mut impl Read, head_only: bool, sink: &mut impl Write) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(64 * 1024, stream);
        loop {
            let status = status(&line(&mut reader)?)?;
            let headers = headers(&mut reader)?;
            if (100..200).contains(&status) {
                continue;
            }
            let response = Self { status, headers, body: Vec::new() };
            if !head_only && status != 204 && status != 304 {
                response.read_body(&mut reader, sink)?;
            }
            return Ok(response);
        }
    }

    fn read_body(&self, reader: &mut impl BufRead, sink: &mut impl Write) -> io::Result<()> {
        if self.all("transfer-encoding").any(|value| value.eq_ignore_ascii_case("chunked")) {
            return read_chunks(reader, sink);
        }
        match self.header("content-length").map(str::parse::<u64>) {
            Some(Ok(length)) => {
                let read = io::copy(&mut reader.take(length), sink)?;
                if read == length { Ok(()) } else { Err(cut("in its body")) }
            }
            Some(Err(_)) => Err(malformed("content-length")),
            None => io::copy(reader, sink).map(|_| ()),
        }
    }
}

fn read_chunks(reader: &mut impl BufRead, sink: &mut impl Write) -> io::Result<()> {
    loop {
        let head = line(reader)?;
        let digits = head.split(';').next().unwrap_or_default().trim();
        let length = u64::from_str_radix(digits, 16).map_err(|_| malformed("chunk"))?;
        if length == 0 {
            headers(reader)?;
            return Ok(());
        }
        if io::copy(&mut reader.by_ref().take(length), sink)? != length {
            return Err(cut("in a chunk"));
        }
        line(reader)?;
    }
}

fn status(line: &str) -> io::Result<u16> {
    line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| malformed("status line"))
}

fn headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("header"))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    reader.take(64 * 1024).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(cut("in its head"));
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| malformed("head"))
}

fn cut(place: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the answer was cut off {place}"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the answer has a malformed {what}"))
}

#[cfg(test)]
mod tests {
    use super::Response;

    #[test]
    fn reads_chunks_after_an_interim_answer() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
            3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let response = Response::read(&mut bytes.as_slice(), false).unwrap();
        assert_eq!((response.status, response.text().as_str()), (200, "abcde"));
    }

    #[test]
    fn a_short_body_is_an_error() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
        assert!(Response::read(&mut bytes.as_slice(), false).is_err());
    }
}
