//! Accounts: registering, logging in and out, and who may act (D5, D6, HRT4).
//!
//! What is secret lies in buckets of the broker and never in the log: `credentials` (by handle; the entry is the claim to
//! the handle), `sessions` (a login each), `keys`, and `directory` for who is called what. What others have to know is an
//! event on the account's subject: that it began, and that logins ended.
//!
//! - `register`, `login`, `refresh`, `logout`, `password_change`: a route each
//! - [`account`]: the state of accounts, kept true by the feed; [`caller`]: from a token to an account that may act
//! - [`directory`]: handles and uids
//! - `session`: what a refresh secret means; `revoke`: ending logins; `enrol`: from a claim to an account

pub mod account;
pub mod caller;
pub mod config;
mod cookie;
mod credentials;
pub mod directory;
mod enrol;
pub mod error;
mod login;
mod logout;
pub mod password;
mod password_change;
mod refresh;
mod register;
mod request;
mod revoke;
mod session;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::StatusCode;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use natter_events::{SessionId, Uid};
use natter_log::{Bucket, KeyRing, Log};
use natter_platform::tokens::{Claims, Signer, Subject, Verifier};
use natter_platform::{Clock, Problem, http as platform_http};
use natter_protocol::http::Tokens;
use natter_protocol::{ErrorCode, Handle};

pub use account::{AccountState, Accounts, Refused, account_of};
pub use caller::Authenticated;
pub use config::AccountConfig;
pub use directory::Directory;
pub use error::AccountError;
pub use password::{InvalidCost, PasswordCost};

use crate::copies::Newer;

use cookie::RefreshToken;
use credentials::CredentialStore;
use password::Passwords;
use request::Limits;
use sessions::SessionStore;

/// What the accounts are built from.
pub struct AccountDeps {
    pub log: Log,
    pub keys: KeyRing,
    pub signer: Arc<Signer>,
    pub verifier: Arc<Verifier>,
    pub clock: Clock,
    /// Asks the gateway's tail; see [`copies`](crate::copies).
    pub newer: Newer,
    pub config: AccountConfig,
}

/// Everything about accounts.
pub struct AccountService {
    pub accounts: Accounts,
    pub directory: Directory,
    credentials: CredentialStore,
    sessions: SessionStore,
    passwords: Passwords,
    limits: Limits,
    log: Log,
    keys: KeyRing,
    signer: Arc<Signer>,
    verifier: Arc<Verifier>,
    clock: Clock,
    config: AccountConfig,
}

impl AccountService {
    /// The accounts. Fails if passwords can't be hashed at the configured cost.
    pub fn new(deps: AccountDeps) -> Result<Arc<Self>, InvalidCost> {
        let AccountDeps { log, keys, signer, verifier, clock, newer, config } = deps;
        Ok(Arc::new(Self {
            accounts: Accounts::new(log.clone(), config.max_cached_accounts, newer),
            directory: Directory::new(log.bucket(Bucket::Directory), config.max_cached_names),
            credentials: CredentialStore::new(log.bucket(Bucket::Credentials)),
            sessions: SessionStore::new(log.bucket(Bucket::Sessions)),
            passwords: Passwords::new(config.password_cost, config.max_hashing, config.max_waiting)?,
            limits: Limits::new(&config, &clock),
            log,
            keys,
            signer,
            verifier,
            clock,
            config,
        }))
    }

    fn mint(&self, uid: Uid, session: SessionId, handle: &Handle) -> Result<(String, Claims), AccountError> {
        Ok(self.signer.mint(Subject::new(uid, session, handle.as_str()))?)
    }

    /// The answer that gives someone their tokens.
    fn answer(&self, status: StatusCode, access_token: String, user: &Handle, refresh: &RefreshToken) -> Response {
        let tokens = Tokens { access_token, expires_in: self.signer.lifetime().as_secs(), user: user.clone() };
        let cookie = cookie::set(refresh, self.config.session_ttl, self.config.secure_cookies);
        (status, [(SET_COOKIE, cookie), (CACHE_CONTROL, NO_STORE)], axum::Json(tokens)).into_response()
    }

    /// The answer to a cookie that continues no login; it goes away.
    fn refused(&self) -> Response {
        let problem = Problem::new(ErrorCode::Unauthenticated, "there is no login to go on with: log in again");
        ([(SET_COOKIE, cookie::clear(self.config.secure_cookies))], problem).into_response()
    }
}

const NO_STORE: http::HeaderValue = http::HeaderValue::from_static("no-store");

/// The routes below `/auth`.
pub fn routes(service: Arc<AccountService>) -> Router {
    Router::new()
        .route("/auth/register", post(register::register))
        .route("/auth/login", post(login::login))
        .route("/auth/refresh", post(refresh::refresh))
        .route("/auth/logout", post(logout::logout))
        .route("/auth/password", post(password_change::change_password))
        .layer(platform_http::body_limit(config::MAX_BODY_BYTES))
        .with_state(service)
}
