//! The users of a load run: `load-0001` and so on, accounts like any other. They are registered over the API once; after
//! that only their uids are needed, because tokens are minted with the deployment's key. Uids are kept in a file between
//! runs. Where that is missing, the accounts are logged in to: their passwords follow from the deployment's key, so that
//! only who could mint their tokens anyway can know them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use natter_events::{SessionId, Uid};
use natter_platform::Clock;
use natter_platform::tokens::{PrivateKey, Realm, Signer, Subject, Verifier};
use natter_protocol::http::{Login, ProblemDocument, Register, Tokens};
use natter_protocol::{ErrorCode, Handle};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::plan::handle;
use crate::exit::{Exit, Failure};

/// Requests at once: hashing passwords is what the server does slowest.
const CONCURRENCY: usize = 4;
/// Accounts that are made from one address before the next is taken; the server allows sixty in ten minutes.
const PER_ADDRESS: usize = 50;
/// A server that says `later` for longer than this in all is given up.
const LONGEST_WAIT: Duration = Duration::from_secs(900);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A user of the run.
#[derive(Debug, Clone)]
pub struct User {
    pub handle: Handle,
    pub token: String,
}

pub struct Accounts {
    key: PrivateKey,
    realm: Realm,
    clock: Clock,
    file: Option<PathBuf>,
    kept: Kept,
}

/// The file: uids by handle, by the key of the deployment that they are good for.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept(BTreeMap<String, BTreeMap<String, String>>);

impl Accounts {
    pub fn new(key: PrivateKey, realm: Realm, clock: Clock) -> Self {
        let file = state_file();
        let text = file.as_ref().and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
        // A damaged file costs logging in once more.
        let kept = serde_json::from_slice(&text).unwrap_or_default();
        Self { key, realm, clock, file, kept }
    }

    /// Makes sure that `users` accounts exist, and says how many were made or logged in to now.
    pub async fn prepare(&mut self, base: &Url, users: usize) -> Result<usize, Failure> {
        let kid = self.key.public().kid();
        let known = self.kept.0.entry(kid).or_default();
        let missing: Vec<usize> = (0..users).filter(|index| !known.contains_key(handle(*index).as_str())).collect();
        if missing.is_empty() {
            return Ok(0);
        }
        let (made, secret) = (missing.len(), self.secret()?);
        let verifier = Verifier::new([self.key.public()], &self.realm, &self.clock);
        let uids: Vec<(Handle, Uid)> = stream::iter(missing.into_iter().enumerate())
            .map(|(turn, index)| {
                enter(base.clone(), handle(index), password(&secret, &handle(index)), turn / PER_ADDRESS)
            })
            .buffer_unordered(CONCURRENCY)
            .and_then(|(handle, token)| {
                let claims = verifier.verify(&token).map_err(|error| {
                    Failure::new(Exit::Usage, format!("the server does not sign with this key: {error}"))
                });
                std::future::ready(claims.map(|claims| (handle, claims.uid)))
            })
            .try_collect()
            .await?;
        let known = self.kept.0.entry(self.key.public().kid()).or_default();
        known.extend(uids.into_iter().map(|(handle, uid)| (handle.to_string(), uid.to_string())));
        self.keep();
        Ok(made)
    }

    /// Forgets what the file says: the deployment does not know these users any more.
    pub fn forget(&mut self) {
        self.kept.0.remove(&self.key.public().kid());
    }

