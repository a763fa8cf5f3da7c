//! Every stream and bucket of Natter, as data: what the broker must hold and how. `declare` creates what is missing
//! and reports what differs.

use std::time::Duration;

use async_nats::jetstream::stream::{
    Compression, Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType,
};

use crate::settings::Settings;

/// The two streams. ARCHITECTURE.md has the table of what is written where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Facts, for ever: subjects `chat.>`. Sequences are contiguous from 1.
    Chat,
    /// Who was there, for a while: subjects `presence.>`. May lose its last moments; its beginning expires.
    Presence,
}

/// The buckets: small state that is not an event, with compare-and-set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    Meta,
    Directory,
    Credentials,
    /// Entries expire (14 days by default) unless written again.
    Sessions,
    Keys,
    Conversations,
    /// What is known of damage to CHAT: holes that were accepted, how far it was looked through.
    Integrity,
}

impl Stream {
    pub const ALL: [Stream; 2] = [Stream::Chat, Stream::Presence];

    pub fn name(self) -> &'static str {
        match self {
            Stream::Chat => "CHAT",
            Stream::Presence => "PRESENCE",
        }
    }

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Stream::Chat => "chat.",
            Stream::Presence => "presence.",
        }
    }

    pub(crate) fn all_subjects(self) -> &'static str {
        match self {
            Stream::Chat => "chat.>",
            Stream::Presence => "presence.>",
        }
    }

    /// Whether events may be gone from the start of it.
    pub(crate) fn expires(self) -> bool {
        self == Stream::Presence
    }

    pub(crate) fn config(self, settings: &Settings) -> Config {
        let common = Config {
            name: self.name().into(),
            subjects: vec![self.all_subjects().into()],
            storage: StorageType::File,
            retention: RetentionPolicy::Limits,
            num_replicas: settings.replicas,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_message_size: settings.max_message_bytes,
            max_consumers: settings.max_consumers,
            duplicate_window: settings.duplicate_window,
            compression: Some(Compression::None),
            allow_direct: true,
            ..Config::default()
        };
        match self {
            Stream::Chat => Config {
                max_bytes: settings.max_chat_bytes,
                // A full log says so. The other policy would drop the beginning of history.
                discard: DiscardPolicy::New,
                deny_delete: true,
                deny_purge: true,
                allow_atomic_publish: true,
                ..common
            },
            Stream::Presence => Config {
                max_bytes: settings.max_presence_bytes,
                max_age: settings.presence_ttl,
                discard: DiscardPolicy::Old,
                persist_mode: Some(PersistenceMode::Async),
                ..common
            },
        }
    }
}

impl Bucket {
    pub const ALL: [Bucket; 7] = [
        Bucket::Meta,
        Bucket::Directory,
        Bucket::Credentials,
        Bucket::Sessions,
        Bucket::Keys,
        Bucket::Conversations,
        Bucket::Integrity,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Bucket::Meta => "meta",
            Bucket::Directory => "directory",
            Bucket::Credentials => "credentials",
            Bucket::Sessions => "sessions",
            Bucket::Keys => "keys",
            Bucket::Conversations => "conversations",
            Bucket::Integrity => "integrity",
        }
    }

    pub(crate) fn stream_name(self) -> String {
        format!("KV_{}", self.name())
    }

    pub(crate) fn subject(self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name())
    }

    /// The layout of a NATS key-value bucket, so that `nats kv` can read it. Unlike the library's default it has no
    /// direct get: with replicas that may answer from one that lags, and a session revoked a moment ago would
    /// still be found.
    pub(crate) fn config(self, settings: &Settings) -> Config {
        let expiring = self == Bucket::Sessions;
        Config {
            name: self.stream_name(),
            subjects: vec![self.subject(">")],
            storage: StorageType::File,
            retention: RetentionPolicy::Limits,
            num_replicas: settings.replicas,
            max_messages: -1,
            max_messages_per_subject: 1,
            max_bytes: settings.max_bucket_bytes,
            max_message_size: settings.max_message_bytes,
            max_consumers: 64,
            max_age: if expiring { settings.session_ttl } else { Duration::ZERO },
            discard: DiscardPolicy::New,
            duplicate_window: settings.duplicate_window.min(if expiring {
                settings.session_ttl
            } else {
                settings.duplicate_window
            }),
            compression: Some(Compression::None),
            allow_rollup: true,
            deny_delete: true,
            // An entry that expires leaves a marker for a while: a watcher learns of it.
            allow_message_ttl: expiring,
            subject_delete_marker_ttl: expiring.then_some(LIMIT_MARKER_TTL),
            ..Config::default()
        }
    }
}

const LIMIT_MARKER_TTL: Duration = Duration::from_secs(300);

/// Everything that the broker must hold.
pub(crate) fn declared(settings: &Settings) -> Vec<Config> {
    let streams = Stream::ALL.iter().map(|stream| stream.config(settings));
    let buckets = Bucket::ALL.iter().map(|bucket| bucket.config(settings));
    streams.chain(buckets).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D3: positions are contiguous only while nothing can remove an event from CHAT.
    #[test]
    fn nothing_may_remove_or_rewrite_an_event_of_chat() {
        let chat = Stream::Chat.config(&Settings::default());
        assert_eq!(chat.discard, DiscardPolicy::New);
        assert_eq!(chat.retention, RetentionPolicy::Limits);
        assert!(chat.deny_delete && chat.deny_purge);
        assert!(!chat.allow_rollup && !chat.allow_message_ttl && !chat.discard_new_per_subject);
        assert_eq!(chat.max_age, Duration::ZERO);
        assert_eq!((chat.max_messages, chat.max_messages_per_subject), (-1, -1));
        assert!(chat.max_bytes > 0 && chat.max_consumers > 0 && chat.max_message_size > 0);
        assert_ne!(chat.persist_mode, Some(PersistenceMode::Async));
    }
}
