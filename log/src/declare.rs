//! Creating what the broker lacks, and comparing what it has with what is declared.
//!
//! A stream that differs is reported, field by field, and left alone: most fields of CHAT carry a promise, and one
//! that an operator changed, or that an old version made, is for a person to decide.

use std::collections::BTreeSet;
use std::fmt;

use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{Context, ErrorCode};
use serde_json::Value;

use crate::bucket::BucketError;
use crate::settings::Settings;
use crate::streams::declared;

/// One field of one stream or bucket that is not as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The stream's name; a bucket's begins with `KV_`.
    pub stream: String,
    /// The field's name in the broker's configuration.
    pub field: String,
    pub declared: String,
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { stream, field, declared, found } = self;
        write!(f, "{stream}: {field} is {found}, declared {declared}")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    #[error("the broker did not answer about {stream}")]
    Unavailable {
        stream: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the broker refused to create {stream}: {description} ({code})")]
    Refused { stream: String, code: u64, description: String },
    /// The broker reserves the whole of a stream's `max_bytes`.
    #[error(
        "the broker has no room for {stream} with max_bytes {max_bytes}: lower it, or raise the broker's max_file_store"
    )]
    NoRoom { stream: String, max_bytes: i64 },
    #[error("a restore was begun on this broker and has not ended: run `natter restore` again")]
    Restoring,
    #[error("whether a restore is under way can't be read")]
    Mark(#[source] BucketError),
}

pub(crate) async fn declare(context: &Context, settings: &Settings) -> Result<Vec<Difference>, DeclareError> {
    let mut differences = Vec::new();
    for config in declared(settings) {
        let found = find_or_create(context, &config).await?;
        differences.extend(compare(&config, &found));
    }
    Ok(differences)
}

pub(crate) async fn find_or_create(context: &Context, config: &Config) -> Result<Config, DeclareError> {
    if let Some(found) = find(context, &config.name).await? {
        return Ok(found);
    }
    match context.create_stream(config.clone()).await {
        Ok(stream) => Ok(stream.cached_info().config.clone()),
        Err(error) => match error.kind() {
            CreateStreamErrorKind::JetStream(refusal) => {
                // Another process may have been first.
                if refusal.error_code() == ErrorCode::STREAM_NAME_EXIST
                    && let Some(found) = find(context, &config.name).await?
                {
                    return Ok(found);
                }
                Err(match refusal.error_code() {
                    ErrorCode::STORAGE_RESOURCES_EXCEEDED | ErrorCode::INSUFFICIENT_RESOURCES => {
                        DeclareError::NoRoom { stream: config.name.clone(), max_bytes: config.max_bytes }
                    }
                    code => DeclareError::Refused {
                        stream: config.name.clone(),
                        code: code.0,
                        description: refusal.to_string(),
                    },
                })
            }
            _ => Err(unavailable(&config.name, error)),
        },
    }
}

async fn find(context: &Context, name: &str) -> Result<Option<Config>, DeclareError> {
    match context.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            GetStreamErrorKind::JetStream(refusal) => Err(DeclareError::Refused {
                stream: name.into(),
                code: refusal.error_code().0,
                description: refusal.to_string(),
            }),
            _ => Err(unavailable(name, error)),
        },
    }
}

fn unavailable(stream: &str, source: impl std::error::Error + Send + Sync + 'static) -> DeclareError {
    DeclareError::Unavailable { stream: stream.into(), source: Box::new(source) }
}

/// Every field that differs, whichever side has it.
fn compare(declared: &Config, found: &Config) -> Vec<Difference> {
    let (left, right) = (fields(declared), fields(found));
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    names
        .into_iter()
        .filter_map(|field| {
            let (declared_value, found_value) = (value(&left, field), value(&right, field));
            (declared_value != found_value).then(|| Difference {
                stream: declared.name.clone(),
                field: field.clone(),
                declared: declared_value.to_string(),
                found: found_value.to_string(),
            })
        })
        .collect()
}

fn value<'a>(fields: &'a serde_json::Map<String, Value>, field: &str) -> &'a Value {
    fields.get(field).unwrap_or(&Value::Null)
}

/// The configuration as it travels, without what the broker adds about itself.
fn fields(config: &Config) -> serde_json::Map<String, Value> {
    let mut config = config.clone();
    config.metadata.retain(|key, _| !key.starts_with("_nats."));
    match serde_json::to_value(config) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_differs_is_named() {
        let declared = Config { name: "CHAT".into(), deny_delete: true, max_bytes: 10, ..Config::default() };
        let mut found = Config { deny_delete: false, max_bytes: 20, ..declared.clone() };
        found.metadata.insert("_nats.level".into(), "5".into());
        let differences = compare(&declared, &found);
        let named: Vec<&str> = differences.iter().map(|d| d.field.as_str()).collect();
        assert_eq!(named, ["deny_delete", "max_bytes"]);
        assert_eq!(differences[1].to_string(), "CHAT: max_bytes is 20, declared 10");
        assert_eq!(compare(&declared, &declared), []);
    }
}
