//! `natter restore`: a backup put into a broker that has nothing yet.
//!
//! All of the backup is read and checked before anything is changed. Then the broker is marked: until the restore has
//! ended, no service starts on it, and a restore that was interrupted is run again. What comes out is another log for
//! everyone who held a position (D14): it has a new epoch, and clients read from the beginning.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use indicatif::HumanCount;
use natter_engines::{DataFolder, Tools};
use natter_events::ContentKey;
use natter_log::{Bucket, DeclareError, Holes, KeyRing, Log, Part, RestoreError, Settings, Stream};
use natter_platform::error::chain;
use natter_platform::lifecycle::{Shutdown, Tasks, shutdown_on_signals};

use crate::backup;
use crate::backup::folder::{CopiedPart, Manifest};
use crate::backup::take::ChangedEntry;
use crate::exit::{Exit, Failure};
use crate::master_key;
use crate::progress::{Progress, Unit};
use crate::services::broker::{BrokerOptions, connect_only};
use crate::up::engines::{Engines, Wishes};

/// What is being given to the broker is ended, and then the broker.
const GRACE: Duration = Duration::from_secs(8);
/// The broker is our own and runs already.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// What is read from a copy at once.
const READ_BYTES: usize = 256 << 10;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder of the backup.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// The key that wraps the keys of what people write: 64 hexadecimal digits in a file, for nobody else to read.
    #[arg(long, env = "NATTER_MASTER_KEY", value_name = "FILE")]
    master_key: Option<PathBuf>,

    /// The data folder to restore into, new or of a `natter up` that never ran; used unless a user of the broker is given.
    #[arg(long, env = "NATTER_DATA", value_name = "FOLDER", default_value = "data")]
    data: PathBuf,

    /// The folder of the engines; without it, the nearest `.tools` above the working folder or this program.
    #[arg(long, env = "NATTER_TOOLS", value_name = "FOLDER")]
    tools: Option<PathBuf>,

    #[command(flatten)]
    broker: BrokerOptions,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let shutdown = Shutdown::new(GRACE);
    let tasks = Tasks::new(&shutdown);
    shutdown_on_signals(&shutdown, &tasks)
        .map_err(|error| Failure::new(Exit::Other, format!("cannot wait for signals: {error}")))?;
    let manifest = backup::check(&options.folder)?;
    if options.broker.address.has_login() {
        check_master_key(&manifest, options.master_key.as_deref().ok_or_else(needs_master_key)?)?;
        let settings = options.broker.settings("restore");
        restore(&options.folder, &manifest, settings, options.broker.address.connect_timeout(), &shutdown).await?;
        println!(
            "Start the services now. PostgreSQL is made again from the log: give them an empty database and run `natter \
             migrate`, unless the one that there is holds nothing of after the backup."
        );
        return Ok(());
    }
    into_data_folder(&options, &manifest, &shutdown).await?;
    println!("Start it with `natter up --data {}`; it makes everything else again.", options.data.display());
    Ok(())
}

async fn into_data_folder(options: &Options, manifest: &Manifest, shutdown: &Shutdown) -> Result<(), Failure> {
    let given = options.master_key.as_deref();
    let kept = options.data.join("keys").join(master_key::FILE);
    match given {
        Some(given) => check_master_key(manifest, given)?,
        None if kept.exists() => {}
        None => return Err(needs_master_key()),
    }
    if kept.exists() {
        check_master_key(manifest, &kept)?;
    }
    let tools = Tools::find(options.tools.as_deref())?;
    let data = DataFolder::open(&options.data)?;
    if let Some(given) = given {
        master_key::keep(given, &data.keys()?.join(master_key::FILE))?;
    }
    let mut engines = Engines::default();
    let outcome = match engines.start_broker(&tools, &data, &Wishes::default()).await {
        Ok(()) => {
            let rest = options.broker.store.settings();
            let settings = engines.urls().broker_settings("restore", rest);
            restore(&options.folder, manifest, settings, CONNECT_LIMIT, shutdown).await
        }
        Err(error) => Err(error.into()),
    };
    engines.stop(shutdown).await;
    outcome
}

fn needs_master_key() -> Failure {
    Failure::new(
        Exit::Usage,
        "name the master key with --master-key: it is not in a backup, and nothing can be read without",
    )
}

/// Before anything is changed: with another key everything would be there, and nobody could read it.
fn check_master_key(manifest: &Manifest, path: &Path) -> Result<(), Failure> {
    let master = ContentKey::from_bytes(master_key::read(path)?);
    if manifest.proof().is_none_or(|proof| KeyRing::is_proven(&master, proof.into())) {
        return Ok(());
    }
    let why = format!("{} is not the master key of the log in this backup", path.display());
    Err(Failure::new(Exit::HalfInitialised, why))
}

