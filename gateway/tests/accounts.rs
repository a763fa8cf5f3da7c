//! Accounts from outside: HTTP on one side, a real nats-server on the other, and where it matters two gateways.

#![allow(clippy::unwrap_used)]

#[path = "accounts/harness.rs"]
mod harness;
#[path = "accounts/hostile.rs"]
mod hostile;
#[path = "accounts/login.rs"]
mod login;
#[path = "accounts/logout.rs"]
mod logout;
#[path = "accounts/password_change.rs"]
mod password_change;
#[path = "accounts/refresh.rs"]
mod refresh;
#[path = "accounts/registration.rs"]
mod registration;
#[path = "accounts/state.rs"]
mod state;
