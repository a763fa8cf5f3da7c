//! Secrets from the configuration: given as a value or in a file, wiped when dropped, never shown.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Largest secret that is read from a file. More than that is some other file.
pub const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// A text that nobody sees by accident: it has no `Display`, its `Debug` says nothing, and its memory is wiped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Why a secret could not be had. Never says what it is.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Given twice.
    #[error("{name} is given both as a value and as a file: give one of them")]
    Both {
        /// The key of the configuration.
        name: String,
    },
    /// Given, but there is nothing in it.
    #[error("{name} is empty")]
    Empty {
        /// The key of the configuration.
        name: String,
    },
    /// The file is too large to be a secret.
    #[error("{name}: {} is larger than {MAX_SECRET_BYTES} bytes, which is no secret", path.display())]
    TooLarge {
        /// The key of the configuration.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The file is not text.
    #[error("{name}: {} is not UTF-8 text", path.display())]
    NotText {
        /// The key of the configuration.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("{name}: cannot read {}", path.display())]
    Unreadable {
        /// The key of the configuration.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Secret {
    /// Keeps `value`.
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The secret called `name` in the configuration, given as a value, in a file, or not at all.
    pub fn from_value_or_file(
        name: &str,
        value: Option<String>,
        file: Option<&Path>,
    ) -> Result<Option<Self>, SecretError> {
        let secret = match (value, file) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(SecretError::Both { name: name.to_owned() }),
            (Some(value), None) => Self::new(value),
            (None, Some(path)) => Self::read(name, path)?,
        };
        if secret.0.trim().is_empty() {
            return Err(SecretError::Empty { name: name.to_owned() });
        }
        Ok(Some(secret))
    }

    /// The secret itself, at the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn read(name: &str, path: &Path) -> Result<Self, SecretError> {
        let (name, path) = (name.to_owned(), path.to_owned());
        let mut bytes = Zeroizing::new(Vec::new());
        match File::open(&path).and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes)) {
            Err(source) => Err(SecretError::Unreadable { name, path, source }),
            Ok(_) if bytes.len() as u64 > MAX_SECRET_BYTES => Err(SecretError::TooLarge { name, path }),
            Ok(_) => match std::str::from_utf8(&bytes) {
                // Editors and `echo` end a file with a line break that is not meant.
                Ok(text) => Ok(Self::new(text.trim_end_matches(['\r', '\n']).to_owned())),
                Err(_) => Err(SecretError::NotText { name, path }),
            },
        }
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(content: &[u8]) -> Result<Option<Secret>, SecretError> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("secret");
        std::fs::write(&path, content).expect("a file");
        Secret::from_value_or_file("master-key", None, Some(&path))
    }

    #[test]
    fn a_secret_comes_from_a_value_or_a_file_or_not_at_all() {
        let of =
            |value: Option<&str>| Secret::from_value_or_file("key", value.map(str::to_owned), None).expect("no error");
        assert_eq!(of(None), None);
        assert_eq!(of(Some(" s3 ")).expect("a secret").expose(), " s3 ");
        assert_eq!(from_file(b"s3cret\r\n").expect("no error").expect("a secret").expose(), "s3cret");
    }

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        assert!(!format!("{:?}", Secret::new("hunter2".to_owned())).contains("hunter2"));
    }

    #[test]
    fn bad_secrets_are_refused_by_name_and_without_their_content() {
        let both = Secret::from_value_or_file("master-key", Some("hunter2".to_owned()), Some(Path::new("f")));
        let missing = Secret::from_value_or_file("master-key", None, Some(Path::new("no/such/file")));
        let cases = [
            (both, "both as a value and as a file"),
            (missing, "cannot read no/such/file"),
            (Secret::from_value_or_file("master-key", Some(" ".to_owned()), None), "empty"),
            (from_file(b"\n"), "empty"),
            (from_file(b"hunter2\xff"), "not UTF-8"),
            (from_file(&vec![b'x'; MAX_SECRET_BYTES as usize + 1]), "larger than"),
        ];
        for (result, expected) in cases {
            let shown = result.expect_err(expected).to_string();
            assert!(shown.contains(expected) && shown.contains("master-key"), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
