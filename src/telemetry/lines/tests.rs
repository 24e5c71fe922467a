//! A target that takes nothing until it is let to.

use std::sync::mpsc::{Receiver, Sender, channel};

use tracing::subscriber::with_default;

use super::*;

/// Waits for a word before each write, and hands on what was written.
struct Stalled {
    go_on: Receiver<()>,
    written: Sender<String>,
}

impl Write for Stalled {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // nobody says a word any more: the test is over
        self.go_on.recv().ok();
        self.written.send(String::from_utf8_lossy(text).into_owned()).ok();
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Scene {
    lines: Lines,
    go_on: Sender<()>,
    written: Receiver<String>,
    told: Receiver<u64>,
}

fn scene() -> Scene {
    let (go_on, allowed) = channel();
    let (write, written) = channel();
    let (tell, told) = channel();
    let tell = move |lost| tell.send(lost).unwrap_or_default();
    let lines = Lines::start(Stalled { go_on: allowed, written: write }, tell).unwrap();
    // the first line is being written from now on
    lines.push(b"first\n", false);
    while !lines.0.state.lock().waiting.is_empty() {
        std::thread::yield_now();
    }
    Scene { lines, go_on, written, told }
}

#[test]
fn nobody_waits_for_a_log_that_takes_nothing_and_the_loss_is_told() {
    let scene = scene();
    let line = [b'x'; 1024];
    for _ in 0..ROOM / line.len() + 7 {
        scene.lines.push(&line, false);
    }
    scene.go_on.send(()).unwrap();
    assert_eq!(scene.written.recv().unwrap(), "first\n");
    assert_eq!(scene.told.recv().unwrap(), 7);
    scene.go_on.send(()).unwrap();
    assert_eq!(scene.written.recv().unwrap().len(), ROOM);
    scene.lines.push(b"last\n", false);
    scene.go_on.send(()).unwrap();
    assert_eq!(scene.written.recv().unwrap(), "last\n");
    assert!(scene.told.try_recv().is_err());
}

#[test]
fn promise_2_checkpoints_have_room_of_their_own_and_the_newest_stay() {
    let scene = scene();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(scene.lines.clone()).finish();
    scene.lines.push(&vec![b'x'; ROOM], false);
    with_default(subscriber, || {
        for number in 0..CHECKPOINTS_ROOM + 3 {
            tracing::info!(target: CHECKPOINTS, number);
        }
        tracing::info!("there is no room for this");
    });
    for _ in 0..2 {
        scene.go_on.send(()).unwrap();
    }
    scene.written.recv().unwrap();
    assert_eq!(scene.told.recv().unwrap(), 4);
    let text = scene.written.recv().unwrap();
    let checkpoints = || text.lines().filter(|line| line.contains(CHECKPOINTS));
    assert_eq!(checkpoints().count(), CHECKPOINTS_ROOM);
    assert!(checkpoints().next().unwrap().contains("number=3"));
    assert!(
        checkpoints().next_back().unwrap().contains(&format!("number={}", CHECKPOINTS_ROOM + 2))
    );
    assert!(!text.contains("no room"));
}

#[test]
fn a_flush_waits_for_what_came_but_not_for_ever() {
    let scene = scene();
    scene.lines.flush(Duration::from_millis(1));
    assert!(scene.written.try_recv().is_err());
    scene.go_on.send(()).unwrap();
    scene.lines.flush(Duration::from_mins(1));
    assert_eq!(scene.written.try_recv().unwrap(), "first\n");
}
