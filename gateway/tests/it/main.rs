//! The gateway from outside: real sockets and HTTP on one side, a real nats-server on the other.

#![allow(clippy::unwrap_used)]

mod api;
mod blocking;
mod changing;
mod commands;
mod connecting;
mod copies;
mod cuts;
mod damaged;
mod events;
mod faults;
mod frames;
mod heartbeat;
mod hostile;
mod marking;
mod preferring;
mod presence;
mod received;
mod repeats;
mod resuming;
mod rig;
mod room_events;
mod rooms;
mod slow;
mod smoke;
mod socket;
mod together;
mod web;
