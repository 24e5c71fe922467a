//! The keys that seal sessions and cached access tokens.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::private_file;

const KEY_LEN: usize = 32;
const ID_LEN: usize = 4;

/// A ring of AES-256-GCM keys, which follows its file: the first seals, all open.
pub struct KeyRing {
    keys: ArcSwap<Keys>,
    file: Option<PathBuf>,
    /// The hash of what was read last, usable or not: a broken file is told of once, not at every look.
    last_read: Mutex<[u8; 32]>,
}

/// What a look at the file found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reload {
    /// What was there before.
    Unchanged,
    /// Other keys, or another order; they are used from now on.
    Replaced,
}

impl KeyRing {
    /// Reads the ring from a file: one key a line, base64 of 32 bytes, `#` comments; the file must be readable by its owner only.
    ///
    /// # Errors
    /// Not readable, too open, empty, or a line that is no key: with the file and line named.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = private_file::read(path).map_err(|source| Error::file(path, source))?;
        Ok(Self { file: Some(path.to_owned()), ..Self::of(Keys::read(path, &text)?, &text) })
    }

    /// Reads the file again. After an error the keys before go on being used, and the same broken file is [`Reload::Unchanged`] from then on.
    ///
    /// # Errors
    /// As [`KeyRing::load`].
    pub fn reload(&self) -> Result<Reload, Error> {
        let Some(path) = &self.file else { return Ok(Reload::Unchanged) };
        let text = private_file::read(path).map_err(|source| Error::file(path, source))?;
        let read = sha256(text.as_bytes());
        if std::mem::replace(&mut *self.last_read.lock(), read) == read {
            return Ok(Reload::Unchanged);
        }
        self.keys.store(Arc::new(Keys::read(path, &text)?));
        Ok(Reload::Replaced)
    }

    /// Reads the file again and again, for ever.
    pub async fn watch(self: Arc<Self>, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let ring = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || ring.reload()).await {
                Ok(Ok(Reload::Unchanged)) | Err(_) => {}
                Ok(Ok(Reload::Replaced)) => tracing::info!("seal keys replaced"),
                Ok(Err(error)) => {
                    tracing::error!(%error, "new seal keys refused; those before go on being used");
                }
            }
        }
    }

    /// Reads the ring, or makes a file with one new key (mode 0600) when there is none.
    ///
    /// # Errors
    /// As [`KeyRing::load`], or the file cannot be made.
    pub fn load_or_generate(path: &Path) -> Result<Self, Error> {
        if path.try_exists().map_err(|source| Error::file(path, source))? {
            return Self::load(path);
        }
        let line =
            Zeroizing::new(format!("{}\n", *Zeroizing::new(STANDARD.encode(*random_key()?))));
        match private_file::create(path, &line) {
            // another process of ours was quicker: its key is the key
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(|source| Error::file(path, source))?,
        }
        Self::load(path)
    }

    /// A ring of one new key that is kept in memory only.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn ephemeral() -> Result<Self, Error> {
        let key = random_key()?;
        let active = Key::new(&key).ok_or(Error::Random)?;
        Ok(Self::of(Keys { active, others: Vec::new() }, ""))
    }

    /// Seals `plain`, bound to `context`: key id, nonce, ciphertext and tag. `None` when the random number generator fails.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let keys = self.keys.load();
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        let nonce = keys.active.key.seal_in_place_append_tag(Aad::from(context), &mut body).ok()?;
        let mut sealed = Vec::with_capacity(ID_LEN + NONCE_LEN + body.len());
        sealed.extend_from_slice(&keys.active.id);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Some(sealed)
    }

    /// Opens what [`KeyRing::seal`] made under the same context with any key of the ring.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (id, rest) = sealed.split_first_chunk::<ID_LEN>()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let keys = self.keys.load();
        std::iter::once(&keys.active)
            .chain(&keys.others)
            .filter(|key| key.id == *id)
            .find_map(|key| key.open(context, *nonce, body))
    }

    fn of(keys: Keys, text: &str) -> Self {
        Self {
            keys: ArcSwap::from_pointee(keys),
            file: None,
            last_read: Mutex::new(sha256(text.as_bytes())),
        }
    }
}

/// The keys of a ring at one time.
struct Keys {
    active: Key,
    others: Vec<Key>,
}

impl Keys {
    fn read(path: &Path, text: &str) -> Result<Self, Error> {
        Self::parse(text).map_err(|problem| Error::Malformed { path: path.to_owned(), problem })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut keys = text
            .lines()
            .enumerate()
            .map(|(position, line)| (position + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| {
                Key::parse(line).ok_or_else(|| {
                    format!("line {number} is not a key: write base64 of 32 random bytes, as `openssl rand -base64 32` does")
                })
            });
        let active = keys.next().ok_or_else(|| {
            "it holds no key: delete it to have one made, or write base64 of 32 random bytes"
                .to_owned()
        })??;
        Ok(Self { active, others: keys.collect::<Result<_, _>>()? })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(…)")
    }
}

/// One key, and the id that what it seals starts with: the first four bytes of the key's SHA-256.
struct Key {
    id: [u8; ID_LEN],
    key: RandomizedNonceKey,
}

impl Key {
    fn new(bytes: &[u8; KEY_LEN]) -> Option<Self> {
        let id = *sha256(bytes).first_chunk::<ID_LEN>()?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).ok()?;
        Some(Self { id, key })
    }

    fn parse(line: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(line).ok()?);
        Self::new(<&[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok()?)
    }

