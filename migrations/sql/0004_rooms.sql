-- Rooms: who is in them and when, and what is done in them: threads, mentions, pins.

alter table conversations
    add column created_seq bigint not null default 0,
    add column members     bigint not null default 0;

-- Those that had no message yet stood in no order of their own.
update conversations set created_seq = last_change_seq where last_seq = 0;

comment on table conversations is 'Every conversation in which something happened. last_* are not indexed, so that updating them stays within the row''s page.';
comment on column conversations.last_seq is 'Its last message outside of threads; 0 while there is none.';
comment on column conversations.last_ordinal is 'The ordinal of its last message outside of threads: how many of those it has. Unread for a reader is this less their read_ordinal.';
comment on column conversations.last_at is 'When its last message outside of threads was said; before the first, when it began.';
comment on column conversations.created_seq is 'Its first event; 0 where it was made by an earlier program and has messages.';
comment on column conversations.members is 'How many are in a room; 0 for a direct conversation.';

alter table participants
    add column role       text        collate "C" check (role in ('member', 'moderator', 'owner')),
    add column joined_seq bigint,
    add column joined_at  timestamptz,
    add constraint participants_of_rooms_check check ((role is null) = (joined_seq is null) and (role is null) = (joined_at is null));
create index participants_by_role on participants (conversation, role, uid) where role is not null;

comment on table participants is 'Who is in a conversation, and how far each has read. A direct one: its people, for ever. A room: those who are in it now; who was, is in stays.';
comment on column participants.read_seq is 'They have read up to this position of the log, threads aside. Sending reads up to itself, joining a room up to the joining; it never goes back.';
comment on column participants.read_ordinal is 'The ordinal of the last message outside of threads at or before read_seq; 0 when there is none.';
comment on column participants.role is 'What they are in a room; null in a direct conversation.';
comment on column participants.joined_seq is 'The event since which they are in the room, this time; null in a direct conversation.';
comment on column participants.joined_at is 'When that was.';

create table stays (
    uid          uuid   not null,
    conversation uuid   not null,
    joined_seq   bigint not null,
    left_seq     bigint not null,
    primary key (conversation, uid, joined_seq)
);
create index stays_of_user on stays (uid, left_seq);

comment on table stays is 'Times in a room that ended. Those of one person in one room never overlap.';
comment on column stays.uid is 'Who was there.';
comment on column stays.conversation is 'The room.';
comment on column stays.joined_seq is 'The event by which they came: the first that they heard.';
comment on column stays.left_seq is 'The event by which they went, were removed or banned: the last that they heard.';

create table public_spans (
    conversation uuid   not null,
    from_seq     bigint not null,
    upto_seq     bigint,
    primary key (conversation, from_seq)
);

comment on table public_spans is 'When a room was public: what was said in it then, its members read, whenever they came.';
comment on column public_spans.conversation is 'The room.';
comment on column public_spans.from_seq is 'The event by which it became public.';
comment on column public_spans.upto_seq is 'The event by which it became private again; null while it is public.';

-- Who may see what (EVT3), here and nowhere else. Below 2^53 there is every seq.
create view heard as
    select conversation, uid, coalesce(joined_seq, 0) as first, 9007199254740992 as last from participants
    union all
    select conversation, uid, joined_seq, left_seq from stays;

comment on view heard is 'EVT3 for what happens: which events of a conversation reached someone, from first to last, both inclusive. Ask by uid, or by conversation and uid.';

create function readable(the_conversation uuid, the_reader uuid) returns table (first bigint, last bigint)
    language sql stable parallel safe
as $$
    select lower(span), upper(span) - 1
    from unnest((
        select range_agg(int8range(s.first, s.last, '[]'))
        from (
            select h.first, h.last from heard h where h.conversation = the_conversation and h.uid = the_reader
            union all
            select p.from_seq, coalesce(p.upto_seq - 1, 9007199254740992)
            from public_spans p
            where p.conversation = the_conversation
                  and exists (select from participants q where q.conversation = the_conversation and q.uid = the_reader)
        ) s
    )) span
$$;

comment on function readable is 'EVT3 for what is read: which messages of a conversation someone may read, as spans from first to last, both inclusive, apart from each other. What they heard; and if they are in the room now, what was said while it was public.';

create function words_of(said text) returns text[]
    language sql immutable parallel safe
as $$
    select coalesce(array_agg(distinct left(word, 100)), '{}')
    from regexp_split_to_table(lower(said), '[^[:alnum:]]+') word where word <> ''
$$;

comment on function words_of is 'The words of a text or of a question, as they are compared.';

create table rooms (
    conversation uuid     primary key,
    name         text,
    topic        text,
    visibility   text     collate "C" not null check (visibility in ('public', 'private')),
    archived     boolean  not null,
    owners       uuid[]   not null,
    changed_seq  bigint   not null,
    name_key     text     collate "C" not null generated always as (lower(coalesce(name, ''))) stored,
    words        tsvector not null
        generated always as (array_to_tsvector(words_of(coalesce(name, '') || ' ' || coalesce(topic, '')))) stored
);
create index rooms_by_name on rooms (archived, name_key, conversation) where visibility = 'public';
create index rooms_by_words on rooms using gin (words) where visibility = 'public';

