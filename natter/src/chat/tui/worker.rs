//! Carries out what the state wants done, beside the drawing, and gives the answers back as inputs.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;

use natter_client::{Client, ClientId, ConversationId, ErrorCode, HttpError, Position, Recipients};
use natter_platform::error::chain;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::key::Key;
use super::state::{Effect, Input, Lines, MAX_PENDING};
use crate::chat::blocked;

/// Conversations of a page of the list, and pages of it that are read.
const LIST_ITEMS: u32 = 200;
const LIST_PAGES: usize = 5;
/// Lines of a page of a conversation.
const PAGE_ITEMS: u32 = 50;
const FOUND_ITEMS: u32 = 20;
/// Answers that wait to be taken in.
const ANSWERS: usize = 256;

pub struct Worker {
    client: Client,
    tasks: JoinSet<()>,
    answers: mpsc::Sender<Input>,
    sending: mpsc::Sender<(Key, ClientId, String)>,
    marks: HashMap<ConversationId, watch::Sender<u64>>,
    finding: Option<AbortHandle>,
}

impl Worker {
    pub fn start(client: Client) -> (Self, mpsc::Receiver<Input>) {
        let (answers, answered) = mpsc::channel(ANSWERS);
        // The state lets no more of them wait.
        let (sending, to_send) = mpsc::channel(MAX_PENDING);
        let mut tasks = JoinSet::new();
        tasks.spawn(send_in_order(client.clone(), to_send, answers.clone()));
        let worker = Self { client, tasks, answers, sending, marks: HashMap::new(), finding: None };
        (worker, answered)
    }

    /// Does not end, unless a task has panicked: then so does this.
    pub async fn panics(&mut self) -> Infallible {
        loop {
            match self.tasks.join_next().await {
                Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Some(_) => {}
                None => return std::future::pending().await,
            }
        }
    }

    pub fn perform(&mut self, effect: Effect) {
        let (client, answers) = (self.client.clone(), self.answers.clone());
        match effect {
            Effect::ReadList { generation } => _ = self.tasks.spawn(read_list(client, generation, answers)),
            Effect::ReadRow { generation, id, at_least } => {
                _ = self.tasks.spawn(read_row(client, generation, id, at_least, answers));
            }
            Effect::ReadPage { generation, key, before } => {
                _ = self.tasks.spawn(async move {
                    let page = read_page(&client, &key, before).await.map_err(|error| why(&error));
                    let _ = answers.send(Input::Page { generation, key, before, page }).await;
                });
            }
            Effect::Find { question, prefix } => {
                let found = self.tasks.spawn(async move {
                    let page = client.history().users(&prefix).limit(FOUND_ITEMS).next_page().await;
                    let users = page.map(|page| page.map_or_else(Vec::new, |page| page.items));
                    let _ = answers.send(Input::Found { question, users: users.map_err(|error| why(&error)) }).await;
                });
                // The one before is of no use any more.
                if let Some(before) = self.finding.replace(found) {
                    before.abort();
                }
            }
            Effect::Send { key, id, text } => _ = self.sending.try_send((key, id, text)),
            Effect::Mark { id, read } => self.mark(id, read),
            Effect::Typing(id) => _ = self.tasks.spawn(async move { client.typing(id).await }),
            Effect::Watch(users) => {
                _ = self.tasks.spawn(async move {
                    // It can only fail when the client has ended.
                    let _ = client.watch(users).await;
                });
            }
            Effect::Reconnect => client.reconnect_now(),
            Effect::Quit => {}
        }
    }

    /// One marker of a conversation is under way at a time, and then the furthest one follows.
    fn mark(&mut self, id: ConversationId, read: u64) {
        if let Some(wanted) = self.marks.get(&id) {
            wanted.send_replace(read);
            return;
        }
        let (wanted, mut read_up_to) = watch::channel(read);
        self.marks.insert(id, wanted);
        let client = self.client.clone();
        self.tasks.spawn(async move {
            loop {
                let read = *read_up_to.borrow_and_update();
                // One that is refused is let go: the next one says more.
                let _ = client.mark(id, read).await;
                if read_up_to.changed().await.is_err() {
                    return;
                }
            }
        });
    }
}

/// One after the other, so that none overtakes the one before, whatever becomes of it.
async fn send_in_order(
    client: Client,
    mut to_send: mpsc::Receiver<(Key, ClientId, String)>,
    answers: mpsc::Sender<Input>,
) {
    while let Some((key, id, text)) = to_send.recv().await {
        let to = match &key {
            Key::Direct(people) => Recipients::from(&**people),
            Key::Room(id) => Recipients::from(*id),
        };
        let outcome = client.send(to, text).id(id).await.map_err(|error| chain(&error));
        if answers.send(Input::Settled { key, id, outcome }).await.is_err() {
            return;
        }
    }
}

async fn read_list(client: Client, generation: u64, answers: mpsc::Sender<Input>) {
    // Whose words are folded is known before there are any.
    let (first, failed) = match blocked::read(&client.history()).await {
        Ok(listed) => (Input::Blocked { generation, listed }, false),
        Err(error) => (Input::ListFailed { generation, why: why(&error) }, true),
    };
    if answers.send(first).await.is_err() || failed {
        return;
    }
    let mut pages = client.history().conversations().limit(LIST_ITEMS);
    for number in 1..=LIST_PAGES {
        let input = match pages.next_page().await {
            Ok(Some(page)) => {
                let whole = page.next.is_none() || number == LIST_PAGES;
                Input::List { generation, rows: page.items, as_of: page.position.seq, whole }
            }
            Ok(None) => return,
            Err(error) => Input::ListFailed { generation, why: why(&error) },
        };
        let last = matches!(&input, Input::ListFailed { .. } | Input::List { whole: true, .. });
        if answers.send(input).await.is_err() || last {
            return;
        }
    }
}

async fn read_row(
    client: Client,
    generation: u64,
    id: ConversationId,
    at_least: Option<Position>,
    answers: mpsc::Sender<Input>,
) {
    let history = client.history();
    let history = match at_least {
        Some(position) => history.at_least(position),
        None => history,
    };
    let input = match history.conversation(id).await {
        Ok(row) => Input::List { generation, rows: vec![row.item], as_of: row.position.seq, whole: false },
        Err(error) => {
            let is_none = matches!(error.code(), Some(ErrorCode::NotFound | ErrorCode::NotMember));
            Input::NoRow { generation, id, is_none }
        }
    };
    let _ = answers.send(input).await;
}

async fn read_page(client: &Client, key: &Key, before: Option<u64>) -> Result<Lines, HttpError> {
    let pages = match key {
        Key::Direct(people) => client.history().direct(people),
        Key::Room(id) => client.history().messages(*id),
    };
    let pages = pages.limit(PAGE_ITEMS);
    let mut pages = match before {
        Some(seq) => pages.before(seq),
        None => pages,
    };
    let page = pages.next_page().await?;
    Ok(page.map_or_else(
        || Lines { items: Vec::new(), as_of: 0, more: false },
        |page| Lines { more: page.next.is_some(), as_of: page.position.seq, items: page.items },
    ))
}

fn why(error: &(dyn Error + 'static)) -> String {
    error.to_string()
}
