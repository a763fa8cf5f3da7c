-- Whom people have blocked.

create table blocks (
    uid     uuid not null,
    blocked uuid not null,
    primary key (uid, blocked)
);

comment on table blocks is 'Who has blocked whom, as the last event of each account says.';
comment on column blocks.uid is 'Who has.';
comment on column blocks.blocked is 'Whom.';

alter table changes
    add column target  uuid,
    add column blocked boolean,
    drop constraint changes_kind_check,
    add constraint changes_kind_check
        check (kind in ('marker', 'edited', 'deleted', 'reaction_added', 'reaction_removed', 'block')),
    drop constraint changes_of_messages_check,
    add constraint changes_of_messages_check check ((kind in ('marker', 'block')) = (message is null)),
    drop constraint changes_id_check,
    add constraint changes_id_check check ((kind = 'marker') = (id is null)),
    add constraint changes_of_blocks_check
        check ((kind = 'block') = (target is not null) and (kind = 'block') = (blocked is not null)),
    add constraint changes_only_for_check check (kind <> 'block' or only_for is not null);

comment on column changes.target is 'For a block: of whom.';
comment on column changes.blocked is 'For a block: whether it is one, or one was taken back.';
