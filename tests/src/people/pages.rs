//! Somebody who reads pages: each has to have in it what their own device was told before (HST2).

use std::sync::Arc;
use std::time::Duration;

use natter_client::{Event, HttpError, Refused};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;

use super::choice::World;
use super::{Person, Phase};
use crate::readers::newest_first;
use crate::record::{Asked, PageRead, Recorder};

/// Of a page.
const ITEMS: usize = 50;
/// Of what somebody asks for.
const LISTS_ARE_ONE_IN: u32 = 4;

pub async fn run(
    person: Arc<Person>,
    world: Arc<World>,
    recorder: Arc<Recorder>,
    every: Duration,
    seed: u64,
    mut phase: watch::Receiver<Phase>,
) {
    let mut random = StdRng::seed_from_u64(seed ^ 0x7061_6765);
    let reader = person.client().start().await;
    let (client, mut events) = reader.unwrap_or_else(|error| panic!("{} can't read: {error}", person.handle));
    let mut position = None;
    while *phase.borrow() == Phase::Busy {
        let pause = every.mul_f64(random.random_range(0.0..2.0));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = phase.changed() => continue,
        }
        while let Some(event) = events.try_next() {
            if let Some(at) = event.position().filter(|_| !matches!(event, Event::State(_))) {
                position = Some(at);
            }
        }
        let (Some(at_least), Some(conversation)) = (position, world.conversations().choose(&mut random).copied())
        else {
            continue;
        };
        let asked = recorder.now();
        let history = client.history().at_least(at_least);
        if random.random_range(0..LISTS_ARE_ONE_IN) == 0 {
            let mut list = history.conversations();
            let page = tokio::select! {
                page = list.next_page() => page,
                _ = phase.changed() => continue,
            };
            match page {
                Ok(Some(page)) => {
                    let (at_least, position) = (at_least.seq, page.position.seq);
                    recorder.asked(person.number, Asked::List { at_least, position, asked });
                }
                Ok(None) => {}
                Err(error) => refused(&recorder, person.number, error),
            }
            continue;
        }
        let mut pages = history.messages(conversation);
        let page = tokio::select! {
            page = pages.next_page() => page,
            _ = phase.changed() => continue,
        };
        match page {
            Ok(Some(page)) => {
                recorder.page(PageRead {
                    person: person.number,
                    conversation,
                    at_least: at_least.seq,
                    position: page.position,
                    asked,
                    came: recorder.now(),
                    items: newest_first(&page).collect(),
                    is_all: page.next.is_none() && page.items.len() < ITEMS,
                });
            }
            Ok(None) => {}
            Err(error) => refused(&recorder, person.number, error),
        }
    }
    client.close().await;
}

/// It is not theirs to see, or not to be had now. Whom the network kept from an answer was told nothing.
fn refused(recorder: &Recorder, person: usize, error: HttpError) {
    if let HttpError::Refused(Refused { code, retry_after, .. }) = error {
        recorder.asked(person, Asked::Refused { code, retry_after });
    }
}
