//! `natter tail`: the event log for analytics, one line an event: who, when, where, to whom, and never what was said. It
//! has no key.
//!
//! - `position`: where a reader stands, as text.
//! - `line`: an event as JSON or for people.
//! - `output`: printing, and the checkpoint behind what is printed.

mod line;
mod output;
mod position;

use std::path::PathBuf;
use std::time::Duration;

use natter_log::{FollowError, Place, ReadError, ReadOnlyError, ReadOnlyLog, Settings, Stored, Stream};
use natter_platform::error::chain;
use natter_platform::lifecycle::{Shutdown, Tasks, shutdown_on_signals};

use crate::exit::{Exit, Failure};
use crate::run_file;
use crate::services::broker::{BrokerAddress, connect_read_only};
use line::Format;
use output::{Closed, Output};
use position::{Begin, Position};

/// Asked for in one go.
const BATCH_EVENTS: usize = 1_000;
const BATCH_BYTES: usize = 4 << 20;
/// How often a log that has nothing new is asked.
const POLL: Duration = Duration::from_millis(250);
/// How long whoever reads us may take for what is printed already when the stop is asked for.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to begin: a position as it is printed, `start`, or `new` for what happens from now on. A checkpoint counts
    /// before it.
    #[arg(long, env = "NATTER_FROM", value_name = "POSITION", default_value = "start")]
    from: Begin,

    /// Keep the position in this file, behind everything that was printed, and begin there the next time.
    #[arg(long, env = "NATTER_CHECKPOINT", value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Print presence as well: who came and went, and how far devices have received.
    #[arg(long, env = "NATTER_PRESENCE")]
    presence: bool,

    /// Write JSON, one object a line, behind the last whole line of this file, or to standard output with `-` or without a
    /// file.
    #[arg(long, env = "NATTER_JSON", value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,

    /// End after so many events.
    #[arg(long, env = "NATTER_LIMIT", value_name = "N")]
    limit: Option<u64>,

    /// End with the last event that is there at the start.
    #[arg(long, env = "NATTER_UNTIL_HEAD")]
    until_head: bool,

    /// The data folder of a `natter up` that runs on this machine; it is read unless a user of the broker is given.
    #[arg(long, env = "NATTER_DATA", value_name = "FOLDER", default_value = "data")]
    data: PathBuf,

    #[command(flatten)]
    broker: BrokerAddress,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let shutdown = Shutdown::new(GRACE);
    let tasks = Tasks::new(&shutdown);
    shutdown_on_signals(&shutdown, &tasks)
        .map_err(|error| Failure::new(Exit::Other, format!("cannot wait for signals: {error}")))?;
    let settings = settings(&options)?;
    let kept = options.checkpoint.as_deref().map(output::read_checkpoint).transpose()?.flatten();
    tokio::select! {
        ended = follow(&options, &settings, kept, &shutdown) => ended,
        // Only what waits for the broker is given up; what is being printed is waited for.
        () = shutdown.forced() => Ok(()),
    }
}

/// The account for analytics of the `natter up` that runs here, or whoever is given.
fn settings(options: &Options) -> Result<Settings, Failure> {
    if options.broker.has_login() {
        return Ok(options.broker.settings("tail", Settings::default()));
    }
    let running = run_file::read(&options.data).map_err(|why| {
        let advice = "start `natter up`, or name a broker with --nats-url and --nats-user";
        Failure::new(Exit::Usage, format!("natter up {why}; {advice}"))
    })?;
    Ok(Settings {
        servers: vec![format!("nats://{}", running.nats_address)],
        user: Some(running.analytics_user),
        password: Some(running.analytics_password),
        name: "tail".to_owned(),
        ..Settings::default()
    })
}

async fn follow(
    options: &Options,
    settings: &Settings,
    kept: Option<Position>,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let begun = async {
        let log = connect_read_only(settings, options.broker.connect_timeout()).await?;
        Tail::begin(options, log, kept).await
    };
    let mut tail = tokio::select! {
        tail = begun => tail?,
        () = shutdown.requested() => return Ok(()),
    };
    match tail.run(shutdown).await {
        Ok(()) | Err(Ended::Closed) => Ok(()),
        Err(Ended::Failed(failure)) => Err(failure),
    }
}

enum Ended {
    /// Nobody reads any more, which is how `| head` ends a program.
    Closed,
    Failed(Failure),
}

struct Tail {
    log: ReadOnlyLog,
    streams: Vec<Stream>,
    format: Format,
    output: Output,
    /// Everything up to here is printed.
    position: Position,
    /// Where to end, for each of the streams.
    heads: Option<Vec<u64>>,
    /// Events that may still be printed.
    left: u64,
    /// Whether the last question got no answer, and that was said.
    told: bool,
}

