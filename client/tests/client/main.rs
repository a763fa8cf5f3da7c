//! The client against a peer that speaks the protocol's real bytes over real TCP, step by step as each test says.

mod accounts;
mod changes;
mod commands;
mod connecting;
mod history;
mod peer;
mod reading;
mod rooms;
