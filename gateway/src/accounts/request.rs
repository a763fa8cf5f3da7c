//! What every request to `/auth` is asked first: from where it comes, whether it is too many, and whether a page of ours
//! sent it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::HeaderMap;
use http::request::Parts;
use natter_platform::rate::KeyedLimiter;
use natter_platform::{Clock, Problem};
use natter_protocol::{ErrorCode, Handle};

use super::AccountService;
use super::config::AccountConfig;

/// The header that a page of another site can't send without asking, beside `SameSite=Strict`.
const CLIENT_HEADER: &str = "natter-client";
const MAX_CLIENT_BYTES: usize = 200;
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Where a request comes from, as far as limits tell addresses apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address behind `trusted_proxies` proxies of ours. What stands further left in the header anyone can write.
    fn of(peer: Option<IpAddr>, headers: &HeaderMap, trusted_proxies: usize) -> Self {
        let values = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
        let forwarded = match trusted_proxies {
            0 => None,
            proxies => hops.len().checked_sub(proxies).and_then(|index| hops.get(index)?.parse().ok()),
        };
        Self::grouped(forwarded.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// Whoever has one address of an IPv6 network has all 2^64 of it: they count as one.
    fn grouped(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            v4 => Self(v4),
        }
    }
}

impl FromRequestParts<Arc<AccountService>> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<AccountService>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        Ok(Self::of(peer, &parts.headers, service.config.trusted_proxies))
    }
}

/// How often passwords may be tried and accounts made.
pub(super) struct Limits {
    registrations: KeyedLimiter<ClientAddress>,
    logins: KeyedLimiter<ClientAddress>,
    tries: KeyedLimiter<Handle>,
    refreshes: KeyedLimiter<ClientAddress>,
}

impl Limits {
    pub fn new(config: &AccountConfig, clock: &Clock) -> Self {
        Self {
            registrations: KeyedLimiter::new(config.registrations_per_address, clock),
            logins: KeyedLimiter::new(config.logins_per_address, clock),
            tries: KeyedLimiter::new(config.logins_per_handle, clock),
            refreshes: KeyedLimiter::new(config.refreshes_per_address, clock),
        }
    }

    pub fn registration(&self, from: ClientAddress) -> Result<(), Problem> {
        self.registrations.check(&from).map_err(|wait| too_many(wait, "too many accounts were made from this address"))
    }

    pub fn login(&self, from: ClientAddress, handle: &Handle) -> Result<(), Problem> {
        self.logins.check(&from).map_err(|wait| too_many(wait, "too many logins from this address"))?;
        self.password_try(handle)
    }

    pub fn password_try(&self, handle: &Handle) -> Result<(), Problem> {
        self.tries.check(handle).map_err(|wait| too_many(wait, "too many tries to log in to this account"))
    }

    pub fn refresh(&self, from: ClientAddress) -> Result<(), Problem> {
        self.refreshes.check(&from).map_err(|wait| too_many(wait, "too many requests from this address"))
    }
}

fn too_many(wait: Duration, detail: &'static str) -> Problem {
    metrics::counter!("natter_accounts_rate_limited_total").increment(1);
    Problem::new(ErrorCode::RateLimited, detail).retry_after(wait)
}

/// Refuses what another site's page could have sent in the name of a person who is logged in: the cookie alone is not
/// enough.
pub(super) fn require_client_header(headers: &HeaderMap) -> Result<(), Problem> {
    let client = headers.get(CLIENT_HEADER).map_or(0, |client| client.as_bytes().len());
    if (1..=MAX_CLIENT_BYTES).contains(&client) {
        return Ok(());
    }
    Err(Problem::new(ErrorCode::Forbidden, "this needs a header `Natter-Client` with the client's name and version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, forwarded: &[&str], trusted_proxies: usize) -> String {
        let headers = forwarded
            .iter()
            .map(|value| (http::HeaderName::from_static(FORWARDED_FOR), value.parse().expect("a header")))
            .collect();
        ClientAddress::of(peer.parse().ok(), &headers, trusted_proxies).0.to_string()
    }

    #[test]
    fn a_forwarded_address_counts_only_as_far_as_our_own_proxies_wrote_it() {
        assert_eq!(of("10.0.0.1", &["1.1.1.1"], 0), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["6.6.6.6, 1.1.1.1"], 1), "1.1.1.1");
        assert_eq!(of("10.0.0.1", &["6.6.6.6", "1.1.1.1, 10.0.0.2"], 2), "1.1.1.1");
        for malformed in ["", "unknown", "1.1.1.1:80", ","] {
            assert_eq!(of("10.0.0.1", &[malformed], 1), "10.0.0.1", "{malformed}");
        }
        assert_eq!(of("10.0.0.1", &["1.1.1.1"], 2), "10.0.0.1", "fewer than there should be");
        assert_eq!(of("nobody", &[], 1), "0.0.0.0");
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one_address() {
        assert_eq!(of("2001:db8:1:2:3:4:5:6", &[], 0), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.1", &[], 0), "192.0.2.1");
    }
}
