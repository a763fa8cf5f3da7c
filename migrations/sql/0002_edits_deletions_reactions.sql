-- What is done to messages: edits, deletions, reactions.

alter table messages
    add column edited_seq  bigint,
    add column edited_at   timestamptz,
    add column deleted_seq bigint;

comment on column messages.text is 'What was said, as it was edited last; null when the sender''s key was gone (that something was said is known, what is not) and when it was deleted.';
comment on column messages.edited_seq is 'The edit that the text is from; null when it was never edited, or deleted.';
comment on column messages.edited_at is 'When that was.';
comment on column messages.deleted_seq is 'The first deletion of it; null while it stands.';

create table versions (
    conversation uuid        not null,
    message      bigint      not null,
    seq          bigint      not null,
    at           timestamptz not null,
    text         text,
    primary key (conversation, message, seq)
);

comment on table versions is 'What an edited message said, and from when: the message itself, then each edit. A message that was never edited has none, and deleting one deletes them.';
comment on column versions.conversation is 'The conversation.';
comment on column versions.message is 'The message.';
comment on column versions.seq is 'The event that said so: the message itself, or an edit.';
comment on column versions.at is 'The broker''s time of that event.';
comment on column versions.text is 'What it said then; null when its author''s key was gone.';

create table reactions (
    conversation uuid   not null,
    message      bigint not null,
    emoji        text   collate "C" not null,
    uid          uuid   not null,
    seq          bigint not null,
    since        bigint not null,
    primary key (conversation, message, emoji, uid)
);

comment on table reactions is 'Who reacts to which message with what, as it now stands.';
comment on column reactions.conversation is 'The conversation.';
comment on column reactions.message is 'The message.';
comment on column reactions.emoji is 'The emoji.';
comment on column reactions.uid is 'Who reacts.';
comment on column reactions.seq is 'The event that added it: people are shown in this order.';
comment on column reactions.since is 'The event since which somebody reacts to the message with this emoji: emoji are shown in this order.';

alter table changes
    add column message bigint,
    add column id      uuid,
    add column emoji   text collate "C",
    drop constraint changes_kind_check,
    add constraint changes_kind_check
        check (kind in ('marker', 'edited', 'deleted', 'reaction_added', 'reaction_removed')),
    add constraint changes_of_messages_check check ((kind = 'marker') = (message is null)),
    add constraint changes_id_check check ((message is null) = (id is null)),
    add constraint changes_emoji_check check ((kind in ('reaction_added', 'reaction_removed')) = (emoji is not null));

comment on column changes.message is 'For what was done to a message: which.';
comment on column changes.id is 'For what was done to a message: the actor''s id of the command.';
comment on column changes.emoji is 'For a reaction: the emoji.';

create or replace view feed as
    select seq, at, conversation, null::uuid as only_for, 'message'::text collate "C" as kind, sender as actor,
           null::bigint as read, id, text, reply_to, metadata, null::bigint as message, null::text collate "C" as emoji
    from messages
    union all
    select seq, at, conversation, only_for, kind, actor,
           read, id, null::text, null::bigint, null::text, message, emoji
    from changes;

comment on view feed is 'The durable frames of a conversation in order: ask by conversation and seq, and both tables are read by their index and merged, nothing is sorted. What an edited message said when stands in versions.';
