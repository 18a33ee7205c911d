//! A small blocking HTTP/1.1 client for tests and benchmarks.
//!
//! It does what a well-behaved client does not: it cuts bodies off, sends raw bytes, and goes on to read the answer
//! when the server stops listening in the middle of an upload. It never sends an `Expect` header, so no server makes
//! it wait for `100 Continue`. One connection a request.

mod base64;
mod response;

use std::io::{self, BufWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

pub use response::Response;

/// How long a server may keep silent before a request fails.
const SILENCE: Duration = Duration::from_secs(600);

/// Where requests go, and as whom.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    authorization: Option<String>,
    cookie: Option<String>,
    silence: Duration,
}

impl Client {
    /// A client without a login.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, authorization: None, cookie: None, silence: SILENCE }
    }

    /// The same with HTTP Basic on every request.
    pub fn login(&self, user: &str, password: &str) -> Self {
        let credentials = base64::encode(format!("{user}:{password}").as_bytes());
        Self { authorization: Some(format!("Basic {credentials}")), ..self.clone() }
    }

    /// The same with a `JSESSIONID` cookie instead of a password.
    pub fn session(&self, id: &str) -> Self {
        Self { authorization: None, cookie: Some(format!("JSESSIONID={id}")), ..self.clone() }
    }

    /// The same without a login.
    pub fn anonymous(&self) -> Self {
        Self { authorization: None, cookie: None, ..self.clone() }
    }

    /// The same with another limit on the server's silence.
    pub fn silence(&self, silence: Duration) -> Self {
        Self { silence, ..self.clone() }
    }

    /// The server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts a request.
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request { client: self, method: method.to_owned(), path: path.to_owned(), headers: Vec::new() }
    }

    /// GET.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn get(&self, path: &str) -> io::Result<Response> {
        self.request("GET", path).send()
    }

    /// PUT without a body.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn put(&self, path: &str) -> io::Result<Response> {
        self.request("PUT", path).send_bytes(b"")
    }

    /// DELETE.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn delete(&self, path: &str) -> io::Result<Response> {
        self.request("DELETE", path).send()
    }

    /// POST of bytes.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn post(&self, path: &str, content_type: &str, body: &[u8]) -> io::Result<Response> {
        self.request("POST", path).header("Content-Type", content_type).send_bytes(body)
    }

    /// POST of a form; names and values are encoded here.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> io::Result<Response> {
        self.post(path, "application/x-www-form-urlencoded", form(fields).as_bytes())
    }

    /// Sends bytes as they are and returns everything that comes back until the server closes.
    ///
    /// # Errors
    /// When the connection fails before the server closes it.
    pub fn raw(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.connect()?;
        stream.write_all(bytes)?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.silence))?;
        stream.set_write_timeout(Some(self.silence))?;
        Ok(stream)
    }
}

/// Encodes form fields, or a query.
pub fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// A request about to be sent.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    client: &'a Client,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

impl Request<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it without a body.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn send(self) -> io::Result<Response> {
        let mut stream = self.client.connect()?;
        stream.write_all(self.head(None).as_bytes())?;
        Response::read(&mut stream, self.method == "HEAD")
    }

    /// Sends it without a body; the answer's body goes to `sink` as it comes.
    ///
    /// # Errors
    /// When no whole answer came, or the sink fails.
    pub fn receive_into(self, sink: &mut impl Write) -> io::Result<Response> {
        let mut stream = self.client.connect()?;
        stream.write_all(self.head(None).as_bytes())?;
        Response::read_into(&mut stream, self.method == "HEAD", sink)
    }

    /// Sends it with bytes of known length.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn send_bytes(self, body: &[u8]) -> io::Result<Response> {
        let mut stream = self.client.connect()?;
        let sent = stream
            .write_all(self.head(Some(&format!("Content-Length: {}", body.len()))).as_bytes())
            .and_then(|()| stream.write_all(body));
        self.answer(stream, sent)
    }

    /// Sends it chunked, with a body that is written while it is sent.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn send_streamed(self, body: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Response> {
        let mut stream = self.client.connect()?;
        let sent = stream.write_all(self.head(Some("Transfer-Encoding: chunked")).as_bytes()).and_then(|()| {
            let mut buffer = BufWriter::with_capacity(256 * 1024, Chunks(&mut stream));
            body(&mut buffer)?;
            buffer.flush()?;
            drop(buffer);
            stream.write_all(b"0\r\n\r\n")
        });
        self.answer(stream, sent)
    }

    /// Announces a body of `announced` bytes, sends only `body`, and hangs up. Nothing is read.
    ///
    /// # Errors
    /// When the connection fails before that.
    pub fn send_cut_off(self, announced: u64, body: &[u8]) -> io::Result<()> {
        let mut stream = self.client.connect()?;
        stream.write_all(self.head(Some(&format!("Content-Length: {announced}"))).as_bytes())?;
        stream.write_all(body)?;
        stream.shutdown(Shutdown::Both)
    }

    /// The same with a part of the body that is written while it is sent.
    ///
    /// # Errors
    /// When the connection fails before that.
    pub fn stream_cut_off(self, announced: u64, body: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut stream = self.client.connect()?;
        stream.write_all(self.head(Some(&format!("Content-Length: {announced}"))).as_bytes())?;
        let mut buffer = BufWriter::with_capacity(256 * 1024, &mut stream);
        body(&mut buffer)?;
        buffer.flush()?;
        drop(buffer);
        stream.shutdown(Shutdown::Both)
    }

    /// As [`Request::send_cut_off`], but hangs up in one direction only and reads what the server has to say, if anything.
    ///
    /// # Errors
    /// When the connection fails before that.
    pub fn send_half(self, announced: u64, body: &[u8]) -> io::Result<Option<Response>> {
        let mut stream = self.client.connect()?;
        stream.write_all(self.head(Some(&format!("Content-Length: {announced}"))).as_bytes())?;
        stream.write_all(body)?;
        stream.shutdown(Shutdown::Write)?;
        Ok(Response::read(&mut stream, false).ok())
    }

    fn answer(&self, mut stream: TcpStream, sent: io::Result<()>) -> io::Result<Response> {
        // A server may refuse in the middle of a body and stop reading: its answer counts, not the broken pipe.
        match (Response::read(&mut stream, false), sent) {
            (Ok(response), _) => Ok(response),
            (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
        }
    }

    fn head(&self, body: Option<&str>) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method, self.path, self.client.address);
        if let Some(authorization) = &self.client.authorization {
            head.push_str(&format!("Authorization: {authorization}\r\n"));
        }
        if let Some(cookie) = &self.client.cookie {
            head.push_str(&format!("Cookie: {cookie}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(body);
            head.push_str("\r\n");
        }
        head.push_str("Connection: close\r\n\r\n");
        head
    }
}

/// Wraps what is written into chunks.
struct Chunks<'a>(&'a mut TcpStream);

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.0.write_all(format!("{:x}\r\n", bytes.len()).as_bytes())?;
        self.0.write_all(bytes)?;
        self.0.write_all(b"\r\n")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{encode, form};

    #[test]
    fn forms_are_encoded() {
        assert_eq!(form(&[("a", "1 2"), ("b", "/x&y")]), "a=1%202&b=%2Fx%26y");
        assert_eq!(encode("Ä"), "%C3%84");
    }
}
