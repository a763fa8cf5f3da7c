//! `natter load`: many users who talk to each other over the real protocol, at a rate that does not depend on the answers,
//! and books that show whether everything arrived, once and in order.
//!
//! - [`plan`]: who says something to whom and when
//! - [`accounts`]: who the users are
//! - [`sending`]: all of them, connected and driven; [`user`]: one, on a socket; [`glance`]: what it reads
//! - [`book`]: what proves that nothing was lost, repeated or out of order
//! - [`tally`], [`report`]: what comes of it

mod accounts;
mod book;
mod glance;
mod pacer;
mod plan;
mod report;
mod sending;
mod tally;
mod user;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use natter_client::{Encoding, Server};
use natter_platform::Clock;
use natter_platform::tokens::{PrivateKey, Realm};
use parking_lot::Mutex;
use rustix::process::{Resource, getrlimit, setrlimit};

use self::accounts::Accounts;
use self::plan::{Mix, Plan};
use self::report::Report;
use self::sending::{Sending, audit};
use self::tally::Tally;
use self::user::{Run, UserError};
use crate::exit::{Exit, Failure};
use crate::run_file;
use crate::units::Time;

/// What a token is good for beyond the run.
const TOKEN_MARGIN: Duration = Duration::from_secs(600);
/// The usual limit of messages, which tokens of load users lift.
const USUAL_MESSAGES: u32 = 10;
const MAX_USERS: i64 = 9_999;

/// Exit code 1 means that something was lost, came twice or came out of order; a run that could not be made ends with
/// another one.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many users talk.
    #[arg(long, env = "NATTER_USERS", value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=MAX_USERS))]
    users: u32,

    /// Messages a second, of all users together.
    #[arg(long, env = "NATTER_RATE", value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,

    /// For how long messages are sent.
    #[arg(long, env = "NATTER_DURATION", value_name = "DURATION", default_value_t = Time::of(Duration::from_secs(60)))]
    duration: Time,

    /// Who talks to whom.
    #[arg(long, env = "NATTER_MIX", value_name = "MIX", value_enum, default_value_t = Mix::Pairs)]
    mix: Mix,

    /// Bytes of each message's text.
    #[arg(long, env = "NATTER_TEXT_BYTES", value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=8_000))]
    text_bytes: u32,

    /// How frames are written.
    #[arg(long, env = "NATTER_ENCODING", value_name = "ENCODING", default_value = "json", value_parser = encoding)]
    encoding: Encoding,

    /// Where Natter answers. May be given more than once: users are spread, and the two of a pair are on different ones.
    /// Without it, the `natter up` of the data folder.
    #[arg(long, env = "NATTER_URL", value_name = "URL", value_delimiter = ',', action = clap::ArgAction::Append)]
    url: Vec<Server>,

    /// The folder of everything that is kept; says which `natter up` is meant, and has its signing key.
    #[arg(long, env = "NATTER_DATA", value_name = "FOLDER", default_value = "data")]
    data: PathBuf,

    /// The private key that signs access tokens: an Ed25519 key in PKCS#8 PEM form, for nobody else to read.
    #[arg(long, env = "NATTER_SIGNING_KEY", value_name = "FILE")]
    signing_key: Option<PathBuf>,

    /// Who signs access tokens (`iss`). The same everywhere in a deployment.
    #[arg(long, env = "NATTER_TOKEN_ISSUER", value_name = "NAME", default_value_t = Realm::default().issuer)]
    token_issuer: String,

    /// Whom access tokens are for (`aud`). The same everywhere in a deployment.
    #[arg(long, env = "NATTER_TOKEN_AUDIENCE", value_name = "NAME", default_value_t = Realm::default().audience)]
    token_audience: String,

    /// How long answers and deliveries are waited for after the last message.
    #[arg(long, env = "NATTER_WAIT", value_name = "DURATION", default_value_t = Time::of(Duration::from_secs(15)))]
    wait: Time,

    /// Decides about partners and turns; the same number, the same run.
    #[arg(long, env = "NATTER_SEED", value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Threads of this program. One does for some ten thousand messages a second.
    #[arg(long, env = "NATTER_THREADS", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,

    /// Write JSON to this file, or to standard output with `-` or without a file.
    #[arg(long, env = "NATTER_JSON", value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
}

