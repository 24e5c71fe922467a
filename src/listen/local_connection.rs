//! One accepted connection of the admin socket, and who is at its other end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tonic::transport::server::Connected;

use super::Placed;

/// Where the names of users are.
const USERS: &str = "/etc/passwd";

/// A user of this machine, as the system knows the other end of a Unix socket (`SO_PEERCRED`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalPeer {
    /// The user.
    pub uid: u32,
    /// The process that connected, where the system tells.
    pub pid: Option<i32>,
    /// The user's name; `None` when the user has none on this machine.
    pub name: Option<String>,
}

/// One accepted connection of the admin socket; every request on it carries `I` as extension.
#[derive(Debug)]
pub struct LocalConnection<I> {
    stream: UnixStream,
    info: I,
}

impl<I> LocalConnection<I> {
    pub(super) const fn new(stream: UnixStream, info: I) -> Self {
        Self { stream, info }
    }

    /// What is known of the other end.
    pub const fn info(&self) -> &I {
        &self.info
    }
}

impl LocalPeer {
    /// Asks the system who connected; refuses everybody but root and the user of this program, should the folder let others in.
    pub(super) async fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = stream.peer_cred()?;
        let uid = credentials.uid();
        if uid != 0 && uid != rustix::process::geteuid().as_raw() {
            let problem = format!("uid {uid} is neither root nor the user of this program");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
        }
        // INVARIANT: a file that cannot be read names nobody
        let users = tokio::fs::read_to_string(USERS).await.unwrap_or_default();
        Ok(Self { uid, pid: credentials.pid(), name: name_of(uid, &users) })
    }
}

/// The name of a user in the lines of a `passwd` file: `name:password:uid:…`.
fn name_of(uid: u32, users: &str) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let own = fields.nth(1)?.parse::<u32>().ok()?;
        (own == uid).then(|| name.to_owned())
    })
}

impl<I: Clone + Send + Sync + 'static> Connected for LocalConnection<I> {
    type ConnectInfo = I;

    fn connect_info(&self) -> I {
        self.info.clone()
    }
}

impl<I> Placed for LocalConnection<I> {}

impl<I: Unpin> AsyncRead for LocalConnection<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: Unpin> AsyncWrite for LocalConnection<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_uid() {
        let users =
            "root:x:0:0:root:/root:/bin/bash\n# a comment\n\nbroken\nops:x:1000:0::/:/bin/sh\n";
        assert_eq!(name_of(0, users).as_deref(), Some("root"));
        assert_eq!(name_of(1000, users).as_deref(), Some("ops"));
        assert_eq!(name_of(100, users), None);
    }
}
