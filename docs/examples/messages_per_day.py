#!/usr/bin/env python3
"""Counts messages per day and conversation, out of Natter's event log into SQLite.

    messages_per_day.py counts.db natter tail --nats-url nats://broker:4222 --nats-user analytics

What stands after the database is the `natter tail` to run; the options that this program decides on are added. The
position is written in the transaction that writes the counts: kill this program or `natter tail` at any moment and start
it again, and no message is missed or counted twice.

    sqlite3 counts.db 'select * from messages_per_day'

It needs Python 3.9 and nothing else.
"""

import json
import sqlite3
import subprocess
import sys

SCHEMA = """
create table if not exists messages_per_day (
    day          text not null,
    conversation text not null,
    messages     integer not null,
    primary key (day, conversation)
) without rowid;
create table if not exists checkpoint (
    only_row integer primary key check (only_row = 1),
    position text not null
);
"""

COUNT = """
insert into messages_per_day values (?, ?, 1)
on conflict (day, conversation) do update set messages = messages + 1
"""


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    database = sqlite3.connect(sys.argv[1], isolation_level=None)
    database.executescript(SCHEMA)
    row = database.execute("select position from checkpoint").fetchone()
    begin = row[0] if row else "start"
    tail = subprocess.Popen([*sys.argv[2:], "--json", "--from", begin], stdout=subprocess.PIPE)
    try:
        for lines in batches(tail.stdout):
            count(database, lines)
    except KeyboardInterrupt:
        pass
    finally:
        tail.stdout.close()
        if tail.poll() is None:
            tail.terminate()
        code = tail.wait()
    sys.exit(code)


def batches(stdout, size=64 * 1024):
    """Whole lines, as many as have come. The last one has no end if the tail was killed in it, and is left out."""
    rest = b""
    while chunk := stdout.read1(size):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines


def count(database, lines):
    database.execute("begin immediate")
    for line in lines:
        event = json.loads(line)
        # Types that it does not know are none of its business, and neither is what is malformed.
        if event.get("type") == "MessageSent":
            database.execute(COUNT, (event["at"][:10], event["conversation"]))
    database.execute("insert or replace into checkpoint values (1, ?)", (event["position"],))
    database.execute("commit")


if __name__ == "__main__":
    main()
