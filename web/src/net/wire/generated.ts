// Written by `NATTER_UPDATE_TYPES=1 cargo test -p natter-protocol typescript`; change the crate `protocol` instead.

/**
 * One conversation, true at `position`.
 */
export type At<T> = { position: Position, } & T;

/**
 * Someone who may not come back to a room: an item of `/history/conversations/{id}/bans`.
 */
export type BanItem = { user: Handle, display_name: string, };

/**
 * `block` and `unblock`: wants nothing more to do with someone, or takes that back (CMD7).
 */
export type Block = { ref?: number | null, id: ClientId, user: Handle, };

/**
 * Someone whom the caller has blocked: an item of `/history/blocks`.
 */
export type BlockItem = { user: Handle, display_name: string, };

/**
 * This user, on one of their devices, blocked someone, or no longer does.
 */
export type Blocked = { seq: number, position: Position, user: Handle, blocked: boolean, id: ClientId, at: Timestamp, };

/**
 * The session is complete up to `position`.
 */
export type CaughtUp = { position: Position, };

/**
 * A UUIDv7 that a client makes once per durable command and keeps over retries (CMD2).
 */
export type ClientId = string;

/**
 * A conversation: direct (a hash of its people) or a room (made once).
 */
export type ConversationId = string;

/**
 * An item of `/history/conversations`, and the whole of `/history/conversations/{id}`.
 */
export type ConversationItem = { conversation: ConversationId, kind: ConversationKind,
/**
 * The people of a direct conversation; empty for a room, whose members come in pages.
 */
participants: Array<Handle>,
/**
 * The last one outside of threads that the caller may read.
 */
last_message: MessageItem | null,
/**
 * When that was said, or when the caller came into the room, whichever was later.
 */
last_activity: Timestamp,
/**
 * Messages outside of threads that the caller has not read; in a room, of those since they came.
 */
unread: number,
/**
 * Messages, in threads too, that mention the caller and that they have not read.
 */
mentions: number,
/**
 * How far the caller has read.
 */
read: number,
/**
 * How far the others have come; in a room that is nobody's to know.
 */
markers: Array<Reader>,
/**
 * How the caller wants it to be treated; left out where they never said.
 */
preferences?: Preferences | null,
/**
 * What only a room has.
 */
room?: RoomItem | null, };

/**
 * What a conversation is.
 */
export type ConversationKind = "direct" | "room";

/**
 * Takes a message of one's own back; that something was said stays.
 */
export type Delete = { ref?: number | null, conversation: ConversationId, message: number, id: ClientId, };

/**
 * `message` is shown no more.
 */
export type Deleted = { seq: number, position: Position, conversation: ConversationId, message: number, by: Handle, id: ClientId, at: Timestamp, };

/**
 * A device of `user` has everything of the conversation up to `upto`.
 */
export type Delivered = { conversation: ConversationId, user: Handle, upto: number, };

/**
 * Says a message of one's own otherwise.
 */
export type Edit = { ref?: number | null, conversation: ConversationId, message: number, id: ClientId, text: string, };

/**
 * The text of `message` is another one now.
 */
export type Edited = { seq: number, position: Position, conversation: ConversationId, message: number, by: Handle, id: ClientId, text: string, at: Timestamp, };

/**
 * Why a command or request was refused.
 */
export type ErrorCode = "unauthenticated" | "forbidden" | "not_found" | "not_member" | "unknown_user" | "unknown_type" | "invalid" | "too_large" | "conflict" | "rate_limited" | "blocked" | "archived" | "full" | "unavailable" | "internal";

export type Goodbye = { reconnect_after_ms: number, };

/**
 * An account's handle: `^[a-z0-9][a-z0-9_-]{1,31}$`.
 */
export type Handle = string;

/**
 * The first frame of a connection (CON1).
 */
export type Hello = {
/**
 * The access token, unless the upgrade carried it.
 */
token?: string | null,
/**
 * What the client calls itself, for logs.
 */
client?: string | null, resume?: Position | null, };

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]: JsonValue } | null;

/**
 * The bounds that `welcome` tells a client.
 */
