//! What is kept between two runs, for its owner only: the cookie that continues a login.
//!
//! A cookie changes as it is used, and using an old one looks like theft. So each has a file that is locked as long as a
//! program uses it; a second program of the same user takes the next file, and logs in for itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use natter_client::{Handle, RefreshCookie, Server};

/// Logins of one user on this machine.
const MAX_LOGINS: usize = 16;
const MAX_COOKIE_BYTES: u64 = 4096;
const LAST_USER: &str = "last-user";

/// Where programs keep what they remember of a user: `$XDG_STATE_HOME/natter`, or `~/.local/state/natter`.
pub fn state_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(base.join("natter"))
}

/// The logins with one server.
pub struct Logins {
    folder: PathBuf,
}

/// The file of one login, for this program alone.
pub struct Login {
    file: File,
    pub cookie: Option<RefreshCookie>,
}

impl Logins {
    pub fn of(state_folder: &Path, server: &Server) -> io::Result<Self> {
        let name = server.to_string();
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
        let folder = state_folder.join("logins").join(name.chars().map(plain).collect::<String>());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Self { folder })
    }

    /// Who logged in last.
    pub fn last_user(&self) -> Option<Handle> {
        fs::read_to_string(self.folder.join(LAST_USER)).ok()?.trim().parse().ok()
    }

    pub fn set_last_user(&self, user: &Handle) -> io::Result<()> {
        fs::write(self.folder.join(LAST_USER), user.as_str())
    }

    /// A login of this user that no other program uses: one to go on with if there is any, else an empty one.
    pub fn take(&self, user: &Handle) -> io::Result<Login> {
        let mut empty = None;
        for number in 0..MAX_LOGINS {
            let path = self.folder.join(format!("{user}.{number}"));
            let mut file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let mut text = String::new();
            // What does not read as text is no cookie.
            let _ = (&mut file).take(MAX_COOKIE_BYTES).read_to_string(&mut text);
            let cookie = Some(text.trim()).filter(|text| !text.is_empty()).map(RefreshCookie::new);
            match cookie {
                Some(cookie) => return Ok(Login { file, cookie: Some(cookie) }),
                None => empty = empty.or(Some(Login { file, cookie: None })),
            }
        }
        empty.ok_or_else(|| io::Error::other(format!("{MAX_LOGINS} programs are logged in as {user}")))
    }
}

impl Login {
    /// Keeps the cookie for the next run.
    pub fn keep(&mut self, cookie: &RefreshCookie) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(cookie.as_str().as_bytes())?;
        self.file.sync_data()
    }

    /// The login is over.
    pub fn forget(&mut self) -> io::Result<()> {
        self.cookie = None;
        self.file.set_len(0)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn logins() -> (tempfile::TempDir, Logins) {
        let folder = tempfile::tempdir().expect("a folder");
        let server: Server = "http://localhost:8080".parse().expect("a URL");
        let logins = Logins::of(folder.path(), &server).expect("a folder");
        (folder, logins)
    }

    fn ada() -> Handle {
        "ada".parse().expect("a handle")
    }

    #[test]
    fn a_cookie_is_there_at_the_next_start_and_nobody_elses_to_read() {
        let (folder, logins) = logins();
        let mut login = logins.take(&ada()).expect("a login");
        assert_eq!(login.cookie, None);
        login.keep(&RefreshCookie::new("natter_refresh=a-long-one")).expect("writes");
        login.keep(&RefreshCookie::new("natter_refresh=b")).expect("writes");
        drop(login);
        assert_eq!(logins.take(&ada()).expect("a login").cookie, Some(RefreshCookie::new("natter_refresh=b")));
        let file = folder.path().join("logins/http___localhost_8080/ada.0");
        assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o600);
        let above = fs::metadata(file.parent().expect("a folder")).expect("is there");
        assert_eq!(above.permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn two_programs_never_use_one_cookie() {
        let (_folder, logins) = logins();
        let mut first = logins.take(&ada()).expect("a login");
        first.keep(&RefreshCookie::new("natter_refresh=a")).expect("writes");
        let mut second = logins.take(&ada()).expect("a login");
        assert_eq!(second.cookie, None, "the first one's is in use");
        second.keep(&RefreshCookie::new("natter_refresh=b")).expect("writes");
        drop(first);
        assert_eq!(logins.take(&ada()).expect("a login").cookie, Some(RefreshCookie::new("natter_refresh=a")));
    }

    #[test]
    fn a_login_that_is_over_is_forgotten() {
        let (_folder, logins) = logins();
        let mut login = logins.take(&ada()).expect("a login");
        login.keep(&RefreshCookie::new("natter_refresh=a")).expect("writes");
        login.forget().expect("writes");
        drop(login);
        assert_eq!(logins.take(&ada()).expect("a login").cookie, None);
    }

    #[test]
    fn servers_and_users_are_told_apart_whatever_they_are_called() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |url: &str| Logins::of(folder.path(), &url.parse().expect("a URL")).expect("a folder");
        let (one, two) = (of("http://localhost:8080"), of("https://example.org/../../x"));
        one.set_last_user(&ada()).expect("writes");
        assert_eq!((one.last_user(), two.last_user()), (Some(ada()), None));
        assert!(two.folder.starts_with(folder.path().join("logins")));
    }
}
