//! A deployment of real processes in which anything can be ended, and between which anything can be cut.
//!
//! ```text
//!  people ──▶ two gateways ──▶ broker ◀── two projectors ──▶ PostgreSQL ◀── history API ◀── people
//! ```
//!
//! Every arrow is a [`Link`] with a proxy in it, every word a [`Part`] with a process of its own. A part that is started
//! again has the address that it had.

mod service;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use natter_engines::Signal;
use natter_log::{Log, Settings};
use natter_testkit::{Broker, BrokerOptions, DatabaseServer, Disk, Names, Proxy, scratch_folder, tools};
use sqlx::{Connection, PgConnection};

use crate::wait::until;

use service::Service;

/// Longer than anything takes to start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Longer than any service takes to end in order.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A process that can be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    FirstGateway,
    SecondGateway,
    FirstProjector,
    SecondProjector,
    History,
    Broker,
    Postgres,
}

impl Part {
    pub const ALL: [Part; 7] = [
        Part::FirstGateway,
        Part::SecondGateway,
        Part::FirstProjector,
        Part::SecondProjector,
        Part::History,
        Part::Broker,
        Part::Postgres,
    ];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::FirstGateway => "gateway 1",
            Part::SecondGateway => "gateway 2",
            Part::FirstProjector => "projector 1",
            Part::SecondProjector => "projector 2",
            Part::History => "history API",
            Part::Broker => "nats-server",
            Part::Postgres => "PostgreSQL",
        })
    }
}

/// A stretch of network that can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Link {
    /// From people to the gateways, as a balancer.
    People,
    /// From people to the history API.
    PeopleHistory,
    FirstGatewayBroker,
    SecondGatewayBroker,
    /// From the gateways to the history API, for ids that are not fresh.
    GatewaysHistory,
    ProjectorsBroker,
    ProjectorsPostgres,
    HistoryPostgres,
}

impl Link {
    pub const ALL: [Link; 8] = [
        Link::People,
        Link::PeopleHistory,
        Link::FirstGatewayBroker,
        Link::SecondGatewayBroker,
        Link::GatewaysHistory,
        Link::ProjectorsBroker,
        Link::ProjectorsPostgres,
        Link::HistoryPostgres,
    ];
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Link::People => "people to gateways",
            Link::PeopleHistory => "people to history",
            Link::FirstGatewayBroker => "gateway 1 to broker",
            Link::SecondGatewayBroker => "gateway 2 to broker",
            Link::GatewaysHistory => "gateways to history",
            Link::ProjectorsBroker => "projectors to broker",
            Link::ProjectorsPostgres => "projectors to PostgreSQL",
            Link::HistoryPostgres => "history to PostgreSQL",
        })
    }
}

/// What is put on the stage.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The program that is tested.
    pub natter: PathBuf,
    /// A bug that is planted in it, by name.
    pub bug: Option<String>,
    /// Where what the services log goes; nowhere by default.
    pub logs: Option<PathBuf>,
    /// Options of both gateways beside those that the harness needs.
    pub gateway_options: Vec<String>,
    /// The broker's window of duplicates, where it is not to be the usual one.
    pub duplicate_window: Option<Duration>,
    /// Whether the broker is to have a disk that can be filled; that takes root and FUSE.
    pub disk: bool,
}

/// The deployment.
pub struct Stage {
    cast: Cast,
    keys: PathBuf,
    broker: Broker,
    /// Let go of after the broker.
    disk: Option<Disk>,
    postgres: DatabaseServer,
    links: Vec<(Link, Proxy)>,
    services: Vec<(Part, Service)>,
}

impl Stage {
    /// Starts everything, and returns when all of it says that it is ready.
    pub async fn start(cast: Cast) -> Self {
        let disk = cast.disk.then(|| Disk::mount(Names::Journaled).unwrap_or_else(|why| panic!("{why}")));
        let folder = disk.as_ref().map(|disk| disk.path().to_owned());
        let broker = Broker::start_with(BrokerOptions { folder, ..BrokerOptions::default() });
        let (broker, postgres) = tokio::join!(broker, DatabaseServer::start());
        let links = vec![
            (Link::FirstGatewayBroker, Proxy::to(broker.address()).await),
            (Link::SecondGatewayBroker, Proxy::to(broker.address()).await),
            (Link::ProjectorsBroker, Proxy::to(broker.address()).await),
            (Link::ProjectorsPostgres, Proxy::to_socket(postgres.socket()).await),
            (Link::HistoryPostgres, Proxy::to_socket(postgres.socket()).await),
        ];
        let mut stage = Self { cast, keys: keys(), broker, disk, postgres, links, services: Vec::new() };
        if let Some(duplicate_window) = stage.cast.duplicate_window {
            // What is there is not changed by whoever declares it next.
            let declared = stage.log_with(Settings { duplicate_window, ..Settings::default() }).await.declare().await;
            declared.unwrap_or_else(|error| panic!("the streams can't be made: {error}"));
        }
        stage.migrate().await;
        stage.add(Part::History).await;
        for link in [Link::PeopleHistory, Link::GatewaysHistory] {
            let proxy = Proxy::to(stage.service(Part::History).address()).await;
            stage.links.push((link, proxy));
        }
        for part in [Part::FirstGateway, Part::SecondGateway, Part::FirstProjector, Part::SecondProjector] {
            stage.add(part).await;
        }
        let gateways = [Part::FirstGateway, Part::SecondGateway].map(|part| stage.service(part).address());
        stage.links.push((Link::People, Proxy::to_any(gateways).await));
        for part in Part::ALL {
            stage.is_ready(part).await;
        }
        stage
    }

