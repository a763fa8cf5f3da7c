//! Access tokens: who signs them and who believes whom.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use natter_platform::Clock;
use natter_platform::tokens::{DEFAULT_LIFETIME, KeyError, PrivateKey, PublicKey, Realm, Signer, Verifier};

use crate::exit::{Exit, Failure};
use crate::units::Time;

/// Shortest and longest life of a token. A longer one would outlive what is remembered of revocations.
const LIFETIME: std::ops::RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_secs(12 * 3600);

#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct RealmOptions {
    /// Who signs access tokens (`iss`). The same everywhere in a deployment.
    #[arg(long, env = "NATTER_TOKEN_ISSUER", value_name = "NAME", default_value_t = Realm::default().issuer)]
    token_issuer: String,

    /// Whom access tokens are for (`aud`). The same everywhere in a deployment.
    #[arg(long, env = "NATTER_TOKEN_AUDIENCE", value_name = "NAME", default_value_t = Realm::default().audience)]
    token_audience: String,
}

impl RealmOptions {
    fn realm(&self) -> Realm {
        Realm { issuer: self.token_issuer.clone(), audience: self.token_audience.clone() }
    }

    pub fn verifier(&self, keys: impl IntoIterator<Item = PublicKey>, clock: &Clock) -> Arc<Verifier> {
        Arc::new(Verifier::new(keys, &self.realm(), clock))
    }
}

#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct SigningOptions {
    #[command(flatten)]
    pub realm: RealmOptions,

    /// How long an access token is good for.
    #[arg(long, env = "NATTER_TOKEN_LIFETIME", value_name = "DURATION", default_value_t = Time::of(DEFAULT_LIFETIME), value_parser = lifetime)]
    token_lifetime: Time,
}

impl SigningOptions {
    pub fn signer(&self, key: &PrivateKey, clock: &Clock) -> Result<Arc<Signer>, Failure> {
        let signer = Signer::new(key, self.realm.realm(), self.token_lifetime.get(), clock);
        signer.map(Arc::new).map_err(|error| Failure::caused_by(Exit::Usage, &error))
    }
}

fn lifetime(text: &str) -> Result<Time, String> {
    let time: Time = text.parse()?;
    if LIFETIME.contains(&time.get()) { Ok(time) } else { Err("not between 30s and 12h".to_owned()) }
}

/// All keys in these files.
pub fn read_public_keys<'a>(
    files: impl IntoIterator<Item = &'a std::path::PathBuf>,
) -> Result<Vec<PublicKey>, Failure> {
    files.into_iter().try_fold(Vec::new(), |mut keys, file| {
        keys.extend(PublicKey::read_all(file).map_err(|error| bad_key(file, &error))?);
        Ok(keys)
    })
}

/// A key that was named in the configuration.
pub fn bad_key(file: &Path, error: &KeyError) -> Failure {
    let error = natter_platform::error::chain(error);
    Failure::new(Exit::Usage, format!("the key {}: {error}", file.display()))
}
