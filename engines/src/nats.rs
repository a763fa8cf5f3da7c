//! nats-server: one broker on loopback with its own store, configured by the `nats.conf` that Natter ships.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde::Deserialize;

use crate::error::{EngineError, Result};
use crate::folder::{make_private_folder, sync_folder_of};
use crate::output::LineSink;
use crate::process::{Process, Stopped};
use crate::random_secret;
use crate::tools::Tools;
use crate::user::RunAs;

const ENGINE: &str = "nats-server";
const SHIPPED_CONFIGURATION: &str = include_str!("../../nats.conf");
const USER: &str = "natter";
/// Named in `nats.conf`.
const ANALYTICS_USER: &str = "analytics";
/// The services' account in `nats.conf`, and where a broker without accounts kept what is now theirs.
const ACCOUNT: &str = "NATTER";
const FORMER_ACCOUNT: &str = "$G";
/// Recovering a large store after a crash reads all of it.
const READY_LIMIT: Duration = Duration::from_secs(120);

#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// Configuration, port file and store go here.
    pub folder: PathBuf,
    pub password: String,
    /// Of the user that may read the streams and nothing else.
    pub analytics_password: String,
    /// 0: any free port, and the same one again when the broker is restarted.
    pub port: u16,
    /// `always`, or a duration such as `100ms`.
    pub sync_interval: String,
    pub max_payload_bytes: u64,
    pub max_file_store_bytes: u64,
}

impl NatsOptions {
    pub fn new(folder: impl Into<PathBuf>, password: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            password: password.into(),
            analytics_password: random_secret(),
            port: 0,
            sync_interval: "always".to_owned(),
            max_payload_bytes: 1024 * 1024,
            max_file_store_bytes: 1 << 40,
        }
    }
}

pub struct Nats {
    tools: Tools,
    options: NatsOptions,
    sink: LineSink,
    process: Process,
    port: u16,
    monitor_port: u16,
}

impl Nats {
    pub async fn start(tools: &Tools, options: NatsOptions, sink: LineSink) -> Result<Self> {
        let (process, ports) = launch(tools, &options, options.port, sink.clone()).await?;
        let Ports { client: port, monitor: monitor_port } = ports;
        Ok(Self { tools: tools.clone(), options, sink, process, port, monitor_port })
    }

    /// Starts it again after it has ended, on the same port and data, so that its clients find it again.
    pub async fn start_again(&mut self) -> Result<()> {
        let (process, ports) = launch(&self.tools, &self.options, self.port, self.sink.clone()).await?;
        self.process = process;
        self.monitor_port = ports.monitor;
        Ok(())
    }

    /// With user and password, for clients.
    pub fn url(&self) -> String {
        format!("nats://{USER}:{}@{}", self.options.password, self.address())
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn user(&self) -> &str {
        USER
    }

    pub fn password(&self) -> &str {
        &self.options.password
    }

    /// The user that may read the streams and nothing else.
    pub fn analytics_user(&self) -> &str {
        ANALYTICS_USER
    }

    pub fn analytics_password(&self) -> &str {
        &self.options.analytics_password
    }

    /// Where `/healthz` is.
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitor_port)
    }

    pub fn store(&self) -> PathBuf {
        store_in(&self.options.folder)
    }

    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Lets it finish its writes and end.
    pub async fn stop(&self, grace: Duration) -> Stopped {
        self.stop_until(tokio::time::sleep(grace)).await
    }

    /// The same, with another measure of patience.
    pub async fn stop_until(&self, patience: impl Future<Output = ()>) -> Stopped {
        self.process.stop(Signal::TERM, patience).await
    }
}

struct Ports {
    client: u16,
    monitor: u16,
}

