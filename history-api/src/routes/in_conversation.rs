//! What every route inside one conversation begins with: what of it the caller may read (EVT3), in the page's own snapshot.

use natter_platform::Problem;
use natter_protocol::ErrorCode;

use super::no_such_conversation;
use crate::database::DatabaseError;
use crate::statement::Snapshot;

/// A statement about the conversation $5. `gate.spans` is what the caller may read of it: null for nothing, and while the
/// gate is not open.
macro_rules! in_conversation {
    ($columns:expr, $($rest:expr),+ $(,)?) => {
        $crate::statement::gated!(
            ", gate as materialized (
                 select at.*, may.spans, may.spans is not null as visible,
                        exists (select from rooms r where r.conversation = $5 and r.visibility = 'public') as public
                 from at left join lateral (select ", $crate::rows::spans_of!("$5"), " as spans) may on at.open
             )
             select gate.epoch, gate.seq, gate.tag, gate.refused, gate.visible, gate.public, ", $columns, " from gate left join lateral (",
            $($rest),+
        )
    };
}
pub(super) use in_conversation;

/// A statement about the conversation $5 as it is now, which only those read who are in it now.
macro_rules! among_members {
    ($($rest:expr),+ $(,)?) => {
        $crate::statement::gated!(
            ", gate as materialized (
                 select at.*, me.uid is not null as visible, me.role in ('moderator', 'owner') is true as in_charge,
                        exists (select from rooms r where r.conversation = $5 and r.visibility = 'public') as public
                 from at left join participants me on me.conversation = $5 and me.uid = $1
             )
             select gate.epoch, gate.seq, gate.tag, gate.refused, gate.visible, gate.in_charge, gate.public, page.*
             from gate left join lateral (",
            $($rest),+,
            ") page on true"
        )
    };
}
pub(super) use among_members;

/// Whether the caller may see the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Visible,
    /// Anybody finds it, and only its members see what is in it.
    Public,
    /// It is answered as if it were not there (CMD6).
    Hidden,
}

impl Access {
    pub fn of(snapshot: &Snapshot) -> Result<Self, DatabaseError> {
        Ok(match (snapshot.fact("visible")?, snapshot.fact("public")?) {
            (true, _) => Self::Visible,
            (false, true) => Self::Public,
            (false, false) => Self::Hidden,
        })
    }

    pub fn check(self) -> Result<(), Problem> {
        match self {
            Self::Visible => Ok(()),
            Self::Public => Err(not_member()),
            Self::Hidden => Err(no_such_conversation()),
        }
    }
}

pub(super) fn not_member() -> Problem {
    Problem::new(ErrorCode::NotMember, "you are not in this room: join it first")
}
