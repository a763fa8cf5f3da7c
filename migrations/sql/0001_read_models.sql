-- The read models: what the projector makes of the log, and what the history API reads.
--
-- Everything here can be thrown away and made again from the log; nothing else writes it. There are no foreign keys: the
-- log's order is what keeps the rows together, and the projector is the only writer.
--
-- Names are never qualified with a schema, so that a rebuild can make the same tables in a schema of its own.
-- u64 values (epoch, tag) are stored as the bigint with the same bits. Sequences are below 2^53.

create table projector (
    name       text        collate "C" primary key check (name in ('chat', 'presence')),
    epoch      bigint      not null,
    seq        bigint      not null check (seq >= 0),
    tag        bigint      not null,
    event_at   timestamptz,
    updated_at timestamptz not null default now()
) with (fillfactor = 50);

comment on table projector is 'How far into each stream of the log the read models are complete. Written in the transaction that writes the rows, only ever from the value that the writer read before: whoever finds another value there is not the active projector.';
comment on column projector.name is 'The stream: chat (everything but presence) or presence (last seen, received).';
comment on column projector.epoch is 'The log''s epoch; a u64, bit-cast.';
comment on column projector.seq is 'The last event that is in the read models; 0 before the first.';
comment on column projector.tag is 'The tag of the event at seq; a u64, bit-cast; 0 before the first.';
comment on column projector.event_at is 'The latest broker time of any event up to seq.';
comment on column projector.updated_at is 'When the row was written.';

create table users (
    uid           uuid        primary key,
    handle        text        collate "C" unique,
    display_name  text,
    registered_at timestamptz not null,
    suspended     boolean     not null,
    erased        boolean     not null,
    account_seq   bigint      not null
) with (fillfactor = 80);

comment on table users is 'Accounts, as their last account event says.';
comment on column users.uid is 'The person''s identity in the log.';
comment on column users.handle is 'The name others use; null once the person is erased, or when a later account took the handle over.';
comment on column users.display_name is 'As the person wants to be shown; null when never set or erased.';
comment on column users.registered_at is 'When the account began.';
comment on column users.suspended is 'Whether every token of the account is refused.';
comment on column users.erased is 'Whether the person''s key was gone when the account was read: their names can never be read again.';
comment on column users.account_seq is 'The account event that this row was made from.';

create table revocations (
    uid     uuid        not null,
    at      timestamptz not null,
    which   text        collate "C" not null check (which in ('one', 'all_but', 'all')),
    session uuid,
    check ((which = 'all') = (session is null))
);
create index revocations_of_user on revocations (uid);
create index revocations_by_time on revocations (at);

comment on table revocations is 'Logins that ended while access tokens of theirs may be alive. Checked on every request: a token of session S issued at T is refused by (one, S); by (all_but, K) when S is not K and T <= at; by (all) when T <= at. Rows older than the longest token life are let go.';
comment on column revocations.uid is 'Whose logins.';
comment on column revocations.at is 'When they ended.';
comment on column revocations.which is 'Which of them: one, all_but one, or all.';
comment on column revocations.session is 'The session that one or all_but names.';

create table presence (
    uid          uuid        primary key,
    last_seen    timestamptz,
    status       text        collate "C" check (status in ('online', 'away', 'busy', 'offline')),
    received_seq bigint      not null default 0
) with (fillfactor = 50);

comment on table presence is 'What the PRESENCE stream says of people, each column the greatest that was ever seen: reading the stream again from its beginning changes nothing. Not derived from CHAT, so a rebuild carries it over. A person may be here before their account is in users.';
comment on column presence.uid is 'The person.';
comment on column presence.last_seen is 'The latest change of presence; null when there was none yet.';
comment on column presence.status is 'What the presence changed to then, last. For who is online now, ask the gateway.';
comment on column presence.received_seq is 'Some device of the person''s has every event of CHAT up to here that they may see: the ''delivered'' of every conversation of theirs.';

create table conversations (
    id              uuid        primary key,
    kind            text        collate "C" not null check (kind in ('direct', 'room')),
    created_at      timestamptz not null,
    last_seq        bigint      not null,
    last_ordinal    bigint      not null,
    last_at         timestamptz not null,
    last_change_seq bigint      not null
) with (fillfactor = 70);

comment on table conversations is 'Every conversation in which something was said. last_* are not indexed, so that updating them stays within the row''s page.';
comment on column conversations.id is 'Direct: the UUIDv5 of its people. Room: a UUIDv7.';
comment on column conversations.kind is 'direct or room.';
comment on column conversations.created_at is 'When its first event happened.';
comment on column conversations.last_seq is 'Its last message.';
comment on column conversations.last_ordinal is 'The ordinal of its last message: how many messages it has. Unread for a reader is this less their read_ordinal.';
comment on column conversations.last_at is 'When its last message was said.';
comment on column conversations.last_change_seq is 'Its last event of any kind: nothing of it is to be found after.';

create table participants (
    conversation uuid   not null,
    uid          uuid   not null,
    read_seq     bigint not null default 0,
    read_ordinal bigint not null default 0,
    primary key (conversation, uid)
) with (fillfactor = 70);
create index participants_of_user on participants (uid);

comment on table participants is 'Who is in a direct conversation, for ever, and how far each has read.';
comment on column participants.conversation is 'The conversation.';
comment on column participants.uid is 'The person.';
comment on column participants.read_seq is 'They have read up to this position of the log. Sending reads up to itself; it never goes back.';
comment on column participants.read_ordinal is 'The ordinal of the last message at or before read_seq; 0 when there is none.';

