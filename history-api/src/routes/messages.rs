//! `GET /history/conversations/{id}/messages?before|after|around=seq`: messages as they now stand, ascending by seq.
//!
//! `next` goes on in the direction that was asked for: older for `before` and when nothing is said, newer for `after` and
//! `around`. The other direction needs no cursor: it is `before` the first item or `after` the last.

use axum::Json;
use axum::extract::State;
use natter_events::ConversationId;
use natter_platform::Problem;
use natter_platform::problem::{PathParams, QueryParams};
use natter_protocol::history::{MessageItem, Page};
use serde::Deserialize;

use super::{conversation_of, no_such_conversation};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::cut;
use crate::params::{Paging, Place, Window, invalid};
use crate::rows::{message, message_columns};
use crate::statement::gated;

const ROUTE: &str = "messages";

/// Below 2^53 there is every seq.
const BEYOND_ALL: u64 = 1 << 53;

/// What all of them begin with: $5 is the conversation. The gate also says whether the caller may see it.
macro_rules! of_conversation {
    ($($rest:tt)+) => {
        gated!(
            ", gate as materialized (
                select at.*, exists (select from participants where conversation = $5 and uid = $1) as visible from at
            )
            select gate.epoch, gate.seq, gate.tag, gate.refused, gate.visible, page.*, author.handle as m_sender
            from gate left join lateral (", $($rest)+, ") page on true left join users author on author.uid = page.m_by"
        )
    };
}

pub(crate) const BEFORE: &str = of_conversation!(
    "select true as item, ",
    message_columns!(),
    " from messages m where conversation = $5 and m.seq < $6
     order by m.seq desc limit case when gate.open and gate.visible then $7 else 0 end"
);

const AFTER: &str = of_conversation!(
    "select true as item, ",
    message_columns!(),
    " from messages m where conversation = $5 and m.seq > $6
     order by m.seq limit case when gate.open and gate.visible then $7 else 0 end"
);

const AROUND: &str = of_conversation!(
    "(select true as item, ",
    message_columns!(),
    " from messages m where conversation = $5 and m.seq < $6
      order by m.seq desc limit case when gate.open and gate.visible then $8 else 0 end)
     union all
     (select true as item, ",
    message_columns!(),
    " from messages m where conversation = $5 and m.seq >= $6
      order by m.seq limit case when gate.open and gate.visible then $7 else 0 end)"
);

#[derive(Deserialize)]
pub(super) struct Params {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    window: Window,
}

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<MessageItem>>, Problem> {
    let conversation = conversation_of(&id)?;
    let range = params.parse()?.of(&caller, conversation)?;
    match range.read(&history, &caller).await? {
        (page, true) => Ok(Json(page)),
        (_, false) => Err(no_such_conversation()),
    }
}

/// Some messages that were asked for, before it is known of which conversation.
pub(super) struct Asked {
    place: Place,
    limit: u32,
    cursor: Option<String>,
}

/// Some messages of one conversation that were asked for.
pub(super) struct Range {
    conversation: ConversationId,
    place: Place,
    limit: u32,
    query: Query,
}

impl Params {
    pub(super) fn parse(self) -> Result<Asked, Problem> {
        Ok(Asked { place: self.window.place()?, limit: self.paging.limit()?, cursor: self.paging.cursor })
    }
}

impl Asked {
    /// The same of this conversation, with the place that the cursor says.
    pub(super) fn of(self, caller: &Caller, conversation: ConversationId) -> Result<Range, Problem> {
        let (name, seq) = match self.place {
            Place::Newest => ("newest", 0),
            Place::Before(seq) => ("before", seq),
            Place::After(seq) => ("after", seq),
            Place::Around(seq) => ("around", seq),
        };
        let query =
            Query::new(caller.uid, ROUTE).with(conversation.as_bytes()).with(name.as_bytes()).with(&seq.to_be_bytes());
        let place = match &self.cursor {
            None => self.place,
            Some(cursor) => {
                let seq = query.decode(cursor).map_err(|error| invalid(error.to_string()))?;
                if goes_back(self.place) { Place::Before(seq) } else { Place::After(seq) }
            }
        };
        Ok(Range { conversation, place, limit: self.limit, query })
    }
}

impl Range {
    /// The page, and whether the caller may see the conversation; if not, there is nothing in the page.
    pub(super) async fn read(&self, history: &History, caller: &Caller) -> Result<(Page<MessageItem>, bool), Problem> {
        let in_direction = i64::from(self.limit) + 1;
        let statement = |sql, seq: u64| caller.statement(sql).bind(self.conversation.as_uuid()).bind(seq.cast_signed());
        let (statement, limit) = match self.place {
            Place::Newest => (statement(BEFORE, BEYOND_ALL).bind(in_direction), self.limit),
            Place::Before(seq) => (statement(BEFORE, seq).bind(in_direction), self.limit),
            Place::After(seq) => (statement(AFTER, seq).bind(in_direction), self.limit),
            Place::Around(seq) => {
                let older = self.limit / 2;
                let newer = self.limit - older;
                (statement(AROUND, seq).bind(i64::from(newer) + 1).bind(i64::from(older)), newer)
            }
        };
        let snapshot = history.read(caller, ROUTE, &statement).await?;
        let visible = snapshot.fact("visible").map_err(DatabaseError::from)?;
        let items = snapshot.items(|row| message(row, self.conversation)).map_err(DatabaseError::from)?;
        let (items, next) = arrange(items, self.place, limit);
        let next = next.map(|seq| self.query.encode(&seq));
        Ok((Page { items, next, position: snapshot.position }, visible))
    }
}

fn goes_back(place: Place) -> bool {
    matches!(place, Place::Newest | Place::Before(_))
}

/// The items of a page, ascending, and the seq from which the next one goes on. `limit` counts in the direction that was
/// asked for.
fn arrange(mut items: Vec<MessageItem>, place: Place, limit: u32) -> (Vec<MessageItem>, Option<u64>) {
    if goes_back(place) {
        items.sort_unstable_by_key(|item| std::cmp::Reverse(item.seq));
        let more = cut(&mut items, limit);
        let next = more.then(|| items.last().map(|oldest| oldest.seq)).flatten();
        items.reverse();
        return (items, next);
    }
    items.sort_unstable_by_key(|item| item.seq);
    let older = match place {
        Place::Around(seq) => items.partition_point(|item| item.seq < seq),
        _ => 0,
    };
    let more = items.len() - older > limit as usize;
    items.truncate(older + limit as usize);
    let next = more.then(|| items.last().map(|newest| newest.seq)).flatten();
    (items, next)
}
