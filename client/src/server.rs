//! Where a deployment is: one public origin, from which every address follows.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use crate::error::InvalidServer;

/// The public origin of a deployment, like `https://chat.example.org` or `http://localhost:8080`. A path before the doors
/// (`https://example.org/chat`) is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    base: Url,
    history: Option<Url>,
}

impl Server {
    /// Asks this address for history instead of the public one, for deployments without a proxy in front.
    pub fn with_history(mut self, address: &str) -> Result<Self, InvalidServer> {
        self.history = Some(parse(address)?);
        Ok(self)
    }

    /// The address of `path` over HTTP. History has its own address where one was given.
    pub(crate) fn http(&self, path: &str) -> Url {
        let base = match &self.history {
            Some(history) if path.starts_with("/history") => history,
            _ => &self.base,
        };
        join(base, path)
    }

    /// The socket's address.
    pub(crate) fn socket(&self) -> Url {
        let mut url = join(&self.base, "/ws");
        // `http` and `https` are the only schemes that `parse` lets through, and both may become these.
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        let _ = url.set_scheme(scheme);
        url
    }
}

impl FromStr for Server {
    type Err = InvalidServer;

    fn from_str(text: &str) -> Result<Self, InvalidServer> {
        Ok(Self { base: parse(text)?, history: None })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

fn parse(text: &str) -> Result<Url, InvalidServer> {
    let invalid = |reason| InvalidServer { reason };
    let text = text.trim();
    // What people type: `localhost:8080`.
    let typed = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let mut url = Url::parse(&typed).map_err(|_| invalid("it is not a URL like https://chat.example.org"))?;
    let scheme = match url.scheme() {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => return Err(invalid("its scheme has to be http or https")),
    };
    if scheme != url.scheme() {
        let rest = typed.split_once("://").map_or("", |(_, rest)| rest);
        url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| invalid("it is not a URL"))?;
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("it names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("a user or password does not belong in it"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("a query does not belong in it"));
    }
    Ok(url)
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
    fn every_address_follows_from_the_origin() {
        for (typed, http, socket) in [
            ("http://localhost:8080", "http://localhost:8080/auth/login", "ws://localhost:8080/ws"),
            ("localhost:8080", "http://localhost:8080/auth/login", "ws://localhost:8080/ws"),
            ("wss://chat.example.org/", "https://chat.example.org/auth/login", "wss://chat.example.org/ws"),
            ("https://example.org/chat/", "https://example.org/chat/auth/login", "wss://example.org/chat/ws"),
            ("http://[::1]:9", "http://[::1]:9/auth/login", "ws://[::1]:9/ws"),
        ] {
            let server: Server = typed.parse().expect(typed);
            assert_eq!(server.http("/auth/login").as_str(), http);
            assert_eq!(server.socket().as_str(), socket);
        }
    }

    #[test]
    fn history_may_be_elsewhere() {
        let server: Server = "http://a:1".parse().expect("a URL");
        let server = server.with_history("http://b:2").expect("a URL");
        assert_eq!(server.http("/history/users").as_str(), "http://b:2/history/users");
        assert_eq!(server.http("/api/online").as_str(), "http://a:1/api/online");
    }

    #[test]
    fn con1_nothing_secret_gets_into_an_address() {
        for bad in ["", "ftp://a", "http://", "http://al:pw@host", "http://host/?token=x", "http://a b", "://"] {
            assert!(bad.parse::<Server>().is_err(), "{bad}");
        }
    }
}
