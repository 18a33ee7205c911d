//! The servers that are measured, each a child process with a folder of its own that goes with it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use narthex_client::{Client, Response};
use serde_json::json;

use crate::process::eventually;
use crate::project;

/// The account of a benchmark.
const USER: &str = "admin";
const PASSWORD: &str = "benchmark-password";

/// How long a server may take until it answers.
const START: Duration = Duration::from_secs(120);

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: PathBuf,
    /// What to talk to it with.
    pub client: Client,
}

impl Server {
    /// Narthex on a fresh state, logged in with a session so that no request pays for the password check.
    ///
    /// # Errors
    /// When the host is not built or does not start.
    pub fn narthex() -> Result<Self> {
        Self::narthex_with(&[])
    }

    /// The same with further variables.
    ///
    /// # Errors
    /// As [`Server::narthex`].
    pub fn narthex_with(variables: &[(&str, &str)]) -> Result<Self> {
        let account = [("admin_user", USER), ("admin_password", PASSWORD)];
        let variables: Vec<_> = account.iter().chain(variables).copied().collect();
        let mut server = Self::host(&project::root().join("spin.toml"), &variables)?;
        let login = server.client.login(USER, PASSWORD).get("/data/JSESSION")?;
        let session = expect(login, 200, "the login")?.text();
        server.client = server.client.session(session.trim());
        let project = server.client.put("/data/projects/BENCH")?;
        expect(project, 200, "making the project")?;
        Ok(server)
    }

    /// The component that stores a body and does nothing else, on the same kind of store.
    ///
    /// # Errors
    /// When the host is not built or does not start.
    pub fn floor() -> Result<Self> {
        Self::host(&project::root().join("tests/floor/spin.toml"), &[])
    }

    /// Orthanc with its default settings, when it is installed.
    ///
    /// # Errors
    /// When it is installed and does not start.
    pub fn orthanc() -> Result<Option<Self>> {
        if Command::new("Orthanc").arg("--version").output().is_err() {
            return Ok(None);
        }
        let folder = fresh_folder("orthanc")?;
        let address = free_address()?;
        let storage = folder.join("storage");
        let settings = json!({
            "HttpPort": address.port(),
            "DicomPort": free_address()?.port(),
            "StorageDirectory": storage,
            "IndexDirectory": storage,
        });
        let file = folder.join("orthanc.json");
        fs::write(&file, settings.to_string())?;
        let mut command = Command::new("Orthanc");
        command.arg(&file);
        Self::start(command, folder, address, "/system").map(Some)
    }

    fn host(manifest: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        let folder = fresh_folder("host")?;
        let address = free_address()?;
        let mut command = Command::new(project::host_binary());
        command.arg("up").arg("--from").arg(manifest).args(["--listen", &address.to_string()]);
        command.arg("--state-dir").arg(folder.join("state")).arg("--runtime-config-file");
        command.arg(manifest.with_file_name("runtime-config.toml"));
        command.arg("--cache-dir").arg(project::target().join("narthex-host-cache"));
        for (name, value) in variables {
            command.args(["--variable", &format!("{name}={value}")]);
        }
        Self::start(command, folder, address, "/.well-known/spin/health")
    }

    fn start(mut command: Command, folder: PathBuf, address: SocketAddr, ready: &str) -> Result<Self> {
        let log = fs::File::create(folder.join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let mut server = Self { child, folder, client: Client::new(address) };
        eventually(&format!("{name} does not answer"), START, || {
            if let Some(status) = server.child.try_wait()? {
                let log = fs::read_to_string(server.folder.join("log")).unwrap_or_default();
                bail!("{name} ended at once ({status}): {log}");
            }
            Ok(server.client.get(ready).ok().filter(|response| response.status == 200).map(drop))
        })?;
        Ok(server)
    }

    /// The most memory that the process ever held, in bytes.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse::<u64>().ok());
        Ok(kilobytes.context("the system does not tell a process's peak memory")? * 1024)
    }

    /// Waits until the process has used no processor time for a while: work after the answers is done.
    ///
    /// # Errors
    /// When it never rests.
    pub fn rest(&self) -> Result<()> {
        const STILL: u32 = 10;
        let mut last = self.processor_time()?;
        let mut still = 0;
        eventually("the server goes on working", Duration::from_secs(120), || {
            let now = self.processor_time()?;
            still = if now == last { still + 1 } else { 0 };
            last = now;
            Ok((still >= STILL).then_some(()))
        })
    }

    /// Processor time so far.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn processor_time(&self) -> Result<Duration> {
        /// Linux tells these times in hundredths of a second, whatever its own clock.
        const TICK: Duration = Duration::from_millis(10);

        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The program's name stands in brackets and may hold blanks; user and system time are words 14 and 15.
        let words: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let word = |index: usize| words.get(index).and_then(|word| word.parse::<u64>().ok());
        let ticks = word(11).context("no user time")? + word(12).context("no system time")?;
        Ok(TICK * u32::try_from(ticks)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The answer, if it has the status that was wanted.
///
/// # Errors
/// Says what came instead.
pub fn expect(response: Response, status: u16, what: &str) -> Result<Response> {
    if response.status != status {
        bail!("{what} was answered with {}: {}", response.status, response.text());
    }
    Ok(response)
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

pub(super) fn fresh_folder(name: &str) -> Result<PathBuf> {
    let parent = project::target().join("bench");
    for number in 0..1000 {
        let folder = parent.join(format!("{name}-{}-{number}", std::process::id()));
        if !folder.exists() {
            fs::create_dir_all(&folder)?;
            return Ok(folder);
        }
    }
    bail!("{} is full of old folders", parent.display())
}
