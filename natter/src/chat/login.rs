//! Who is talking: a login that is gone on with, or a new one, or a new account. Asked on the terminal as it is, before
//! anything is drawn.

use std::io::{self, IsTerminal, Write};

use natter_client::{ErrorCode, Handle, Server, Session};

use super::failed;
use super::files::{Login, Logins, state_folder};
use crate::exit::{Exit, Failure};

const PASSWORD: &str = "NATTER_PASSWORD";

/// How to log in.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct LoginOptions {
    /// Where Natter answers.
    #[arg(long, env = "NATTER_URL", value_name = "URL", default_value = "http://localhost:8080", global = true)]
    pub url: Server,

    /// Who is talking; the user of the last time, if not given. The password is asked for, or in NATTER_PASSWORD.
    #[arg(long, env = "NATTER_USER", value_name = "NAME", global = true)]
    pub user: Option<Handle>,

    /// Make a new account of this name.
    #[arg(long, env = "NATTER_REGISTER", global = true)]
    pub register: bool,
}

/// Logs in. The login goes on at the next run as long as what comes with the session is held.
pub async fn log_in(options: &LoginOptions) -> Result<(Session, Keeper), Failure> {
    let folder = state_folder();
    let logins = folder.as_deref().and_then(|folder| Logins::of(folder, &options.url).ok());
    let user = match (&options.user, logins.as_ref().and_then(Logins::last_user)) {
        (Some(user), _) => user.clone(),
        (None, Some(user)) if !options.register => user,
        _ => ask_for_user()?,
    };
    let mut login = logins.as_ref().and_then(|logins| logins.take(&user).ok());
    let session = match kept(options, &mut login).await? {
        Some(session) => session,
        None => with_password(options, &user).await?,
    };
    if let Some(logins) = &logins {
        // Only a convenience.
        let _ = logins.set_last_user(&user);
    }
    Ok((session.clone(), Keeper::start(login, &session)))
}

/// Keeps the session's cookie as it changes.
pub struct Keeper(tokio::task::JoinHandle<()>);

impl Keeper {
    fn start(login: Option<Login>, session: &Session) -> Self {
        let mut cookie = session.cookie();
        Self(tokio::spawn(async move {
            let Some(mut login) = login else { return };
            loop {
                let current = cookie.borrow_and_update().clone();
                if let Err(error) = login.keep(&current) {
                    tracing::warn!(%error, "the login can't be kept: the next run asks for the password");
                    return;
                }
                if cookie.changed().await.is_err() {
                    return;
                }
            }
        }))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The session of an earlier run, if it goes on.
async fn kept(options: &LoginOptions, login: &mut Option<Login>) -> Result<Option<Session>, Failure> {
    let Some(cookie) = login.as_ref().and_then(|login| login.cookie.clone()).filter(|_| !options.register) else {
        return Ok(None);
    };
    match Session::restore(&options.url, &cookie).await {
        Ok(session) => {
            // Kept at once: the server may have replaced it, and the old one is then worth nothing.
            if let Some(login) = login {
                let _ = login.keep(&session.cookie().borrow());
            }
            Ok(Some(session))
        }
        Err(error) if matches!(error.code(), Some(ErrorCode::Unauthenticated | ErrorCode::Forbidden)) => {
            if let Some(login) = login {
                let _ = login.forget();
            }
            Ok(None)
        }
        Err(error) => Err(failed(&options.url, &error)),
    }
}

async fn with_password(options: &LoginOptions, user: &Handle) -> Result<Session, Failure> {
    if options.register {
        return register(options, user).await;
    }
    let (password, asked) = ask_for_password(&format!("Password of {user}: "))?;
    match Session::login(&options.url, user, &password).await {
        Ok(session) => Ok(session),
        Err(error) if error.code() == Some(ErrorCode::Unauthenticated) && asked => {
            eprintln!("There is no such account, or the password is another one.");
            let question = format!("Make a new account {user} with this password? [y/N] ");
            if !matches!(ask(&question)?.trim(), "y" | "Y" | "yes") {
                return Err(failed(&options.url, &error));
            }
            let again = ask_for_password("The password again: ")?.0;
            if again != password {
                return Err(Failure::new(Exit::Usage, "the passwords differ"));
            }
            let made = Session::register(&options.url, user, &password, None).await;
            made.map_err(|error| failed(&options.url, &error))
        }
        Err(error) => Err(failed(&options.url, &error)),
    }
}

async fn register(options: &LoginOptions, user: &Handle) -> Result<Session, Failure> {
    let (password, asked) = ask_for_password(&format!("A password for {user}: "))?;
    if asked && ask_for_password("Again: ")?.0 != password {
        return Err(Failure::new(Exit::Usage, "the passwords differ"));
    }
    Session::register(&options.url, user, &password, None).await.map_err(|error| failed(&options.url, &error))
}

/// The password, and whether a person typed it.
fn ask_for_password(prompt: &str) -> Result<(String, bool), Failure> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok((password, false));
    }
    if !io::stdin().is_terminal() {
        let why = format!("there is no terminal to ask for the password: put it into {PASSWORD}");
        return Err(Failure::new(Exit::Usage, why));
    }
    let typed = rpassword::prompt_password(prompt);
    Ok((typed.map_err(|error| Failure::caused_by(Exit::Other, &error))?, true))
}

fn ask_for_user() -> Result<Handle, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, "say who is talking with --user"));
    }
    loop {
        let name = ask("Your name here: ")?;
        if name.is_empty() {
            return Err(Failure::new(Exit::Usage, "say who is talking with --user"));
        }
        match name.trim().parse() {
            Ok(user) => return Ok(user),
            Err(error) => eprintln!("{error}"),
        }
    }
}

fn ask(question: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::caused_by(Exit::Other, &error);
    eprint!("{question}");
    io::stderr().flush().map_err(failed)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer)
}