    /// Where people come to.
    pub fn url(&self) -> String {
        format!("http://{}", self.link(Link::People).address())
    }

    /// Where they read history.
    pub fn history_url(&self) -> String {
        format!("http://{}", self.link(Link::PeopleHistory).address())
    }

    pub fn link(&self, link: Link) -> &Proxy {
        let found = self.links.iter().find(|(one, _)| *one == link);
        &found.unwrap_or_else(|| panic!("no link {link}")).1
    }

    /// The database, past every link.
    pub fn database_url(&self) -> &str {
        self.postgres.url()
    }

    pub fn natter(&self) -> &Path {
        &self.cast.natter
    }

    /// The log, past every link.
    pub async fn log(&self) -> Log {
        self.log_with(Settings::default()).await
    }

    async fn log_with(&self, settings: Settings) -> Log {
        let settings = Settings { servers: vec![self.broker.url().to_owned()], name: "harness".to_owned(), ..settings };
        Log::connect(settings).await.unwrap_or_else(|error| panic!("the log can't be reached: {error}"))
    }

    /// Ends a part at once.
    pub async fn kill(&self, part: Part) {
        match part {
            Part::Broker => self.broker.kill().await,
            Part::Postgres => self.postgres.kill().await,
            _ => self.service(part).kill().await,
        }
    }

    /// Asks a part to end, and returns when it has.
    pub async fn stop(&self, part: Part) {
        match part {
            Part::Broker => self.broker.stop().await,
            // It is stopped by what starts it again.
            Part::Postgres => {}
            _ => self.service(part).stop(STOP_LIMIT).await,
        }
    }

    /// Starts a part again that has ended.
    pub async fn start_again(&self, part: Part) {
        match part {
            Part::Broker => self.broker.restart().await,
            Part::Postgres => self.postgres.restart().await,
            _ => self.service(part).start(START_LIMIT).await,
        }
    }

    /// Makes a part stand still.
    pub async fn pause(&self, part: Part) {
        match part {
            Part::Broker => self.broker.pause().await,
            Part::Postgres => self.postgres.pause().await,
            _ => self.service(part).signal(Signal::STOP).await,
        }
    }

    pub async fn resume(&self, part: Part) {
        match part {
            Part::Broker => self.broker.resume().await,
            Part::Postgres => self.postgres.resume().await,
            _ => self.service(part).signal(Signal::CONT).await,
        }
    }

    /// Waits until a service says that it is ready; engines are when they have been started.
    pub async fn is_ready(&self, part: Part) {
        if matches!(part, Part::Broker | Part::Postgres) {
            return;
        }
        let url = format!("http://{}/ready", self.service(part).address());
        until(&format!("{part} is ready"), START_LIMIT, || async {
            let answer = reqwest::get(&url).await.map_err(|error| error.to_string())?;
            let status = answer.status();
            if status.is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
        })
        .await;
    }

    /// What a service says of itself at `/ready` or `/metrics`; nothing when it does not answer.
    pub async fn says(&self, part: Part, door: &str) -> Option<String> {
        let answer = reqwest::get(format!("http://{}{door}", self.service(part).address())).await.ok()?;
        answer.text().await.ok()
    }

    /// Runs the program once, such as for `natter verify`, past every link, and without the bug: it is to be seen by
    /// somebody sound.
    pub async fn run(&self, subcommand: &str, arguments: &[&str]) -> std::process::Output {
        let mut command = tokio::process::Command::from(self.command(subcommand, self.broker.address()));
        command.env_remove("NATTER_PLANTED_BUG");
        command.args(arguments).env("NATTER_POSTGRES_URL", self.postgres.url());
        command.env("NATTER_MASTER_KEY", self.keys.join("master.key"));
        command.kill_on_drop(true).output().await.unwrap_or_else(|error| panic!("natter {subcommand}: {error}"))
    }

    /// Leaves no room on the broker's disk for a while.
    pub async fn fill_disk(&self, lasts: Duration) {
        let disk = self.disk.as_ref().unwrap_or_else(|| panic!("the broker's disk can't be filled here"));
        let before = disk.turned_away();
        disk.fill(true);
        tokio::time::sleep(lasts).await;
        let noticed = || std::future::ready(if disk.turned_away() > before { Ok(()) } else { Err("it wrote nothing") });
        until("the broker notices that its disk is full", START_LIMIT, noticed).await;
        disk.fill(false);
        self.broker.restart().await;
    }

