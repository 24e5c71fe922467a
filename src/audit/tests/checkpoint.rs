//! Promise 2: a copy of each checkpoint goes to the log, and with it damage is found that the store itself does not show.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The checkpoints in it, as an operator takes them out.
    fn checkpoints(&self) -> Vec<Checkpoint> {
        let log = String::from_utf8(self.0.lock().clone()).unwrap();
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .filter(|line| line["target"] == "dockpass::audit::checkpoint")
            .map(|line| {
                serde_json::from_str(line["fields"]["checkpoint"].as_str().unwrap()).unwrap()
            })
            .collect()
    }
}

#[tokio::test]
async fn promise_2_the_copy_in_the_log_shows_what_was_cut_off_with_its_checkpoint() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    // with a single subscriber, tracing asks the thread that meets a log line first whether anybody wants it: here that may be another test's
    let second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    let fixture = Fixture::with_events(5).await;
    drop((guard, second));
    let [outside] = log.checkpoints().try_into().unwrap();
    assert_eq!(only(&fixture.archive().verify(Some(&outside)).unwrap()).covered, 5);
    fixture.tamper("DELETE FROM audit_journal WHERE sequence > 3; DELETE FROM audit_checkpoint");
    let report = fixture.archive().verify(None).unwrap();
    assert_eq!(only(&report).last, 3, "the store says nothing of it");
    assert_eq!(damage(fixture.archive().verify(Some(&outside))), (4, Damage::Truncated));
}
