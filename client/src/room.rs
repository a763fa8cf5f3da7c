//! Rooms: making one, changing it, and who is in it. All of it goes through the outbox, like messages.

use std::future::IntoFuture;

use futures::FutureExt;
use futures::future::BoxFuture;
use natter_events::{ClientId, ConversationId, Role, Visibility};
use natter_protocol::Handle;
use natter_protocol::frame::{RoomCommand, RoomCreate, RoomMember, RoomRole, RoomUpdate};

use crate::client::Client;
use crate::error::SendError;
use crate::event::Sent;
use crate::outbox::Command;

impl Client {
    /// Makes a room with the user as its owner: public, unless [`private`](CreatingRoom::private) says otherwise.
    /// Awaiting gives the answer, with the room's id as its [`conversation`](Sent::conversation) and in
    /// [`refused`](Sent::refused) who was to be in it and is not. Goes through the outbox like [`send`](Self::send).
    ///
    /// ```no_run
    /// # use natter_client::{Client, SendError};
    /// # async fn example(client: &Client) -> Result<(), SendError> {
    /// let made = client.create_room("engines").private().members(["bob".parse().expect("a handle")]).await?;
    /// if let Some(room) = made.conversation {
    ///     client.send(room, "Welcome!").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_room(&self, name: impl Into<String>) -> CreatingRoom<'_> {
        let create = RoomCreate {
            reference: None,
            id: self.new_id(),
            name: name.into(),
            topic: None,
            visibility: Visibility::Public,
            members: Vec::new(),
        };
        CreatingRoom { client: self, create }
    }

    /// A room that is there, to do something to it. What the user's role does not allow is refused with
    /// [`Forbidden`](crate::ErrorCode::Forbidden), and a room that they may not see with
    /// [`NotFound`](crate::ErrorCode::NotFound), like one that is not there.
    ///
    /// ```no_run
    /// # use natter_client::{Client, ConversationId, Role, SendError};
    /// # async fn example(client: &Client, room: ConversationId) -> Result<(), SendError> {
    /// client.room(room).update().topic("steam and brass").await?;
    /// client.room(room).set_role("bob".parse().expect("a handle"), Role::Moderator).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn room(&self, room: ConversationId) -> InRoom<'_> {
        InRoom { client: self, room }
    }
}

/// A room about to be made: await it.
#[derive(Debug)]
#[must_use = "a room is made when this is awaited"]
pub struct CreatingRoom<'a> {
    client: &'a Client,
    create: RoomCreate,
}

impl CreatingRoom<'_> {
    /// Nobody finds it, and only who is added is in it.
    pub fn private(mut self) -> Self {
        self.create.visibility = Visibility::Private;
        self
    }

    /// What it is about: at most 500 characters.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.create.topic = Some(topic.into());
        self
    }

    /// Who is in it from the beginning, beside the user: at most 100.
    pub fn members(mut self, members: impl IntoIterator<Item = Handle>) -> Self {
        self.create.members.extend(members);
        self
    }

    /// The id that the command is known by, made with [`Client::new_id`]: the same id makes the same room, however often
    /// (CMD2).
    pub fn id(mut self, id: ClientId) -> Self {
        self.create.id = id;
        self
    }
}

impl<'a> IntoFuture for CreatingRoom<'a> {
    type Output = Result<Sent, SendError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.client.command(Command::RoomCreate(self.create)).boxed()
    }
}

/// A room that something is to be done to.
#[derive(Debug, Clone, Copy)]
pub struct InRoom<'a> {
    client: &'a Client,
    room: ConversationId,
}

impl<'a> InRoom<'a> {
    /// Changes what is said next of it: its name, its topic, who finds it.
    pub fn update(self) -> UpdatingRoom<'a> {
        let update = RoomUpdate {
            reference: None,
            conversation: self.room,
            id: self.client.new_id(),
            name: None,
            topic: None,
            visibility: None,
            archived: None,
        };
        UpdatingRoom { client: self.client, update }
    }

    /// Archives it: what was said stays, and nothing more is. [`UpdatingRoom::archived`] takes it back.
    pub async fn archive(self) -> Result<Sent, SendError> {
        self.client.command(Command::RoomArchive(self.myself())).await
    }

    /// Comes into a public room.
    pub async fn join(self) -> Result<Sent, SendError> {
        self.client.command(Command::RoomJoin(self.myself())).await
    }

    /// Leaves. The last owner hands the room over first.
    pub async fn leave(self) -> Result<Sent, SendError> {
        self.client.command(Command::RoomLeave(self.myself())).await
    }

    /// Brings someone in.
    pub async fn add(self, user: Handle) -> Result<Sent, SendError> {
        self.client.command(Command::RoomAdd(self.member(user))).await
    }

    /// Removes someone: from here on nothing of the room reaches them (EVT3).
    pub async fn remove(self, user: Handle) -> Result<Sent, SendError> {
        self.client.command(Command::RoomRemove(self.member(user))).await
    }

    /// Removes someone, if they are in it, and keeps them out.
    pub async fn ban(self, user: Handle) -> Result<Sent, SendError> {
        self.client.command(Command::RoomBan(self.member(user))).await
    }

    /// Lets someone come back who was banned.
    pub async fn unban(self, user: Handle) -> Result<Sent, SendError> {
        self.client.command(Command::RoomUnban(self.member(user))).await
    }

    /// Gives a member another role.
    pub async fn set_role(self, user: Handle, role: Role) -> Result<Sent, SendError> {
        let id = self.client.new_id();
        let command = RoomRole { reference: None, conversation: self.room, id, user, role };
        self.client.command(Command::RoomRole(command)).await
    }

    fn myself(self) -> RoomCommand {
        RoomCommand { reference: None, conversation: self.room, id: self.client.new_id() }
    }

    fn member(self, user: Handle) -> RoomMember {
        RoomMember { reference: None, conversation: self.room, id: self.client.new_id(), user }
    }
}

/// A change of a room that is about to be made: await it. Refused with [`Invalid`](crate::ErrorCode::Invalid) if nothing is
/// to be changed.
#[derive(Debug)]
#[must_use = "a room is changed when this is awaited"]
pub struct UpdatingRoom<'a> {
    client: &'a Client,
    update: RoomUpdate,
}

impl UpdatingRoom<'_> {
    /// What it is called: at most 80 characters on one line.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.update.name = Some(name.into());
        self
    }

    /// What it is about: at most 500 characters. With an empty one it has no topic any more.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.update.topic = Some(topic.into());
        self
    }

    /// Who finds it and may come in by themselves.
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.update.visibility = Some(visibility);
        self
    }

    /// Whether it is archived.
    pub fn archived(mut self, archived: bool) -> Self {
        self.update.archived = Some(archived);
        self
    }
}

impl<'a> IntoFuture for UpdatingRoom<'a> {
    type Output = Result<Sent, SendError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.client.command(Command::RoomUpdate(self.update)).boxed()
    }
}
