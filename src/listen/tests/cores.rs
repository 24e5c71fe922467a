//! Connections on more than one core.

use std::num::NonZeroUsize;

use tokio::sync::oneshot;

use super::*;
use crate::listen::cores::Core;

fn three() -> Cores {
    Cores::start(NonZeroUsize::new(3).unwrap()).unwrap()
}

/// The threads that answered, in the order of the connections.
async fn threads(certificate: Option<(Arc<Certificate>, String)>) -> Vec<String> {
    let (certificate, trusted) = certificate.unzip();
    let thread = async || std::thread::current().name().unwrap_or_default().to_owned();
    let router = Router::new().route("/peer", get(thread));
    let setup = Setup { certificate, router, cores: three(), ..Setup::default() };
    let server = setup.serve().await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        let answer = match &trusted {
            None => ask(&mut TcpStream::connect(server.address).await.unwrap()).await,
            Some(trusted) => {
                let versions = &[&TLS13];
                ask(&mut connect(server.address, trusted, b"http/1.1", versions).await.unwrap())
                    .await
            }
        };
        seen.push(answer.rsplit("\r\n").next().unwrap().to_owned());
    }
    server.stop.cancel();
    server.task.await.unwrap();
    seen
}

#[tokio::test]
async fn connections_take_turns_on_the_cores() {
    let here = std::thread::current().name().unwrap().to_owned();
    let turns = [&here, "serving-1", "serving-2", &here, "serving-1", "serving-2"];
    assert_eq!(threads(None).await, turns);
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::generate("localhost");
    let certificate = Certificate::load(pair.write(folder.path())).await.unwrap();
    assert_eq!(threads(Some((certificate, pair.certificate))).await, turns);
}

#[tokio::test]
async fn the_threads_end_when_nobody_needs_them() {
    let cores = three();
    let clone = cores.clone();
    assert!(matches!(cores.next(), Core::Here));
    let Core::Other(core) = cores.next() else { panic!("the second core is a thread") };
    let (alive, mut ended) = oneshot::channel::<()>();
    TaskTracker::new().spawn_on(
        async move {
            std::future::pending::<()>().await;
            drop(alive);
        },
        &core,
    );
    drop(cores);
    assert!(ended.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Empty));
    drop(clone);
    assert!(ended.await.is_err());
}
