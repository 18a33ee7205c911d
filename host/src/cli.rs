//! The command line: the flags of `spin up` that apply here, with their meanings and defaults.

use crate::config::{HostConfig, InstanceLimits};
use crate::host::{Host, Running};
use crate::logs::LogSink;
use crate::runtime_config::DEFAULT_STATE_FOLDER;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The flags of `up`. Another program can flatten them into its own.
#[derive(Debug, Clone, clap::Args)]
pub struct UpArgs {
    /// The application's manifest, or the folder it is in
    #[arg(short = 'f', long, value_name = "PATH", default_value = "spin.toml")]
    pub from: PathBuf,

    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000",
          value_parser = parse_address)]
    pub listen: SocketAddr,

    /// Where state lies [default: .spin beside the manifest]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Which key-value stores stand behind which labels
    #[arg(long, value_name = "FILE", env = "RUNTIME_CONFIG_FILE")]
    pub runtime_config_file: Option<PathBuf>,

    /// Set an application variable; SPIN_VARIABLE_<NAME> in the environment does the same
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = parse_variable)]
    pub variables: Vec<(String, String)>,

    /// Requests that one instance answers before it goes
    #[arg(long, value_name = "COUNT", default_value_t = InstanceLimits::default().max_reuse, value_parser = parse_count)]
    pub max_instance_reuse_count: usize,

    /// Requests that one instance answers at once
    #[arg(long, value_name = "COUNT", default_value_t = InstanceLimits::default().max_concurrent_reuse,
          value_parser = parse_count)]
    pub max_instance_concurrent_reuse_count: usize,

    /// How long an instance without work is kept (seconds, or with a suffix ms, us or ns)
    #[arg(long, value_name = "TIME", env = "SPIN_HTTP_IDLE_INSTANCE_TIMEOUT_SECS", default_value = "1s",
          value_parser = parse_duration)]
    pub idle_instance_timeout: Duration,

    /// The most memory of one instance, in bytes
    #[arg(long, value_name = "BYTES", env = "SPIN_MAX_INSTANCE_MEMORY",
          default_value_t = InstanceLimits::default().max_memory_bytes)]
    pub max_instance_memory: usize,

    /// The most instances at once
    #[arg(long, value_name = "COUNT", env = "SPIN_MAX_INSTANCE_COUNT",
          default_value_t = InstanceLimits::default().max_instances, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_instance_count: u32,

    /// Keep compiled components here [default: target beside the manifest, or the state folder]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Do not show the output of components; it is in the log files all the same
    #[arg(long, short = 'q')]
    pub quiet: bool,
}

impl UpArgs {
    /// What the flags ask for.
    pub fn into_config(self) -> HostConfig {
        let manifest = if self.from.is_dir() { self.from.join("spin.toml") } else { self.from };
        let folder = manifest.parent().unwrap_or(Path::new("")).to_owned();
        let state_dir = self.state_dir.unwrap_or_else(|| folder.join(DEFAULT_STATE_FOLDER));
        let mut config = HostConfig::new(manifest, state_dir).listen(self.listen);
        config.runtime_config = self.runtime_config_file;
        config.variables = self.variables.into_iter().collect();
        config.variables_from_environment = true;
        config.cache_dir = self.cache_dir;
        config.log = if self.quiet { LogSink::files() } else { LogSink::both() };
        config.instances = InstanceLimits {
            max_reuse: self.max_instance_reuse_count,
            max_concurrent_reuse: self.max_instance_concurrent_reuse_count,
            idle_timeout: self.idle_instance_timeout,
            max_memory_bytes: self.max_instance_memory,
            max_instances: self.max_instance_count,
        };
        config
    }
}

/// Serves until SIGINT or SIGTERM, then stops in good order; a second signal stops at once. `started` is called as
/// soon as the host listens.
pub async fn up(config: HostConfig, started: impl FnOnce(&Running)) -> Result<(), crate::HostError> {
    let running = Host::start(config).await?;
    started(&running);
    stop_signal().await;
    tracing::info!("stopping: requests in flight are finished");
    tokio::select! {
        () = running.stop() => {}
        () = stop_signal() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
pub async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let addresses: Vec<_> = text.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    // `localhost` is 127.0.0.1 for Spin, even where it is also ::1.
    let preferred = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    preferred.copied().ok_or_else(|| "the name has no address".to_owned())
}

pub(crate) fn parse_variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a variable is given as name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("not a number".to_owned()),
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text:?} is not a whole number"));
    if let Some(text) = text.strip_suffix("ms") {
        number(text).map(Duration::from_millis)
    } else if let Some(text) = text.strip_suffix("us").or(text.strip_suffix("μs")) {
        number(text).map(Duration::from_micros)
    } else if let Some(text) = text.strip_suffix("ns") {
        number(text).map(Duration::from_nanos)
    } else {
        number(text.strip_suffix('s').unwrap_or(text)).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        up: UpArgs,
    }

    fn config(arguments: &[&str]) -> Result<HostConfig, clap::Error> {
        Program::try_parse_from(std::iter::once(&"up").chain(arguments)).map(|program| program.up.into_config())
    }

    #[test]
    fn defaults_are_spins() {
        let config = config(&["--from", "/app/spin.toml"]).unwrap();
        assert_eq!(config.listen, "127.0.0.1:3000".parse().unwrap());
        assert_eq!(config.state_dir, Path::new("/app/.spin"));
        assert_eq!(config.instances, InstanceLimits::default());
        assert_eq!(config.runtime_config, None);
    }

    #[test]
    fn flags_are_taken() {
        let config = config(&[
            "--listen",
            "0.0.0.0:0",
            "--state-dir",
            "/state",
            "--runtime-config-file",
            "rt.toml",
            "--variable",
            "admin_user=root",
            "--variable",
            "text=a=b",
            "--max-instance-reuse-count",
            "1",
            "--max-instance-concurrent-reuse-count",
            "2",
            "--idle-instance-timeout",
            "250ms",
            "--max-instance-memory",
            "1000000",
        ])
        .unwrap();
        assert_eq!(config.listen, "0.0.0.0:0".parse().unwrap());
        assert_eq!(config.variables["admin_user"], "root");
        assert_eq!(config.variables["text"], "a=b");
        assert_eq!(config.instances.max_reuse, 1);
        assert_eq!(config.instances.max_concurrent_reuse, 2);
        assert_eq!(config.instances.idle_timeout, Duration::from_millis(250));
        assert_eq!(config.instances.max_memory_bytes, 1_000_000);
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            ["--variable", "x"],
            ["--max-instance-reuse-count", "0"],
            ["--idle-instance-timeout", "1h"],
            ["--listen", "x"],
        ] {
            assert!(config(&bad).is_err(), "{bad:?}");
        }
    }
}