    fn open(&self, context: &[u8], nonce: [u8; NONCE_LEN], body: &[u8]) -> Option<Vec<u8>> {
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = self.key.open_in_place(nonce, Aad::from(context), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

fn random_key() -> Result<Zeroizing<[u8; KEY_LEN]>, Error> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| Error::Random)?;
    Ok(bytes)
}

/// Why there is no key ring.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written, or is open to others.
    #[error("cannot use the seal keys in `{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is not a key, or there is none.
    #[error("cannot use the seal keys in `{path}`: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The operating system's random numbers failed.
    #[error("the random number generator failed")]
    Random,
}

impl Error {
    fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn ring(keys: &[u8]) -> KeyRing {
        let lines: Vec<_> = keys.iter().map(|byte| STANDARD.encode([*byte; KEY_LEN])).collect();
        let text = lines.join("\n");
        KeyRing::of(Keys::parse(&text).unwrap(), &text)
    }

    #[test]
    fn g3_an_old_key_opens_and_the_first_seals() {
        let (old, rotated, new) = (ring(&[1]), ring(&[2, 1]), ring(&[2]));
        let by_old = old.seal(b"c", b"plain").unwrap();
        assert_eq!(rotated.open(b"c", &by_old).unwrap(), b"plain");
        let by_rotated = rotated.seal(b"c", b"plain").unwrap();
        assert_eq!(new.open(b"c", &by_rotated).unwrap(), b"plain");
        assert!(old.open(b"c", &by_rotated).is_none(), "the new key seals");
        assert!(new.open(b"c", &by_old).is_none(), "a key that left the ring opens nothing");
    }

    #[test]
    fn g3_a_swapped_context_does_not_open() {
        let ring = ring(&[1]);
        let sealed = ring.seal(b"one", b"plain").unwrap();
        for context in [&b"two"[..], b"", b"onee", b"on"] {
            assert!(ring.open(context, &sealed).is_none());
        }
    }

    #[test]
    fn the_same_text_is_sealed_differently_each_time() {
        let ring = ring(&[1]);
        assert_ne!(ring.seal(b"c", b"plain"), ring.seal(b"c", b"plain"));
    }

    #[test]
    fn a_ring_is_generated_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.keys");
        let sealed = KeyRing::load_or_generate(&path).unwrap().seal(b"c", b"plain").unwrap();
        assert_eq!(
            KeyRing::load_or_generate(&path).unwrap().open(b"c", &sealed).unwrap(),
            b"plain"
        );
        assert!(KeyRing::load(&folder.path().join("none")).is_err());
    }

    #[test]
    fn comments_and_blank_lines_are_skipped_and_bad_lines_are_named_but_not_shown() {
        let good = STANDARD.encode([1; 32]);
        assert!(Keys::parse(&format!("# old\n\n  {good}\n#end")).is_ok());
        let canary = STANDARD.encode([9; 31]);
        for bad in [canary, format!("{good}="), good.replace('A', "-"), format!("{good} x")] {
            let problem = Keys::parse(&format!("{good}\n# c\n{bad}")).err().unwrap();
            assert!(problem.contains("line 3") && !problem.contains(&bad), "{problem}");
        }
        assert!(Keys::parse("").err().unwrap().contains("no key"));
        assert!(Keys::parse("# only a comment").err().unwrap().contains("no key"));
    }

    #[test]
    fn a_ring_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.keys");
        KeyRing::load_or_generate(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = KeyRing::load_or_generate(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600") && error.contains("seal.keys"), "{error}");
    }

    #[test]
    fn g3_a_ring_follows_its_file_and_what_it_sealed_before_still_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.keys");
        let ring = KeyRing::load_or_generate(&path).unwrap();
        let before = ring.seal(b"c", b"plain").unwrap();
        let old = fs::read_to_string(&path).unwrap();
        let new = STANDARD.encode([7; KEY_LEN]);
        fs::write(&path, format!("{new}\n{old}")).unwrap();
        assert_eq!(ring.reload().unwrap(), Reload::Replaced);
        assert_eq!(ring.reload().unwrap(), Reload::Unchanged);
        assert_eq!(ring.open(b"c", &before).unwrap(), b"plain");
        let after = ring.seal(b"c", b"plain").unwrap();
        assert_eq!(Keys::parse(&new).unwrap().active.id, after[..ID_LEN]);
        for broken in ["", "rubbish"] {
            fs::write(&path, broken).unwrap();
            assert!(ring.reload().unwrap_err().to_string().contains("seal.keys"));
            assert_eq!(ring.reload().unwrap(), Reload::Unchanged, "it is told of once");
            assert_eq!(ring.open(b"c", &after).unwrap(), b"plain");
        }
    }

    proptest! {
        #[test]
        fn a12_whatever_is_not_what_was_sealed_does_not_open(
            plain in proptest::collection::vec(any::<u8>(), 0..200),
            position in any::<prop::sample::Index>(),
            flip in 1_u8..,
            cut in any::<prop::sample::Index>(),
        ) {
            let ring = ring(&[1]);
            let sealed = ring.seal(b"c", &plain).unwrap();
            prop_assert_eq!(ring.open(b"c", &sealed).unwrap(), plain);
            let mut flipped = sealed.clone();
            flipped[position.index(sealed.len())] ^= flip;
            prop_assert!(ring.open(b"c", &flipped).is_none());
            prop_assert!(ring.open(b"c", &sealed[..cut.index(sealed.len())]).is_none());
            prop_assert!(ring.open(b"c", &[sealed.as_slice(), &[0]].concat()).is_none());
        }

        #[test]
        fn a12_rubbish_does_not_open(rubbish in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(ring(&[1]).open(b"c", &rubbish).is_none());
        }
    }
}
