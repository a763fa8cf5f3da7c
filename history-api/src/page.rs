//! From the rows of a statement to a page. A statement reads one item more than the page holds: whether there is one says
//! whether there is a next page.

use natter_protocol::Position;
use natter_protocol::history::Page;

use crate::cursor::{Key, Query};

/// The page of items that come in the list's order, at most `limit + 1` of them.
pub fn page<T, K: Key>(
    mut items: Vec<T>,
    limit: u32,
    query: &Query,
    key: impl Fn(&T) -> K,
    position: Position,
) -> Page<T> {
    let next = cut(&mut items, limit).then(|| items.last().map(|last| query.encode(&key(last)))).flatten();
    Page { items, next, position }
}

/// Takes off what is beyond the limit, and says whether there was something.
pub fn cut<T>(items: &mut Vec<T>, limit: u32) -> bool {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    more
}

#[cfg(test)]
mod tests {
    use natter_events::Uid;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hst1_following_next_gives_every_item_once_and_in_order(count in 0u64..300, limits in proptest::collection::vec(1u32..200, 300)) {
            let query = Query::new(Uid::from_bytes([1; 16]), "test");
            let (mut seen, mut cursor) = (Vec::new(), None::<String>);
            for limit in limits {
                let after = cursor.map_or(0, |cursor| query.decode::<u64>(&cursor).expect("our own cursor"));
                let rows = (after + 1..=count).take(limit as usize + 1).collect();
                let page = page(rows, limit, &query, |n| *n, Position::start(1));
                prop_assert!(page.items.len() <= limit as usize);
                seen.extend(page.items);
                match page.next {
                    Some(next) => cursor = Some(next),
                    None => break,
                }
            }
            prop_assert_eq!(seen, (1..=count).collect::<Vec<_>>());
        }
    }
}
