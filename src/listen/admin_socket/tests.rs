//! The admin socket on a real file system.

use std::os::unix::net::UnixListener as StdListener;

use futures_util::StreamExt;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

fn problem(folder: &TempDir) -> String {
    AdminSocket::bind(folder.path()).unwrap_err().to_string()
}

#[tokio::test]
async fn g9_only_the_owner_reaches_the_socket() {
    let folder = folder();
    let socket = AdminSocket::bind(folder.path()).unwrap();
    assert_eq!(mode(socket.path()), 0o600);
    assert_eq!(mode(socket.path().parent().unwrap()), 0o700);
}

#[tokio::test]
async fn g9_a_folder_that_lets_others_in_is_refused() {
    for wrong in [0o755, 0o770, 0o701] {
        let folder = folder();
        let admin = folder.path().join("admin");
        fs::create_dir(&admin).unwrap();
        fs::set_permissions(&admin, Permissions::from_mode(wrong)).unwrap();
        assert!(problem(&folder).contains("chmod 700"), "{wrong:o}");
    }
    let folder = folder();
    let elsewhere = TempDir::new().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("admin")).unwrap();
    assert!(problem(&folder).contains("link"));
}

#[tokio::test]
async fn g9_a_live_socket_is_never_replaced() {
    let folder = folder();
    let socket = AdminSocket::bind(folder.path()).unwrap();
    let inode = fs::metadata(socket.path()).unwrap().ino();
    assert!(problem(&folder).contains("another program serves it"));
    // nor one whose owner keeps no lock
    let other = TempDir::new().unwrap();
    own_folder(&other.path().join("admin")).unwrap();
    let _foreign = StdListener::bind(AdminSocket::path_in(other.path())).unwrap();
    assert!(problem(&other).contains("another program serves it"));
    assert_eq!(fs::metadata(socket.path()).unwrap().ino(), inode);
}

#[tokio::test]
async fn g9_a_dead_socket_is_replaced_and_nothing_else_is() {
    let folder = folder();
    let path = AdminSocket::path_in(folder.path());
    own_folder(path.parent().unwrap()).unwrap();
    // the file of a listener stays when its process ends
    drop(StdListener::bind(&path).unwrap());
    let socket = AdminSocket::bind(folder.path()).unwrap();
    UnixStream::connect(socket.path()).await.unwrap();
    drop(socket);
    fs::write(&path, "precious").unwrap();
    assert!(problem(&folder).contains("something else"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn g9_the_system_says_who_connected() {
    let folder = folder();
    let socket = AdminSocket::bind(folder.path()).unwrap();
    let path = socket.path().to_owned();
    let mut incoming = Box::pin(socket.incoming(std::future::pending(), |peer| peer));
    let (_stream, accepted) = tokio::join!(UnixStream::connect(&path), incoming.next());
    let peer = accepted.unwrap().unwrap().info().clone();
    assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
    assert_eq!(peer.pid, i32::try_from(std::process::id()).ok());
}

#[tokio::test]
async fn the_socket_goes_with_its_program_and_one_that_took_its_place_stays() {
    let folder = folder();
    let socket = AdminSocket::bind(folder.path()).unwrap();
    let path = socket.path().to_owned();
    let stop = CancellationToken::new();
    let mut incoming = Box::pin(socket.incoming(stop.clone().cancelled_owned(), |peer| peer));
    stop.cancel();
    assert!(incoming.next().await.is_none());
    drop(incoming);
    assert!(!path.exists());

    let socket = AdminSocket::bind(folder.path()).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "another").unwrap();
    drop(socket);
    assert!(path.exists());
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_is_said_so() {
    let folder = folder();
    let deep = folder.path().join("a-long-name/".repeat(12));
    let error = AdminSocket::bind(&deep).unwrap_err().to_string();
    assert!(error.contains("shorter data_dir"), "{error}");
}