    /// Users with tokens that are good for `lifetime` and allow `rate` messages in ten seconds.
    pub fn users(&self, users: usize, lifetime: Duration, rate: u32) -> Result<Vec<User>, Failure> {
        let usage = |error: &(dyn std::error::Error + 'static)| Failure::caused_by(Exit::Usage, error);
        let signer =
            Signer::new(&self.key, self.realm.clone(), lifetime, &self.clock).map_err(|error| usage(&error))?;
        let known = self.kept.0.get(&self.key.public().kid());
        (0..users)
            .map(|index| {
                let handle = handle(index);
                let uid = known.and_then(|known| known.get(handle.as_str())?.parse().ok());
                let uid = uid.ok_or_else(|| Failure::new(Exit::Other, format!("no uid of {handle} is known")))?;
                let subject = Subject { rate: Some(rate), ..Subject::new(uid, SessionId::random(), handle.as_str()) };
                let (token, _) = signer.mint(subject).map_err(|error| usage(&error))?;
                Ok(User { handle, token })
            })
            .collect()
    }

    fn secret(&self) -> Result<[u8; 32], Failure> {
        let pem = self.key.pem().map_err(|error| Failure::caused_by(Exit::Usage, &error))?;
        Ok(blake3::derive_key("natter load: passwords of the load users, version 1", pem.expose().as_bytes()))
    }

    /// Not being able to write costs time at the next run, and nothing else.
    fn keep(&self) {
        let Some(file) = &self.file else { return };
        let written = serde_json::to_vec(&self.kept).map_err(std::io::Error::from).and_then(|text| {
            file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            let beside = file.with_extension("new");
            std::fs::write(&beside, text)?;
            std::fs::rename(beside, file)
        });
        if let Err(error) = written {
            eprintln!("natter load: {} can't be written, so the next run logs in again: {error}", file.display());
        }
    }
}

fn password(secret: &[u8; 32], handle: &Handle) -> String {
    blake3::keyed_hash(secret, handle.as_str().as_bytes()).to_hex().to_string()
}

fn state_file() -> Option<PathBuf> {
    crate::chat::state_folder().map(|folder| folder.join("load-accounts.json"))
}

/// Registers an account, or logs in to it if it is there. Gives its access token.
async fn enter(base: Url, handle: Handle, password: String, group: usize) -> Result<(Handle, String), Failure> {
    let http = client(&base, group)?;
    let register = Register { handle: handle.clone(), password: password.clone(), display_name: None };
    let response = ask(&http, join(&base, "/auth/register"), &register).await?;
    let tokens = match response {
        Ok(tokens) => tokens,
        Err(problem) if problem.code == ErrorCode::Conflict => {
            let login = Login { handle: handle.clone(), password };
            ask(&http, join(&base, "/auth/login"), &login).await?.map_err(|problem| refused(&handle, &problem))?
        }
        Err(problem) => return Err(refused(&handle, &problem)),
    };
    Ok((handle, tokens.access_token))
}

fn refused(handle: &Handle, problem: &ProblemDocument) -> Failure {
    let detail = problem.detail.as_deref().unwrap_or(&problem.title);
    Failure::new(Exit::Unreachable, format!("the account {handle} can't be used: {detail} ({})", problem.code.as_str()))
}

/// Posts until the answer is not `later`.
async fn ask<T: Serialize>(
    http: &reqwest::Client,
    url: Url,
    body: &T,
) -> Result<Result<Tokens, ProblemDocument>, Failure> {
    let failed = |error: reqwest::Error| Failure::new(Exit::Unreachable, natter_platform::error::chain(&error));
    let mut waited = Duration::ZERO;
    loop {
        let response = http.post(url.clone()).json(body).send().await.map_err(failed)?;
        if response.status().is_success() {
            return response.json().await.map(Ok).map_err(failed);
        }
        let status = response.status();
        let problem: ProblemDocument = response
            .json()
            .await
            .map_err(|_| Failure::new(Exit::Unreachable, format!("{url} answered {status}, which is not Natter's")))?;
        if !problem.temporary || waited >= LONGEST_WAIT {
            return Ok(Err(problem));
        }
        let wait = Duration::from_millis(problem.retry_after_ms.unwrap_or(500)).min(LONGEST_WAIT);
        if wait >= Duration::from_secs(2) {
            eprintln!("natter load: the server allows no more accounts for {} s; waiting", wait.as_secs());
        }
        waited += wait;
        tokio::time::sleep(wait).await;
    }
}

/// On this machine each group of accounts comes from another of its addresses, because the server counts by address.
fn client(base: &Url, group: usize) -> Result<reqwest::Client, Failure> {
    let local = address_of(base, group);
    let builder = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).local_address(local).user_agent("natter-load");
    builder.build().map_err(|error| Failure::caused_by(Exit::Other, &error))
}

fn address_of(base: &Url, group: usize) -> Option<IpAddr> {
    let loopback = match base.host_str()? {
        "localhost" => true,
        host => host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
    };
    let group = u8::try_from(group % 200).unwrap_or(0);
    (loopback && cfg!(target_os = "linux")).then(|| IpAddr::V4(Ipv4Addr::new(127, 0, 9, group + 1)))
}

fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_follow_from_the_key_and_differ() {
        let (one, two) = ([1; 32], [2; 32]);
        let (ada, bob) = (handle(0), handle(1));
        assert_eq!(password(&one, &ada), password(&one, &ada));
        assert_ne!(password(&one, &ada), password(&one, &bob));
        assert_ne!(password(&one, &ada), password(&two, &ada));
    }

    #[test]
    fn only_on_this_machine_other_addresses_are_taken() {
        let of = |url: &str, group| address_of(&url.parse().expect("a URL"), group);
        assert_eq!(of("http://example.org", 1), None);
        assert_eq!(of("http://192.0.2.1:80", 1), None);
        assert_ne!(of("http://127.0.0.1:80", 0), of("http://localhost:80", 1));
    }
}
