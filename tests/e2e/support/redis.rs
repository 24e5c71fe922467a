//! A redis-server of a test's own, which may be treated badly.

use std::process::Command;
use std::time::Duration;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use rustix::process::Signal;
use tempfile::TempDir;

use super::family::signal_family;
use super::{Program, eventually, free_port};

/// Its password; it listens on loopback only, for the time of the test.
const PASSWORD: &str = "not-a-secret-either";

/// A redis-server that keeps nothing: started again, it is empty.
pub(crate) struct Redis {
    folder: TempDir,
    port: u16,
    server: Option<Program>,
}

impl Redis {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let text = format!(
            "bind 127.0.0.1\nport {port}\nrequirepass {PASSWORD}\nsave \"\"\nset-proc-title no\ndir {}\n",
            folder.path().display()
        );
        std::fs::write(folder.path().join("redis.conf"), text).unwrap();
        let mut this = Self { folder, port, server: None };
        this.run().await;
        this
    }

    /// Starts it again, empty, and waits until it answers.
    pub(crate) async fn run(&mut self) {
        let mut command = Command::new("redis-server");
        command.arg(self.folder.path().join("redis.conf"));
        let mut server = Program::start(command, self.folder.path(), "redis");
        server.listens_on(self.port).await;
        self.server = Some(server);
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill();
        }
    }

    /// Lets it stand still: connections stay open, and nothing answers.
    pub(crate) fn freeze(&self) {
        signal_family(self.server.as_ref().unwrap().pid(), Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        signal_family(self.server.as_ref().unwrap().pid(), Signal::CONT);
    }

    /// Spoils every value, and new ones again and again, for a time.
    pub(crate) async fn fill_with_wrong_bytes(&self, time: Duration) {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let spoiling = async {
            loop {
                ticks.tick().await;
                self.spoil().await;
            }
        };
        // it has no other end
        drop(tokio::time::timeout(time, spoiling).await);
    }

    /// Spoils every value that is in it now, each in one of four ways: other bytes, the value of another key, cut short, of another type.
    async fn spoil(&self) {
        let mut connection = self.connection().await;
        let keys: Vec<Vec<u8>> = connection.keys("*").await.unwrap();
        let mut other = Vec::new();
        for (position, key) in keys.iter().enumerate() {
            // what is no text (a lock may be of another type) is left alone
            let Ok(Some(value)) = connection.get::<_, Option<Vec<u8>>>(key).await else { continue };
            let wrong = match position % 4 {
                0 => value.iter().map(|byte| !byte).collect(),
                1 => other,
                2 => value.get(..value.len() / 2).unwrap_or_default().to_vec(),
                _ => {
                    let _: () = connection.del(key).await.unwrap();
                    let _: () = connection.lpush(key, "no text").await.unwrap();
                    other = value;
                    continue;
                }
            };
            let mut set = redis::cmd("SET");
            let _: () =
                set.arg(key).arg(wrong).arg("KEEPTTL").query_async(&mut connection).await.unwrap();
            other = value;
        }
    }

    /// Its port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Its URL by a port that leads to it.
    pub(crate) fn url_by(port: u16) -> String {
        format!("redis://default:{PASSWORD}@127.0.0.1:{port}/")
    }

    async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(Self::url_by(self.port)).unwrap();
        eventually("Redis to answer", async || client.get_multiplexed_async_connection().await.ok())
            .await
    }
}