comment on table rooms is 'Rooms, as the last event of each says. A room whose first event was not there yet is not here yet.';
comment on column rooms.conversation is 'The room.';
comment on column rooms.name is 'What it is called; null when its key was gone.';
comment on column rooms.topic is 'What it is about; null when that was not said, or its key was gone.';
comment on column rooms.visibility is 'public: anybody finds and joins it; private: who is not in it does not know of it.';
comment on column rooms.archived is 'Whether nothing is said in it any more.';
comment on column rooms.owners is 'Who owns it.';
comment on column rooms.changed_seq is 'The event that this row was made from.';
comment on column rooms.name_key is 'What the directory of public rooms is ordered by.';
comment on column rooms.words is 'What it is found by in the directory: the words of its name and its topic.';

create table bans (
    conversation uuid not null,
    uid          uuid not null,
    primary key (conversation, uid)
);

comment on table bans is 'Who may not come back to a room, as the last event of the room says.';
comment on column bans.conversation is 'The room.';
comment on column bans.uid is 'Who.';

alter table messages
    add column thread        bigint  not null default 0,
    add column mentions      uuid[],
    add column mentions_room boolean not null default false;
-- A page of the timeline never walks over threads, nor one of a thread over anything else: ask for `thread = 0`, or for a
-- thread and `thread <> 0`, so that there is no doubt which index it is, however rare threads are.
create index messages_outside_threads on messages (conversation, seq) where thread = 0;
create index messages_in_threads on messages (conversation, thread, seq) where thread <> 0;

comment on column messages.ordinal is 'The message''s number from 1, without holes: outside of threads within its conversation, in a thread within that.';
comment on column messages.thread is 'The message in whose thread it is said; 0 outside of threads.';
comment on column messages.mentions is 'Whom it mentions by name, as it was sent; null when nobody, or when it was deleted.';
comment on column messages.mentions_room is 'Whether it mentions everybody in the room, as it was sent; not when it was deleted.';

create table threads (
    conversation uuid        not null,
    root         bigint      not null,
    replies      bigint      not null,
    last_seq     bigint      not null,
    last_at      timestamptz not null,
    primary key (conversation, root)
) with (fillfactor = 80);
create index threads_by_activity on threads (conversation, last_seq);

comment on table threads is 'Every thread in which something was said.';
comment on column threads.conversation is 'The conversation.';
comment on column threads.root is 'The message whose thread it is.';
comment on column threads.replies is 'The ordinal of its last message: how many it has, deleted ones too.';
comment on column threads.last_seq is 'Its last message.';
comment on column threads.last_at is 'When that was said.';

create table thread_readers (
    conversation uuid    not null,
    root         bigint  not null,
    uid          uuid    not null,
    read_seq     bigint  not null,
    takes_part   boolean not null,
    primary key (conversation, root, uid)
) with (fillfactor = 80);

comment on table thread_readers is 'Who takes part in a thread or has read in it.';
comment on column thread_readers.conversation is 'The conversation.';
comment on column thread_readers.root is 'The message whose thread it is.';
comment on column thread_readers.uid is 'The person.';
comment on column thread_readers.read_seq is 'They have read the thread up to this position of the log, and what was said before they came into the room this time. Sending in it reads up to itself; it never goes back.';
comment on column thread_readers.takes_part is 'Whether the root is theirs, or they said something in the thread, or were mentioned in it by name.';

create table mentions (
    uid          uuid   not null,
    conversation uuid   not null,
    seq          bigint not null,
    thread       bigint not null,
    primary key (uid, conversation, seq)
);
create index mentions_of_message on mentions (conversation, seq);

comment on table mentions is 'Messages that mention someone by name and that they have not read. Reading and deleting take rows away, and so does coming into a room: what is here counts.';
comment on column mentions.uid is 'Who is mentioned.';
comment on column mentions.conversation is 'The conversation.';
comment on column mentions.seq is 'The message.';
comment on column mentions.thread is 'Its thread; 0 outside of threads.';

create table room_mentions (
    conversation uuid   not null,
    seq          bigint not null,
    thread       bigint not null,
    sender       uuid   not null,
    primary key (conversation, seq)
);
create index room_mentions_in_threads on room_mentions (conversation, seq) where thread <> 0;

comment on table room_mentions is 'Messages that mention everybody in a room, and are not deleted: one row however many those are. Whoever was there, is not the sender and has not read it, is mentioned.';
comment on column room_mentions.conversation is 'The room.';
comment on column room_mentions.seq is 'The message.';
comment on column room_mentions.thread is 'Its thread; 0 outside of threads.';
comment on column room_mentions.sender is 'Whose it is.';