export type Limits = { frame_bytes: number, text_chars: number, metadata_bytes: number, participants: number, watched_users: number,
/**
 * Messages per window and user (CMD5).
 */
messages: number, messages_window_ms: number, };

export type Mark = { ref?: number | null, conversation: ConversationId, id: ClientId, read: number,
/**
 * The thread that was read, rather than the conversation.
 */
thread?: number | null, };

/**
 * Someone has read up to `read`.
 */
export type Marker = { seq: number, position: Position, conversation: ConversationId, user: Handle, read: number,
/**
 * The thread that was read, rather than the conversation.
 */
thread?: number | null, at: Timestamp, };

/**
 * Someone's place in a room is another one now.
 */
export type Member = { seq: number, position: Position, conversation: ConversationId, user: Handle, change: MemberChange,
/**
 * What they are there now; none if they are not in it.
 */
role?: Role | null, by: Handle,
/**
 * Of the command that it came of; none for who was in a room from its beginning.
 */
id?: ClientId | null, at: Timestamp, };

/**
 * How someone's place in a room changed.
 */
export type MemberChange = "joined" | "left" | "removed" | "banned" | "unbanned" | "role";

/**
 * Someone in a conversation.
 */
export type MemberItem = { user: Handle, display_name: string,
/**
 * What they are in a room.
 */
role?: Role | null, };

/**
 * Someone said something.
 */
export type Message = { seq: number, position: Position, conversation: ConversationId, participants?: Array<Handle> | null, sender: Handle, id: ClientId, text: string, reply_to?: number | null, thread?: number | null, mentions: Array<Handle>,
/**
 * It mentions everybody in the room.
 */
mentions_room?: boolean, metadata?: JsonValue | null, at: Timestamp, };

/**
 * A message as it now stands (HST3).
 */
export type MessageItem = { seq: number, conversation: ConversationId, sender: Handle, id: ClientId,
/**
 * As it was said last; empty when it was deleted or its sender was erased.
 */
text: string, at: Timestamp, edited_at?: Timestamp | null, deleted?: boolean,
/**
 * In the order in which each emoji came first.
 */
reactions?: Array<ReactionItem>, reply_to?: number | null,
/**
 * What `reply_to` names, where the caller may read it.
 */
reply?: ReplyItem | null,
/**
 * The message in whose thread it is said.
 */
thread?: number | null,
/**
 * What was said in its own thread, if anything that the caller may read.
 */
replies?: RepliesItem | null,
/**
 * Whom it mentions, as it was sent.
 */
mentions?: Array<Handle>,
/**
 * It mentions everybody in the room.
 */
mentions_room?: boolean, pinned?: boolean, metadata?: JsonValue | null, };

/**
 * What of a conversation somebody wants to be told of.
 */
export type Notify = "all" | "mentions" | "nothing";

/**
 * A command was done. Durable ones carry where in the log.
 */
export type Ok = { ref?: number | null, seq?: number | null,
/**
 * Left out where the answer does not stand in the event's place in the session's order: a repeat's, for one (CMD2).
 */
position?: Position | null, conversation?: ConversationId | null, at?: Timestamp | null, duplicate?: boolean,
/**
 * Of a room that was made: who was to be in it and is not.
 */
refused?: Array<Handle> | null, };

/**
 * One page, read in one snapshot that is true at `position` (HST1).
 */
export type Page<T> = { items: Array<T>,
/**
 * Where the next page begins; `null` after the last.
 */
next: string | null, position: Position, };

/**
 * Puts a message among the conversation's pinned ones, or takes it from there.
 */
export type Pin = { ref?: number | null, conversation: ConversationId, message: number, id: ClientId, op: Toggle, };

/**
 * A pinned message: an item of `/history/conversations/{id}/pins`, the last one pinned first.
 */
export type PinItem = { message: MessageItem,
/**
 * Who pinned it, and when.
 */
by: Handle, at: Timestamp, };

/**
 * `message` is among the conversation's pinned ones, or no longer.
 */
export type Pinned = { seq: number, position: Position, conversation: ConversationId, message: number, by: Handle, id: ClientId, op: Toggle, at: Timestamp, };

