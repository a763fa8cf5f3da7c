//! Passwords: what one may be, and hashing them with argon2id.
//!
//! Hashing is made to be slow, so it runs on as many threads as there are cores, and a bounded number of requests waits
//! for one. Past that the answer is "later": a flood of logins may delay logins, but nothing else.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use natter_platform::Problem;
use natter_platform::secret::Secret;
use natter_protocol::ErrorCode;
use natter_protocol::limits::{MAX_PASSWORD_BYTES, MIN_PASSWORD_BYTES};
use tokio::sync::{Semaphore, TryAcquireError};

/// When it is worth to try again after the pool was full.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What hashing one password costs, and so what guessing one costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// What OWASP recommends for argon2id.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// The cost is not one that argon2 has.
#[derive(Debug, thiserror::Error)]
#[error(
    "argon2 can't hash with {} KiB, {} passes and {} lanes: it takes at least 1 pass, 1 lane and 8 KiB a lane",
    cost.memory_kib, cost.passes, cost.lanes
)]
pub struct InvalidCost {
    cost: PasswordCost,
}

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    #[error("the password hash failed")]
    Failed(#[source] password_hash::Error),
    #[error("the hashing thread ended early")]
    Ended,
}

/// Whether this may be a password: 8 to 1,024 bytes, whatever they are.
pub fn check(password: &Secret) -> Result<(), Problem> {
    if (MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&password.expose().len()) {
        return Ok(());
    }
    let detail = format!("a password is {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes long");
    Err(Problem::new(ErrorCode::Invalid, detail))
}

/// Hashes and verifies.
pub struct Passwords {
    argon2: Argon2<'static>,
    /// What is verified where there is nothing to verify against, so that an unknown handle takes as long as a wrong
    /// password.
    decoy: Arc<str>,
    /// One permit for each hash that runs or waits.
    places: Arc<Semaphore>,
    /// One permit for each hash that runs.
    running: Arc<Semaphore>,
}

