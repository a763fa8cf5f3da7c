//! Copying: the log first, then the buckets. The order is `natter_log::Part`'s, and so is the reason for it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use natter_log::{Bucket, KeyRing, Log, Part, ReadError, Stream, Tag};
use serde::{Deserialize, Serialize};

use super::folder::{CopiedPart, Manifest, NewBackup, Written};
use crate::exit::{Exit, Failure};
use crate::progress::{Progress, Unit};

/// Revisions that are read after a copy. A bucket that is written faster than it is read would have no end.
const MAX_CHANGES: usize = 1_000_000;

/// An entry that was written while its bucket was copied: a line of a `.changes` file.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChangedEntry {
    pub key: String,
    /// In base64; nothing when it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Copies everything into a folder that is there when it is whole.
pub async fn take(log: &Log, folder: &Path) -> Result<Manifest, Failure> {
    if log.is_being_restored().await.map_err(|error| Failure::caused_by(Exit::Unreachable, &error))? {
        let why = "a restore was begun on this broker and has not ended: what is there is half of a log";
        return Err(Failure::new(Exit::HalfInitialised, why));
    }
    let mut total = 0;
    for part in Part::ALL {
        let state = log.part_state(part).await.map_err(|error| unread(&error))?;
        total += state.bytes;
    }
    let mut backup = NewBackup::begin(folder)?;
    let mut shown = Progress::of(Unit::Bytes);
    let mut parts: Vec<CopiedPart> = Vec::new();
    for part in Part::ALL {
        let before: u64 = parts.iter().map(|part| part.state().bytes).sum();
        parts.push(copy(log, part, &mut backup, |at| shown.at(before + at, total.max(before + at))).await?);
    }
    shown.end();
    let epoch = log.epoch().await.map_err(|error| Failure::caused_by(Exit::Unreachable, &error))?;
    let holes = log.holes().await.map_err(|error| unread(&error))?;
    let chat = parts.iter().find(|part| part.name == Stream::Chat.name()).map_or(0, |chat| chat.last_seq);
    let last = last_event(log, holes.before(chat)).await;
    let last = last.map_err(|error| unread(&error).context("the log can't be backed up"))?;
    let proof = KeyRing::proof(&log.bucket(Bucket::Keys)).await;
    let proof = proof.map_err(|error| Failure::caused_by(Exit::Unreachable, &error))?;
    let manifest = Manifest::new(epoch, last, &holes, proof.as_deref(), parts);
    backup.finish(&manifest)?;
    Ok(manifest)
}

/// The last event of what is copied, when everything up to it is there.
async fn last_event(log: &Log, seq: u64) -> Result<Option<(u64, Tag)>, ReadError> {
    if seq == 0 {
        return Ok(None);
    }
    log.check_whole(seq, |_| ()).await?;
    match log.get(Stream::Chat, seq).await? {
        Some(last) => Ok(Some((seq, last.tag()))),
        None => Err(ReadError::Hole { expected: seq, found: seq + 1 }),
    }
}

async fn copy(log: &Log, part: Part, backup: &mut NewBackup, mut at: impl FnMut(u64)) -> Result<CopiedPart, Failure> {
    let failed = |error| Failure::caused_by(Exit::Unreachable, &error);
    let mut snapshot = log.snapshot(part).await.map_err(failed)?;
    let state = snapshot.state();
    let mut file = backup.create(format!("{}.copy", part.name()))?;
    let mut taken = 0;
    while let Some(piece) = snapshot.next().await.map_err(failed)? {
        file.write(&piece)?;
        taken += piece.len() as u64;
        // What is copied is a little smaller than what is stored, or much.
        at(taken.min(state.bytes));
    }
    let copied = backup.close(file)?;
    at(state.bytes);
    let changes = match part {
        Part::Bucket(bucket) => Some(copy_changes(log, bucket, state.last_seq, backup).await?),
        Part::Stream(_) => None,
    };
    Ok(CopiedPart::new(part, state, copied, changes))
}

async fn copy_changes(log: &Log, bucket: Bucket, after: u64, backup: &mut NewBackup) -> Result<Written, Failure> {
    let name = Part::Bucket(bucket).name();
    let mut file = backup.create(format!("{name}.changes"))?;
    let mut revision = after;
    for _ in 0..MAX_CHANGES {
        let Some(change) = log.change_after(bucket, revision).await.map_err(|error| unread(&error))? else {
            return backup.close(file);
        };
        revision = change.revision;
        let entry = ChangedEntry { key: change.key, value: change.value.map(|value| STANDARD.encode(value)) };
        let line = serde_json::to_string(&entry).map_err(|error| Failure::caused_by(Exit::Other, &error))?;
        file.write((line + "\n").as_bytes())?;
    }
    Err(Failure::new(Exit::Other, format!("{name} is written to faster than it can be read; try again later")))
}

fn unread(error: &ReadError) -> Failure {
    let exit = match error {
        ReadError::Gone { .. } => Exit::HalfInitialised,
        ReadError::Hole { .. } => Exit::Damaged,
        _ => Exit::Unreachable,
    };
    Failure::caused_by(exit, error)
}
