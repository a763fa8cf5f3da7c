//! The connection that appends go over, and nothing else does.
//!
//! It is ours, not the client library's, for what happens when it fails. The library keeps what it has not sent, and
//! sends it on its next connection; after an append was reported unknown, that must not happen. Here every byte is
//! known to be written or not, there is no next connection, and closing resets the socket, so that the kernel does not go on
//! retransmitting either.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Bytes, BytesMut};
use rand::seq::SliceRandom;
use serde::Deserialize;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::wire::{Headers, Word, read_word, write_publish};
use crate::address::Address;
use crate::settings::Settings;

pub(super) struct Line {
    reader: ReadHalf<Box<dyn Socket>>,
    writer: WriteHalf<Box<dyn Socket>>,
    incoming: BytesMut,
    outgoing: BytesMut,
    scratch: String,
    /// Bytes that the kernel took, of all that were ever put into `outgoing`.
    written: u64,
    queued: u64,
    /// Where the last word that is wholly written ends, and where each one after it will.
    boundary: u64,
    ends: VecDeque<u64>,
    needs_flush: bool,
    inbox: String,
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// What came over the line.
#[derive(Debug)]
pub(super) enum Heard {
    Reply {
        token: u64,
        status: Option<u16>,
        payload: Bytes,
    },
    /// The answer to a `ping`.
    Pong,
    Error(String),
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    tls_required: bool,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    headers: bool,
}

impl Line {
    /// Connects to any of the servers.
    pub(super) async fn connect(settings: &Settings, name: &str) -> io::Result<Line> {
        let mut servers: Vec<&String> = settings.servers.iter().collect();
        servers.shuffle(&mut rand::rng());
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "no server is named");
        for server in servers {
            match timeout(settings.connect_timeout, Line::connect_to(server, settings, name)).await {
                Ok(Ok(line)) => return Ok(line),
                Ok(Err(error)) => last = error,
                Err(_elapsed) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }

    async fn connect_to(server: &str, settings: &Settings, name: &str) -> io::Result<Line> {
        let address = Address::parse(server)?;
        let socket = TcpStream::connect((address.host.as_str(), address.port)).await?;
        socket.set_nodelay(true)?;
        // Closing throws away what was not sent.
        socket.set_zero_linger()?;
        let mut line = Line::over(Box::new(socket));
        let Word::Info(info) = line.word().await? else {
            return Err(unexpected("something before INFO"));
        };
        let info: Info = serde_json::from_slice(&info).map_err(io::Error::other)?;
        if !info.headers {
            return Err(unexpected("a server without headers"));
        }
        let secure = info.tls_required || address.tls;
        if secure {
            let plain = line.reader.unsplit(line.writer);
            let host = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
            let tls = TlsConnector::from(tls_config(settings).await?).connect(host, plain).await?;
            line = Line::over(Box::new(tls));
        }
        line.introduce(&info, secure, settings, name).await?;
        Ok(line)
    }

    fn over(socket: Box<dyn Socket>) -> Line {
        let (reader, writer) = tokio::io::split(socket);
        Line {
            reader,
            writer,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            scratch: String::new(),
            written: 0,
            queued: 0,
            boundary: 0,
            ends: VecDeque::new(),
            needs_flush: false,
            inbox: format!("_INBOX.{:032x}", rand::random::<u128>()),
        }
    }

    /// CONNECT, the subscription for replies, and a first round trip.
    async fn introduce(&mut self, info: &Info, tls_required: bool, settings: &Settings, name: &str) -> io::Result<()> {
        let mut connect = serde_json::json!({
            "verbose": false, "pedantic": false, "tls_required": tls_required, "name": name,
            "lang": "rust", "version": env!("CARGO_PKG_VERSION"), "protocol": 1,
            "headers": true, "no_responders": true, "echo": false,
        });
        if let Some((user, password)) = settings.login() {
            connect["user"] = user.into();
            connect["pass"] = password.into();
        }
        if let Some(path) = &settings.credentials_file {
            let contents = tokio::fs::read_to_string(path).await?;
            let (jwt, signature) = sign(&contents, &info.nonce)?;
            connect["jwt"] = jwt.into();
            connect["sig"] = signature.into();
        }
        let hello = format!("CONNECT {connect}\r\nSUB {}.* 1\r\nPING\r\n", self.inbox);
        self.put(|outgoing, _scratch| outgoing.extend_from_slice(hello.as_bytes()));
        match self.hear().await? {
            Heard::Pong => Ok(()),
            Heard::Error(error) => Err(io::Error::new(io::ErrorKind::PermissionDenied, error)),
            Heard::Reply { .. } => Err(unexpected("a reply to nothing")),
        }
    }

    /// Puts a publish into the line's order. Returns where in its bytes it ends.
    pub(super) fn publish(&mut self, subject: &str, token: Option<u64>, headers: &Headers<'_>, payload: &[u8]) -> u64 {
        let inbox = std::mem::take(&mut self.inbox);
        let reply = token.map(|token| (inbox.as_str(), token));
        self.put(|outgoing, scratch| write_publish(outgoing, scratch, subject, reply, headers, payload));
        self.inbox = inbox;
        self.queued
    }

    /// Asks for a `Pong`. The broker answers in order: when it comes, everything published before has been taken in.
    pub(super) fn ping(&mut self) {
        self.put(|outgoing, _scratch| outgoing.extend_from_slice(b"PING\r\n"));
    }

    /// Gives up on what was not begun to be written: it never will be. Returns where that begins; what ends up to
    /// there may reach the broker.
    pub(super) fn abandon(&mut self) -> u64 {
        // The word that is half written is finished, so that the broker can read what follows it.
        let half_written = self.ends.front().copied().filter(|_| self.written > self.boundary);
        let end = half_written.unwrap_or(self.written);
        self.outgoing.truncate(usize::try_from(end - self.written).unwrap_or(0));
        self.queued = end;
        self.ends.truncate(usize::from(half_written.is_some()));
        end
    }

    fn put(&mut self, write: impl FnOnce(&mut BytesMut, &mut String)) {
        let before = self.outgoing.len();
        write(&mut self.outgoing, &mut self.scratch);
        self.queued += (self.outgoing.len() - before) as u64;
        self.ends.push_back(self.queued);
    }

    /// Writes and reads until something is heard. Cancel-safe.
    pub(super) async fn hear(&mut self) -> io::Result<Heard> {
        loop {
            match self.word().await? {
                Word::Ping => self.put(|outgoing, _scratch| outgoing.extend_from_slice(b"PONG\r\n")),
                Word::Pong => return Ok(Heard::Pong),
                Word::Error(error) => return Ok(Heard::Error(error)),
                Word::Message { subject, status, payload } => {
                    let token = subject.strip_prefix(self.inbox.as_str()).and_then(|rest| rest.strip_prefix('.'));
                    if let Some(token) = token.and_then(|token| token.parse().ok()) {
                        return Ok(Heard::Reply { token, status, payload });
                    }
                }
                Word::Ok | Word::Info(_) => {}
            }
        }
    }

    async fn word(&mut self) -> io::Result<Word> {
        loop {
            if let Some(word) = read_word(&mut self.incoming).map_err(io::Error::other)? {
                return Ok(word);
            }
            self.incoming.reserve(READ_BYTES);
            tokio::select! {
                read = self.reader.read_buf(&mut self.incoming) => {
                    if read? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                wrote = write_some(&mut self.writer, &mut self.outgoing, self.needs_flush) => {
                    let wrote = wrote?;
                    self.written += wrote as u64;
                    self.needs_flush = wrote > 0;
                    while let Some(end) = self.ends.front().copied().filter(|end| *end <= self.written) {
                        self.boundary = end;
                        self.ends.pop_front();
                    }
                }
            }
        }
    }

    /// Waits until this line can no longer deliver anything: the broker has answered a ping behind everything that
    /// was written, or the line is dead.
    pub(super) async fn settled(mut self) {
        self.ping();
        loop {
            match self.hear().await {
                Ok(Heard::Pong) | Err(_) => return,
                // Answers that come now are to appends that were already reported as unknown.
                Ok(Heard::Reply { .. } | Heard::Error(_)) => {}
            }
        }
    }
}

/// Writes what the socket takes, or flushes what TLS still holds of it. Returns how much was written. Cancel-safe.
async fn write_some(
    writer: &mut WriteHalf<Box<dyn Socket>>,
    outgoing: &mut BytesMut,
    needs_flush: bool,
) -> io::Result<usize> {
    if !outgoing.is_empty() {
        return match writer.write_buf(outgoing).await? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            wrote => Ok(wrote),
        };
    }
    if needs_flush {
        return writer.flush().await.map(|()| 0);
    }
    std::future::pending().await
}

const READ_BYTES: usize = 16 << 10;

fn unexpected(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the server is {what}"))
}

/// From a credentials file: the JWT, and the server's nonce signed with the seed.
fn sign(contents: &str, nonce: &str) -> io::Result<(String, String)> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("the credentials file has no {what}"));
    let jwt = section(contents, "NATS USER JWT").ok_or_else(|| bad("user JWT"))?;
    let seed = section(contents, "USER NKEY SEED").ok_or_else(|| bad("seed"))?;
    let key = nkeys::KeyPair::from_seed(seed).map_err(|_| bad("valid seed"))?;
    let signature = key.sign(nonce.as_bytes()).map_err(|_| bad("seed that signs"))?;
    Ok((jwt.to_owned(), URL_SAFE_NO_PAD.encode(signature)))
}