impl Passwords {
    pub fn new(cost: PasswordCost, max_hashing: usize, max_waiting: usize) -> Result<Self, InvalidCost> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).map_err(|_| InvalidCost { cost })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobodys: [u8; 32] = rand::random();
        let decoy = argon2.hash_password(&nobodys).map_err(|_| InvalidCost { cost })?.to_string().into();
        let max_hashing = max_hashing.max(1);
        Ok(Self {
            argon2,
            decoy,
            places: Arc::new(Semaphore::new(max_hashing + max_waiting)),
            running: Arc::new(Semaphore::new(max_hashing)),
        })
    }

    /// The hash of a new password, as a PHC string.
    pub async fn hash(&self, password: Secret) -> Result<String, HashError> {
        let argon2 = self.argon2.clone();
        self.run(move || Ok(argon2.hash_password(password.expose().as_bytes())?.to_string())).await
    }

    /// Whether this is the password that the PHC string is of. Without a string it is not, and that takes as long.
    pub async fn verify(&self, password: Secret, phc: Option<&str>) -> Result<bool, HashError> {
        let argon2 = self.argon2.clone();
        let known = phc.is_some();
        let phc = phc.map_or_else(|| self.decoy.clone(), Arc::from);
        self.run(move || match argon2.verify_password(password.expose().as_bytes(), &*phc) {
            Ok(()) => Ok(known),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    async fn run<T, F>(&self, work: F) -> Result<T, HashError>
    where
        T: Send + 'static,
        F: FnOnce() -> password_hash::Result<T> + Send + 'static,
    {
        let place = match self.places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => return Err(HashError::Busy),
        };
        let turn = self.running.clone().acquire_owned().await.map_err(|_| HashError::Ended)?;
        // A client that leaves takes back its wait, but not a hash that runs: the permits go with the work.
        let work = tokio::task::spawn_blocking(move || {
            let _permits = (place, turn);
            work()
        });
        work.await.map_err(|_| HashError::Ended)?.map_err(HashError::Failed)
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => {
                metrics::counter!("natter_accounts_hashing_busy_total").increment(1);
                Problem::new(ErrorCode::Unavailable, "too many people are logging in at once").retry_after(RETRY_AFTER)
            }
            failed => Problem::internal(&failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn quick() -> PasswordCost {
        PasswordCost { memory_kib: 64, passes: 1, lanes: 1 }
    }

    #[test]
    fn a_password_is_8_to_1024_bytes() {
        for good in ["12345678", "ünïcödé", &"x".repeat(1024), "\0\n\t\u{7f} \u{0}  "] {
            assert!(check(&secret(good)).is_ok(), "{good:?}");
        }
        for bad in ["", "1234567", &"x".repeat(1025)] {
            let problem = check(&secret(bad)).expect_err("refused");
            assert_eq!(problem.code(), ErrorCode::Invalid);
            assert!(!problem.detail().contains("1234567"), "the problem repeats the password");
        }
    }

    #[tokio::test]
    async fn only_the_password_that_was_hashed_verifies() {
        let passwords = Passwords::new(PasswordCost::default(), 2, 10).expect("a cost");
        let phc = passwords.hash(secret("correct horse")).await.expect("hashed");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_ne!(phc, passwords.hash(secret("correct horse")).await.expect("hashed"), "the salt is new each time");
        assert!(passwords.verify(secret("correct horse"), Some(&phc)).await.expect("verified"));
        assert!(!passwords.verify(secret("correct horsf"), Some(&phc)).await.expect("verified"));
        assert!(!passwords.verify(secret("correct horse"), None).await.expect("verified"));
        assert!(matches!(passwords.verify(secret("x"), Some("not a hash")).await, Err(HashError::Failed(_))));
    }

    #[tokio::test]
    async fn an_unknown_handle_takes_as_long_as_a_wrong_password() {
        let passwords = Passwords::new(PasswordCost::default(), 1, 10).expect("a cost");
        let phc = passwords.hash(secret("correct horse")).await.expect("hashed");
        let time = async |phc: Option<&str>| {
            let mut best = Duration::MAX;
            for _ in 0..8 {
                let start = Instant::now();
                passwords.verify(secret("wrong horse"), phc).await.expect("verified");
                best = best.min(start.elapsed());
            }
            best
        };
        let (wrong, unknown) = (time(Some(&phc)).await, time(None).await);
        // The machine is noisy; what this is about is a factor of hundreds.
        assert!(unknown * 3 > wrong && wrong * 3 > unknown, "wrong {wrong:?}, unknown {unknown:?}");
    }

    #[tokio::test]
    async fn more_hashes_than_may_wait_are_refused_at_once_and_the_rest_are_done() {
        let passwords = Arc::new(Passwords::new(quick(), 1, 2).expect("a cost"));
        let hold = passwords.running.clone().acquire_owned().await.expect("open");
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(passwords.hash(secret("12345678")))).collect();
        for hash in &mut waiting {
            assert!(futures::poll!(hash).is_pending());
        }
        assert!(matches!(passwords.hash(secret("12345678")).await, Err(HashError::Busy)));
        // One that gives up makes room.
        waiting.pop();
        waiting.push(Box::pin(passwords.hash(secret("12345678"))));
        drop(hold);
        for hash in waiting {
            hash.await.expect("hashed");
        }
        let problem = Problem::from(HashError::Busy);
        assert_eq!((problem.code(), problem.retry_after_ms()), (ErrorCode::Unavailable, Some(2000)));
    }

    #[test]
    fn a_cost_that_argon2_does_not_have_is_refused_with_what_it_takes() {
        for cost in [
            PasswordCost { memory_kib: 1, ..quick() },
            PasswordCost { passes: 0, ..quick() },
            PasswordCost { lanes: 0, ..quick() },
        ] {
            let error = Passwords::new(cost, 1, 1).err().expect("refused").to_string();
            assert!(error.contains("at least 1 pass"), "{error}");
        }
    }
}
