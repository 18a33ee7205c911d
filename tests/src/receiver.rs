//! Somebody who receives messages over HTTP.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Message {
    /// Method and path.
    pub request: String,
    /// Header fields, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A server on a free port of this machine that keeps what it gets. It answers with the statuses it was given, one
/// after the other, and with 204 when they are used up.
pub struct Receiver {
    address: SocketAddr,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    /// Begins to listen.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port's address");
        let messages = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut statuses) = (messages.clone(), statuses.to_vec());
        // It ends with the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(message) = receive(&stream) else { continue };
                kept.lock().expect("nobody died with the messages").push(message);
                let status = if statuses.is_empty() { 204 } else { statuses.remove(0) };
                let answer = format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                // The sender may have gone.
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        Self { address, messages }
    }

    /// Where it listens.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came so far.
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().expect("nobody died with the messages").clone()
    }
}

fn receive(stream: &TcpStream) -> Option<Message> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let request = line.rsplit_once(' ').map(|(request, _)| request.to_owned())?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length").and_then(|length| length.parse().ok()) {
        reader.take(length).read_to_end(&mut body).ok()?;
    } else if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let length = u64::from_str_radix(size.trim(), 16).ok()?;
            (&mut reader).take(length).read_to_end(&mut body).ok()?;
            reader.read_line(&mut String::new()).ok()?;
            if length == 0 {
                break;
            }
        }
    }
    Some(Message { request, headers, body })
}