/// The line after `-----BEGIN <title>-----`.
fn section<'a>(contents: &'a str, title: &str) -> Option<&'a str> {
    let mut lines = contents.lines().skip_while(|line| !(line.contains("BEGIN") && line.contains(title)));
    lines.nth(1).map(str::trim).filter(|line| !line.is_empty())
}

async fn tls_config(settings: &Settings) -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    match &settings.tls_ca_file {
        Some(path) => {
            let pem = tokio::fs::read(path).await?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
            }
        }
        None => {
            let native = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
            roots.add_parsable_certificates(native.await.map_err(io::Error::other)?.certs);
        }
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// How long to wait before a dead broker is tried again; here beside what uses it.
pub(super) fn retry_delay(attempt: usize, settings: &Settings) -> Duration {
    crate::connect::reconnect_delay(attempt, settings.max_reconnect_delay, rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credentials_file_signs_the_nonce_or_says_what_it_lacks() {
        let key = nkeys::KeyPair::new_user();
        let seed = key.seed().expect("a new key has a seed");
        let contents = format!(
            "-----BEGIN NATS USER JWT-----\njwt.jwt.jwt\n------END NATS USER JWT------\n\n\
             ***\n\n-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        let (jwt, signature) = sign(&contents, "nonce").expect("a sound file");
        assert_eq!(jwt, "jwt.jwt.jwt");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        key.verify(b"nonce", &signature).expect("the nonce is signed with the seed");
        for bad in ["", "-----BEGIN NATS USER JWT-----", &contents.replace(&seed, "SUnope")] {
            assert!(sign(bad, "nonce").is_err(), "{bad:?}");
        }
    }
}
