//! `GET /history/conversations/{id}/messages?before|after|around=seq|around_at=time&thread=seq`: messages as they now stand,
//! ascending by seq; those outside of threads, or with `thread` those of one.
//!
//! `next` goes on in the direction that was asked for: older for `before` and when nothing is said, newer for `after`,
//! `around` and `around_at`. The other direction needs no cursor: it is `before` the first item or `after` the last.

use axum::Json;
use axum::extract::State;
use natter_events::ConversationId;
use natter_platform::Problem;
use natter_platform::problem::{PathParams, QueryParams};
use natter_protocol::history::{MessageItem, Page};
use serde::Deserialize;

use super::conversation_of;
use super::in_conversation::{Access, in_conversation};
use super::moment::place_of;
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::cut;
use crate::params::{Paging, Place, Window, invalid, root};
use crate::rows::{message, message_columns};

const ROUTE: &str = "messages";

/// Below 2^53 there is every seq.
const BEYOND_ALL: u64 = 1 << 53;

/// Messages next to a seq: $6 is the thread, 0 outside of threads; $7 the seq. Span after span, each read from the index in
/// order and only as far as the page needs it: so the outer `limit` ends the reading, and nothing is sorted here.
macro_rules! next_to {
    ($thread:literal, $where:literal, $spans:literal, $order:literal, $limit:literal) => {
        concat!(
            "select true as item, ",
            message_columns!("gate.spans"),
            " from (select s as span from unnest(gate.spans) s where ",
            $spans,
            " order by s ",
            $order,
            ") span
              cross join lateral (
                  select x.* from messages x
                  where x.conversation = $5 and ",
            $thread,
            " and ",
            $where,
            " and x.seq >= lower(span.span) and x.seq < upper(span.span)
                  order by x.seq ",
            $order,
            " limit ",
            $limit,
            "
              ) m
              limit case when gate.visible then ",
            $limit,
            " else 0 end"
        )
    };
}

macro_rules! of_conversation {
    ($($messages:expr),+ $(,)?) => {
        in_conversation!(
            "page.*, author.handle as m_sender",
            $($messages),+,
            ") page on true left join users author on author.uid = page.m_by"
        )
    };
}

/// The statements of a timeline.
struct Statements {
    /// $8: how many.
    before: &'static str,
    after: &'static str,
    /// $8: how many, and $9: how many of the older ones.
    around: &'static str,
}

macro_rules! statements {
    ($thread:literal) => {
        Statements {
            before: of_conversation!(next_to!($thread, "x.seq < $7", "lower(s) < $7", "desc", "$8")),
            after: of_conversation!(next_to!($thread, "x.seq > $7", "upper(s) > $7", "asc", "$8")),
            around: of_conversation!(
                "(",
                next_to!($thread, "x.seq < $7", "lower(s) < $7", "desc", "$9"),
                ") union all (",
                next_to!($thread, "x.seq >= $7", "upper(s) > $7", "asc", "$8"),
                ")",
            ),
        }
    };
}

// The index that holds just these is asked for by name of its rows: the planner can't know how common threads are.
const OUTSIDE_THREADS: Statements = statements!("x.thread = 0 and $6 = 0");
const IN_THREAD: Statements = statements!("x.thread = $6 and x.thread <> 0");

pub(crate) const BEFORE: &str = OUTSIDE_THREADS.before;

#[derive(Deserialize)]
pub(super) struct Params {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    window: Window,
    thread: Option<String>,
}

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<MessageItem>>, Problem> {
    let conversation = conversation_of(&id)?;
    let range = params.parse()?.of(&caller, conversation)?;
    let (page, access) = range.read(&history, &caller).await?;
    access.check()?;
    Ok(Json(page))
}

/// Some messages that were asked for, before it is known of which conversation.
pub(super) struct Asked {
    thread: Option<u64>,
    place: Place,
    limit: u32,
    cursor: Option<String>,
}

/// Some messages of one conversation that were asked for.
pub(super) struct Range {
    conversation: ConversationId,
    thread: Option<u64>,
    place: Place,
    limit: u32,
    query: Query,
}