fn encoding(text: &str) -> Result<Encoding, String> {
    match text {
        "json" => Ok(Encoding::Json),
        "msgpack" => Ok(Encoding::MessagePack),
        _ => Err("not `json` or `msgpack`".to_owned()),
    }
}

/// Runs, reports, and fails if the deployment did not keep its promises.
pub async fn run(options: Options) -> Result<(), Failure> {
    // On a runtime of its own, so that it takes no more threads than it says.
    let outcome = tokio::task::spawn_blocking(move || {
        let mut builder = match options.threads {
            1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(usize::from(options.threads)).enable_all().build();
        let failed = |error: io::Error| Failure::new(Exit::Other, format!("the system gives no threads: {error}"));
        runtime.map_err(failed)?.block_on(load(&options))
    });
    outcome.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

async fn load(options: &Options) -> Result<(), Failure> {
    let report = measure(options).await?;
    let json = serde_json::to_string_pretty(&report).map_err(|error| Failure::caused_by(could_not(), &error))?;
    match &options.json {
        Some(file) if file.as_os_str() == "-" => {
            eprintln!("\n{report}");
            println!("{json}");
        }
        Some(file) => {
            println!("\n{report}");
            let written = std::fs::write(file, json + "\n");
            written.map_err(|error| Failure::new(could_not(), format!("cannot write {}: {error}", file.display())))?;
        }
        None => println!("\n{report}"),
    }
    if report.counts.acknowledged == 0 {
        return Err(Failure::new(could_not(), "not one message was acknowledged"));
    }
    match report.is_good() {
        true => Ok(()),
        false => Err(Failure::new(Exit::Other, "messages were lost, came twice or came out of order")),
    }
}

/// A run that could not be made is told apart from one that found something (exit code 1).
fn could_not() -> Exit {
    Exit::Unreachable
}

async fn measure(options: &Options) -> Result<Report, Failure> {
    let users = usize::try_from(options.users).unwrap_or(usize::MAX);
    let servers = servers(options)?;
    raise_open_files(users)?;
    let plan = Plan::new(users, options.mix, options.rate, options.duration.get(), options.seed);
    let granted = granted(options, &plan);
    let raised_limits =
        vec![format!("messages of a user in 10 s: {USUAL_MESSAGES} → {granted}, by a claim of their tokens")];
    for limit in &raised_limits {
        eprintln!("natter load: raised: {limit}");
    }
    let (run, mut sending) = start(options, plan, &servers, granted).await?;
    let (began, began_cpu) = (Instant::now(), cpu());
    let sent_for = sending.pace(&run, began).await?;
    let settled = sending.settle(&run, options.wait.get()).await?;
    let generator_cores = (cpu() - began_cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    let books = sending.finish().await?;
    let (lost, unanswered) = audit(books);
    let tally = run.tally.lock();
    Ok(Report {
        users,
        gateways: servers.iter().map(Server::to_string).collect(),
        rate: options.rate,
        seconds: sent_for.as_secs_f64(),
        encoding: if options.encoding == Encoding::Json { "json" } else { "msgpack" },
        text_bytes: run.text_bytes,
        seed: options.seed,
        raised_limits,
        lost,
        unanswered,
        acknowledged_per_second: tally.counts.acknowledged as f64 / (sent_for + settled).as_secs_f64(),
        settled_after_seconds: settled.as_secs_f64(),
        send_to_ok: tally.to_ok.summary(),
        send_to_delivery: tally.to_delivery.summary(),
        generator_cores,
        counts: tally.counts.clone(),
    })
}

/// Where to go: what is given, or the `natter up` of the data folder.
fn servers(options: &Options) -> Result<Vec<Server>, Failure> {
    if !options.url.is_empty() {
        return Ok(options.url.clone());
    }
    let running = run_file::read(&options.data).map_err(|why| {
        Failure::new(Exit::Unreachable, format!("`natter up` {why}; give an address with --url to go elsewhere"))
    })?;
    let url = running.url.parse().map_err(|error| Failure::caused_by(Exit::Unreachable, &error))?;
    Ok(vec![url])
}

/// What a user needs of the rate limit, with room for repetitions.
fn granted(options: &Options, plan: &Plan) -> u32 {
    let per_flow = f64::from(options.rate) / plan.flows.len() as f64;
    let busiest = match options.mix {
        Mix::Pairs => per_flow,
        Mix::Random => per_flow * (plan.flows.len() as f64 / f64::from(options.users)),
    };
    // Never more than fits, never less than the usual.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let granted = (busiest * 10.0 * 2.0).ceil().min(1e9) as u32;
    granted.saturating_add(100).max(USUAL_MESSAGES)
}

async fn start(
    options: &Options,
    plan: Plan,
    servers: &[Server],
    granted: u32,
) -> Result<(Arc<Run>, Sending), Failure> {
    let users = usize::try_from(options.users).unwrap_or(usize::MAX);
    let key_file = options.signing_key.clone().unwrap_or_else(|| options.data.join("keys/signing.pem"));
    let key = PrivateKey::read(&key_file).map_err(|error| crate::services::tokens::bad_key(&key_file, &error))?;
    let realm = Realm { issuer: options.token_issuer.clone(), audience: options.token_audience.clone() };
    let mut accounts = Accounts::new(key, realm, Clock::system());
    let base = format!("{}/", servers[0]).parse();
    let base = base.map_err(|_| Failure::new(Exit::Usage, "the address is not a URL"))?;
    let lifetime = options.duration.get() + options.wait.get() + TOKEN_MARGIN;
    let run = Arc::new(Run {
        plan,
        origin: Instant::now(),
        id: rand::random(),
        text_bytes: usize::try_from(options.text_bytes).unwrap_or(usize::MAX),
        encoding: options.encoding,
        tally: Mutex::new(Tally::default()),
    });
    for attempt in 0.. {
        let made = accounts.prepare(&base, users).await?;
        if made > 0 {
            eprintln!("natter load: {made} accounts made or entered");
        }
        let people = accounts.users(users, lifetime, granted)?;
        let connecting = Instant::now();
        match Sending::connect(&run, people, servers).await {
            Ok(sending) => {
                eprintln!("natter load: {users} users connected in {:.1} s", connecting.elapsed().as_secs_f64());
                return Ok((run, sending));
            }
            Err(UserError::Refused { code: Some(4501), .. }) if attempt == 0 && made < users => {
                eprintln!("natter load: the deployment does not know the accounts of an earlier run; making them anew");
                accounts.forget();
            }
            Err(error) => return Err(Failure::caused_by(could_not(), &error)),
        }
    }
    Err(Failure::new(Exit::Other, "the run could not be started"))
}

/// What this program has used of the processors.
fn cpu() -> Duration {
    let of = |time: rustix::time::Timespec| {
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    of(rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime))
}

/// Each user is an open file.
fn raise_open_files(users: usize) -> Result<(), Failure> {
    let wanted = users as u64 + 100;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    limit.current = Some(limit.maximum.map_or(wanted, |maximum| wanted.min(maximum)));
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    match limit.current {
        Some(current) if !raised || current < wanted => Err(Failure::new(
            Exit::Other,
            format!("{users} users need {wanted} open files, and {current} are allowed (ulimit -n)"),
        )),
        _ => Ok(()),
    }
}
