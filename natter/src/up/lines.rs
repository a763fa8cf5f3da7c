//! What the engines write, as lines of this program's log: with their source in front and in its own levels.

use tracing::Level;

/// A line of nats-server: `[pid] [INF] Server is ready`.
pub fn nats_line(line: &str) {
    let (level, text) = read_nats(line);
    emit("nats", level, text);
}

/// A line of PostgreSQL: `LOG:  database system is ready to accept connections`.
pub fn postgres_line(line: &str) {
    let (level, text) = read_postgres(line);
    emit("postgres", level, text);
}

fn emit(source: &str, level: Level, text: &str) {
    match level {
        Level::ERROR => tracing::error!(source, "{text}"),
        Level::WARN => tracing::warn!(source, "{text}"),
        Level::INFO => tracing::info!(source, "{text}"),
        _ => tracing::debug!(source, "{text}"),
    }
}

fn read_nats(line: &str) -> (Level, &str) {
    let text = line.split_once("] ").filter(|(pid, _)| pid.starts_with('[')).map_or(line, |(_, text)| text);
    let (level, text) = match text.split_at_checked(5) {
        Some(("[INF]", text)) => (Level::INFO, text),
        Some(("[WRN]", text)) => (Level::WARN, text),
        Some(("[ERR]" | "[FTL]", text)) => (Level::ERROR, text),
        Some(("[DBG]" | "[TRC]", text)) => (Level::DEBUG, text),
        _ => return (Level::INFO, text),
    };
    let text = text.strip_prefix(' ').unwrap_or(text);
    // Details stand further in, beside the picture that it draws. And of the configuration that it is given a password in
    // plain text nobody but this program knows.
    let detail =
        !text.starts_with(|first: char| first.is_ascii_alphanumeric()) || text.starts_with("Plaintext passwords");
    (if detail { Level::DEBUG } else { level }, text.trim_start())
}

/// What it says at every start and stop, and what follows from a stop.
const USUAL: [&str; 7] = [
    "starting PostgreSQL",
    "listening on",
    "database system was shut down at",
    "received fast shutdown request",
    "aborting any active transactions",
    "background worker \"logical replication launcher\"",
    "shutting down",
];

fn read_postgres(line: &str) -> (Level, &str) {
    let Some((severity, text)) = line.split_once(": ") else { return (Level::DEBUG, line) };
    let text = text.trim_start();
    let starts_with_one_of = |beginnings: &[&str]| beginnings.iter().any(|beginning| text.starts_with(beginning));
    match severity {
        "LOG" if starts_with_one_of(&USUAL) => (Level::DEBUG, text),
        "LOG" => (Level::INFO, text),
        // A statement that fails is reported by the client that sent it.
        "WARNING" | "ERROR" => (Level::WARN, text),
        "FATAL" if starts_with_one_of(&["terminating connection", "the database system is"]) => (Level::INFO, text),
        "FATAL" | "PANIC" => (Level::ERROR, text),
        "DETAIL" | "HINT" | "STATEMENT" | "CONTEXT" | "NOTICE" | "INFO" => (Level::DEBUG, text),
        // initdb and the like.
        _ => (Level::DEBUG, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_broker_get_their_level() {
        assert_eq!(read_nats("[42] [INF] Server is ready"), (Level::INFO, "Server is ready"));
        assert_eq!(read_nats("[42] [INF]   Version:  2.15.1"), (Level::DEBUG, "Version:  2.15.1"));
        assert_eq!(read_nats("[42] [INF] | || | _|  | |"), (Level::DEBUG, "| || | _|  | |"));
        assert_eq!(read_nats("[42] [INF]"), (Level::DEBUG, ""));
        assert_eq!(read_nats("[42] [WRN] slow"), (Level::WARN, "slow"));
        assert_eq!(read_nats("[42] [FTL] no [way]"), (Level::ERROR, "no [way]"));
        assert_eq!(read_nats("nats-server: unknown flag"), (Level::INFO, "nats-server: unknown flag"));
        assert_eq!(read_nats("[é"), (Level::INFO, "[é"));
    }

    #[test]
    fn lines_of_postgresql_get_their_level() {
        assert_eq!(read_postgres("LOG:  redo done at 0/1"), (Level::INFO, "redo done at 0/1"));
        assert_eq!(read_postgres("LOG:  listening on Unix socket"), (Level::DEBUG, "listening on Unix socket"));
        assert_eq!(read_postgres("PANIC:  disk: full"), (Level::ERROR, "disk: full"));
        assert_eq!(read_postgres("ERROR:  relation: none"), (Level::WARN, "relation: none"));
        assert_eq!(read_postgres("creating directory ... ok"), (Level::DEBUG, "creating directory ... ok"));
    }
}
