//! Printing, and the checkpoint.
//!
//! A thread of its own writes, so that a reader who has stopped reading never keeps the program from stopping. Only what
//! is written is noted in the checkpoint: whatever is killed when, an event may be printed again, and none is left out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::oneshot;

use super::position::Position;
use crate::exit::{Exit, Failure};

/// Larger than a position ever is.
const MAX_CHECKPOINT_BYTES: u64 = 1024;
/// Longer than any line: the largest event, with its ids as text.
const MAX_LINE_BYTES: u64 = 4 << 20;

/// Why nothing more can be printed.
pub enum Closed {
    /// Nobody reads any more.
    ByReader,
    Failed(Failure),
}

pub struct Output {
    writer: SyncSender<Job>,
    to_stdout: bool,
}

struct Job {
    lines: String,
    position: Position,
    done: oneshot::Sender<Result<(), Closed>>,
}

impl Output {
    /// To standard output, or behind what is in a file.
    pub fn open(file: Option<&Path>, checkpoint: Option<&Path>) -> Result<Self, Failure> {
        let file = file.filter(|path| path.as_os_str() != "-");
        let to = match file {
            None => io::stdout().as_fd().try_clone_to_owned().map(File::from),
            Some(path) => open_behind(path),
        };
        let name = file.map_or("standard output".into(), Path::to_string_lossy);
        let to = to.map_err(|error| Failure::new(Exit::Other, format!("cannot write {name}: {error}")))?;
        let checkpoint = checkpoint.map(Path::to_owned);
        let (writer, jobs) = sync_channel::<Job>(1);
        let writing = thread::Builder::new().name("output".into()).spawn(move || {
            for Job { lines, position, done } in jobs {
                let _ = done.send(write(&to, &lines, checkpoint.as_deref(), &position));
            }
        });
        writing.map_err(|error| Failure::new(Exit::Other, format!("the system gives no thread: {error}")))?;
        Ok(Self { writer, to_stdout: file.is_none() })
    }

    /// Prints all of the lines and then notes the position that is behind them.
    pub async fn print(&self, lines: String, position: Position) -> Result<(), Closed> {
        let (done, printed) = oneshot::channel();
        let ended = || Closed::Failed(Failure::new(Exit::Other, "printing has ended"));
        // The one before is done: there is room.
        self.writer.try_send(Job { lines, position, done }).map_err(|_| ended())?;
        printed.await.map_err(|_| ended())?
    }

    /// Whether anybody reads, as far as that can be seen without printing.
    pub fn check(&self) -> Result<(), Closed> {
        let stdout = io::stdout();
        let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
        let answered = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        let gone = asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
        if self.to_stdout && answered.is_ok() && gone { Err(Closed::ByReader) } else { Ok(()) }
    }
}

/// Opens a file to go on behind its last whole line: one that was cut off when a tail was killed is printed again.
fn open_behind(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return OpenOptions::new().append(true).open(path);
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let from = file.metadata()?.len().saturating_sub(MAX_LINE_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    (&mut file).take(MAX_LINE_BYTES).read_to_end(&mut end)?;
    let whole = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    match end.get(whole) {
        None => {}
        Some(b'{') if whole > 0 || from == 0 => file.set_len(from + whole as u64)?,
        Some(_) => return Err(io::Error::other("what is in it does not end like lines of JSON")),
    }
    Ok(file)
}

fn write(mut to: &File, lines: &str, checkpoint: Option<&Path>, position: &Position) -> Result<(), Closed> {
    to.write_all(lines.as_bytes()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Closed::ByReader,
        _ => Closed::Failed(Failure::new(Exit::Other, format!("cannot write: {error}"))),
    })?;
    let Some(checkpoint) = checkpoint else { return Ok(()) };
    // In a file it is on disk before the checkpoint says so; a pipe or a terminal has no disk.
    let synced = if to.metadata().is_ok_and(|to| to.is_file()) { to.sync_data() } else { Ok(()) };
    synced.and_then(|()| write_checkpoint(checkpoint, position)).map_err(|error| {
        Closed::Failed(Failure::new(Exit::Other, format!("cannot write {}: {error}", checkpoint.display())))
    })
}

/// Replaces the checkpoint: whoever reads it, and whatever is cut off, there is the old one or the new one.
fn write_checkpoint(path: &Path, position: &Position) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = File::create(&partial)?;
    writeln!(file, "{position}")?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The position in a checkpoint, if there is one.
pub fn read_checkpoint(path: &Path) -> Result<Option<Position>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::Usage, format!("the checkpoint {} can't be used: {why}", path.display()))
    };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(file) if file.is_file() && file.len() <= MAX_CHECKPOINT_BYTES => {}
        Ok(_) => return Err(wrong(&"it is no file that natter tail has written")),
        Err(error) => return Err(wrong(&error)),
    }
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    text.trim_end().parse().map(Some).map_err(|error: String| wrong(&error))
}

#[cfg(test)]
mod tests {
    use natter_log::{Place, Tag};

    use super::*;

    #[test]
    fn a_checkpoint_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("checkpoint");
        assert!(read_checkpoint(&path).is_ok_and(|position| position.is_none()));
        for seq in [1, 2_000] {
            let position = Position { chat: Place { seq, tag: Some(Tag(9)) }, presence: None };
            write_checkpoint(&path, &position).expect("written");
            assert!(read_checkpoint(&path).is_ok_and(|read| read == Some(position)));
        }
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_line_that_was_cut_off_is_taken_away_and_nobody_elses_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        for (there, kept) in [("", ""), ("{}\n", "{}\n"), ("{}\n{\"a", "{}\n"), ("{\"a", ""), ("a\nb\n", "a\nb\n")] {
            fs::write(&path, there).expect("written");
            open_behind(&path).and_then(|mut file| file.write_all(b"+")).expect("it opens");
            assert_eq!(fs::read_to_string(&path).expect("there"), format!("{kept}+"), "{there:?}");
        }
        for there in ["dear diary", "dear\ndiary"] {
            fs::write(&path, there).expect("written");
            assert!(open_behind(&path).is_err(), "{there:?}");
            assert_eq!(fs::read_to_string(&path).expect("there"), there);
        }
        assert!(open_behind(Path::new("/dev/null")).is_ok());
    }

    #[test]
    fn a_damaged_checkpoint_is_named_and_never_taken_for_the_beginning() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("checkpoint");
        for text in ["", "nonsense", "12.", &"9".repeat(2_000)] {
            fs::write(&path, text).expect("written");
            let failure = read_checkpoint(&path).expect_err("refused");
            assert!(failure.to_string().contains("checkpoint"), "{failure}");
            assert_eq!(failure.exit, Exit::Usage);
        }
    }
}
