//! One definition of every option, three ways to give it: flag, variable, key in `natter.toml`.
//!
//! The options are defined once, with clap. The file's values are checked against that definition and become its
//! defaults, so a flag or a variable counts before them without a second definition of anything.

mod file;
mod value;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

use crate::exit::Failure;

const DEFAULT_FILE: &str = "natter.toml";

/// The command line with the values of the configuration file as its defaults.
pub fn with_file(command: Command, arguments: &[OsString]) -> Result<Command, Failure> {
    match file_to_read(&command, arguments) {
        None => Ok(command),
        Some(path) => file::apply(command, &path),
    }
}

/// All options of the program: of the program itself and of each subcommand. The same name may come more than once.
pub fn options_of(command: &Command) -> Vec<&Arg> {
    let own = command.get_arguments().filter(|arg| is_option(arg));
    own.chain(command.get_subcommands().flat_map(options_of)).collect()
}

fn is_option(arg: &Arg) -> bool {
    arg.get_long().is_some() && !matches!(arg.get_id().as_str(), "help" | "version")
}

/// The file that is named, or the usual one if it is there. Nothing while somebody only asks for help.
fn file_to_read(command: &Command, arguments: &[OsString]) -> Option<PathBuf> {
    let named = command.clone().ignore_errors(true).try_get_matches_from(arguments).ok()?;
    let named = named.subcommand().map_or(&named, |(_, matches)| matches).get_one::<PathBuf>("config").cloned();
    named.or_else(|| Path::new(DEFAULT_FILE).exists().then(|| PathBuf::from(DEFAULT_FILE)))
}

/// clap speaks of flags. Says that the value came from a variable, if it did.
pub fn name_the_variable(mut error: clap::Error, command: &Command, arguments: &[OsString]) -> clap::Error {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return error };
    let flag = flag.split([' ', '=']).next().unwrap_or_default().to_owned();
    let given = arguments.iter().any(|argument| {
        let argument = argument.to_string_lossy();
        argument == flag || argument.starts_with(&format!("{flag}="))
    });
    let options = options_of(command);
    let option = options.iter().find(|option| option.get_long() == flag.strip_prefix("--"));
    if let Some(variable) = option.and_then(|option| option.get_env())
        && !given
        && env::var_os(variable).is_some()
    {
        let source = format!("the value comes from the variable {}", variable.to_string_lossy());
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![source.into()]));
    }
    error
}
