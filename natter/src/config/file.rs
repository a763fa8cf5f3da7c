//! `natter.toml`: flat keys with the names of the flags.

use std::fs;
use std::path::Path;

use clap::builder::OsStr;
use clap::{Arg, Command};
use toml::Table;

use super::options_of;
use super::value;
use crate::exit::{Exit, Failure};

/// More than this is not a configuration file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// How alike a key must be to one that exists to be offered instead.
const SIMILARITY_MIN: f64 = 0.8;

/// Checks every key of the file and makes its value the default of all options with that name.
pub fn apply(command: Command, path: &Path) -> Result<Command, Failure> {
    let table = read(path)?;
    table.iter().try_fold(command, |command, (key, value)| {
        let options: Vec<Arg> =
            options_of(&command).into_iter().filter(|option| option.get_long() == Some(key)).cloned().collect();
        if options.is_empty() || key == "config" {
            return Err(unknown(&command, key, path));
        }
        for option in &options {
            value::check(option, value).map_err(|why| wrong(path, key, &why))?;
        }
        Ok(set_default(command, key, &value::texts(value)))
    })
}

fn read(path: &Path) -> Result<Table, Failure> {
    let text = match fs::metadata(path) {
        Ok(data) if data.len() > FILE_BYTES_MAX => Err(format!("it is larger than {FILE_BYTES_MAX} bytes")),
        _ => fs::read_to_string(path).map_err(|error| error.to_string()),
    };
    let text = text.map_err(|why| Failure::new(Exit::Usage, format!("cannot read {}: {why}", path.display())))?;
    // The library's message shows the line, the column and what was expected there.
    text.parse().map_err(|error| Failure::new(Exit::Usage, format!("{} is not valid TOML: {error}", path.display())))
}

fn wrong(path: &Path, key: &str, why: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{}: the key `{key}` {why}", path.display()))
}

fn unknown(command: &Command, key: &str, path: &Path) -> Failure {
    let options = options_of(command);
    let names = options.iter().filter_map(|option| option.get_long()).filter(|name| *name != "config");
    let wanted = key.to_lowercase().replace('_', "-");
    let nearest = names
        .map(|name| (strsim::jaro_winkler(&wanted, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let advice = match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => "keys are the names of the flags that `natter --help` and `natter COMMAND --help` list".to_owned(),
    };
    wrong(path, key, &format!("is not known: {advice}"))
}

fn set_default(command: Command, key: &str, texts: &[String]) -> Command {
    let defaults: Vec<OsStr> = texts.iter().map(OsStr::from).collect();
    command
        .mut_args(|arg| if arg.get_long() == Some(key) { arg.default_values(defaults.clone()) } else { arg })
        .mut_subcommands(|subcommand| set_default(subcommand, key, texts))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use clap::{ArgAction, value_parser};

    use super::*;

    fn command() -> Command {
        let listen = Arg::new("listen").long("listen").value_name("ADDRESS").help("Where to listen");
        let listen =
            listen.value_parser(value_parser!(SocketAddr)).default_value("127.0.0.1:1").env("NO_SUCH_VARIABLE");
        let origin = Arg::new("origin").long("origin").value_name("URL").action(ArgAction::Append);
        let port = Arg::new("nats-port").long("nats-port").value_name("PORT").value_parser(value_parser!(u16));
        Command::new("natter").subcommand(Command::new("up").arg(listen).arg(origin).arg(port))
    }

    fn apply_text(text: &str) -> Result<Command, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("natter.toml");
        fs::write(&path, text).expect("written");
        apply(command(), &path).map_err(|failure| {
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.to_string().contains("natter.toml"), "{failure}");
            failure.to_string()
        })
    }

    fn listen(command: Command, arguments: &[&str]) -> String {
        let matches = command.try_get_matches_from(arguments).expect("valid");
        let matches = matches.subcommand_matches("up").expect("the subcommand");
        matches.get_one::<SocketAddr>("listen").expect("it has a default").to_string()
    }

    #[test]
    fn a_key_counts_before_the_default_and_a_flag_before_the_key() {
        let with_file = apply_text("listen = '127.0.0.1:2'").expect("valid");
        assert_eq!(listen(command(), &["natter", "up"]), "127.0.0.1:1");
        assert_eq!(listen(with_file.clone(), &["natter", "up"]), "127.0.0.1:2");
        assert_eq!(listen(with_file, &["natter", "up", "--listen", "127.0.0.1:3"]), "127.0.0.1:3");
    }

    #[test]
    fn lists_and_numbers_are_taken() {
        let with_file = apply_text("origin = ['a', 'b']\nnats-port = 4222").expect("valid");
        let matches = with_file.try_get_matches_from(["natter", "up"]).expect("valid");
        let matches = matches.subcommand_matches("up").expect("the subcommand");
        let origins: Vec<&String> = matches.get_many("origin").expect("given").collect();
        assert_eq!(origins, ["a", "b"]);
        assert_eq!(matches.get_one::<u16>("nats-port"), Some(&4222));
    }

    #[test]
    fn a_key_that_is_not_known_is_named_with_the_one_that_was_meant() {
        let error = apply_text("lisen = '127.0.0.1:2'").expect_err("not valid");
        assert!(error.contains("`lisen` is not known: did you mean `listen`?"), "{error}");
        let error = apply_text("NATS_PORT = 1").expect_err("not valid");
        assert!(error.contains("did you mean `nats-port`?"), "{error}");
        let error = apply_text("colour = 'blue'").expect_err("not valid");
        assert!(error.contains("`colour` is not known: keys are the names of the flags"), "{error}");
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_with_what_was_expected() {
        for (text, expected) in [
            ("listen = 'here'", "`listen` is `here`: invalid socket address"),
            ("listen = 5", "`listen` is `5`"),
            ("listen = ['127.0.0.1:2', '127.0.0.1:3']", "`listen` is a list; expected one ADDRESS: Where to listen"),
            ("nats-port = 70000", "70000 is not in 0..=65535; expected PORT"),
            ("nats-port = -1", "`nats-port` is `-1`"),
            ("[listen]\nport = 5", "`listen` is a table; expected ADDRESS"),
            ("listen = 2026-01-01", "`listen` is a date; expected ADDRESS"),
            ("origin = [['a']]", "`origin` is a list of lists; expected a list of URL"),
        ] {
            let error = apply_text(text).err().unwrap_or_else(|| panic!("{text} was taken"));
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_not_toml_is_refused_with_the_place() {
        let error = apply_text("listen = \n").expect_err("not valid");
        assert!(error.contains("is not valid TOML") && error.contains("line 1"), "{error}");
        let missing = apply(command(), Path::new("/no/such/natter.toml")).expect_err("not there");
        assert!(missing.to_string().contains("cannot read /no/such/natter.toml"), "{missing}");
    }
}
