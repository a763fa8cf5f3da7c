//! The history API through HTTP, over a real PostgreSQL, as a role that may only read.

#![allow(clippy::unwrap_used)]

mod changes;
mod commands;
mod conversations;
mod direct;
mod hostile;
mod log;
mod login;
mod messages;
mod moments;
mod outages;
mod people;
mod positions;
mod room_log;
mod room_pages;
mod rooms;
mod search;
mod service;
mod world;
