//! What an event is to a follower that has read up to a position.

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The one after the last.
    Next,
    /// The last one again, at the beginning of a feed that was opened at it to compare.
    AtPosition,
    /// One that was handed out before.
    Replay,
    /// One too far: `expected` should have come.
    Jump { expected: u64 },
}

pub(super) fn judge(position: u64, checks_position: bool, seq: u64) -> Verdict {
    let expected = if checks_position { position } else { position + 1 };
    match seq {
        _ if seq < expected => Verdict::Replay,
        _ if seq > expected => Verdict::Jump { expected },
        _ if checks_position => Verdict::AtPosition,
        _ => Verdict::Next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_next_event_is_taken() {
        assert_eq!(judge(0, false, 1), Verdict::Next);
        assert_eq!(judge(7, false, 8), Verdict::Next);
        assert_eq!(judge(7, false, 7), Verdict::Replay);
        assert_eq!(judge(7, false, 1), Verdict::Replay);
        assert_eq!(judge(7, false, 9), Verdict::Jump { expected: 8 });
        assert_eq!(judge(7, true, 7), Verdict::AtPosition);
        assert_eq!(judge(7, true, 8), Verdict::Jump { expected: 7 });
        assert_eq!(judge(7, true, 6), Verdict::Replay);
    }

    proptest! {
        #[test]
        fn what_is_taken_is_contiguous_whatever_comes(seqs in proptest::collection::vec(0u64..40, 0..200)) {
            let mut position = 0;
            for seq in seqs {
                if judge(position, false, seq) == Verdict::Next {
                    prop_assert_eq!(seq, position + 1);
                    position = seq;
                }
            }
        }
    }
}