create table messages (
    seq          bigint      not null,
    at           timestamptz not null,
    ordinal      bigint      not null,
    reply_to     bigint,
    conversation uuid        not null,
    sender       uuid        not null,
    id           uuid        not null,
    text         text,
    metadata     text,
    primary key (conversation, seq)
) partition by range (seq);

-- The last partition is open upwards, so that there is always one for the next message. Where a month begins, and when it
-- has grown enough, the projector closes it at its own position and opens the next.
create table messages_from_0 partition of messages for values from (minvalue) to (maxvalue);

comment on table messages is 'What was said. Partitioned by ranges of seq that are cut where a month begins, so that the pages of a conversation are read in order, partition after partition, and old months can be put away.';
comment on column messages.seq is 'The message''s place in the log; with the conversation its public identity.';
comment on column messages.at is 'The broker''s time of the event.';
comment on column messages.ordinal is 'The message''s number within its conversation, from 1, without holes.';
comment on column messages.reply_to is 'The seq of the message in the same conversation that it answers.';
comment on column messages.conversation is 'The conversation.';
comment on column messages.sender is 'Who said it.';
comment on column messages.id is 'The sender''s id of the command.';
comment on column messages.text is 'What was said; null when the sender''s key was gone: that something was said is known, what is not.';
comment on column messages.metadata is 'What a program attached: JSON, byte for byte as it came. Null when nothing was attached or the key was gone.';

create table commands (
    sender       uuid        not null,
    id           uuid        not null,
    seq          bigint      not null,
    conversation uuid,
    at           timestamptz not null,
    fingerprint  bytea       check (octet_length(fingerprint) = 16),
    primary key (sender, id)
);

comment on table commands is 'Every durable command that was ever stored, for idempotency without a window: the same id from the same sender is one event and one answer.';
comment on column commands.sender is 'Who asked.';
comment on column commands.id is 'The client''s id of the command.';
comment on column commands.seq is 'The event it became; of two, which the gateway never lets happen, the first.';
comment on column commands.conversation is 'The conversation of the event, where it has one.';
comment on column commands.at is 'The broker''s time of the event.';
comment on column commands.fingerprint is 'What a repeat is compared with (a message''s); null for commands that are compared by their kind alone.';

create table changes (
    seq          bigint      primary key,
    at           timestamptz not null,
    conversation uuid,
    only_for     uuid,
    kind         text        collate "C" not null check (kind in ('marker')),
    actor        uuid        not null,
    read         bigint,
    check (conversation is not null or only_for is not null),
    check ((kind = 'marker') = (read is not null))
);
create index changes_of_conversation on changes (conversation, seq) where conversation is not null;
create index changes_of_user on changes (only_for, seq) where only_for is not null;

comment on table changes is 'What happened and is not a message, as clients see it. Messages are not repeated here: feed joins the two. Kept for 30 days of the log''s time.';
comment on column changes.seq is 'The event.';
comment on column changes.at is 'The broker''s time of the event.';
comment on column changes.conversation is 'Who may see it: those in this conversation, …';
comment on column changes.only_for is '… or, when this is set, this person alone.';
comment on column changes.kind is 'The type of the frame.';
comment on column changes.actor is 'Who did it.';
comment on column changes.read is 'For a marker: how far they have read.';

create view feed as
    select seq, at, conversation, null::uuid as only_for, 'message'::text collate "C" as kind, sender as actor,
           null::bigint as read, id, text, reply_to, metadata
    from messages
    union all
    select seq, at, conversation, only_for, kind, actor,
           read, null::uuid, null::text, null::bigint, null::text
    from changes;

comment on view feed is 'The durable frames of a conversation in order: ask by conversation and seq, and both tables are read by their index and merged, nothing is sorted.';

create table changes_kept (
    only_row  boolean primary key default true check (only_row),
    after_seq bigint  not null
);
insert into changes_kept (after_seq) values (0);

comment on table changes_kept is 'From where on changes is complete. One row.';
comment on column changes_kept.only_row is 'Always true.';
comment on column changes_kept.after_seq is 'Everything after this seq is there. A reader whose position is before it reads again from the start.';

create table days (
    day       date   primary key,
    first_seq bigint not null
);

comment on table days is 'Where each day (UTC, on the broker''s clock) of CHAT begins, for every day on which anything happened.';
comment on column days.day is 'The day.';
comment on column days.first_seq is 'The first event of the day.';

create table dead_letters (
    stream       text        collate "C" not null check (stream in ('chat', 'presence')),
    seq          bigint      not null,
    at           timestamptz not null,
    subject      text        not null,
    conversation uuid,
    reason       text        not null,
    waits_for    bigint,
    payload      bytea       not null,
    primary key (stream, seq)
);
create index dead_letters_of_conversation on dead_letters (conversation, seq) where conversation is not null;

comment on table dead_letters is 'Events that could not be applied, and those of the same conversation that came after them. Empty in good health.';
comment on column dead_letters.stream is 'The stream it is in.';
comment on column dead_letters.seq is 'Its place there.';
comment on column dead_letters.at is 'The broker''s time of the event.';
comment on column dead_letters.subject is 'Its subject.';
comment on column dead_letters.conversation is 'Its conversation, where that could be read.';
comment on column dead_letters.reason is 'Why it is here.';
comment on column dead_letters.waits_for is 'The dead letter that it waits behind; null for one that is malformed itself.';
comment on column dead_letters.payload is 'Its bytes, as they are in the log.';

create table held_conversations (
    conversation uuid   primary key,
    since_seq    bigint not null
);

comment on table held_conversations is 'Conversations whose events go to dead_letters until they are repaired, so that nothing of them is applied out of order.';
comment on column held_conversations.conversation is 'The conversation.';
comment on column held_conversations.since_seq is 'The malformed event that they wait behind.';