create table pins (
    conversation uuid        not null,
    message      bigint      not null,
    seq          bigint      not null,
    at           timestamptz not null,
    uid          uuid        not null,
    primary key (conversation, message)
);
create index pins_by_time on pins (conversation, seq);

comment on table pins is 'Messages that are pinned. Pinning one twice is pinning it once, and a deleted one is pinned no more.';
comment on column pins.conversation is 'The conversation.';
comment on column pins.message is 'The message.';
comment on column pins.seq is 'The event that pinned it.';
comment on column pins.at is 'When that was.';
comment on column pins.uid is 'Who did.';

-- What is unread, here and nowhere else.
create view counters as
    select p.conversation, p.uid, greatest(c.last_ordinal - p.read_ordinal, 0) as unread,
           (select count(*) from mentions m where m.uid = p.uid and m.conversation = p.conversation)
           + (select count(*) from room_mentions r
              where r.conversation = p.conversation and r.thread = 0 and r.seq > p.read_seq and r.sender <> p.uid
                    and not exists (select from mentions m
                                    where m.uid = p.uid and m.conversation = p.conversation and m.seq = r.seq))
           + (select count(*) from room_mentions r
              where r.conversation = p.conversation and r.thread <> 0 and r.sender <> p.uid
                    and r.seq > coalesce(p.joined_seq, 0)
                    and r.seq > coalesce((select t.read_seq from thread_readers t
                                          where t.conversation = p.conversation and t.root = r.thread and t.uid = p.uid), 0)
                    and not exists (select from mentions m
                                    where m.uid = p.uid and m.conversation = p.conversation and m.seq = r.seq))
           as mentions
    from participants p join conversations c on c.id = p.conversation;

comment on view counters is 'Of everybody in a conversation: how many messages outside of threads they have not read, and how many, there or in threads, that mention them. Only what was said since they came into the room this time counts.';

create view thread_counters as
    select r.conversation, r.root, r.uid,
           t.replies - coalesce((select m.ordinal from messages m
                                 where m.conversation = r.conversation and m.thread = r.root and m.thread <> 0
                                       and m.seq <= greatest(r.read_seq, p.joined_seq)
                                 order by m.seq desc limit 1), 0) as unread
    from thread_readers r
    join threads t on t.conversation = r.conversation and t.root = r.root
    join participants p on p.conversation = r.conversation and p.uid = r.uid
    where r.takes_part;

comment on view thread_counters is 'Of everybody who takes part in a thread and is in its conversation: how many messages of it they have not read.';

alter table changes
    add column thread     bigint,
    add column change     text collate "C"
        check (change in ('joined', 'left', 'removed', 'banned', 'unbanned', 'role')),
    add column role       text collate "C" check (role in ('member', 'moderator', 'owner')),
    add column name       text,
    add column topic      text,
    add column visibility text collate "C" check (visibility in ('public', 'private')),
    add column archived   boolean,
    add column owners     uuid[],
    drop constraint changes_kind_check,
    add constraint changes_kind_check check (kind in (
        'marker', 'edited', 'deleted', 'reaction_added', 'reaction_removed', 'block', 'pin_added', 'pin_removed',
        'member', 'room')),
    drop constraint changes_of_messages_check,
    add constraint changes_of_messages_check check ((kind in ('marker', 'block', 'member', 'room')) = (message is null)),
    drop constraint changes_id_check,
    add constraint changes_id_check check (kind in ('member', 'room') or (kind = 'marker') = (id is null)),
    drop constraint changes_of_blocks_check,
    add constraint changes_of_blocks_check
        check ((kind in ('block', 'member')) = (target is not null) and (kind = 'block') = (blocked is not null)),
    add constraint changes_of_members_check
        check ((kind = 'member') = (change is not null) and (role is null or kind = 'member')),
    add constraint changes_of_rooms_check
        check ((kind = 'room') = (visibility is not null) and (kind = 'room') = (archived is not null)
               and (kind = 'room') = (owners is not null));

comment on column changes.id is 'The actor''s id of the command. A marker has none, and neither has what came of a command that another event answers.';
comment on column changes.target is 'For a block or a change of a member: of whom.';
comment on column changes.thread is 'For a marker: the thread that was read; null where it was the conversation.';
comment on column changes.change is 'For a member: how their place in the room changed.';
comment on column changes.role is 'For a member: what they were then; null when they were not in the room.';
comment on column changes.name is 'For a room: what it was called then.';
comment on column changes.topic is 'For a room: its topic then.';
comment on column changes.visibility is 'For a room: who found it then.';
comment on column changes.archived is 'For a room: whether it was archived then.';
comment on column changes.owners is 'For a room: who owned it then.';

comment on view feed is 'Where the durable frames of a conversation stand, in order: ask by conversation and seq, and both tables are read by their index and merged, nothing is sorted. What only some kinds have is in the tables.';
