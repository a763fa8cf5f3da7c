//! Where in a conversation a moment lies: the first message that was said then or later.
//!
//! Messages stand in the order of the log, and no index has their times. Those rise with it, so the place is found by
//! halving: each step looks at one message, and from the newest event N on there are log2(N) steps, 40 for a million
//! million. Only what the caller may read is looked at.
//!
//! The broker's clock may have been set back. Then a moment has several places, and this is one of them: the message there
//! was said at the moment or later, and the one before it was said before the moment. That is so whatever the clock did.

use natter_events::ConversationId;
use natter_platform::Problem;
use natter_protocol::Timestamp;

use super::in_conversation::in_conversation;
use crate::History;
use crate::caller::Caller;
use crate::database::DatabaseError;

/// $5: the conversation; $6: the thread, 0 outside of threads; $7: the moment, in milliseconds. `before` is
/// the seq of a message that was said before the moment, or 0; the first message from `upto` on was not, or there is none.
macro_rules! first_since {
    ($thread:literal) => {
        in_conversation!(
            "coalesce(spot.place, 0) as place",
            "with recursive halving as (
                 select 0::int8 as before, gate.seq + 1 as upto, to_timestamp($7::int8 / 1000.0) as moment where gate.visible
                 union all
                 select case when m.at < h.moment then m.seq else h.before end,
                        case when m.at < h.moment then h.upto else h.middle end, h.moment
                 from (select *, (before + upto) / 2 as middle from halving where upto - before > 1) h
                 left join lateral (
                     select first.seq, first.at
                     from (select s as span from unnest(gate.spans) s where upper(s) > h.middle order by s) span
                     cross join lateral (
                         select x.seq, x.at from messages x
                         where x.conversation = $5 and ",
            $thread,
            " and x.seq >= h.middle and x.seq >= lower(span.span) and x.seq < upper(span.span)
                         order by x.seq limit 1
                     ) first
                     limit 1
                 ) m on true
             )
             select upto as place from halving order by upto - before limit 1",
            ") spot on true"
        )
    };
}

const OUTSIDE_THREADS: &str = first_since!("x.thread = 0 and $6 = 0");
const IN_THREAD: &str = first_since!("x.thread = $6 and x.thread <> 0");

/// A seq such that the first message from there on is the first that was said at the moment or later. Beyond the newest
/// where there is none; nothing in particular where the caller may not see the conversation.
pub(super) async fn place_of(
    moment: Timestamp,
    conversation: ConversationId,
    thread: Option<u64>,
    history: &History,
    caller: &Caller,
) -> Result<u64, Problem> {
    let sql = if thread.is_some() { IN_THREAD } else { OUTSIDE_THREADS };
    let statement = caller
        .statement(sql)
        .bind(conversation.as_uuid())
        .bind(thread.unwrap_or_default().cast_signed())
        .bind(moment.0);
    let snapshot = history.read(caller, "moment", &statement).await?;
    Ok(snapshot.seq("place").map_err(DatabaseError::from)?)
}

pub(crate) const PLACE: &str = OUTSIDE_THREADS;