async fn launch(tools: &Tools, options: &NatsOptions, port: u16, sink: LineSink) -> Result<(Process, Ports)> {
    let ports_folder = options.folder.join("ports");
    make_private_folder(&options.folder)?;
    // What a broker that was killed left there.
    let _ = fs::remove_dir_all(&ports_folder);
    make_private_folder(&ports_folder)?;
    make_private_folder(&store_in(&options.folder))?;
    move_to_account(&store_in(&options.folder))?;
    let configuration = options.folder.join("nats.conf");
    write_private(&configuration, &configuration_text(options, port))?;

    let mut command = Command::new(tools.nats_server());
    command.arg("--config").arg(&configuration).arg("--ports_file_dir").arg(&ports_folder).stdin(Stdio::null());
    // Every acknowledged write is on disk, so the broker may die at once with its parent.
    let process = Process::start(ENGINE, command, &RunAs::Itself, Signal::KILL, sink)?;
    let ports_file = ports_folder.join(format!("nats-server_{}.ports", process.pid()));
    let ports = process.until_ready(READY_LIMIT, || read_ports(&ports_file)).await;
    match ports {
        Ok(ports) => Ok((process, ports)),
        Err(EngineError::Died { last_lines, .. }) if last_lines.iter().any(|line| is_taken(line)) => {
            Err(EngineError::PortTaken { engine: ENGINE, address: format!("127.0.0.1:{port}") })
        }
        Err(error) => Err(error),
    }
}

fn is_taken(line: &str) -> bool {
    line.contains("address already in use")
}

fn store_in(folder: &Path) -> PathBuf {
    folder.join("store")
}

/// Gives the streams that a broker without accounts kept to the services' account: that is the name of a folder.
fn move_to_account(store: &Path) -> Result<()> {
    let (from, to) = (store.join("jetstream").join(FORMER_ACCOUNT), store.join("jetstream").join(ACCOUNT));
    if from.exists() && !to.exists() {
        fs::rename(&from, &to).map_err(EngineError::io("move", &from))?;
        sync_folder_of(&to)?;
    }
    Ok(())
}

/// The shipped configuration with its variables defined in front of it.
fn configuration_text(options: &NatsOptions, port: u16) -> String {
    let port = if port == 0 { -1 } else { i32::from(port) };
    let quoted = |text: &str| format!("{text:?}");
    let variables = [
        ("NAME", quoted("natter")),
        ("HOST", quoted("127.0.0.1")),
        ("PORT", port.to_string()),
        ("MONITOR_PORT", "-1".to_owned()),
        ("MAX_PAYLOAD", options.max_payload_bytes.to_string()),
        ("STORE", quoted(&store_in(&options.folder).to_string_lossy())),
        ("SYNC_INTERVAL", quoted(&options.sync_interval)),
        ("MAX_FILE_STORE", options.max_file_store_bytes.to_string()),
        ("USER", quoted(USER)),
        ("PASSWORD", quoted(&options.password)),
        ("ANALYTICS_PASSWORD", quoted(&options.analytics_password)),
    ];
    let mut text = "# Written at every start. What is below the variables is Natter's nats.conf.\n".to_owned();
    for (name, value) in variables {
        text += &format!("NATTER_NATS_{name}: {value}\n");
    }
    text + "\n" + SHIPPED_CONFIGURATION
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(EngineError::io("write", path))
}

#[derive(Deserialize)]
struct PortsFile {
    nats: Vec<String>,
    monitoring: Vec<String>,
}

/// The broker writes this file when it listens. Nothing yet, or half of it, is `None`.
fn read_ports(path: &Path) -> Option<Ports> {
    let file: PortsFile = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    Some(Ports { client: port_of(&file.nats)?, monitor: port_of(&file.monitoring)? })
}

fn port_of(urls: &[String]) -> Option<u16> {
    urls.first()?.rsplit(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_the_shipped_configuration_is_defined() {
        let text = configuration_text(&NatsOptions::new("/data/na\"ts", "0123"), 0);
        let used: Vec<&str> = SHIPPED_CONFIGURATION
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(|line| line.split("$NATTER_").skip(1))
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_uppercase() && c != '_').next())
            .collect();
        assert!(used.len() >= 11, "{used:?}");
        for name in used {
            assert!(text.contains(&format!("\nNATTER_{name}: ")), "{name} is not defined");
        }
        assert!(text.contains(r#"NATTER_NATS_STORE: "/data/na\"ts/store""#), "paths are quoted: {text}");
        assert!(text.contains("NATTER_NATS_PORT: -1\n"));
    }
}