async fn restore(
    folder: &Path,
    manifest: &Manifest,
    settings: Settings,
    within: Duration,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let restored = async {
        let log = connect_only(settings, within).await?;
        log.begin_restore().await.map_err(|error| failure(&error))?;
        give_back(&log, folder, manifest)
            .await
            .map_err(|error| error.context("the restore was not ended; run it again"))
    };
    tokio::select! {
        restored = restored => restored?,
        () = shutdown.requested() => {
            return Err(Failure::new(Exit::Other, "stopped: the restore was not ended; run it again"));
        }
    }
    println!("Restored {} events, as it was at {}.", HumanCount(manifest.events()), manifest.made_at);
    println!("Whoever was logged in logs in again, and reads everything anew: the log has a new epoch.");
    Ok(())
}

async fn give_back(log: &Log, folder: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let (mut given, of) = (0, manifest.bytes());
    let mut shown = Progress::of(Unit::Bytes);
    for part in Part::ALL {
        let name = part.name();
        let copied = manifest.part(&name).ok_or_else(|| Failure::new(Exit::Backup, format!("there is no {name}")))?;
        fill(log, folder, part, copied, &manifest.holes(), |bytes| {
            given += bytes;
            shown.at(given, of);
        })
        .await?;
    }
    shown.end();
    recognise(log, manifest).await?;
    log.end_restore(manifest.epoch(), &manifest.holes()).await.map_err(|error| failure(&error)).map(drop)
}

async fn fill(
    log: &Log,
    folder: &Path,
    part: Part,
    copied: &CopiedPart,
    holes: &Holes,
    mut given: impl FnMut(u64),
) -> Result<(), Failure> {
    let path = folder.join(&copied.copy.file);
    let unreadable =
        |error: std::io::Error| Failure::new(Exit::Backup, format!("cannot read {}: {error}", path.display()));
    let mut file = File::open(&path).map_err(unreadable)?;
    let filling = log.fill(part, copied.state()).await.map_err(|error| failure(&error))?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let bytes = file.read(&mut buffer).map_err(unreadable)?;
        if bytes == 0 {
            break;
        }
        filling.write(Bytes::copy_from_slice(&buffer[..bytes])).await.map_err(|error| failure(&error))?;
        given(bytes as u64);
    }
    let state = filling.end().await.map_err(|error| failure(&error))?;
    // What expires may have done so by now, and an entry that was written anew while it was copied is among the changes.
    let changed = copied.changes.as_ref().is_some_and(|changes| changes.bytes > 0);
    let whole = match part {
        // What is lost may be counted or not, and at the end of the log the broker may not know that it ever was.
        Part::Stream(Stream::Chat) => {
            let there = state.last_seq - holes.lost_up_to(state.last_seq);
            (holes.before(copied.last_seq)..=copied.last_seq).contains(&state.last_seq)
                && (there..=copied.messages).contains(&state.messages)
        }
        Part::Bucket(_) if changed => state.last_seq >= copied.last_seq,
        Part::Stream(Stream::Presence) => state.last_seq == copied.last_seq,
        _ => (state.last_seq, state.messages) == (copied.last_seq, copied.messages),
    };
    if !whole {
        let why = format!(
            "the broker has {} messages up to {} in {}, and the backup {} up to {}",
            state.messages, state.last_seq, copied.name, copied.messages, copied.last_seq
        );
        return Err(Failure::new(Exit::Backup, why));
    }
    match (part, &copied.changes) {
        (Part::Bucket(bucket), Some(changes)) => change(log, bucket, &folder.join(&changes.file)).await,
        _ => Ok(()),
    }
}

/// What was written to a bucket while it was copied.
async fn change(log: &Log, bucket: Bucket, path: &Path) -> Result<(), Failure> {
    let damaged = |what: String| Failure::new(Exit::Backup, format!("{}: {what}", path.display()));
    let file = File::open(path).map_err(|error| damaged(error.to_string()))?;
    let bucket = log.bucket(bucket);
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| damaged(error.to_string()))?;
        let entry: ChangedEntry = serde_json::from_str(&line).map_err(|error| damaged(error.to_string()))?;
        let written = match entry.value.map(|value| STANDARD.decode(value)) {
            Some(Ok(value)) => bucket.put(&entry.key, value.into()).await.map(drop),
            Some(Err(error)) => return Err(damaged(error.to_string())),
            None => bucket.delete(&entry.key).await,
        };
        written.map_err(|error| Failure::caused_by(Exit::Unreachable, &error))?;
    }
    Ok(())
}

/// The last event is the one that it was: seq, time, subject and bytes.
async fn recognise(log: &Log, manifest: &Manifest) -> Result<(), Failure> {
    let Some(last) = &manifest.last_event else { return Ok(()) };
    let found = log.get(Stream::Chat, last.seq).await.map_err(|error| Failure::caused_by(Exit::Unreachable, &error))?;
    match found {
        Some(event) if event.tag() == last.tag() => Ok(()),
        _ => Err(Failure::new(Exit::Backup, format!("event {} is not the one that was backed up", last.seq))),
    }
}

fn failure(error: &RestoreError) -> Failure {
    let exit = match error {
        RestoreError::NotEmpty { .. } | RestoreError::InUse { .. } => Exit::Folder,
        RestoreError::Refused { .. }
        | RestoreError::Declare(DeclareError::Refused { .. } | DeclareError::NoRoom { .. }) => Exit::Other,
        _ => Exit::Unreachable,
    };
    Failure::new(exit, chain(error))
}
