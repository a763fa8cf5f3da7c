//! A broker's address as an operator writes it: `nats://host:4222`, perhaps with a login in it.
//!
//! The client library ignores a login in an address, and shows the address in its logs. So it is taken out here.

use std::io;

use percent_encoding::percent_decode_str;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    pub(crate) login: Option<(String, String)>,
}

impl Address {
    pub(crate) fn parse(server: &str) -> io::Result<Address> {
        let bad = || io::Error::new(io::ErrorKind::InvalidInput, "not an address like nats://host:4222");
        let with_scheme = if server.contains("://") { server.to_owned() } else { format!("nats://{server}") };
        let url = url::Url::parse(&with_scheme).map_err(|_| bad())?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() || !matches!(url.scheme(), "nats" | "tls") || !matches!(url.path(), "" | "/") {
            return Err(bad());
        }
        let decode = |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
        let login = match url.password() {
            Some(password) => Some((decode(url.username()).map_err(|_| bad())?, decode(password).map_err(|_| bad())?)),
            None => None,
        };
        Ok(Address { host, port: url.port().unwrap_or(4222), tls: url.scheme() == "tls", login })
    }

    /// Without the login.
    pub(crate) fn shown(&self) -> String {
        let scheme = if self.tls { "tls" } else { "nats" };
        match self.host.contains(':') {
            true => format!("{scheme}://[{}]:{}", self.host, self.port),
            false => format!("{scheme}://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_their_defaults() {
        let address = Address::parse("localhost").expect("a bare host");
        assert_eq!((address.host.as_str(), address.port, address.tls), ("localhost", 4222, false));
        let address = Address::parse("tls://ann:sec%40ret@[::1]:5222").expect("all parts");
        assert_eq!((address.host.as_str(), address.port, address.tls), ("::1", 5222, true));
        assert_eq!(address.login, Some(("ann".into(), "sec@ret".into())));
        assert_eq!(address.shown(), "tls://[::1]:5222");
        assert_eq!(Address::parse("nats://a:b@host").expect("a login").shown(), "nats://host:4222");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "http://x", "nats://", "nats://x:99999", "http//x:y", "nats://a:%ff@x"] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
    }
}
