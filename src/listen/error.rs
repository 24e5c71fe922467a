//! Why a listener cannot be made.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a listener cannot be made, or its certificate not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The admin socket cannot be listened on.
    #[error("cannot listen on the admin socket `{}`: {problem}", path.display())]
    AdminSocket {
        /// The socket's file.
        path: PathBuf,
        /// What is in the way, and what to do.
        problem: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {problem}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        problem: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("`{}` and `{}` cannot be used: {problem}", certificate.display(), key.display())]
    Certificate {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`: {problem}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        problem: io::Error,
    },
}
