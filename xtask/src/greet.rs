//! The first requests to a service that `up` has started: one that lets it make the administrator's account, and with
//! `--demo` a study through the ordinary import service.

use std::env;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use narthex_client::Client;
use narthex_generator::zip_study;
use serde_json::Value;

use crate::process::eventually;

/// How the password comes here: not on the command line, where others could read it.
pub const PASSWORD_VARIABLE: &str = "NARTHEX_DEMO_PASSWORD";

/// Where the study goes.
const PROJECT: &str = "DEMO";

/// Where and as whom.
#[derive(Debug, Args)]
pub struct Options {
    /// The service's address.
    #[arg(long)]
    address: SocketAddr,
    /// Who uploads.
    #[arg(long)]
    user: String,
    /// Upload the study.
    #[arg(long)]
    demo: bool,
}

/// Waits for the service and greets it.
///
/// # Errors
/// When the service does not answer, or refuses.
pub fn run(options: &Options) -> Result<()> {
    let client = Client::new(options.address);
    eventually("the service does not answer", Duration::from_secs(120), || {
        match client.get("/.well-known/spin/health") {
            Ok(response) => Ok((response.status == 200).then_some(())),
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::UnexpectedEof) => Ok(None),
            Err(error) => Err(error.into()),
        }
    })?;
    // The components make the account when they are first asked for anything, and print a password that they chose.
    client.get("/data/auth")?;
    if options.demo { upload(options).context("the demo study was not uploaded") } else { Ok(()) }
}

fn upload(options: &Options) -> Result<()> {
    let password = env::var(PASSWORD_VARIABLE).unwrap_or_default();
    let client = Client::new(options.address).login(&options.user, &password);
    let project = client.put(&format!("/data/projects/{PROJECT}?name=Demonstration"))?;
    if project.status == 401 {
        bail!("the service does not know this user and password");
    }
    if project.status != 200 {
        bail!("making the project {PROJECT} was answered with {}: {}", project.status, project.text());
    }
    let list = client.get(&format!("/data/prearchive/projects/{PROJECT}?format=json"))?;
    let list: Value = serde_json::from_slice(&list.body).context("the prearchive list is not JSON")?;
    if list["ResultSet"]["Result"].as_array().is_some_and(|rows| !rows.is_empty()) {
        println!("demo: the project {PROJECT} already has a session in the prearchive");
        return Ok(());
    }
    let study = crate::sample::study(2024);
    let path = format!("/data/services/import?import-handler=SI&dest=/prearchive/projects/{PROJECT}");
    let answer = client.post(&path, "application/zip", &zip_study(&study))?;
    if answer.status != 200 {
        bail!("the import was answered with {}: {}", answer.status, answer.text());
    }
    println!("demo: a study of {} images is in the prearchive: {}", study.file_count(), answer.text().trim());
    println!(
        "demo: curl -u {} http://{}/data/prearchive/projects/{PROJECT}?format=json",
        options.user, options.address
    );
    Ok(())
}
