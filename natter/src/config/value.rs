//! One value of the file against the option that it is for.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};
use toml::Value;

/// What clap would see on the command line. Only for values that [`check`] accepts.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().filter_map(scalar).collect(),
        other => scalar(other).into_iter().collect(),
    }
}

/// Whether the option takes this value. An error says what it is instead and what was expected.
pub fn check(option: &Arg, value: &Value) -> Result<(), String> {
    let takes_many = matches!(option.get_action(), ArgAction::Append);
    let expected = expected(option);
    match value {
        Value::Array(_) if !takes_many => Err(format!("is a list; expected one {expected}")),
        Value::Array(values) if values.iter().any(|value| scalar(value).is_none()) => {
            let inner = values.iter().find(|value| scalar(value).is_none()).map_or("", kind);
            Err(format!("is a list of {inner}s; expected a list of {expected}"))
        }
        Value::Array(_) => texts(value).iter().try_for_each(|text| check_text(option, text)),
        other => match scalar(other) {
            Some(text) => check_text(option, &text),
            None => Err(format!("is a {}; expected {expected}", kind(other))),
        },
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(yes.to_string()),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Datetime(_) => "date",
        Value::Array(_) => "list",
        Value::Table(_) => "table",
        _ => "value",
    }
}

/// Lets clap parse the value for this one option, so that the rule is the one of the command line.
fn check_text(option: &Arg, text: &str) -> Result<(), String> {
    let flag = option.get_long().unwrap_or_default();
    let alone = Command::new("natter").no_binary_name(true).arg(option.clone().required(false).global(false));
    match alone.try_get_matches_from([format!("--{flag}={text}")]) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("is `{text}`{}; expected {}", reason(&error), expected(option))),
    }
}

fn reason(error: &clap::Error) -> String {
    match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => format!(": {source}"),
        (None, Some(ContextValue::Strings(valid))) if !valid.is_empty() => {
            format!(": it must be one of {}", valid.join(", "))
        }
        _ => String::new(),
    }
}

/// What the option wants, in the words of its help.
fn expected(option: &Arg) -> String {
    let names: Vec<&str> = option.get_value_names().into_iter().flatten().map(clap::builder::Str::as_str).collect();
    let name = if names.is_empty() { "VALUE".to_owned() } else { names.join(" ") };
    match option.get_help() {
        Some(help) => format!("{name}: {}", help.to_string().lines().next().unwrap_or_default()),
        None => name,
    }
}
