//! What Redis is asked: reads and writes of one key, and scripts over the three keys of one value.
//!
//! Every key may hold anything, of any type and without an end: the scripts read at most what they understand, and overwrite the rest.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Script, cmd};
use tokio::time::Instant;

use super::envelope::{Envelope, Fence, Stamp};
use super::link::{Link, Trouble};
use super::name::Name;
use crate::telemetry::metrics::CacheQuestion;

/// What became of a claim.
#[derive(Debug)]
pub(super) enum Claim {
    /// The caller mints, or goes on to.
    Taken(Fence),
    /// Another replica mints; unless it asks for more time, its lease ends after this.
    Held(Duration),
    /// There is a value that the caller does not know yet.
    Value(Vec<u8>),
}

/// The text of a key, of a type that is not a text, or nothing; no more of it than is needed.
const TEXT: &str = "
local function text(key, last)
  local found = redis.pcall('GETRANGE', key, 0, last)
  if type(found) == 'table' then return 'WRONGTYPE' end
  return found
end
";

/// ARGV: the stamp of a value that the caller will not have, its fence if it has one, lease in ms, last byte of a value.
const CLAIM: &str = "
local value = text(KEYS[1], ARGV[4])
if value ~= '' and (ARGV[1] == '' or string.sub(value, 1, #ARGV[1]) ~= ARGV[1]) then return {2, value} end
local holder = text(KEYS[2], 31)
if holder ~= '' and holder == ARGV[2] then
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  return {1, holder}
end
local left = redis.call('PTTL', KEYS[2])
if left > 0 and left <= tonumber(ARGV[3]) then return {0, tostring(left)} end
local last = text(KEYS[3], 31)
if not string.match(last, '^%d+$') or #last ~= 16 or last >= '9000000000000000' then
  local now = redis.call('TIME')
  redis.call('SET', KEYS[3], string.format('%010.0f%06.0f', now[1], now[2]))
end
local fence = string.format('%016.0f', redis.call('INCR', KEYS[3]))
redis.call('PEXPIRE', KEYS[3], 3600000)
redis.call('SET', KEYS[2], fence, 'PX', ARGV[3])
return {1, fence}
";

/// ARGV: the fence, the value, its life in ms. A fence greater than the last one given is none.
const COMMIT: &str = "
local written = string.sub(text(KEYS[1], 15), 1, 16)
local fenced = #written == 16 and string.match(written, '^%d+$')
if not fenced or written <= ARGV[1] or written > text(KEYS[3], 31) then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if text(KEYS[2], 31) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
";

/// ARGV: the fence, lease in ms.
const RENEW: &str = "
if text(KEYS[2], 31) == ARGV[1] then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return 1
";

/// ARGV: the fence.
const RELEASE: &str = "
if text(KEYS[2], 31) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
";

static SCRIPTS: LazyLock<Scripts> = LazyLock::new(Scripts::new);

struct Scripts {
    claim: Known,
    commit: Known,
    renew: Known,
    release: Known,
}

/// A script, and its hash, by which Redis knows it once it ran there.
struct Known {
    text: String,
    hash: String,
}

/// The bytes of a value; empty when there is none. What is longer than any value is cut off, and so does not open.
pub(super) async fn look(link: &Link, name: &Name, by: Instant) -> Result<Vec<u8>, Trouble> {
    let mut command = cmd("GETRANGE");
    command.arg(name.value()).arg(0).arg(Envelope::MAX_LEN);
    match link.ask(CacheQuestion::Look, &command, by).await {
        // it opens as little as any other rubbish
        Err(Trouble::WrongType) => Ok(b"WRONGTYPE".to_vec()),
        answer => answer,
    }
}

/// The question for a key that nobody writes: whoever answers it, answers the others.
pub(super) fn probe() -> Cmd {
    let mut command = cmd("GETRANGE");
    command.arg(format!("{}probe", Name::PREFIX)).arg(0).arg(0);
    command
}

/// Asks for the lock, or for more time with it, unless there is a value other than the one that was `seen`.
pub(super) async fn claim(
    link: &Link,
    name: &Name,
    seen: &Stamp,
    own: Option<&Fence>,
    lease: Duration,
    by: Instant,
) -> Result<Claim, Trouble> {
    let arguments = |command: &mut Cmd| {
        command.arg(seen.as_bytes()).arg(own.map_or("", Fence::as_str));
        command.arg(millis(lease)).arg(Envelope::MAX_LEN);
    };
    let question = CacheQuestion::Claim;
    let (what, text): (i64, Vec<u8>) =
        SCRIPTS.claim.run(link, question, name, arguments, by).await?;
    match what {
        0 => {
            let left = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
            Ok(Claim::Held(Duration::from_millis(left.ok_or(Trouble::Refused)?)))
        }
        1 => Fence::parse(&text).map(Claim::Taken).ok_or(Trouble::Refused),
        2 => Ok(Claim::Value(text)),
        _ => Err(Trouble::Refused),
    }
}

/// Writes a value and gives the lock back, unless a later holder of it wrote.
pub(super) async fn commit(
    link: &Link,
    name: &Name,
    fence: &Fence,
    bytes: &[u8],
    life: Duration,
    by: Instant,
) -> Result<(), Trouble> {
    let arguments = |command: &mut Cmd| {
        command.arg(fence.as_str()).arg(bytes).arg(millis(life));
    };
    SCRIPTS.commit.run::<()>(link, CacheQuestion::Write, name, arguments, by).await
}

/// Writes a value for which nobody holds a lock, or only where there is none.
pub(super) async fn write(
    link: &Link,
    name: &Name,
    bytes: &[u8],
    life: Duration,
    over: Over,
    by: Instant,
) -> Result<(), Trouble> {
    let mut command = cmd("SET");
    command.arg(name.value()).arg(bytes).arg("PX").arg(millis(life));
    if over == Over::Nothing {
        command.arg("NX");
    }
    link.ask(CacheQuestion::Write, &command, by).await
}

/// What a write may replace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Over {
    Anything,
    Nothing,
}

/// Asks for more time with the lock.
pub(super) async fn renew(
    link: &Link,
    name: &Name,
    fence: &Fence,
    lease: Duration,
    by: Instant,
) -> Result<(), Trouble> {
    let arguments = |command: &mut Cmd| {
        command.arg(fence.as_str()).arg(millis(lease));
    };
    SCRIPTS.renew.run::<()>(link, CacheQuestion::Write, name, arguments, by).await
}

/// Gives the lock back.
pub(super) async fn release(
    link: &Link,
    name: &Name,
    fence: &Fence,
    by: Instant,
) -> Result<(), Trouble> {
    let arguments = |command: &mut Cmd| {
        command.arg(fence.as_str());
    };
    SCRIPTS.release.run::<()>(link, CacheQuestion::Write, name, arguments, by).await
}

impl Scripts {
    fn new() -> Self {
        let known = |body: &str| {
            let text = [TEXT, body].concat();
            let hash = Script::new(&text).get_hash().to_owned();
            Known { text, hash }
        };
        Self {
            claim: known(CLAIM),
            commit: known(COMMIT),
            renew: known(RENEW),
            release: known(RELEASE),
        }
    }
}

impl Known {
    /// By its hash; and in full where it never ran, such as after a restart.
    async fn run<T: FromRedisValue + Send>(
        &self,
        link: &Link,
        question: CacheQuestion,
        name: &Name,
        arguments: impl Fn(&mut Cmd) + Send + Sync,
        by: Instant,
    ) -> Result<T, Trouble> {
        let command = |verb: &str, script: &str| {
            let mut command = cmd(verb);
            command.arg(script).arg(3).arg(name.value()).arg(name.lock()).arg(name.fence());
            arguments(&mut command);
            command
        };
        match link.ask(question, &command("EVALSHA", &self.hash), by).await {
            Err(Trouble::UnknownScript) => {
                link.ask(question, &command("EVAL", &self.text), by).await
            }
            answer => answer,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