/**
 * A place in a log: everything up to and including `seq` is known. Opaque to clients (D12); the epoch and the tag of the
 * event at `seq` say of which log, so that a restored or rolled back one is noticed (D14).
 */
export type Position = string;

/**
 * Says how a conversation is to be treated on the user's devices: all of it at once.
 */
export type Prefer = { ref?: number | null, conversation: ConversationId, id: ClientId,
/**
 * Nothing of it makes itself heard, mentions neither.
 */
muted: boolean, starred: boolean,
/**
 * It is left out of lists until something new is said.
 */
hidden: boolean, notify: Notify, };

/**
 * How somebody wants a conversation to be treated. What is left out is as it is at first.
 */
export type Preferences = {
/**
 * Nothing of it makes itself heard, mentions neither.
 */
muted: boolean, starred: boolean,
/**
 * It is left out of lists until something new is said.
 */
hidden: boolean, notify: Notify, };

/**
 * How this user, on one of their devices, wants a conversation to be treated.
 */
export type Preferred = { seq: number, position: Position, conversation: ConversationId, id: ClientId, at: Timestamp,
/**
 * Nothing of it makes itself heard, mentions neither.
 */
muted: boolean, starred: boolean,
/**
 * It is left out of lists until something new is said.
 */
hidden: boolean, notify: Notify, };

/**
 * A watched user's presence.
 */
export type Presence = { user: Handle, status: PresenceStatus, text?: string | null, last_seen?: Timestamp | null, };

/**
 * What a user wants others to see of them.
 */
export type PresenceChoice = "online" | "away" | "busy" | "invisible";

/**
 * What others see of a user.
 */
export type PresenceStatus = "online" | "away" | "busy" | "offline";

/**
 * How someone wants to be shown. To their own sessions, with a place in the log; and at the same time to those who watch
 * them, where it is of the moment, like presence.
 */
export type Profile = { seq?: number | null, position?: Position | null, user: Handle, display_name: string, id?: ClientId | null, at: Timestamp, };

/**
 * `pong` (HRT1) and `applied` (HRT6): how far the client has come.
 */
export type Progress = { position: Position, };

/**
 * Reacts to a message, or takes that back.
 */
export type React = { ref?: number | null, conversation: ConversationId, message: number, id: ClientId,
/**
 * One emoji of Unicode's.
 */
emoji: string, op: Toggle, };

/**
 * Someone reacts to `message`, or no longer does.
 */
export type Reaction = { seq: number, position: Position, conversation: ConversationId, message: number, user: Handle, id: ClientId, emoji: string, op: Toggle, at: Timestamp, };

/**
 * Who reacts to a message with one emoji.
 */
export type ReactionItem = { emoji: string,
/**
 * The first of them, in the order in which they did; at most [`MAX_REACTION_USERS`](crate::limits::MAX_REACTION_USERS).
 */
users: Array<Handle>,
/**
 * All of them.
 */
count: number, };

/**
 * How far another participant of a direct conversation has come.
 */
export type Reader = { user: Handle, read: number, delivered: number, };

/**
 * A command was refused.
 */
export type Refusal = { ref?: number | null, code: ErrorCode, message: string, temporary: boolean, retry_after_ms?: number | null, };

/**
 * A thread, as the message shows it whose thread it is.
 */
export type RepliesItem = {
/**
 * How many messages of it the caller may read, deleted ones too.
 */
count: number,
/**
 * When the last of them was said.
 */
last_at: Timestamp,
/**
 * How many of them the caller has not read, if they take part: the first message is theirs, or they said something in
 * the thread, or were mentioned in it by name.
 */
unread?: number | null, };

/**
 * The message that another one answers, in brief and as it now stands.
 */
export type ReplyItem = { seq: number, sender: Handle,
/**
 * The beginning of it: at most 200 Unicode scalar values; empty when it was deleted or its sender was erased.
 */
text: string, deleted?: boolean, };

export type Reset = { reason: ResetReason, position: Position, };

/**
 * Why a client reads again what it cached (CON3).
 */
export type ResetReason = "fresh" | "too_old" | "too_much" | "other_log";

/**
 * What a member of a room is there.
 */
export type Role = "member" | "moderator" | "owner";

