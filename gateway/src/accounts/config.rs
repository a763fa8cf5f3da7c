//! What the accounts can be told, with every bound in one place.

use std::num::NonZeroU32;
use std::time::Duration;

use natter_platform::rate::Limit;

use super::password::PasswordCost;

/// Largest body of a request to `/auth`: two of the longest passwords, with every character escaped.
pub(super) const MAX_BODY_BYTES: usize = 16 * 1024;

/// The settings of the accounts.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// Whether the refresh cookie is for https only: true wherever people come by https.
    pub secure_cookies: bool,
    /// How long a login lasts that is not used; the same as the log's `session_ttl`, by which entries expire.
    pub session_ttl: Duration,
    /// What guessing a password costs.
    pub password_cost: PasswordCost,
    /// Passwords that are hashed at once. Each takes a core and `password_cost.memory_kib`.
    pub max_hashing: usize,
    /// Passwords that may wait to be hashed; past it the answer is `unavailable`.
    pub max_waiting: usize,
    pub registrations_per_address: Limit,
    pub logins_per_address: Limit,
    /// Tries of passwords, right or wrong, from wherever they come.
    pub logins_per_handle: Limit,
    /// Refreshes and logouts. Many people may share one address, and each of them refreshes every few minutes.
    pub refreshes_per_address: Limit,
    /// How many proxies of the deployment stand between clients and gateway: the client's address is the entry of
    /// `X-Forwarded-For` that the outermost of them added. With 0 that header is not looked at.
    pub trusted_proxies: usize,
    /// Accounts whose state is kept in memory.
    pub max_cached_accounts: u64,
    /// Names of people that are kept in memory, in each direction.
    pub max_cached_names: u64,
}

impl AccountConfig {
    /// The settings for people who come to this origin (`https://chat.example.org`).
    pub fn for_origin(public_origin: &str) -> Self {
        let scheme = public_origin.split("://").next().unwrap_or_default();
        Self { secure_cookies: scheme.eq_ignore_ascii_case("https"), ..Self::default() }
    }
}

impl Default for AccountConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            secure_cookies: false,
            session_ttl: Duration::from_secs(14 * 24 * 3600),
            password_cost: PasswordCost::default(),
            max_hashing: cores,
            max_waiting: 64 * cores,
            registrations_per_address: limit(60, 600),
            logins_per_address: limit(60, 60),
            logins_per_handle: limit(20, 60),
            refreshes_per_address: limit(600, 60),
            trusted_proxies: 0,
            max_cached_accounts: 200_000,
            max_cached_names: 200_000,
        }
    }
}

fn limit(count: u32, window_s: u64) -> Limit {
    const MAX_KEYS: usize = 100_000;
    let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
    Limit { count, window: Duration::from_secs(window_s), max_keys: MAX_KEYS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_for_https_only_where_people_come_by_https() {
        for (origin, secure) in
            [("https://chat.example.org", true), ("HTTPS://x", true), ("http://localhost:8080", false), ("", false)]
        {
            assert_eq!(AccountConfig::for_origin(origin).secure_cookies, secure, "{origin}");
        }
    }
}
