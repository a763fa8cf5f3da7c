//! `natter verify --event-log`: every event of CHAT is read, and what is lost, damaged or misplaced is named.

use indicatif::HumanCount;
use natter_log::{Hole, Log, Lost, ReadError, Stream};
use natter_projector::{Unfit, unfit};

use crate::exit::{Exit, Failure};
use crate::progress::{Progress, Unit};

/// What was found.
#[derive(Default)]
struct Found {
    events: u64,
    lost: u64,
    accepted: u64,
    malformed: u64,
    later: u64,
}

pub async fn verify(log: Log) -> Result<(), Failure> {
    let of = log.whole_state(Stream::Chat).await.map_err(|error| unread(&error))?.last_seq;
    let mut audit = log.audit(0, of);
    let (mut shown, mut found) = (Progress::of(Unit::Events), Found::default());
    while let Some(looked) = audit.next().await.map_err(|error| unread(&error))? {
        for lost in &looked.lost {
            found.lost(lost, &log, &shown).await?;
        }
        for event in looked.events {
            found.events += 1;
            let (seq, subject) = (event.seq, event.subject.clone());
            match unfit(Stream::Chat, event) {
                None => {}
                Some(Unfit::Malformed(why)) => {
                    found.malformed += 1;
                    shown.say(&format!("event {seq} on {subject}: {why}"));
                }
                Some(Unfit::LaterVersion { .. }) => found.later += 1,
            }
        }
        shown.at(looked.up_to, of);
    }
    shown.end();
    found.conclude()
}

impl Found {
    async fn lost(&mut self, lost: &Lost, log: &Log, shown: &Progress) -> Result<(), Failure> {
        let (first, last) = (lost.first, lost.last);
        let count = last - first + 1;
        let which =
            if count == 1 { format!("event {first} is lost") } else { format!("events {first}-{last} are lost") };
        if !lost.accepted {
            self.lost += count;
            shown.say(&which);
            return Ok(());
        }
        self.accepted += count;
        let holes = log.holes().await.map_err(|error| unread(&error))?;
        let on_record = holes.at(first).map(on_record).unwrap_or_default();
        shown.say(&format!("{which}, accepted{on_record}"));
        Ok(())
    }

    fn conclude(&self) -> Result<(), Failure> {
        let Self { events, lost, accepted, malformed, later } = self;
        let mut text = format!("{} events were read", HumanCount(*events));
        for (count, what) in [
            (lost, "lost"),
            (malformed, "damaged or misplaced"),
            (accepted, "accepted as lost"),
            (later, "of a later Natter, which this one can't judge"),
        ] {
            if *count > 0 {
                text += &format!("; {} {what}", HumanCount(*count));
            }
        }
        if *lost == 0 && *malformed == 0 {
            println!("{text}. The log is whole.");
            return Ok(());
        }
        let advice =
            "restore the log from a replica or a backup, or let these events be passed over with `natter repair hole`";
        Err(Failure::new(Exit::Damaged, format!("{text}: {advice}")))
    }
}

/// Who has accepted a hole, and why.
pub fn on_record(hole: &Hole) -> String {
    let at = i64::try_from(hole.at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!(" by {}{at}: {}", hole.by, hole.reason)
}

fn unread(error: &ReadError) -> Failure {
    Failure::caused_by(Exit::Unreachable, error)
}
