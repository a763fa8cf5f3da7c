-- What operators decided about events that can't be applied.

create table skipped_events (
    seq        bigint      primary key,
    decided_at timestamptz not null default now()
);

comment on table skipped_events is 'Events of CHAT that an operator decided to pass over: what follows in their conversation is applied as if they were not in the log. Not made from the log, so a rebuild carries it over, and honours it.';
comment on column skipped_events.seq is 'The event.';
comment on column skipped_events.decided_at is 'When that was decided.';
