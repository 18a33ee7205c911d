//! A service in a process of its own, which can be killed in the middle of anything.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{Api, Client, PASSWORD, Stores, USER, VARIABLES, cache, eventually, root};

/// How long a start may take; the first one compiles the components.
const START: Duration = Duration::from_secs(120);

/// Narthex in a process of its own, with a state that outlives the process.
pub struct ServiceProcess {
    child: Option<Child>,
    folder: TempDir,
    address: SocketAddr,
    variables: Vec<(String, String)>,
}

impl ServiceProcess {
    /// Starts on a fresh state.
    ///
    /// # Panics
    /// When the host is not built (`cargo xtask test` builds it) or does not start.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With further variables.
    ///
    /// # Panics
    /// As [`ServiceProcess::start`].
    pub fn with(variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder for temporary files");
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables = VARIABLES.iter().chain(variables).map(own).collect();
        let mut service = Self { child: None, folder, address: free_address(), variables };
        service.run();
        service
    }

    /// Kills the process as `kill -9` does and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts again on the same state; the service has another address then.
    pub fn restart(&mut self) {
        self.kill();
        self.address = free_address();
        self.run();
    }

    /// What tests usually want, as the administrator.
    pub fn api(&self) -> Api {
        Api::new(Client::new(self.address).login(USER, PASSWORD))
    }

    /// A look into the stores' files.
    pub fn stores(&self) -> Stores {
        Stores::new(&self.folder.path().join("state"))
    }

    /// The most memory that the process had at once since it started or since [`ServiceProcess::forget_peak`], in
    /// bytes; `None` where the system does not tell.
    pub fn peak_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.as_ref()?.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// The processor time that the process has used; `None` where the system does not tell.
    pub fn processor_time(&self) -> Option<Duration> {
        /// What Linux counts in, whatever the machine (proc_pid_stat(5), `sysconf(_SC_CLK_TCK)`).
        const TICKS_PER_SECOND: u64 = 100;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.as_ref()?.id())).ok()?;
        // The program's name stands in brackets and may hold blanks; user and system time are words 14 and 15.
        let words: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks = |word: usize| words.get(word)?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks(11)? + ticks(12)?) * 1000 / TICKS_PER_SECOND))
    }

    /// Lets the peak begin anew with what the process has now, where the system can do that.
    pub fn forget_peak(&self) {
        if let Some(child) = &self.child {
            // Linux, proc_pid_clear_refs(5): 5 resets the peak. Without it the peak is that since the start.
            let _ = fs::write(format!("/proc/{}/clear_refs", child.id()), "5");
        }
    }

    fn run(&mut self) {
        let binary = host_binary();
        let log_path = self.folder.path().join("log");
        let log = File::create(&log_path).expect("a log file");
        let mut command = Command::new(&binary);
        command.arg("up").arg("--from").arg(root().join("spin.toml"));
        command.args(["--listen", &self.address.to_string()]);
        command.arg("--state-dir").arg(self.folder.path().join("state"));
        command.arg("--runtime-config-file").arg(root().join("runtime-config.toml"));
        command.arg("--cache-dir").arg(cache());
        for (name, value) in &self.variables {
            command.args(["--variable", &format!("{name}={value}")]);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log file")).stderr(log);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{} cannot be started: {error}", binary.display()));
        let client = Client::new(self.address);
        eventually(START, "the host does not answer", || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("the host ended at once ({status}): {}", fs::read_to_string(&log_path).unwrap_or_default());
            }
            client.get("/.well-known/spin/health").ok().filter(|response| response.status == 200)
        });
        self.child = Some(child);
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The host's program: in `target/release` beside this test's own folder.
///
/// # Panics
/// When the system does not tell where this test is.
pub fn host_binary() -> PathBuf {
    let tests = std::env::current_exe().expect("the path of this test");
    let profile = tests.parent().and_then(Path::parent).expect("the folder of the profile");
    profile.join(format!("narthex-host{}", std::env::consts::EXE_SUFFIX))
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("the port's number")
}