impl Tail {
    async fn begin(options: &Options, log: ReadOnlyLog, kept: Option<Position>) -> Result<Tail, Failure> {
        let streams = if options.presence { vec![Stream::Chat, Stream::Presence] } else { vec![Stream::Chat] };
        let output = Output::open(options.json.as_deref(), options.checkpoint.as_deref())?;
        let format = if options.json.is_some() { Format::Json } else { Format::Human };
        let left = options.limit.unwrap_or(u64::MAX);
        let mut tail =
            Tail { log, streams, format, output, position: Position::default(), heads: None, left, told: false };
        tail.position = match (kept, &options.from) {
            (Some(position), _) | (None, &Begin::Position(position)) => position,
            (None, Begin::Start) => Position::default(),
            (None, Begin::New) => {
                let mut position = Position::default();
                for stream in tail.streams.clone() {
                    position.set(stream, tail.head(stream).await);
                }
                position
            }
        };
        if options.presence {
            tail.position.presence.get_or_insert_default();
        }
        if options.until_head {
            let mut heads = Vec::new();
            for stream in tail.streams.clone() {
                heads.push(tail.head(stream).await.seq);
            }
            tail.heads = Some(heads);
        }
        Ok(tail)
    }

    /// The end of a stream, asked for until it is known.
    async fn head(&mut self, stream: Stream) -> Place {
        loop {
            match self.log.head(stream).await {
                Ok(place) => return place,
                Err(error) => self.unanswered(&error),
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn run(&mut self, shutdown: &Shutdown) -> Result<(), Ended> {
        // From here on the checkpoint stands for where this reader began.
        self.print(String::new()).await?;
        loop {
            let mut quiet = true;
            for stream in self.streams.clone() {
                let events = tokio::select! {
                    events = self.next(stream) => events?,
                    () = shutdown.requested() => return Ok(()),
                };
                quiet &= events.is_empty();
                self.print_events(stream, &events).await?;
            }
            if self.is_done() {
                return Ok(());
            }
            if quiet {
                self.output.check()?;
                tokio::select! {
                    () = tokio::time::sleep(POLL) => {}
                    () = shutdown.requested() => return Ok(()),
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        let reached = |(stream, head): (&Stream, &u64)| self.position.get(*stream).seq >= *head;
        self.left == 0 || self.heads.as_ref().is_some_and(|heads| self.streams.iter().zip(heads).all(reached))
    }

    /// What follows in a stream; nothing while the broker does not answer.
    async fn next(&mut self, stream: Stream) -> Result<Vec<Stored>, Ended> {
        let place = self.position.get(stream);
        let max_events = BATCH_EVENTS.min(usize::try_from(self.left).unwrap_or(BATCH_EVENTS));
        match self.log.after(stream, place, max_events, BATCH_BYTES).await {
            Ok(events) => {
                self.told = false;
                Ok(events)
            }
            Err(ReadOnlyError::Ended(error)) => Err(Ended::Failed(self.cannot_go_on(stream, &error))),
            Err(error @ ReadOnlyError::Read(_)) => {
                self.unanswered(&error);
                Ok(Vec::new())
            }
        }
    }

    fn unanswered(&mut self, error: &ReadOnlyError) {
        if !std::mem::replace(&mut self.told, true) {
            let hint = match error {
                ReadOnlyError::Read(ReadError::Gone { .. }) => " (a gateway makes it when it starts)",
                _ => "",
            };
            tracing::warn!("{}{hint}; trying again", chain(error));
        }
    }

    fn cannot_go_on(&self, stream: Stream, error: &FollowError) -> Failure {
        let (name, position) = (stream.name(), self.position);
        match error {
            FollowError::OtherLog { .. } | FollowError::LogEndsBefore { .. } => Failure::new(
                Exit::OtherLog,
                format!(
                    "{name}: {error}. What was printed up to {position} belongs to a log that is no more; begin anew \
                     with `--from start`, without the old checkpoint and without what was made of it"
                ),
            ),
            FollowError::Hole { .. } => Failure::new(Exit::Damaged, format!("{name}: {error}")),
            FollowError::Gone => Failure::new(Exit::Other, format!("{name}: {error}")),
        }
    }

    async fn print_events(&mut self, stream: Stream, events: &[Stored]) -> Result<(), Ended> {
        if events.is_empty() {
            return Ok(());
        }
        let mut lines = String::with_capacity(events.len() * 512);
        for event in events {
            self.position.set(stream, Place { seq: event.seq, tag: Some(event.tag()) });
            line::write(&mut lines, self.format, stream, event, &self.position);
        }
        self.left -= events.len() as u64;
        self.print(lines).await
    }

    async fn print(&mut self, lines: String) -> Result<(), Ended> {
        Ok(self.output.print(lines, self.position).await?)
    }
}

impl From<Closed> for Ended {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::ByReader => Ended::Closed,
            Closed::Failed(failure) => Ended::Failed(failure),
        }
    }
}
