//! The keys of a deployment on one machine: made at the first start, for nobody else to read.
//!
//! `keys/signing.pem` signs access tokens, `keys/signing.pub.pem` verifies them, `keys/master.key` wraps the keys that
//! what people write is sealed with. Without the last one, nobody can ever read the log again: a copy of it belongs in a safe
//! place, and is in no backup.

use std::io;
use std::path::{Path, PathBuf};

use natter_platform::tokens::{KeyError, PrivateKey};

use crate::exit::{Exit, Failure};
use crate::master_key;

pub struct Keys {
    pub signing: PathBuf,
    pub master: PathBuf,
}

impl Keys {
    pub fn read_or_create(folder: &Path) -> Result<Self, Failure> {
        let keys = Self { signing: folder.join("signing.pem"), master: folder.join("master.key") };
        let signing = PrivateKey::read_or_create(&keys.signing).map_err(|error| damaged(&keys.signing, &error))?;
        let public = signing.public().pem().map_err(|error| Failure::caused_by(Exit::Other, &error))?;
        write_public(&folder.join("signing.pub.pem"), &public)?;
        master_key::read_or_create(&keys.master)?;
        Ok(keys)
    }
}

fn damaged(path: &Path, error: &KeyError) -> Failure {
    let exit = if matches!(error, KeyError::File { .. }) { Exit::Folder } else { Exit::HalfInitialised };
    let error = natter_platform::error::chain(error);
    Failure::new(exit, format!("the key {}: {error}. Restore it from a backup", path.display()))
}

/// For other programs that verify tokens. It follows from the private key, so it is written again whenever it differs.
fn write_public(path: &Path, pem: &str) -> Result<(), Failure> {
    let written = match std::fs::read_to_string(path) {
        Ok(there) if there == pem => Ok(()),
        Ok(_) => std::fs::write(path, pem),
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::write(path, pem),
        Err(error) => Err(error),
    };
    written.map_err(|error| Failure::new(Exit::Folder, format!("cannot write {}: {error}", path.display())))
}
