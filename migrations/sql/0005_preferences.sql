-- How people want conversations to be treated, and how they want to be shown.

create table preferences (
    uid          uuid   not null,
    conversation uuid   not null,
    seq          bigint not null,
    preferences  text,
    primary key (uid, conversation)
);

comment on table preferences is 'How people want conversations to be treated on their devices, as their last event says. Nobody else''s to know.';
comment on column preferences.uid is 'Who.';
comment on column preferences.conversation is 'Which conversation.';
comment on column preferences.seq is 'The event that said so.';
comment on column preferences.preferences is 'What they want, as JSON; null when their key was gone.';

alter table changes
    add column preferences text,
    drop constraint changes_kind_check,
    add constraint changes_kind_check check (kind in (
        'marker', 'edited', 'deleted', 'reaction_added', 'reaction_removed', 'block', 'pin_added', 'pin_removed',
        'member', 'room', 'profile', 'preferences')),
    drop constraint changes_of_messages_check,
    add constraint changes_of_messages_check
        check ((kind in ('marker', 'block', 'member', 'room', 'profile', 'preferences')) = (message is null)),
    drop constraint changes_only_for_check,
    add constraint changes_only_for_check check (kind not in ('block', 'profile', 'preferences') or only_for is not null),
    add constraint changes_of_preferences_check check ((kind = 'preferences') = (preferences is not null));

comment on column changes.name is 'For a room: what it was called then. For a profile: the name to be shown, or null for the handle.';
comment on column changes.preferences is 'For preferences: all of them, as JSON.';
