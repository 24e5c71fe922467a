//! Short-lived keys whose certificates a root signs, so that keys rotate and no registry restarts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, IsCa, KeyUsagePurpose, SubjectPublicKeyInfo,
};

use super::root::Root;
use super::signing_key::{Reference, SigningKey, new_pair, public_key_der};
use crate::registry::Error;

/// A registry applies no leeway to certificates: its clock may be this far behind ours.
const BACKDATED: SignedDuration = SignedDuration::from_hours(1);
/// How long a new leaf serves before the next.
const SERVICE: SignedDuration = SignedDuration::from_hours(25);
/// What a leaf must outlive the JWTs by: a registry's clock may be this far ahead of ours.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// The leaf of this process: it lives in memory, under the root that all replicas share.
pub(in crate::registry) struct Leaves {
    root: Root,
    longest_jwt: SignedDuration,
    current: ArcSwap<Leaf>,
    rotating: Mutex<()>,
}

impl Leaves {
    /// Signs the first leaf. No JWT lives longer than `longest_jwt`.
    ///
    /// # Errors
    /// No random numbers.
    pub(super) fn new(root: Root, longest_jwt: Duration, now: Timestamp) -> Result<Self, Error> {
        let longest_jwt = SignedDuration::try_from(longest_jwt)
            .map_err(|_| Error::Config("the life of a JWT is too long".to_owned()))?;
        let current = ArcSwap::from_pointee(Leaf::sign(&root, longest_jwt, now)?);
        Ok(Self { root, longest_jwt, current, rotating: Mutex::new(()) })
    }

    /// The key to sign with at `now`; a new one when the last would not outlive what it signs.
    ///
    /// # Errors
    /// The root has ended, or there are no random numbers.
    pub(in crate::registry) fn at(&self, now: Timestamp) -> Result<Arc<Leaf>, Error> {
        self.root.refuse_ended(now.saturating_add(self.longest_jwt).unwrap_or(Timestamp::MAX))?;
        let leaf = self.current.load_full();
        if leaf.serves(now, self.longest_jwt) {
            return Ok(leaf);
        }
        let _one_at_a_time = self.rotating.lock();
        let leaf = self.current.load_full();
        if leaf.serves(now, self.longest_jwt) {
            return Ok(leaf);
        }
        let leaf = Arc::new(Leaf::sign(&self.root, self.longest_jwt, now)?);
        self.current.store(Arc::clone(&leaf));
        Ok(leaf)
    }

    /// The root.
    pub(in crate::registry) const fn root(&self) -> &Root {
        &self.root
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaves").field("current", &self.current).finish_non_exhaustive()
    }
}

/// A key and until when its certificate is valid.
#[derive(Debug)]
pub(in crate::registry) struct Leaf {
    pub(in crate::registry) key: SigningKey,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Leaf {
    /// A new key with a certificate under `root`.
    fn sign(root: &Root, longest_jwt: SignedDuration, now: Timestamp) -> Result<Self, Error> {
        let pair = new_pair()?;
        let not_before = now.saturating_sub(BACKDATED).unwrap_or(Timestamp::MIN);
        let service = SERVICE.saturating_add(longest_jwt).saturating_add(MARGIN);
        let not_after = now.saturating_add(service).unwrap_or(Timestamp::MAX);
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "dockpass registry token signer");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_1970(not_before);
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_1970(not_after);
        let certificate = SubjectPublicKeyInfo::from_der(&public_key_der(&pair)?)
            .and_then(|public_key| params.signed_by(&public_key, root.issuer()))
            .map_err(|error| Error::Internal(format!("cannot sign a certificate: {error}")))?;
        let key = SigningKey::new(pair, &Reference::X5c(certificate.der()));
        Ok(Self { key, not_before, not_after })
    }

    /// A key with a certificate under a root that has our root's name and is nobody's.
    ///
    /// # Errors
    /// No random numbers.
    pub(super) fn forged(now: Timestamp) -> Result<Self, Error> {
        Self::sign(&Root::stranger(now)?, SignedDuration::ZERO, now)
    }

    /// Also false when the clock went back behind the certificate's beginning.
    fn serves(&self, now: Timestamp, longest_jwt: SignedDuration) -> bool {
        let needed = longest_jwt.saturating_add(MARGIN);
        self.not_before <= now && now.saturating_add(needed).is_ok_and(|end| end <= self.not_after)
    }
}

/// What rcgen's dates are counted from.
pub(super) fn since_1970(time: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0))
}

#[cfg(test)]
mod tests;
