//! `GET /history/search?q=…&conversation=&from=&before=seq`: messages in which words begin with the words of `q`, all of
//! them, in any case; the newest first, of all conversations or of one, in threads and outside of them.
//!
//! What a message says now is what it is found by. A message that was edited since is not found by whoever may not read
//! the edit: neither by what they may not know, nor by what it says no more.
//!
//! The log is looked through stretch by stretch, back from its end, and for one page only so far: what is common costs no
//! more than what is rare. So a page may have fewer items than its limit, or none, and a `next` with which to go on.

use axum::Json;
use axum::extract::State;
use natter_events::ConversationId;
use natter_platform::Problem;
use natter_platform::problem::QueryParams;
use natter_protocol::Handle;
use natter_protocol::history::{MessageItem, Page};
use serde::Deserialize;
use sqlx::postgres::PgRow;

use super::conversation_of;
use super::in_conversation::Access;
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::cut;
use crate::params::{Paging, before, invalid, sought_words};
use crate::rows::{self, message_columns, spans_of};
use crate::statement::{Snapshot, gated};

const ROUTE: &str = "search";

/// Below 2^53 there is every seq.
const BEYOND_ALL: u64 = 1 << 53;

/// How much of the log is in one stretch of the index (`found_by` in the migrations): 2^16 seqs.
const STRETCH_BITS: u32 = 16;

/// How many stretches are looked through for a page: first these, and if that is not enough more of them.
const LOOKS: [u32; 3] = [4, 32, 256];

/// Most messages with the words that are looked at for a page.
const MAX_FOUND: i64 = 10_000;

