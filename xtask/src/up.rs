//! `cargo xtask up`: from a fresh clone to a service on this machine.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::project;

/// How variables are passed in the environment, as `spin up` takes them.
const VARIABLE_PREFIX: &str = "SPIN_VARIABLE_";

/// The name of the administrator when none is given.
const DEFAULT_USER: &str = "admin";

/// What `up` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The folder of everything that is kept.
    #[arg(long, value_name = "FOLDER", default_value = ".narthex")]
    state_dir: PathBuf,
    /// Which stores there are, and where.
    #[arg(long, value_name = "FILE", default_value = "runtime-config.toml")]
    runtime_config_file: PathBuf,
    /// Sets a variable of the application (also from the environment: SPIN_VARIABLE_<NAME>).
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// Put a synthetic study into the prearchive, so that there is something to see.
    #[arg(long)]
    demo: bool,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a variable is given as NAME=VALUE".to_owned()),
    }
}

/// Builds and serves.
///
/// # Errors
/// When something cannot be built or started.
pub fn run(options: &Options) -> Result<()> {
    let mut variables = given_variables(env::vars(), &options.variables);
    let new_state = is_new(&options.state_dir);
    let password = demo_password(options.demo, new_state, &mut variables)?;

    project::ensure_wasm_target()?;
    eprintln!("Building the components (a minute or two the first time) ...");
    project::build_components()?;
    eprintln!("Building the host (several minutes the first time: it brings a WebAssembly compiler) ...");
    project::build_host()?;

    fs::create_dir_all(&options.state_dir)
        .with_context(|| format!("the state folder {} cannot be made", options.state_dir.display()))?;
    let state_dir = options.state_dir.canonicalize()?;
    let user = variables.get("admin_user").map_or(DEFAULT_USER, String::as_str);
    eprintln!();
    eprintln!("Narthex   http://{}", options.listen);
    eprintln!("Account   {user} ({})", password_note(&variables, new_state, password.as_deref()));
    eprintln!("Data      {}", state_dir.display());
    eprintln!("Stop with Ctrl-C.");
    eprintln!();

    greet(options, user, &variables)?;
    let mut host = Command::new(project::host_binary());
    host.arg("up").arg("--from").arg(project::root().join("spin.toml"));
    host.arg("--listen").arg(options.listen.to_string());
    host.arg("--state-dir").arg(&state_dir);
    host.arg("--runtime-config-file").arg(runtime_config(&options.runtime_config_file));
    for (name, value) in &variables {
        // Not on the command line, where every user of the machine could read a password.
        host.env(format!("{VARIABLE_PREFIX}{}", name.to_uppercase()), value);
    }
    become_program(&mut host)
}

/// The variables of the environment, and over them those of the command line. Names are in lower case.
fn given_variables(
    environment: impl Iterator<Item = (String, String)>,
    arguments: &[(String, String)],
) -> BTreeMap<String, String> {
    let environment = environment.filter_map(|(name, value)| {
        let name = name.strip_prefix(VARIABLE_PREFIX)?.to_lowercase();
        Some((name, value))
    });
    environment.chain(arguments.iter().cloned()).collect()
}

/// Whether nothing was ever kept in the folder.
fn is_new(state_dir: &Path) -> bool {
    fs::read_dir(state_dir).map_or(true, |mut entries| entries.next().is_none())
}

/// The demo logs in, so it needs a password: the given one, or one made here for a new account.
fn demo_password(demo: bool, new_state: bool, variables: &mut BTreeMap<String, String>) -> Result<Option<String>> {
    if !demo || variables.contains_key("admin_password") {
        return Ok(None);
    }
    if !new_state {
        bail!(
            "--demo uploads a study and must log in, but the account is from an earlier start: \
             pass --variable admin_password=... (and --variable admin_user=... unless it is {DEFAULT_USER})"
        );
    }
    let password = random_password()?;
    variables.insert("admin_password".to_owned(), password.clone());
    Ok(Some(password))
}

fn password_note(variables: &BTreeMap<String, String>, new_state: bool, made: Option<&str>) -> String {
    match (made, variables.contains_key("admin_password"), new_state) {
        (Some(password), _, _) => format!("password: {password}"),
        (None, true, _) => "with the password that you gave".to_owned(),
        (None, false, true) => "its password is made at the first start and printed below, once".to_owned(),
        (None, false, false) => "with the password of its first start".to_owned(),
    }
}

/// Twenty characters that are easily told apart: 117 bits.
fn random_password() -> Result<String> {
    const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    const LENGTH: usize = 20;
    let mut password = String::with_capacity(LENGTH);
    while password.len() < LENGTH {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        // Only bytes below a multiple of 58: every letter is as likely as the others.
        let letters = bytes.iter().filter(|byte| **byte < 232).map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()]);
        password.extend(letters.map(char::from).take(LENGTH - password.len()));
    }
    Ok(password)
}

/// A runtime config file is sought where the command was typed, then in the repository.
pub(crate) fn runtime_config(file: &Path) -> PathBuf {
    if file.exists() || file.is_absolute() { file.to_path_buf() } else { project::root().join(file) }
}

/// Starts the program that sends the first requests; it waits for the service and then ends by itself.
fn greet(options: &Options, user: &str, variables: &BTreeMap<String, String>) -> Result<()> {
    let mut address = options.listen;
    if address.port() == 0 {
        // The host will take a port that is not known yet.
        if options.demo {
            bail!("--demo needs a port that is known beforehand: pass --listen ADDRESS:PORT");
        }
        return Ok(());
    }
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let mut command = Command::new(env::current_exe()?);
    command.args(["greet", "--address", &address.to_string(), "--user", user]);
    if options.demo {
        let password = variables.get("admin_password").map_or("", String::as_str);
        command.arg("--demo").env(crate::greet::PASSWORD_VARIABLE, password);
    }
    command.spawn().context("the first requests cannot be sent")?;
    Ok(())
}

/// Replaces this process, so that signals and the exit code are the host's own.
#[cfg(unix)]
pub(crate) fn become_program(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).context("the host cannot be started")
}

#[cfg(not(unix))]
pub(crate) fn become_program(command: &mut Command) -> Result<()> {
    crate::process::run(command)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{demo_password, given_variables, random_password, variable};

    #[test]
    fn variables_of_the_command_line_win_over_the_environment() {
        let environment = [("SPIN_VARIABLE_ADMIN_USER", "root"), ("SPIN_VARIABLE_A", "1"), ("HOME", "/")];
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = given_variables(environment, &[("admin_user".to_owned(), "admin".to_owned())]);
        let wanted = [("a", "1"), ("admin_user", "admin")];
        assert_eq!(variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_variable_needs_a_name_and_an_equals_sign() {
        assert_eq!(variable("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(variable("a").is_err());
        assert!(variable("=b").is_err());
    }

    #[test]
    fn the_demo_makes_a_password_only_for_a_new_account() {
        let mut variables = BTreeMap::new();
        assert!(demo_password(true, false, &mut variables).is_err());
        assert_eq!(demo_password(false, true, &mut variables).unwrap(), None);
        let made = demo_password(true, true, &mut variables).unwrap();
        assert_eq!(made.as_ref(), variables.get("admin_password"));
    }

    #[test]
    fn passwords_differ_and_are_long() {
        let (one, other) = (random_password().unwrap(), random_password().unwrap());
        assert_eq!(one.len(), 20);
        assert_ne!(one, other);
    }
}
