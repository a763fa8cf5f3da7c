//! Listening, and what to tell people about where.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::exit::{Exit, Failure};

/// Connections that may wait to be accepted: a storm of reconnecting clients comes within a second or two.
const BACKLOG: u32 = 4096;

/// Listens. An error says what to do about it.
pub async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listen = || -> io::Result<(TcpListener, SocketAddr)> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "something else listens there. Stop it, or choose another address with --listen (port 0 takes any free one)"
            }
            io::ErrorKind::PermissionDenied => "ports below 1024 need rights that this user does not have. Choose another with --listen",
            io::ErrorKind::AddrNotAvailable => "this machine does not have that address. Choose another with --listen",
            _ => "choose another address with --listen",
        };
        Failure::new(Exit::AddressTaken, format!("cannot listen on {address} ({error}): {advice}"))
    })
}

/// What to type into a browser on this machine.
pub fn browser_url(address: SocketAddr) -> String {
    let port = address.port();
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("http://localhost:{port}")
    } else {
        format!("http://{address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_where_to_click() {
        for (address, url) in [
            ("127.0.0.1:8080", "http://localhost:8080"),
            ("0.0.0.0:80", "http://localhost:80"),
            ("[::]:8080", "http://localhost:8080"),
            ("192.0.2.7:8080", "http://192.0.2.7:8080"),
            ("[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
        ] {
            assert_eq!(browser_url(address.parse().expect("an address")), url);
        }
    }
}
