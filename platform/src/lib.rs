//! What every service needs and no domain: a clock, a life cycle, an HTTP server, problem documents, access tokens,
//! telemetry, an operator's door, secrets and rate limits.
//!
//! A service is a function of a bound listener, its dependencies and a [`lifecycle::Shutdown`]; everything here is made so
//! that tests, `natter up` and a deployment run that function alike.

pub mod clock;
pub mod error;
pub mod http;
pub mod lifecycle;
pub mod ops;
pub mod problem;
pub mod rate;
pub mod secret;
pub mod telemetry;
pub mod tokens;

pub use clock::{Clock, ManualClock};
pub use lifecycle::{Policy, Shutdown, Tasks};
pub use problem::Problem;
