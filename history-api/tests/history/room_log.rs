//! What happened in rooms, written as the projector writes it.

use natter_events::ConversationId;
use uuid::Uuid;

use crate::log::Words;
use crate::world::{Person, World};

/// What a message in a room is beside its words.
#[derive(Clone, Default)]
pub struct Told<'a> {
    pub thread: u64,
    pub mentions: &'a [&'a Person],
    pub mentions_room: bool,
}

fn at(seq: u64) -> String {
    format!("to_timestamp({} / 1000.0)", crate::log::at_ms(seq))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl World {
    /// A room with its owner in it.
    pub async fn room(&self, owner: &Person, name: &str, visibility: &str) -> ConversationId {
        let room = ConversationId::from(Uuid::now_v7());
        self.joins_as(owner, room, "owner").await;
        let seq = self.next();
        let (name, owner, at) = (quoted(name), owner.uid.as_uuid(), at(seq));
        self.run(format!(
            "insert into rooms (conversation, name, visibility, archived, owners, changed_seq)
               values ('{room}', {name}, '{visibility}', false, '{{{owner}}}', {seq});
             insert into public_spans select '{room}', {seq} where '{visibility}' = 'public';
             insert into changes (seq, at, conversation, kind, actor, name, visibility, archived, owners)
               values ({seq}, {at}, '{room}', 'room', '{owner}', {name}, '{visibility}', false, '{{{owner}}}');
             update conversations set last_change_seq = {seq} where id = '{room}'"
        ))
        .await;
        self.advance_to(seq).await;
        room
    }

    pub async fn joins(&self, person: &Person, room: ConversationId) -> u64 {
        self.joins_as(person, room, "member").await
    }

    pub async fn joins_as(&self, person: &Person, room: ConversationId, role: &str) -> u64 {
        let (seq, uid) = (self.next(), person.uid.as_uuid());
        let at = at(seq);
        self.run(format!(
            "insert into conversations (id, kind, created_at, created_seq, last_seq, last_ordinal, last_at, last_change_seq, members)
               values ('{room}', 'room', {at}, {seq}, 0, 0, {at}, {seq}, 1)
               on conflict (id) do update set members = conversations.members + 1, last_change_seq = {seq};
             insert into participants (conversation, uid, role, joined_seq, joined_at, read_seq, read_ordinal)
               select '{room}', '{uid}', '{role}', {seq}, {at}, {seq}, last_ordinal from conversations where id = '{room}';
             delete from mentions where uid = '{uid}' and conversation = '{room}';
             insert into changes (seq, at, conversation, kind, actor, target, change, role)
               values ({seq}, {at}, '{room}', 'member', '{uid}', '{uid}', 'joined', '{role}')"
        ))
        .await;
        self.advance_to(seq).await;
        seq
    }

    pub async fn leaves(&self, person: &Person, room: ConversationId) -> u64 {
        let (seq, uid) = (self.next(), person.uid.as_uuid());
        let at = at(seq);
        self.run(format!(
            "insert into stays (uid, conversation, joined_seq, left_seq)
               select uid, conversation, joined_seq, {seq} from participants where conversation = '{room}' and uid = '{uid}';
             delete from participants where conversation = '{room}' and uid = '{uid}';
             update conversations set members = members - 1, last_change_seq = {seq} where id = '{room}';
             insert into changes (seq, at, conversation, kind, actor, target, change)
               values ({seq}, {at}, '{room}', 'member', '{uid}', '{uid}', 'left')"
        ))
        .await;
        self.advance_to(seq).await;
        seq
    }

    /// The room becomes public or private, if it is not.
    pub async fn becomes(&self, room: ConversationId, visibility: &str) -> u64 {
        let seq = self.next();
        self.run(format!(
            "update public_spans set upto_seq = {seq}
               where conversation = '{room}' and upto_seq is null and '{visibility}' = 'private';
             insert into public_spans select '{room}', {seq}
               where '{visibility}' = 'public'
                     and not exists (select from public_spans where conversation = '{room}' and upto_seq is null);
             update rooms set visibility = '{visibility}', changed_seq = {seq} where conversation = '{room}'"
        ))
        .await;
        self.advance_to(seq).await;
        seq
    }

    pub async fn say_in(&self, room: ConversationId, person: &Person, words: impl Into<Words>) -> u64 {
        self.tell_in(room, person, words, Told::default()).await
    }

    pub async fn reply_in(&self, room: ConversationId, person: &Person, thread: u64, words: impl Into<Words>) -> u64 {
        self.tell_in(room, person, words, Told { thread, ..Told::default() }).await
    }

    pub async fn tell_in(&self, room: ConversationId, person: &Person, words: impl Into<Words>, told: Told<'_>) -> u64 {
        let (words, seq, uid, thread) = (words.into(), self.next(), person.uid.as_uuid(), told.thread);
        let (at, text, id) = (at(seq), quoted(words.text.as_deref().unwrap_or_default()), words.id);
        let reply_to = words.reply_to.map_or("null".to_owned(), |seq| seq.to_string());
        let mentions: Vec<_> = told.mentions.iter().map(|person| person.uid.as_uuid().to_string()).collect();
        let array = if mentions.is_empty() { "null".to_owned() } else { format!("'{{{}}}'", mentions.join(",")) };
        let all = told.mentions_room;
        let ordinal = if thread == 0 {
            format!("(select last_ordinal + 1 from conversations where id = '{room}')")
        } else {
            format!(
                "(select coalesce(max(replies), 0) + 1 from threads where conversation = '{room}' and root = {thread})"
            )
        };
        let mut script = format!(
            "insert into messages (seq, at, ordinal, reply_to, conversation, sender, id, text, thread, mentions, mentions_room)
               values ({seq}, {at}, {ordinal}, {reply_to}, '{room}', '{uid}', '{id}', {text}, {thread}, {array}, {all});
             update conversations set last_change_seq = {seq} where id = '{room}';
             insert into room_mentions select '{room}', {seq}, {thread}, '{uid}' where {all};"
        );
        for mentioned in mentions {
            script += &format!("insert into mentions values ('{mentioned}', '{room}', {seq}, {thread});");
        }
        script += &if thread == 0 {
            format!(
                "update conversations set last_seq = {seq}, last_ordinal = last_ordinal + 1, last_at = {at} where id = '{room}';
                 update participants p set read_seq = {seq}, read_ordinal = c.last_ordinal from conversations c
                   where c.id = '{room}' and p.conversation = '{room}' and p.uid = '{uid}'"
            )
        } else {
            format!(
                "insert into threads values ('{room}', {thread}, 1, {seq}, {at})
                   on conflict (conversation, root) do update
                   set replies = threads.replies + 1, last_seq = excluded.last_seq, last_at = excluded.last_at;
                 insert into thread_readers values ('{room}', {thread}, '{uid}', {seq}, true)
                   on conflict (conversation, root, uid) do update set read_seq = {seq}, takes_part = true;
                 insert into thread_readers select '{room}', {thread}, sender, 0, true from messages
                   where conversation = '{room}' and seq = {thread}
                   on conflict (conversation, root, uid) do update set takes_part = true"
            )
        };
        self.run(script).await;
        self.advance_to(seq).await;
        seq
    }

    pub async fn edit_in(&self, room: ConversationId, message: u64, text: &str) -> u64 {
        let seq = self.next();
        let (at, text) = (at(seq), quoted(text));
        self.run(format!(
            "insert into versions select conversation, seq, seq, at, text from messages
               where conversation = '{room}' and seq = {message} and edited_seq is null;
             insert into versions values ('{room}', {message}, {seq}, {at}, {text});
             update messages set text = {text}, edited_seq = {seq}, edited_at = {at}
               where conversation = '{room}' and seq = {message};
             insert into changes (seq, at, conversation, kind, actor, message, id)
               select {seq}, {at}, '{room}', 'edited', sender, {message}, id from messages
               where conversation = '{room}' and seq = {message};
             update conversations set last_change_seq = {seq} where id = '{room}'"
        ))
        .await;
        self.advance_to(seq).await;
        seq
    }

    pub async fn pin_in(&self, room: ConversationId, person: &Person, message: u64) -> u64 {
        let (seq, uid, id) = (self.next(), person.uid.as_uuid(), Uuid::now_v7());
        let at = at(seq);
        self.run(format!(
            "insert into pins values ('{room}', {message}, {seq}, {at}, '{uid}') on conflict do nothing;
             insert into changes (seq, at, conversation, kind, actor, message, id)
               values ({seq}, {at}, '{room}', 'pin_added', '{uid}', {message}, '{id}');
             update conversations set last_change_seq = {seq} where id = '{room}'"
        ))
        .await;
        self.advance_to(seq).await;
        seq
    }

    pub async fn react_in(&self, room: ConversationId, person: &Person, message: u64, emoji: &str) -> u64 {
        let (seq, uid) = (self.next(), person.uid.as_uuid());
        self.run(format!("insert into reactions values ('{room}', {message}, '{emoji}', '{uid}', {seq}, {seq})")).await;
        self.advance_to(seq).await;
        seq
    }

    pub async fn delete_in(&self, room: ConversationId, message: u64) -> u64 {
        let seq = self.next();
        self.run(format!(
            "update messages set deleted_seq = {seq}, text = null, edited_seq = null, edited_at = null, mentions = null,
               mentions_room = false where conversation = '{room}' and seq = {message};
             delete from versions where conversation = '{room}' and message = {message};
             delete from pins where conversation = '{room}' and message = {message};
             delete from mentions where conversation = '{room}' and seq = {message};
             delete from room_mentions where conversation = '{room}' and seq = {message}"
        ))
        .await;
        self.advance_to(seq).await;
        seq
    }

    pub async fn archive(&self, room: ConversationId) {
        self.run(format!("update rooms set archived = true where conversation = '{room}'")).await;
    }
}
