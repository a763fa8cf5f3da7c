//! Lines for whoever reads standard output: people, or programs as one JSON object a line.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::clean;
use crate::exit::{Exit, Failure};

#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct OutputOptions {
    /// Write JSON, one object a line, to this file, or to standard output with `-` or without a file.
    #[arg(long, env = "NATTER_JSON", value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
}

/// Where lines go.
pub struct Output {
    to: Box<dyn Write + Send>,
    json: bool,
}

/// Nobody reads any more, which is how `| head` ends a program; or the line could not be written.
pub enum Ended {
    Closed,
    Failed(Failure),
}

impl Output {
    pub fn open(options: &OutputOptions) -> Result<Self, Failure> {
        Ok(match &options.json {
            None => Self { to: Box::new(io::stdout()), json: false },
            Some(file) if file.as_os_str() == "-" => Self { to: Box::new(io::stdout()), json: true },
            Some(file) => {
                let opened = File::create(file)
                    .map_err(|error| Failure::new(Exit::Other, format!("cannot write {}: {error}", file.display())));
                Self { to: Box::new(opened?), json: true }
            }
        })
    }

    /// Whether programs read it.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Writes `item` for programs, or for people what `line` makes of it.
    pub fn write<T: Serialize>(&mut self, item: &T, line: impl FnOnce() -> Option<String>) -> Result<(), Ended> {
        let line = if self.json {
            let text = serde_json::to_string(item).map_err(|error| failed(&error))?;
            Some(clean::json(&text).into_owned())
        } else {
            line()
        };
        let Some(mut line) = line else { return Ok(()) };
        line.push('\n');
        let written = self.to.write_all(line.as_bytes()).and_then(|()| self.to.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Ended::Closed,
            _ => failed(&error),
        })
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Ended {
    Ended::Failed(Failure::caused_by(Exit::Other, error).context("cannot write"))
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A reader who has had enough is no failure.
pub fn end(outcome: Result<(), Ended>) -> Result<(), Failure> {
    match outcome {
        Ok(()) | Err(Ended::Closed) => Ok(()),
        Err(Ended::Failed(failure)) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_written_as_json() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("out");
        let mut output = Output::open(&OutputOptions { json: Some(file.clone()) }).expect("opens");
        assert!(output.write(&"a\u{9b}2J\u{202e}b", || None).is_ok());
        assert_eq!(std::fs::read_to_string(file).expect("there"), "\"a\\u009b2J\\u202eb\"\n");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = Output::open(&OutputOptions { json: Some("/no/such/folder/out".into()) }).err().expect("refused");
        assert!(error.to_string().contains("/no/such/folder/out"), "{error}");
    }
}