impl Params {
    pub(super) fn parse(self) -> Result<Asked, Problem> {
        let (thread, place) = (root(self.thread.as_deref())?, self.window.place()?);
        Ok(Asked { thread, place, limit: self.paging.limit()?, cursor: self.paging.cursor })
    }
}

impl Asked {
    /// The same of this conversation, with the place that the cursor says.
    pub(super) fn of(self, caller: &Caller, conversation: ConversationId) -> Result<Range, Problem> {
        let (name, value) = match self.place {
            Place::Newest => ("newest", 0),
            Place::Before(seq) => ("before", seq),
            Place::After(seq) => ("after", seq),
            Place::Around(seq) => ("around", seq),
            Place::AroundAt(moment) => ("around_at", moment.0.cast_unsigned()),
        };
        let query = Query::new(caller.uid, ROUTE)
            .with(conversation.as_bytes())
            .with(&self.thread.unwrap_or_default().to_be_bytes())
            .with(name.as_bytes())
            .with(&value.to_be_bytes());
        let place = match &self.cursor {
            None => self.place,
            Some(cursor) => {
                let seq = query.decode(cursor).map_err(|error| invalid(error.to_string()))?;
                if goes_back(self.place) { Place::Before(seq) } else { Place::After(seq) }
            }
        };
        Ok(Range { conversation, thread: self.thread, place, limit: self.limit, query })
    }
}

impl Range {
    /// The page, and whether the caller may see the conversation; if not, there is nothing in the page.
    pub(super) async fn read(
        &self,
        history: &History,
        caller: &Caller,
    ) -> Result<(Page<MessageItem>, Access), Problem> {
        let in_direction = i64::from(self.limit) + 1;
        let thread = self.thread.unwrap_or_default().cast_signed();
        let statement = |sql, seq: u64| {
            caller.statement(sql).bind(self.conversation.as_uuid()).bind(thread).bind(seq.cast_signed())
        };
        let Statements { before, after, around } = if self.thread.is_some() { IN_THREAD } else { OUTSIDE_THREADS };
        let both_ways = |seq| {
            let older = self.limit / 2;
            let newer = self.limit - older;
            (statement(around, seq).bind(i64::from(newer) + 1).bind(i64::from(older)), newer, seq)
        };
        // How many items may be in the direction that was asked for, and the seq below which they are not in it.
        let (statement, limit, from) = match self.place {
            Place::Newest => (statement(before, BEYOND_ALL).bind(in_direction), self.limit, 0),
            Place::Before(seq) => (statement(before, seq).bind(in_direction), self.limit, 0),
            Place::After(seq) => (statement(after, seq).bind(in_direction), self.limit, 0),
            Place::Around(seq) => both_ways(seq),
            // Where a moment lies does not change, so this may be read before the page and not with it.
            Place::AroundAt(moment) => {
                both_ways(place_of(moment, self.conversation, self.thread, history, caller).await?)
            }
        };
        let snapshot = history.read(caller, ROUTE, &statement).await?;
        let access = Access::of(&snapshot)?;
        let items = snapshot.items(|row| message(row, self.conversation)).map_err(DatabaseError::from)?;
        let (items, next) = arrange(items, goes_back(self.place), from, limit);
        let next = next.map(|seq| self.query.encode(&seq));
        Ok((Page { items, next, position: snapshot.position }, access))
    }
}

fn goes_back(place: Place) -> bool {
    matches!(place, Place::Newest | Place::Before(_))
}

/// The items of a page, ascending, and the seq from which the next one goes on. `limit` counts in the direction that was
/// asked for; going on, that is from the seq `from`.
fn arrange(mut items: Vec<MessageItem>, back: bool, from: u64, limit: u32) -> (Vec<MessageItem>, Option<u64>) {
    if back {
        items.sort_unstable_by_key(|item| std::cmp::Reverse(item.seq));
        let more = cut(&mut items, limit);
        let next = more.then(|| items.last().map(|oldest| oldest.seq)).flatten();
        items.reverse();
        return (items, next);
    }
    items.sort_unstable_by_key(|item| item.seq);
    let older = items.partition_point(|item| item.seq < from);
    let more = items.len() - older > limit as usize;
    items.truncate(older + limit as usize);
    let next = more.then(|| items.last().map(|newest| newest.seq)).flatten();
    (items, next)
}
