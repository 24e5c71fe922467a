//! What SQLite's errors mean.

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use crate::store::Error;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let extended = error.sqlite_error().map(|error| error.extended_code);
        let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull)
            // the shared memory file of the WAL could not grow
            || extended == Some(SQLITE_IOERR_SHMSIZE);
        match error.sqlite_error_code() {
            _ if full => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}
