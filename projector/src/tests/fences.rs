//! Two projectors that both believe they are the active one.

use natter_log::Stream;

use super::paper::{Paper, Person, database, projected, writer};
use super::tables::everything;
use crate::config::Config;
use crate::error::{ApplyError, SessionError};

#[tokio::test]
async fn d8_of_two_that_believe_they_are_active_one_is_fenced_and_writes_nothing() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    for n in 0..100 {
        paper.append(&ada.says(&[ben.uid], &n.to_string()));
    }
    let database = database().await;
    let mut fenced = 0;
    let mut writers = [0, 1].map(|_| None);
    for round in 0..20 {
        for writer in &mut writers {
            if writer.is_none() {
                *writer = Some(super::paper::writer(Config::new(database.url()), Stream::Chat).await);
            }
        }
        let attempts = writers.iter_mut().enumerate().map(|(n, writer)| {
            let writer = writer.as_mut().expect("a writer");
            let mut events = paper.read(Stream::Chat, writer.position().seq);
            events.truncate(3 + (round + n) % 4);
            writer.apply(events)
        });
        let results = futures::future::join_all(attempts).await;
        for (writer, result) in writers.iter_mut().zip(results) {
            match result {
                Ok(()) => {}
                Err(SessionError::Apply(ApplyError::Fenced)) => {
                    fenced += 1;
                    // As in service: begin again from the stored position.
                    *writer = None;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    assert!(fenced >= 10, "they never met: {fenced}");
    let mut last = writer(Config::new(database.url()), Stream::Chat).await;
    let rest = paper.read(Stream::Chat, last.position().seq);
    last.apply(rest).await.expect("applied");
    assert_eq!(everything(&database).await, everything(&projected(&paper, &[1_000]).await).await);
}
