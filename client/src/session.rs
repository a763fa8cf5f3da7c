//! Accounts: registering, logging in, and the session that follows: a short access token and the cookie that renews it.

use std::fmt;
use std::sync::Arc;

use ::http::header::{COOKIE, SET_COOKIE};
use natter_protocol::Handle;
use natter_protocol::http::{Login, Register, Tokens};
use reqwest::Response;
use tokio::sync::{Mutex, watch};
use tokio::time::{Duration, Instant};

use crate::error::HttpError;
use crate::http;
use crate::server::Server;

/// A login: who, an access token of a quarter of an hour or so, and the cookie that gets the next one. A [`Client`] that
/// is built with it renews it by itself. Clones are the same login.
///
/// [`Client`]: crate::Client
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    server: Server,
    http: reqwest::Client,
    user: Handle,
    token: watch::Sender<AccessToken>,
    cookie: watch::Sender<RefreshCookie>,
    /// One renewal at a time: a cookie that was used may be worth nothing.
    renewing: Mutex<()>,
}

/// What continues a session after a restart. Whoever has it is logged in: keep it where only its owner reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshCookie(String);

impl RefreshCookie {
    /// A cookie that [`as_str`](Self::as_str) gave.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The cookie as text, to be kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshCookie(…)")
    }
}

/// An access token and when it ends, as far as that is known.
#[derive(Clone)]
pub(crate) struct AccessToken {
    pub(crate) text: Arc<str>,
    pub(crate) ends: Option<Instant>,
}

impl Session {
    /// Makes an account and logs in.
    pub async fn register(
        server: &Server,
        handle: &Handle,
        password: &str,
        display_name: Option<&str>,
    ) -> Result<Self, HttpError> {
        let body = Register {
            handle: handle.clone(),
            password: password.to_owned(),
            display_name: display_name.map(str::to_owned),
        };
        let http = http::client()?;
        let response = http::send(http.post(server.http("/auth/register")).json(&body)).await?;
        Self::begin(server, http, response).await
    }

    /// Logs in to an account.
    pub async fn login(server: &Server, handle: &Handle, password: &str) -> Result<Self, HttpError> {
        let body = Login { handle: handle.clone(), password: password.to_owned() };
        let http = http::client()?;
        let response = http::send(http.post(server.http("/auth/login")).json(&body)).await?;
        Self::begin(server, http, response).await
    }

    /// Goes on with a session whose cookie was kept.
    pub async fn restore(server: &Server, cookie: &RefreshCookie) -> Result<Self, HttpError> {
        let http = http::client()?;
        let response = refresh(&http, server, cookie).await?;
        let kept = cookie.clone();
        Self::begin_with(server, http, response, Some(kept)).await
    }

    /// Who is logged in.
    pub fn user(&self) -> &Handle {
        &self.0.user
    }

    /// The deployment that the session is with.
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// The access token of this moment, for requests of one's own.
    pub fn access_token(&self) -> Arc<str> {
        self.0.token.borrow().text.clone()
    }

    /// The cookie, now and whenever it changes: a renewal may bring another one, and the old one is then worth nothing.
    pub fn cookie(&self) -> watch::Receiver<RefreshCookie> {
        self.0.cookie.subscribe()
    }

    /// Gets a new access token.
    pub async fn renew(&self) -> Result<(), HttpError> {
        self.renew_token().await.map(|_| ())
    }

    /// Ends the session, here and on the server.
    pub async fn logout(self) -> Result<(), HttpError> {
        let Inner { server, http, token, cookie, .. } = &*self.0;
        let (token, cookie) = (token.borrow().text.clone(), cookie.borrow().0.clone());
        let request = http.post(server.http("/auth/logout")).header(COOKIE, cookie).bearer_auth(token);
        http::send(request).await.map(|_| ())
    }

    pub(crate) fn token(&self) -> AccessToken {
        self.0.token.borrow().clone()
    }

    pub(crate) async fn renew_token(&self) -> Result<AccessToken, HttpError> {
        let before = self.token().text;
        let _one_at_a_time = self.0.renewing.lock().await;
        let current = self.token();
        if !Arc::ptr_eq(&before, &current.text) {
            return Ok(current);
        }
        let cookie = self.0.cookie.borrow().clone();
        let response = refresh(&self.0.http, &self.0.server, &cookie).await?;
        if let Some(cookie) = cookie_of(&response) {
            self.0.cookie.send_if_modified(|kept| std::mem::replace(kept, cookie.clone()) != cookie);
        }
        let (_, token) = tokens(response).await?;
        self.0.token.send_replace(token.clone());
        Ok(token)
    }

    async fn begin(server: &Server, http: reqwest::Client, response: Response) -> Result<Self, HttpError> {
        Self::begin_with(server, http, response, None).await
    }

    async fn begin_with(
        server: &Server,
        http: reqwest::Client,
        response: Response,
        kept: Option<RefreshCookie>,
    ) -> Result<Self, HttpError> {
        let status = response.status().as_u16();
        let cookie = cookie_of(&response).or(kept).ok_or(HttpError::Unexpected { status })?;
        let (user, token) = tokens(response).await?;
        Ok(Self(Arc::new(Inner {
            server: server.clone(),
            http,
            user,
            token: watch::Sender::new(token),
            cookie: watch::Sender::new(cookie),
            renewing: Mutex::new(()),
        })))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("server", &self.0.server).field("user", &self.0.user).finish_non_exhaustive()
    }
}

async fn refresh(http: &reqwest::Client, server: &Server, cookie: &RefreshCookie) -> Result<Response, HttpError> {
    http::send(http.post(server.http("/auth/refresh")).header(COOKIE, cookie.as_str())).await
}

/// The name and value of the cookie that an answer sets. Its attributes are for browsers.
fn cookie_of(response: &Response) -> Option<RefreshCookie> {
    response.headers().get_all(SET_COOKIE).iter().rev().find_map(|header| {
        let pair = header.to_str().ok()?.split(';').next()?.trim();
        let (name, value) = pair.split_once('=')?;
        (!name.is_empty() && !value.is_empty()).then(|| RefreshCookie(pair.to_owned()))
    })
}

async fn tokens(response: Response) -> Result<(Handle, AccessToken), HttpError> {
    let status = response.status().as_u16();
    let body = http::body(response).await?;
    let tokens: Tokens = serde_json::from_slice(&body).map_err(|_| HttpError::Unexpected { status })?;
    let ends = Instant::now() + Duration::from_secs(tokens.expires_in.min(365 * 24 * 3600));
    Ok((tokens.user, AccessToken { text: tokens.access_token.into(), ends: Some(ends) }))
}
