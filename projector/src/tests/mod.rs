//! The projector over real PostgreSQL and a real broker.
//!
//! [`paper`] makes events that never were in a broker, at any time of the calendar, and applies them directly; what needs a
//! log to follow is in [`live`].

mod accounts;
mod chat;
mod damaged;
mod fences;
mod golden;
mod histories;
mod interruptions;
mod live;
mod malformed;
mod other_logs;
mod paper;
mod partitions;
mod presence;
mod rebuild;
mod repair;
mod retention;
mod room_histories;
mod rooms;
mod statements;
mod tables;
mod verify;
