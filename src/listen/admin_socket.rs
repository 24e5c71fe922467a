//! The admin socket: a Unix socket in a folder of its owner, for operators on this machine.
//!
//! Who may reach it is the file system's business (the folder lets in its owner and root), and who did is told by the system.
//! Connections are not counted: those two could end the program as well.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::net::{UnixListener, UnixStream};

use super::{Error, LocalConnection, LocalPeer};

/// How long accepting pauses when the system has no more file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// `sun_path` of `sockaddr_un` has 108 bytes, with a zero at the end; other systems have a little less.
const LONGEST_PATH: usize = 103;

/// The socket, bound. Its file goes when this is dropped.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    file: SocketFile,
}

impl AdminSocket {
    /// The socket below a data folder.
    pub fn path_in(data_dir: &Path) -> PathBuf {
        data_dir.join("admin").join("admin.sock")
    }

    /// Binds the socket of a data folder. The file of a program that is gone is replaced, that of one that runs is not.
    ///
    /// # Errors
    /// Another program serves it, its folder is open to others, something else has its name, or the path is too long for a socket.
    pub fn bind(data_dir: &Path) -> Result<Self, Error> {
        let path = Self::path_in(data_dir);
        let bound = bind(&path);
        bound.map_err(|problem| Error::AdminSocket { path, problem })
    }

    /// The socket's file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The connections, until `shutdown`; `tell` says what requests are to carry of the other end. It never fails.
    pub fn incoming<I>(
        self,
        shutdown: impl Future<Output = ()> + Send,
        tell: impl Fn(LocalPeer) -> I + Send,
    ) -> impl Stream<Item = io::Result<LocalConnection<I>>> + Send {
        unfold((self, Box::pin(shutdown), tell), |(socket, mut shutdown, tell)| async move {
            let (stream, peer) = tokio::select! {
                () = &mut shutdown => return None,
                accepted = socket.next() => accepted,
            };
            let connection = LocalConnection::new(stream, tell(peer));
            Some((Ok(connection), (socket, shutdown, tell)))
        })
    }

    async fn next(&self) -> (UnixStream, LocalPeer) {
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections on the admin socket");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            match LocalPeer::of(&stream).await {
                Ok(peer) => return (stream, peer),
                Err(error) => tracing::warn!(%error, "a connection of the admin socket is refused"),
            }
        }
    }
}

fn bind(path: &Path) -> io::Result<AdminSocket> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    if path.as_os_str().len() > LONGEST_PATH {
        let problem =
            format!("a socket's path has at most {LONGEST_PATH} bytes: choose a shorter data_dir");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    own_folder(folder)?;
    let lock = lock(folder)?;
    remove_dead(path)?;
    let listener = UnixListener::bind(path)?;
    let file = SocketFile { path: path.to_owned(), inode: fs::symlink_metadata(path)?.ino(), lock };
    // the folder keeps everybody else out already, also before this
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(AdminSocket { listener, file })
}

/// Makes the folder, or takes one that is ours alone: whoever may write into it could put a socket of their own there.
fn own_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = fs::symlink_metadata(folder)?;
    let mode = found.mode() & 0o777;
    let problem = if !found.is_dir() {
        "its folder is a link or no folder: remove it".to_owned()
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        format!("its folder belongs to uid {}: `chown` or remove it", found.uid())
    } else if mode & 0o077 != 0 {
        format!("mode {mode:04o} of its folder lets others in: `chmod 700` it")
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, problem))
}

/// The right to the socket's name, as long as the file is open: two programs that start at once cannot both find it dead.
fn lock(folder: &Path) -> io::Result<File> {
    let file = File::create(folder.join("admin.lock"))?;
    file.try_lock().map_err(|_| alive())?;
    Ok(file)
}

/// Removes the socket of a program that is gone.
fn remove_dead(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        let problem = "there is something else of that name: move it away";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(alive()),
    }
}

fn alive() -> io::Error {
    let problem = "another program serves it: stop that one, or use another data_dir";
    io::Error::new(io::ErrorKind::AddrInUse, problem)
}

/// The socket's file, which goes with the program; one that took its name since then stays.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: u64,
    /// Kept to the end, after the removal.
    #[expect(dead_code, reason = "it is there to be held")]
    lock: File,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = |found: fs::Metadata| found.ino() == self.inode;
        if fs::symlink_metadata(&self.path).is_ok_and(is_ours)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "the admin socket's file stays");
        }
    }
}

#[cfg(test)]
mod tests;