    /// Copies the broker's files, puts the copy back after a while, and lets the read models be made again, as the projector
    /// says that an operator has to.
    pub async fn roll_back(&self, after: Duration) {
        let copy = scratch_folder("copy").join("store");
        self.broker.stop().await;
        copy_folder(self.broker.store_dir(), &copy);
        self.broker.restart().await;
        tokio::time::sleep(after).await;
        self.broker.kill().await;
        let put_back = std::fs::remove_dir_all(self.broker.store_dir());
        put_back.unwrap_or_else(|error| panic!("the broker's files can't be removed: {error}"));
        copy_folder(&copy, self.broker.store_dir());
        self.broker.restart().await;
        for part in [Part::FirstProjector, Part::SecondProjector] {
            self.kill(part).await;
        }
        self.empty_the_database().await;
        self.migrate().await;
        for part in [Part::FirstProjector, Part::SecondProjector] {
            self.start_again(part).await;
        }
    }

    /// Readers may be in its way, as they may be in an operator's, who then tries again.
    async fn empty_the_database(&self) {
        let empty = || async {
            let mut connection = PgConnection::connect(self.postgres.url()).await?;
            sqlx::raw_sql("drop schema public cascade; create schema public").execute(&mut connection).await
        };
        until("the database is emptied", START_LIMIT, empty).await;
    }

    async fn migrate(&self) {
        let output = self.run("migrate", &[]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn service(&self, part: Part) -> &Service {
        let found = self.services.iter().find(|(one, _)| *one == part);
        &found.unwrap_or_else(|| panic!("{part} is no service")).1
    }

    async fn add(&mut self, part: Part) {
        let command = self.command_of(part);
        let log = self.cast.logs.as_ref().map(|folder| folder.join(format!("{part}.log")));
        let service = Service::new(part, command, log);
        service.start(START_LIMIT).await;
        self.services.push((part, service));
    }

    /// How a service is started, but for where it listens.
    fn command_of(&self, part: Part) -> Command {
        let key = |name: &str| self.keys.join(name);
        match part {
            Part::FirstGateway | Part::SecondGateway => {
                let (link, name) = match part {
                    Part::FirstGateway => (Link::FirstGatewayBroker, "first"),
                    _ => (Link::SecondGatewayBroker, "second"),
                };
                let mut command = self.command("gateway", &self.link(link).address());
                let history = format!("http://{}", self.link(Link::GatewaysHistory).address());
                command.args(["--gateway-name", name, "--history-url", &history]);
                command.arg("--signing-key").arg(key("signing.pem")).arg("--master-key").arg(key("master.key"));
                // The people here are busier than people are, and few sockets of theirs make much of it wait.
                command.args(["--max-messages", "100000", "--max-commands", "100000"]);
                command.args(["--max-room-messages", "1000000"]);
                command.args(&self.cast.gateway_options);
                command
            }
            Part::FirstProjector | Part::SecondProjector => {
                let mut command = self.command("projector", &self.link(Link::ProjectorsBroker).address());
                let postgres = self.postgres.url_through(&self.link(Link::ProjectorsPostgres).address());
                command.env("NATTER_POSTGRES_URL", postgres).arg("--master-key").arg(key("master.key"));
                command
            }
            Part::History => {
                let mut command = self.bare_command("history-api");
                let postgres = self.postgres.url_through(&self.link(Link::HistoryPostgres).address());
                command.env("NATTER_POSTGRES_URL", postgres).args(["--max-queries", "1000000"]);
                command.arg("--public-key").arg(key("signing.pub.pem"));
                command
            }
            Part::Broker | Part::Postgres => panic!("{part} is started by the test kit"),
        }
    }

    /// The program with a subcommand that speaks to the broker.
    fn command(&self, subcommand: &str, broker: &str) -> Command {
        let mut command = self.bare_command(subcommand);
        command.env("NATTER_NATS_URL", format!("nats://{broker}"));
        command.env("NATTER_NATS_USER", self.broker.user()).env("NATTER_NATS_PASSWORD", self.broker.password());
        command.env("NATTER_CONNECT_TIMEOUT", "60s");
        command
    }

    fn bare_command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.cast.natter);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("NATTER_")) {
            command.env_remove(name);
        }
        command.env("NATTER_TOOLS", tools().folder()).arg(subcommand);
        if let Some(bug) = &self.cast.bug {
            command.env("NATTER_PLANTED_BUG", bug);
        }
        command
    }
}

/// The keys of a deployment, in a folder.
fn keys() -> PathBuf {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    let folder = scratch_folder("keys");
    let make = || -> Result<(), Box<dyn std::error::Error>> {
        let signing = natter_platform::tokens::PrivateKey::generate()?;
        signing.write_new(&folder.join("signing.pem"))?;
        fs::write(folder.join("signing.pub.pem"), signing.public().pem()?)?;
        fs::write(folder.join("master.key"), "5a".repeat(32))?;
        fs::set_permissions(folder.join("master.key"), fs::Permissions::from_mode(0o600))?;
        Ok(())
    };
    make().unwrap_or_else(|error| panic!("no keys: {error}"));
    folder
}

fn copy_folder(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} can't be copied to {}", from.display(), to.display());
}
