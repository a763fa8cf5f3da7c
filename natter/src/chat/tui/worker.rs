//! Carries out what the state wants done, beside the drawing, and gives the answers back as inputs.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;

use natter_client::{Client, ClientId, ConversationId, Handle, HttpError};
use natter_platform::error::chain;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::conversation::People;
use super::state::{Effect, Input, Lines, MAX_PENDING};

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
    sending: mpsc::Sender<(People, ClientId, String)>,
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
            Effect::ReadRow { generation, id } => _ = self.tasks.spawn(read_row(client, generation, id, answers)),
            Effect::ReadPage { generation, people, before } => {
                _ = self.tasks.spawn(async move {
                    let page = read_page(&client, &people, before).await.map_err(|error| why(&error));
                    let _ = answers.send(Input::Page { generation, people, before, page }).await;
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
            Effect::Send { people, id, text } => _ = self.sending.try_send((people, id, text)),
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
    mut to_send: mpsc::Receiver<(People, ClientId, String)>,
    answers: mpsc::Sender<Input>,
) {
    while let Some((people, id, text)) = to_send.recv().await {
        let others: &[Handle] = &people;
        let outcome = client.send(others, text).id(id).await.map_err(|error| chain(&error));
        if answers.send(Input::Settled { people, id, outcome }).await.is_err() {
            return;
        }
    }
}

async fn read_list(client: Client, generation: u64, answers: mpsc::Sender<Input>) {
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

async fn read_row(client: Client, generation: u64, id: ConversationId, answers: mpsc::Sender<Input>) {
    // Without it the conversation shows at the next message.
    if let Ok(row) = client.history().conversation(id).await {
        let _ =
            answers.send(Input::List { generation, rows: vec![row.item], as_of: row.position.seq, whole: false }).await;
    }
}

async fn read_page(client: &Client, people: &[Handle], before: Option<u64>) -> Result<Lines, HttpError> {
    let pages = client.history().direct(people).limit(PAGE_ITEMS);
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
