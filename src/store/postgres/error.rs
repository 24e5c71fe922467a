//! What PostgreSQL's errors mean.

use std::io;

use sqlx::error::DatabaseError;

use crate::store::Error;

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Problem {
    /// The database refused it, and the connection can go on; nothing was done. With its SQLSTATE.
    Refused(String, Error),
    /// The connection broke; what was done is not known.
    Lost(Error),
    /// No answer came in time; what was done, or will be, is not known.
    Hangs,
}

/// The chain belongs to somebody else.
pub(super) const CHAIN_LOST: &str = "DP001";
/// The policy has another revision.
const STALE: &str = "DP002";

impl Problem {
    /// True when the connection is of no use any more.
    pub(super) const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Hangs)
    }

    /// True when the same again may work: others were in the way.
    pub(super) fn is_passing(&self) -> bool {
        // serialization failure, deadlock
        matches!(self, Self::Refused(code, _) if code == "40001" || code == "40P01")
    }

    /// True when it was refused with this code.
    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused(code, _) if code == wanted)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Refused(_, error) | Problem::Lost(error) => error,
            Problem::Hangs => Self::Unavailable("the database does not answer".to_owned()),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Refused(String::new(), error)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(problem) => refused(&**problem),
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::RowNotFound
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_) => {
                Self::Refused(String::new(), Error::Damaged(error.to_string()))
            }
            sqlx::Error::Tls(problem) => Self::Lost(Error::Unavailable(format!(
                "there is no safe connection to the database: {problem}"
            ))),
            sqlx::Error::Io(problem) => Self::Lost(Error::Unavailable(unreachable(problem))),
            _ => Self::Lost(Error::Unavailable(error.to_string())),
        }
    }
}

fn refused(problem: &dyn DatabaseError) -> Problem {
    let code = problem.code().unwrap_or_default().into_owned();
    let unavailable = |text: &str| Error::Unavailable(text.to_owned());
    let error = match code.as_str() {
        // disk full, or the quota of a table space
        "53100" => Error::Full,
        STALE => Error::Stale,
        CHAIN_LOST => unavailable("another replica took over its chain of the journal: try again"),
        "28P01" | "28000" => unavailable(
            "the database refuses the user or the password of store.url, or a rule of its pg_hba.conf does",
        ),
        "3D000" => unavailable("the database of store.url does not exist: create it"),
        "42501" => Error::Unavailable(format!(
            "the user of store.url may not do that in the database: {problem}; make the user its owner"
        )),
        "25006" => unavailable("the database is read-only: store.url must name the primary server"),
        "53300" => unavailable("the database has too many connections: raise its max_connections"),
        "57P01" | "57P02" | "57P03" => unavailable("the database is starting or shutting down"),
        "57014" | "55P03" => unavailable("the database took too long"),
        // XX001, XX002: damaged data or index
        damaged if damaged.starts_with("XX0") && damaged != "XX000" => {
            Error::Damaged(problem.message().to_owned())
        }
        _ => Error::Unavailable(problem.message().to_owned()),
    };
    // of these the server closes the connection, as of what it says before anybody is let in; and what is read-only (25006) stays so, though another
    // server may be the primary by now
    if code.starts_with("57P")
        || code.starts_with("28")
        || code.starts_with("08")
        || code == "53300"
        || code == "25006"
    {
        return Problem::Lost(error);
    }
    Problem::Refused(code, error)
}

fn unreachable(problem: &io::Error) -> String {
    match problem.kind() {
        io::ErrorKind::ConnectionRefused => {
            "the database refuses connections: is it running, and is store.url right?".to_owned()
        }
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => "the connection to the database was lost".to_owned(),
        // what rustls has to say about a certificate
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            format!("there is no safe connection to the database: {problem}")
        }
        _ => format!("the database cannot be reached: {problem}"),
    }
}
