//! The Rust client of Natter: what its terminal client, its load generator and bots are made of.
//!
//! ```no_run
//! use natter_client::{Client, Event};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (client, mut events) =
//!     Client::builder("http://localhost:8080").login("ada".parse()?, "correct horse").connect().await?;
//! let sent = client.send("bob".parse::<natter_client::Handle>()?, "Good morning!").await?;
//! println!("in the log at {}", sent.seq);
//! while let Some(event) = events.next().await {
//!     if let Event::Message(message) = event {
//!         println!("{}: {}", message.sender, message.text);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What it takes care of:
//!
//! - It [reconnects](State) by itself, with growing random waits, and resumes: after a cut, what was missed comes first, in
//!   order, nothing twice, or a [`Event::Reset`] says that it has to be read from [`History`].
//! - It renews the access token of a [`Session`] ahead of its end, without a reconnection.
//! - [`Client::send`] is exactly once: a command keeps its id until it is answered, over reconnections and, with
//!   [`Builder::outbox_file`], over restarts of the program.
//! - A [`Timeline`] makes of pages and events the messages as they now stand: edited, deleted, reacted to,
//!   pinned, answered in a thread.
//! - Everything that waits is bounded, and nothing is dropped silently: a full outbox makes senders wait, events that
//!   nobody reads stall the socket.
//!
//! The rules that are named here (CON3, CMD2 …) are those of Natter's protocol document.
#![warn(missing_docs)]

mod builder;
mod client;
mod connection;
mod credentials;
mod error;
mod event;
mod history;
mod http;
mod outbox;
mod room;
mod server;
mod session;
pub mod socket;
mod timeline;

pub use builder::Builder;
pub use client::{Client, Recipients, Sending};
pub use connection::State;
pub use error::{ConnectError, HttpError, InvalidServer, OutboxFileError, Refused, SendError, StopReason};
pub use event::{Event, Events, Sent};
pub use history::{History, Pages, Search};
pub use outbox::Command;
pub use room::{CreatingRoom, InRoom, UpdatingRoom};
pub use server::Server;
pub use session::{RefreshCookie, Session};
pub use timeline::{Own, StalePage, Timeline};

pub use natter_events::{ClientId, ConversationId, PresenceStatus, Role, Visibility};
pub use natter_protocol::frame::{
    Block, Blocked, Delete, Deleted, Delivered, Edit, Edited, Mark, Marker, Member, MemberChange, Message, Notify, Pin,
    Pinned, Prefer, Preferences, Preferred, Presence, PresenceChoice, Profile, React, Reaction, ResetReason, Room,
    RoomCommand, RoomCreate, RoomMember, RoomRole, RoomUpdate, Send, SetProfile, To, Toggle, TypingNow,
};
pub use natter_protocol::history::{
    BanItem, BlockItem, ConversationItem, ConversationKind, MemberItem, MessageItem, Page, PinItem, ReactionItem,
    RepliesItem, ReplyItem, RoomItem, UserItem, VersionItem,
};
pub use natter_protocol::{Encoding, ErrorCode, Handle, Position, Timestamp};