/**
 * A room as it is now.
 */
export type Room = { seq: number, position: Position, conversation: ConversationId, name: string, topic?: string | null, visibility: Visibility, archived: boolean, owners: Array<Handle>, by: Handle,
/**
 * Of the command that changed it, where it is told by this frame.
 */
id?: ClientId | null, at: Timestamp, };

/**
 * `room.archive`, `room.join` and `room.leave`.
 */
export type RoomCommand = { ref?: number | null, conversation: ConversationId, id: ClientId, };

/**
 * Makes a room, with the caller as its owner.
 */
export type RoomCreate = { ref?: number | null, id: ClientId, name: string, topic?: string | null, visibility: Visibility,
/**
 * Who is in it from the beginning, beside the caller.
 */
members?: Array<Handle>, };

/**
 * A room, as its own page and the list of conversations show it, and the directory of public rooms.
 */
export type RoomItem = { conversation: ConversationId, name: string, topic?: string | null, visibility: Visibility, archived: boolean, owners: Array<Handle>,
/**
 * How many are in it.
 */
members: number,
/**
 * What the caller is in it; none if they are not in it.
 */
role?: Role | null, };

/**
 * `room.add`, `room.remove`, `room.ban` and `room.unban`.
 */
export type RoomMember = { ref?: number | null, conversation: ConversationId, id: ClientId, user: Handle, };

/**
 * Gives a member another role.
 */
export type RoomRole = { ref?: number | null, conversation: ConversationId, id: ClientId, user: Handle, role: Role, };

/**
 * Changes what is given here of a room.
 */
export type RoomUpdate = { ref?: number | null, conversation: ConversationId, id: ClientId, name?: string | null,
/**
 * Empty: it has none any more.
 */
topic?: string | null, visibility?: Visibility | null, archived?: boolean | null, };

export type Send = { ref?: number | null, to: To, id: ClientId, text: string, reply_to?: number | null,
/**
 * The message whose thread it is said in: one that is in no thread itself.
 */
thread?: number | null, metadata?: JsonValue | null, };

/**
 * What Natter says.
 */
export type ServerFrame = { "type": "welcome" } & Welcome | { "type": "reset" } & Reset | { "type": "caught_up" } & CaughtUp | { "type": "ping" } & CaughtUp | { "type": "goodbye" } & Goodbye | { "type": "ok" } & Ok | { "type": "error" } & Refusal | { "type": "message" } & Message | { "type": "edited" } & Edited | { "type": "deleted" } & Deleted | { "type": "reaction" } & Reaction | { "type": "pin" } & Pinned | { "type": "member" } & Member | { "type": "room" } & Room | { "type": "block" } & Blocked | { "type": "profile" } & Profile | { "type": "preferences" } & Preferred | { "type": "marker" } & Marker | { "type": "presence" } & Presence | { "type": "delivered" } & Delivered | { "type": "typing" } & TypingNow | { "type": "unknown" };

/**
 * One login of one device; what a refresh cookie continues and a revocation ends.
 */
export type SessionId = string;

export type SetPresence = { ref?: number | null, status: PresenceChoice, text?: string | null, };

/**
 * Says how the user wants to be shown.
 */
export type SetProfile = { ref?: number | null, id: ClientId,
/**
 * Empty: by their handle.
 */
display_name: string, };

/**
 * A moment, in milliseconds since 1970-01-01 UTC.
 */
export type Timestamp = string;

/**
 * Whom a message is for.
 */
export type To = { "participants": Array<Handle> } | { "conversation": ConversationId };

/**
 * Whether something is added or taken away again.
 */
export type Toggle = "add" | "remove";

/**
 * A renewed access token (HRT4).
 */
export type Token = { token: string, };

/**
 * The answer of `/auth/register`, `login` and `refresh`.
 */
export type Tokens = { access_token: string,
/**
 * Seconds until the access token ends.
 */
expires_in: number, user: Handle, };

export type Typing = { ref?: number | null, conversation: ConversationId, };

/**
 * `user` is writing in the conversation; valid for five seconds.
 */
export type TypingNow = { conversation: ConversationId, user: Handle, };

/**
 * A person.
 */
