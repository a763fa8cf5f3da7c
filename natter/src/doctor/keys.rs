//! Whether the keys can be read, and belong together.

use std::path::PathBuf;

use natter_platform::error::chain;
use natter_platform::tokens::{PrivateKey, PublicKey};

use super::report::Report;
use crate::master_key;

pub struct Files {
    pub signing: Option<PathBuf>,
    pub public: Vec<PathBuf>,
    pub master: Option<PathBuf>,
}

pub fn check(files: &Files, report: &mut Report) {
    let signing = files.signing.as_ref().and_then(|file| match PrivateKey::read(file) {
        Ok(key) => {
            let id = key.public().kid();
            report.ok("signing key", format!("{} is good; its id is {id}", file.display()));
            Some(id)
        }
        Err(error) => {
            report.fail(
                "signing key",
                chain(&error),
                "restore it from a backup, or make a new one: all will have to log in again",
            );
            None
        }
    });
    check_public(&files.public, signing, report);
    if let Some(file) = &files.master {
        match master_key::read(file) {
            Ok(_) => report.ok("master key", format!("{} is good", file.display())),
            Err(error) => report.fail(
                "master key",
                error.to_string(),
                "restore it from a backup: without it nobody can read what was written",
            ),
        }
    }
}

/// History believes the gateways only if it has their public keys.
fn check_public(files: &[PathBuf], signing: Option<String>, report: &mut Report) {
    let mut known = Vec::new();
    for file in files {
        match PublicKey::read_all(file) {
            Ok(keys) => {
                let ids: Vec<String> = keys.iter().map(PublicKey::kid).collect();
                report.ok("public key", format!("{} holds {}", file.display(), ids.join(", ")));
                known.extend(ids);
            }
            Err(error) => report.fail(
                "public key",
                format!("{}: {}", file.display(), chain(&error)),
                "copy it from the gateway's machine again",
            ),
        }
    }
    if let Some(id) = signing
        && !files.is_empty()
        && !known.contains(&id)
    {
        let advice = "add its public half to --public-key of every history API, or nobody can read history";
        report.fail("public key", format!("the signing key {id} is not among the public keys"), advice);
    }
}
