//! Readable log lines:
//!
//! ```text
//! 10:15:02.123  INFO gateway     | listening address=127.0.0.1:8080
//! ```
//!
//! A value is shown so that it can't pretend to be another line or move the cursor of whoever reads it: control characters
//! are escaped, wherever they come from.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber, span};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second].[subsecond digits:3]");

/// The field that says which part of the system speaks.
const SOURCE: &str = "source";

/// As wide as the longest usual source, so that the lines stand in columns.
const SOURCE_WIDTH: usize = 11;

/// Writes each event as a line for people.
pub(super) struct HumanLayer<W> {
    pub(super) writer: W,
    pub(super) colour: bool,
}

impl<S, W> Layer<S> for HumanLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Fields::default();
        event.record(&mut said);
        // From the innermost span outwards: the nearest source wins, and each span's fields follow the event's own.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                if said.source.is_empty() {
                    said.source.clone_from(&fields.source);
                }
                said.rest.push_str(&fields.rest);
            }
        }
        let line = line(OffsetDateTime::now_utc(), event.metadata().level(), &said, self.colour);
        // In one write, so that lines of several threads do not mix. Nobody can be told when the log itself fails.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(line.as_bytes());
    }
}

fn line(at: OffsetDateTime, level: &Level, said: &Fields, colour: bool) -> String {
    let mut line = at.format(TIME).unwrap_or_default();
    let (on, off) = if colour { (colour_of(level), "\x1b[0m") } else { ("", "") };
    let _ = write!(line, " {on}{level:>5}{off} ");
    if !said.source.is_empty() {
        let _ = write!(line, "{:SOURCE_WIDTH$} | ", said.source);
    }
    line.push_str(&said.message);
    line.push_str(&said.rest);
    line.push('\n');
    line
}

fn colour_of(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

/// The fields of an event or a span, as they are shown.
#[derive(Default)]
struct Fields {
    source: String,
    message: String,
    rest: String,
}

impl Fields {
    fn add(&mut self, field: &Field, value: &str, quote: bool) {
        let plain = escaped(value);
        match field.name() {
            SOURCE => self.source = plain,
            "message" => self.message = plain,
            name if quote && (plain.is_empty() || plain.contains([' ', '=', '"'])) => {
                let _ = write!(self.rest, " {name}=\"{}\"", plain.replace('"', "\\\""));
            }
            name => {
                let _ = write!(self.rest, " {name}={plain}");
            }
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value, true);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"), false);
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(colour: bool, what: impl FnOnce()) -> String {
        let kept = Kept::default();
        let out = kept.clone();
        let layer = HumanLayer { writer: move || out.clone(), colour };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), what);
        let bytes = kept.0.lock().clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_line_has_time_level_source_message_and_fields() {
        let text = logged(false, || {
            let _service = tracing::info_span!("service", source = "gateway").entered();
            let _request = tracing::info_span!("request", id = 7).entered();
            tracing::info!(port = 8080, name = "a b", "listening");
        });
        let (time, rest) = text.split_at(12);
        assert!(time.chars().all(|c| c.is_ascii_digit() || ":.".contains(c)), "{time}");
        assert_eq!(rest, "  INFO gateway     | listening port=8080 name=\"a b\" id=7\n");
    }

    #[test]
    fn the_nearest_source_wins_and_none_leaves_no_prefix() {
        let text = logged(false, || {
            tracing::warn!("alone");
            let _service = tracing::info_span!("service", source = "gateway").entered();
            tracing::warn!(source = "nats", "from below");
        });
        let lines: Vec<&str> = text.lines().map(|line| &line[13..]).collect();
        assert_eq!(lines, [" WARN alone", " WARN nats        | from below"]);
    }

    #[test]
    fn a_value_cannot_forge_a_line_or_move_the_cursor() {
        let text = logged(false, || tracing::info!(agent = "x\n10:00:00.000 ERROR forged\x1b[2J\u{9b}", "a\rb"));
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.trim_end().contains(char::is_control), "{text:?}");
    }

    #[test]
    fn only_a_terminal_gets_colours() {
        assert!(logged(true, || tracing::error!("x")).contains("\x1b[31m"));
        assert!(!logged(false, || tracing::error!("x")).contains('\x1b'));
    }
}