/// $5: the conversation, or null; $6: words; $7: the sender's handle, or null; $8: before which seq; $9: how many stretches
/// to look through; $10: most messages to look at; $11: how many to give.
///
/// Whoever is in few conversations looks for those in the index too. `looked` is the seq down to which there is nothing
/// else. The `+ 0` keeps the planner from the key of messages, which is by conversation first and of no use here.
pub(crate) const SEARCH: &str = gated!(
    ", gate as materialized (
         select at.*, least($8 - 1, at.seq) >> 16 as top, greatest((least($8 - 1, at.seq) >> 16) - $9 + 1, 0) as bottom,
                $5::uuid is null or may.spans is not null as visible,
                exists (select from rooms r where r.conversation = $5 and r.visibility = 'public') as public,
                (select string_agg('''%:' || word || ''':*', ' & ') from unnest(words_of($6)) word)
                || case when $7::text is null then '' else (
                    select ' & ''%@' || u.uid || '''' from users u where u.handle = $7) end
                || case when $5::uuid is not null then ' & ''%#' || $5 || '''' else (
                    select case when count(*) > 32 then ''
                                else ' & (' || string_agg('''%#' || mine.conversation || '''', ' | ') || ')' end
                    from (select distinct h.conversation from heard h where h.uid = $1 limit 33) mine) end as query
         from at left join lateral (select ",
    spans_of!("$5"),
    " as spans) may on at.open
     ),
     found as materialized (
         select hit.*
         from gate
         cross join lateral generate_series(gate.top, gate.bottom, -1) stretch
         cross join lateral (
             select x.conversation, x.seq, x.edited_seq
             from messages x
             where x.text is not null
                   and found_by(x.seq, x.conversation, x.sender, x.text)
                       @@ replace(gate.query, '%', to_hex(stretch))::tsquery
                   and x.seq + 0 < $8
             order by x.seq desc
         ) hit
         limit (select case when gate.open and gate.visible then $10 else 0 end from gate)
     )
     select gate.epoch, gate.seq, gate.tag, gate.refused, gate.visible, gate.public, page.*, author.handle as m_sender,
            (select case when count(*) < $10 then gate.bottom << 16 else min(f.seq) end from found f) as looked
     from gate left join lateral (
         select true as item, m.conversation as m_conversation, ",
    message_columns!("hit.spans"),
    " from (
             select f.conversation, f.seq, may.spans
             from (
                 select * from found
                 where (conversation in (select h.conversation from heard h where h.uid = $1)) is true
                 order by seq desc
             ) f
             cross join lateral (select ",
    spans_of!("f.conversation"),
    " as spans) may
             where f.seq <@ may.spans and (f.edited_seq is null or f.edited_seq <@ may.spans)
             limit $11
         ) hit
         join messages m on m.conversation = hit.conversation and m.seq = hit.seq
     ) page on true
     left join users author on author.uid = page.m_by"
);

#[derive(Deserialize)]
pub(super) struct Params {
    q: Option<String>,
    conversation: Option<String>,
    from: Option<String>,
    before: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

/// What is looked for.
struct Sought<'a> {
    words: &'a str,
    conversation: Option<ConversationId>,
    from: Option<Handle>,
    before: u64,
    limit: u32,
}

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<MessageItem>>, Problem> {
    let words = sought_words(params.q.as_deref())?;
    let from = params.from.as_deref().map(str::parse::<Handle>).transpose();
    let from = from.map_err(|error| invalid(format!("`from` has to be a handle: {error}")))?;
    let (first, limit) = (before(params.before.as_deref())?, params.paging.limit()?);
    let conversation = params.conversation.as_deref().map(conversation_of).transpose()?;
    let query = Query::new(caller.uid, ROUTE)
        .with(words.as_bytes())
        .with(conversation.map_or(Vec::new(), |id| id.as_bytes().to_vec()).as_slice())
        .with(from.as_ref().map_or("", Handle::as_str).as_bytes())
        .with(&first.unwrap_or_default().to_be_bytes());
    let before = match &params.paging.cursor {
        None => first.unwrap_or(BEYOND_ALL),
        Some(cursor) => query.decode(cursor).map_err(|error| invalid(error.to_string()))?,
    };
    let sought = Sought { words, conversation, from, before, limit };
    let (snapshot, looked) = sought.look(&history, &caller).await?;
    let read = |row: &PgRow| rows::message(row, rows::conversation(row, "m_conversation")?);
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|item| std::cmp::Reverse(item.seq));
    let next = if cut(&mut items, limit) { items.last().map(|last| last.seq) } else { (looked > 0).then_some(looked) };
    Ok(Json(Page { items, next: next.map(|seq| query.encode(&seq)), position: snapshot.position }))
}

impl Sought<'_> {
    /// The page in one snapshot, looking as far as it takes and may; and the seq down to which that was.
    async fn look(&self, history: &History, caller: &Caller) -> Result<(Snapshot, u64), Problem> {
        let [first, more @ ..] = LOOKS;
        let (mut snapshot, mut looked) = self.look_through(first, history, caller).await?;
        for stretches in more {
            let full = snapshot.items(|_| Ok(())).map_err(DatabaseError::from)?.len() > self.limit as usize;
            // Where it did not come to the end of a stretch, it has looked at as much as it may.
            if full || looked == 0 || !looked.is_multiple_of(1 << STRETCH_BITS) {
                break;
            }
            (snapshot, looked) = self.look_through(stretches, history, caller).await?;
        }
        Ok((snapshot, looked))
    }

    async fn look_through(
        &self,
        stretches: u32,
        history: &History,
        caller: &Caller,
    ) -> Result<(Snapshot, u64), Problem> {
        let statement = caller
            .statement(SEARCH)
            .bind(self.conversation.map(|id| id.as_uuid()))
            .bind(self.words)
            .bind(self.from.as_ref().map(Handle::as_str))
            .bind(self.before.cast_signed())
            .bind(i64::from(stretches))
            .bind(MAX_FOUND)
            .bind(i64::from(self.limit) + 1);
        let snapshot = history.read(caller, ROUTE, &statement).await?;
        Access::of(&snapshot)?.check()?;
        let looked = snapshot.seq("looked").map_err(DatabaseError::from)?;
        Ok((snapshot, looked))
    }
}
