//! `natter doctor`: checks that the parts of a deployment reach each other, line by line, and says what to do.

mod broker;
mod keys;
mod report;
mod web;

use std::path::PathBuf;

use crate::exit::{Exit, Failure};
use crate::run_file;
use crate::services::broker::BrokerOptions;
use report::Report;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder of everything that is kept. The `natter up` that runs there is checked, unless other addresses are given.
    #[arg(long, env = "NATTER_DATA", value_name = "FOLDER", default_value = "data")]
    data: PathBuf,

    /// Where a gateway answers. May be given more than once.
    #[arg(long, env = "NATTER_GATEWAY_URL", value_name = "URL", value_delimiter = ',', action = clap::ArgAction::Append)]
    gateway_url: Vec<String>,

    /// Where the history API answers, for commands whose id is older than a minute. Without it those are refused.
    #[arg(long, env = "NATTER_HISTORY_URL", value_name = "URL")]
    history_url: Option<String>,

    /// Where a projector answers. May be given more than once.
    #[arg(long, env = "NATTER_PROJECTOR_URL", value_name = "URL", value_delimiter = ',', action = clap::ArgAction::Append)]
    projector_url: Vec<String>,

    /// The PostgreSQL database, with user and password: postgres://user:password@host:5432/natter
    #[arg(long, env = "NATTER_POSTGRES_URL", value_name = "URL", hide_env_values = true)]
    postgres_url: Option<String>,

    /// The private key that signs access tokens: an Ed25519 key in PKCS#8 PEM form, for nobody else to read.
    #[arg(long, env = "NATTER_SIGNING_KEY", value_name = "FILE")]
    signing_key: Option<PathBuf>,

    /// Public keys of the gateways, whose tokens are good: Ed25519 in PEM form. May be given more than once.
    #[arg(long, env = "NATTER_PUBLIC_KEY", value_name = "FILE", value_delimiter = ',', action = clap::ArgAction::Append)]
    public_key: Vec<PathBuf>,

    /// The key that wraps the keys of what people write: 64 hexadecimal digits in a file, for nobody else to read.
    #[arg(long, env = "NATTER_MASTER_KEY", value_name = "FILE")]
    master_key: Option<PathBuf>,

    #[command(flatten)]
    broker: BrokerOptions,
}

/// The deployment to check.
struct Target {
    /// Each with what it is.
    services: Vec<(&'static str, String)>,
    postgres_url: Option<String>,
    settings: natter_log::Settings,
    keys: keys::Files,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let mut report = Report::default();
    if let Some(target) = target(&options, &mut report) {
        keys::check(&target.keys, &mut report);
        let log = broker::check(target.settings, &mut report).await;
        if let (Some(log), Some(master)) = (&log, &target.keys.master) {
            broker::check_master_key(log, master, &mut report).await;
        }
        if let Some(url) = &target.postgres_url {
            check_postgres(url, &mut report).await;
        }
        for (what, url) in &target.services {
            web::check(what, url, &mut report).await;
        }
    }
    match report.failed() {
        0 => Ok(()),
        failed => Err(Failure::new(Exit::Other, format!("{failed} of {} checks failed", report.all()))),
    }
}

/// The deployment whose addresses are given, or else the `natter up` of the data folder.
fn target(options: &Options, report: &mut Report) -> Option<Target> {
    let given = !options.gateway_url.is_empty()
        || options.history_url.is_some()
        || !options.projector_url.is_empty()
        || options.postgres_url.is_some();
    if given { Some(deployment(options)) } else { on_this_machine(options, report) }
}

fn deployment(options: &Options) -> Target {
    let gateways = options.gateway_url.iter().map(|url| ("gateway", url.clone()));
    let histories = options.history_url.iter().map(|url| ("history", url.clone()));
    let projectors = options.projector_url.iter().map(|url| ("projector", url.clone()));
    Target {
        services: gateways.chain(histories).chain(projectors).collect(),
        postgres_url: options.postgres_url.clone(),
        settings: options.broker.settings("doctor"),
        keys: keys::Files {
            signing: options.signing_key.clone(),
            public: options.public_key.clone(),
            master: options.master_key.clone(),
        },
    }
}

fn on_this_machine(options: &Options, report: &mut Report) -> Option<Target> {
    let running = match run_file::read(&options.data) {
        Ok(running) => {
            report.ok("natter up", format!("runs on {} as process {}", options.data.display(), running.pid));
            running
        }
        Err(why) => {
            report.fail(
                "natter up",
                why,
                "start `natter up`, or name the addresses of a deployment: natter doctor --help",
            );
            return None;
        }
    };
    let keys = options.data.join("keys");
    Some(Target {
        services: vec![("natter", running.url)],
        postgres_url: Some(running.postgres_url),
        settings: natter_log::Settings {
            servers: vec![format!("nats://{}", running.nats_address)],
            user: Some(running.nats_user),
            password: Some(running.nats_password),
            ..options.broker.store.settings()
        },
        keys: keys::Files {
            signing: Some(keys.join("signing.pem")),
            public: vec![keys.join("signing.pub.pem")],
            master: Some(keys.join("master.key")),
        },
    })
}

async fn check_postgres(url: &str, report: &mut Report) {
    match natter_migrations::check_url(url).await {
        Err(error) => {
            let why = natter_platform::error::chain(&error);
            report.fail("PostgreSQL", why, "is it running, and are address, user, password and database right?");
        }
        Ok(standing) => {
            report.ok("PostgreSQL", "answers".to_owned());
            if standing.is_usable() {
                report.ok("schema", standing.to_string());
            } else {
                report.fail(
                    "schema",
                    standing.to_string(),
                    "`natter migrate` brings a database to this version's schema",
                );
            }
        }
    }
}
