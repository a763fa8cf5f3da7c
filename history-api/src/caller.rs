//! Who asks, and what every request says beside its parameters.

use axum::extract::FromRequestParts;
use http::request::Parts;
use natter_events::Uid;
use natter_planted::Bug;
use natter_platform::Problem;
use natter_platform::tokens::Claims;
use natter_protocol::{ErrorCode, MIN_POSITION_HEADER, Position};
use time::OffsetDateTime;

use crate::History;
use crate::params::invalid;
use crate::statement::Statement;

/// Someone with a good access token, within their rate. Whether their login still holds, the statement says.
pub struct Caller {
    pub uid: Uid,
    pub handle: natter_protocol::Handle,
    claims: Claims,
    floors: Vec<Floor>,
}

/// A position that the answer may not be before.
pub struct Floor {
    pub position: Position,
    /// What to say where it is of another log than the read models.
    pub other_log: fn() -> Problem,
}

impl Caller {
    /// Also asks for an answer that is not before this.
    pub fn not_before(&mut self, floor: Floor) {
        self.floors.push(floor);
    }

    /// A statement of which the gate's parameters are bound.
    pub fn statement(&self, gated_sql: &'static str) -> Statement {
        let issued_at = i64::try_from(self.claims.iat).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
        Statement::new(gated_sql)
            .bind(self.uid.as_uuid())
            .bind(self.claims.session.as_uuid())
            // A token from a time that is none was issued before every revocation.
            .bind(issued_at.unwrap_or(OffsetDateTime::UNIX_EPOCH))
            .bind(self.at_least().cast_signed())
    }

    /// The seq that the answer may not be before.
    pub fn at_least(&self) -> u64 {
        if Bug::StaleHistory.is_planted() {
            return 0;
        }
        self.floors.iter().map(|floor| floor.position.seq).max().unwrap_or(0)
    }

    /// Refuses where what was asked for is of another log than what was found.
    pub fn check_log(&self, found: Position) -> Result<(), Problem> {
        self.floors
            .iter()
            .find(|floor| !same_log(floor.position, found))
            .map_or(Ok(()), |floor| Err((floor.other_log)()))
    }
}

/// Whether two positions can be of one log: of one epoch, and where they are at the same event, of one tag. A tag of zero
/// says nothing.
fn same_log(one: Position, other: Position) -> bool {
    let tags_differ = one.tag != other.tag && one.tag.0 != 0 && other.tag.0 != 0;
    one.epoch == other.epoch && !(one.seq == other.seq && tags_differ)
}

impl FromRequestParts<History> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, history: &History) -> Result<Self, Problem> {
        let claims = <Claims as FromRequestParts<History>>::from_request_parts(parts, history).await?;
        if let Err(wait) = history.limiter().check(&claims.uid) {
            return Err(Problem::new(ErrorCode::RateLimited, "too many queries").retry_after(wait));
        }
        let handle =
            claims.handle.parse().map_err(|_| Problem::new(ErrorCode::Unauthenticated, "the token names nobody"))?;
        let min_position = min_position(parts)?;
        let floors = min_position.map(|position| Floor {
            position,
            other_log: || {
                Problem::new(ErrorCode::Conflict, "`Natter-Min-Position` is of another log: read again without it")
            },
        });
        Ok(Self { uid: claims.uid, handle, claims, floors: floors.into_iter().collect() })
    }
}

fn min_position(parts: &Parts) -> Result<Option<Position>, Problem> {
    let mut values = parts.headers.get_all(MIN_POSITION_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid("`Natter-Min-Position` is there more than once"));
    }
    let position = value.to_str().ok().and_then(|text| text.parse().ok());
    position.map(Some).ok_or_else(|| invalid("`Natter-Min-Position` has to be a position that this service gave out"))
}

#[cfg(test)]
mod tests {
    use natter_events::Tag;

    use super::*;

    #[test]
    fn positions_of_another_log_are_told_by_epoch_and_by_the_tag_of_the_same_event() {
        let here = Position { epoch: 1, seq: 5, tag: Tag(9) };
        assert!(same_log(here, here) && same_log(Position::start(1), here));
        assert!(same_log(Position { seq: 4, tag: Tag(8), ..here }, here), "another event, another tag");
        assert!(same_log(Position { tag: Tag(0), ..here }, here), "a position without a tag");
        assert!(!same_log(Position { tag: Tag(8), ..here }, here));
        assert!(!same_log(Position { epoch: 2, ..here }, here));
        assert!(!same_log(Position::start(2), here));
    }
}
