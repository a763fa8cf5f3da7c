//! D14: one log has one epoch.

use bytes::Bytes;
use natter_log::{Bucket, Epoch, EpochError};
use natter_testkit::Broker;

use crate::support::*;

#[tokio::test]
async fn d14_an_epoch_is_made_once_and_all_learn_the_same() {
    let broker = Broker::start().await;
    let (one, two) = (log_on(&broker).await, log_on(&broker).await);
    let all = futures::future::join_all((0..10).flat_map(|_| [one.epoch(), two.epoch()])).await;
    let epoch = all[0].clone().expect("an epoch");
    assert!(all.iter().all(|other| *other == Ok(epoch)), "{all:?}");
    drop((one, two));
    assert_eq!(log_on(&broker).await.epoch().await, Ok(epoch), "and it stays");
    let other = Broker::start().await;
    assert_ne!(log_on(&other).await.epoch().await, Ok(epoch), "another log has another");
}

#[tokio::test]
async fn d14_a_new_epoch_has_one_winner_and_all_learn_it() {
    let broker = Broker::start().await;
    let (one, two) = (log_on(&broker).await, log_on(&broker).await);
    let old = one.epoch().await.expect("an epoch");
    let all = futures::future::join_all((0..10).flat_map(|_| [one.renew_epoch(old), two.renew_epoch(old)])).await;
    let new = all[0].clone().expect("an epoch");
    assert_ne!(new, old);
    assert!(all.iter().all(|other| *other == Ok(new)), "{all:?}");
    assert_eq!(one.epoch().await, Ok(new));
    // One who comes late with the old one, or with any other, changes nothing.
    assert_eq!(two.renew_epoch(old).await, Ok(new));
    assert_eq!(two.renew_epoch(Epoch(7)).await, Ok(new));
}

#[tokio::test]
async fn d14_what_is_no_epoch_is_an_error_and_stays() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    for nonsense in ["", "x", "-1", "99999999999999999999999"] {
        log.bucket(Bucket::Meta).put("epoch", Bytes::from(nonsense)).await.expect("put");
        assert_eq!(log.epoch().await, Err(EpochError::Malformed), "{nonsense:?}");
        assert_eq!(log.renew_epoch(Epoch(1)).await, Err(EpochError::Malformed), "{nonsense:?}");
    }
}