export type UserItem = { user: Handle, display_name: string, last_seen?: Timestamp | null, };

/**
 * What a message said from some moment on: an item of `/history/conversations/{id}/messages/{seq}/versions`, oldest first.
 */
export type VersionItem = {
/**
 * The event that said so: the message itself, or an edit.
 */
seq: number, text: string, at: Timestamp, };

/**
 * Who finds a room.
 */
export type Visibility = "public" | "private";

export type Watch = { ref?: number | null, users: Array<Handle>, };

/**
 * The answer to `hello` (CON3).
 */
export type Welcome = { user: Handle, session: SessionId,
/**
 * The gateway that answers, for logs and support.
 */
gateway: string,
/**
 * The server's clock, on which client ids are made.
 */
now: Timestamp, position: Position, heartbeat_ms: number, limits: Limits, };

/** What a client says. */
export type ClientFrame =
  | ({ type: 'hello' } & Hello)
  | ({ type: 'pong' } & Progress)
  | ({ type: 'applied' } & Progress)
  | ({ type: 'token' } & Token)
  | ({ type: 'send' } & Send)
  | ({ type: 'edit' } & Edit)
  | ({ type: 'delete' } & Delete)
  | ({ type: 'react' } & React)
  | ({ type: 'pin' } & Pin)
  | ({ type: 'block' } & Block)
  | ({ type: 'unblock' } & Block)
  | ({ type: 'profile' } & SetProfile)
  | ({ type: 'prefer' } & Prefer)
  | ({ type: 'mark' } & Mark)
  | ({ type: 'typing' } & Typing)
  | ({ type: 'presence' } & SetPresence)
  | ({ type: 'watch' } & Watch)
  | ({ type: 'room.create' } & RoomCreate)
  | ({ type: 'room.update' } & RoomUpdate)
  | ({ type: 'room.archive' } & RoomCommand)
  | ({ type: 'room.join' } & RoomCommand)
  | ({ type: 'room.leave' } & RoomCommand)
  | ({ type: 'room.add' } & RoomMember)
  | ({ type: 'room.remove' } & RoomMember)
  | ({ type: 'room.ban' } & RoomMember)
  | ({ type: 'room.unban' } & RoomMember)
  | ({ type: 'room.role' } & RoomRole);

/** Who may do what in a room: the lowest role that may. */
export const RIGHTS = {
  speak: 'member',
  deleteOthers: 'moderator',
  pin: 'moderator',
  mentionRoom: 'moderator',
  describe: 'moderator',
  configure: 'owner',
  add: 'moderator',
  banStranger: 'moderator',
  removeMember: 'moderator',
  removeModerator: 'owner',
  removeOwner: 'owner',
  unban: 'moderator',
  setRole: 'owner',
} as const;

/** Why the server ended a connection. */
export const CLOSE_CODES = {
  goingAway: 4000,
  tooSlow: 4001,
  heartbeatMissed: 4002,
  feedBehind: 4003,
  protocolError: 4500,
  notAuthenticated: 4501,
  tokenExpired: 4502,
  sessionRevoked: 4503,
  tooManyConnections: 4504,
  versionNotSupported: 4505,
} as const;

export const MAX_FRAME_BYTES = 131072;
export const MAX_TEXT_CHARS = 8000;
export const MAX_DISPLAY_NAME_CHARS = 64;
export const MAX_STATUS_CHARS = 100;
export const MAX_PARTICIPANTS = 32;
export const MAX_ROOM_NAME_CHARS = 80;
export const MAX_ROOM_TOPIC_CHARS = 500;
export const MAX_FIRST_MEMBERS = 100;
export const MAX_ROOMS = 1000;
export const MAX_MENTIONS = 50;
export const MAX_REACTIONS = 100;
export const MAX_REACTION_USERS = 100;
export const MAX_WATCHED_USERS = 500;
export const MAX_PAGE_ITEMS = 200;
export const MAX_PAGE_HANDLES = 100;
export const MIN_PASSWORD_BYTES = 8;
export const MAX_PASSWORD_BYTES = 1024;
export const TYPING_MS = 5000;
export const MAX_HANDLE_CHARS = 32;
