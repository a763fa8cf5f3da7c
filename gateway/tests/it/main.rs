//! The gateway from outside: real sockets and HTTP on one side, a real nats-server on the other.

#![allow(clippy::unwrap_used)]

mod rig;
mod smoke;
