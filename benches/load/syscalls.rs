//! System calls, counted by `perf stat` or else by `strace`, where one of them may look at other processes.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::generate::{Job, measure};

/// A tracer has attached itself after this long.
const ATTACHED: Duration = Duration::from_millis(150);

/// System calls of the server for one request of a job, in a short run of its own; `None` where they cannot be counted.
pub(crate) fn count(job: &Job) -> anyhow::Result<Option<f64>> {
    let run = Job { warm_up_ms: 0, measured_ms: 300, ..job.clone() };
    for tracer in [Tracer::Perf, Tracer::Strace] {
        let Ok(attached) = tracer.attach(run.server) else { continue };
        std::thread::sleep(ATTACHED);
        let tally = measure(&run)?;
        let answered = f64::from(u32::try_from(tally.completed)?);
        if let Some(calls) = tracer.end(attached)? {
            return Ok(Some(calls / answered));
        }
    }
    Ok(None)
}

#[derive(Clone, Copy, Debug)]
enum Tracer {
    Perf,
    /// It slows the server down, so that fewer requests share a call.
    Strace,
}

impl Tracer {
    fn attach(self, process: u32) -> std::io::Result<Child> {
        let mut command = match self {
            Self::Perf => {
                let mut perf = Command::new("perf");
                perf.args(["stat", "-x,", "-e", "raw_syscalls:sys_enter"]);
                perf
            }
            Self::Strace => {
                let mut strace = Command::new("strace");
                strace.args(["-c", "-f", "-U", "calls,name"]);
                strace
            }
        };
        command
            .args(["-p", &process.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
    }

    /// Ends it, and reads what it counted.
    fn end(self, tracer: Child) -> anyhow::Result<Option<f64>> {
        if let Some(pid) = i32::try_from(tracer.id()).ok().and_then(Pid::from_raw) {
            // it may have ended already: then it says why not
            kill_process(pid, Signal::INT).ok();
        }
        let output = tracer.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        let marked = match self {
            Self::Perf => "raw_syscalls:sys_enter",
            Self::Strace => "total",
        };
        let line = text.lines().find(|line| line.contains(marked));
        let number = line.and_then(|line| line.trim_start().split([',', ' ']).next());
        Ok(number.and_then(|number| number.parse().ok()))
    }
}
