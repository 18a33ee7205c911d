//! What components write to their standard output and error: to files, to the terminal, to an observer.

use crate::error::HostError;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A longer line is broken into several, so that a guest cannot make the host keep its output.
const MAX_LINE_BYTES: usize = 8192;

/// What one write of a guest may hold.
const WRITE_BYTES: usize = 65536;

/// Which of a component's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error, where the host also notes what went wrong with an instance.
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Called with the component, the stream and the line. It must be quick: the guest waits for it.
pub type LineObserver = Arc<dyn Fn(&str, Stream, &str) + Send + Sync>;

/// Where the output of components goes.
#[derive(Clone)]
pub struct LogSink {
    /// To `<state dir>/logs/<component>_stdout.txt` and `..._stderr.txt`, as with Spin.
    pub files: bool,
    /// To the host's own standard output and error.
    pub terminal: bool,
    /// To a function.
    pub observer: Option<LineObserver>,
}

impl LogSink {
    /// To files.
    pub fn files() -> Self {
        Self { files: true, terminal: false, observer: None }
    }

    /// To the terminal.
    pub fn terminal() -> Self {
        Self { files: false, terminal: true, observer: None }
    }

    /// To files and the terminal.
    pub fn both() -> Self {
        Self { files: true, terminal: true, observer: None }
    }

    /// Also to a function.
    pub fn with_observer(mut self, observer: impl Fn(&str, Stream, &str) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

impl std::fmt::Debug for LogSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogSink")
            .field("files", &self.files)
            .field("terminal", &self.terminal)
            .field("observer", &self.observer.is_some())
            .finish()
    }
}

/// The outputs of one component.
pub(crate) struct ComponentLog {
    stdout: Arc<Output>,
    stderr: Arc<Output>,
}

impl ComponentLog {
    /// Opens a component's log files in `folder`, if the sink wants files.
    pub fn open(component: &str, sink: &LogSink, folder: &Path) -> Result<Self, HostError> {
        let output = |stream: Stream| {
            let path = folder.join(format!("{component}_{}.txt", stream.name()));
            let open = || {
                std::fs::create_dir_all(folder)?;
                OpenOptions::new().create(true).append(true).open(&path)
            };
            let file = sink.files.then(open).transpose().map_err(|source| HostError::Create {
                what: "the log file",
                path: path.clone(),
                source,
            })?;
            let output = Output {
                component: component.to_owned(),
                stream,
                file: file.map(Mutex::new),
                terminal: sink.terminal,
                observer: sink.observer.clone(),
            };
            Ok::<_, HostError>(Arc::new(output))
        };
        Ok(Self { stdout: output(Stream::Stdout)?, stderr: output(Stream::Stderr)? })
    }

    /// The standard output of a new instance.
    pub fn stdout(&self) -> GuestStream {
        GuestStream::new(self.stdout.clone())
    }

    /// The standard error of a new instance.
    pub fn stderr(&self) -> GuestStream {
        GuestStream::new(self.stderr.clone())
    }

    /// A line of the host's about this component.
    pub fn note(&self, text: &str) {
        text.lines().for_each(|line| self.stderr.line(format!("[host] {line}").as_bytes()));
    }
}

/// One output of one component, shared by its instances: it takes whole lines.
struct Output {
    component: String,
    stream: Stream,
    file: Option<Mutex<File>>,
    terminal: bool,
    observer: Option<LineObserver>,
}

impl Output {
    fn line(&self, line: &[u8]) {
        // A log that cannot be written is no reason to disturb the guest, and there is nowhere left to say so.
        if let Some(file) = &self.file {
            let mut whole = Vec::with_capacity(line.len() + 1);
            whole.extend_from_slice(line);
            whole.push(b'\n');
            _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&whole);
        }
        if !self.terminal && self.observer.is_none() {
            return;
        }
        let text = String::from_utf8_lossy(line);
        if self.terminal {
            let whole = format!("[{}] {text}\n", self.component);
            _ = match self.stream {
                Stream::Stdout => std::io::stdout().write_all(whole.as_bytes()),
                Stream::Stderr => std::io::stderr().write_all(whole.as_bytes()),
            };
        }
        if let Some(observer) = &self.observer {
            observer(&self.component, self.stream, &text);
        }
    }
}

/// The beginning of a line that an instance has not ended yet.
struct Line {
    output: Arc<Output>,
    text: Vec<u8>,
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (piece, ended) = match piece.strip_suffix(b"\n") {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            for part in piece.chunks(MAX_LINE_BYTES) {
                if self.text.len() + part.len() > MAX_LINE_BYTES {
                    self.end();
                }
                self.text.extend_from_slice(part);
            }
            if ended {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        self.output.line(&self.text);
        self.text.clear();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            self.end();
        }
    }
}

/// An output as one instance sees it.
#[derive(Clone)]
pub(crate) struct GuestStream(Arc<Mutex<Line>>);

impl GuestStream {
    fn new(output: Arc<Output>) -> Self {
        Self(Arc::new(Mutex::new(Line { output, text: Vec::new() })))
    }

    fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for GuestStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_bounded_and_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let observed = seen.clone();
        let sink = LogSink::files().with_observer(move |component, stream, line| {
            assert_eq!((component, stream), ("a", Stream::Stdout));
            observed.lock().unwrap().push(line.to_owned());
        });
        let log = ComponentLog::open("a", &sink, &folder.path().join("logs")).unwrap();
        let (one, two) = (log.stdout(), log.stdout());
        one.push(b"first ");
        two.push(b"other\n");
        one.push(b"line\nsecond\n\nrest");
        drop(one);
        two.push(&vec![b'x'; MAX_LINE_BYTES * 2 + 5]);
        two.push(b"\n");
        let lines = seen.lock().unwrap();
        assert_eq!(lines[..5], ["other", "first line", "second", "", "rest"]);
        assert_eq!(lines[5..].iter().map(String::len).collect::<Vec<_>>(), [MAX_LINE_BYTES, MAX_LINE_BYTES, 5]);
        let file = std::fs::read_to_string(folder.path().join("logs/a_stdout.txt")).unwrap();
        assert_eq!(file.lines().collect::<Vec<_>>(), *lines);
    }
}
