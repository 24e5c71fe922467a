//! A federated credential as the index keeps it: what a decision reads of it in one piece of memory. To follow its token to the
//! texts of its conditions takes a dozen others, each of them waited for.

use std::sync::Arc;

use super::boundaries::Slot;
use super::names::Names;
use super::test_code::{self, Seen};
use crate::model::{FederatedCredential, Status, Token};

/// A federated credential, and where it stands in its token.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) token: Arc<Token>,
    /// [`Header`], then the conditions as [`test_code`].
    digest: Box<[u8]>,
}

/// The first bytes of a digest.
struct Header {
    /// Which of the token's credentials it is.
    position: u32,
    /// Where the token's scope map stands.
    boundary: Slot,
    flags: u8,
}

const HEADER: usize = 9;

/// The conditions follow; without, they have no code, and are to be read where they are written.
const CODED: u8 = 1;
/// The token is enabled, and neither it nor the credential bounds anything in time.
const PLAIN: u8 = 2;

impl Place {
    pub(super) fn new(
        token: &Arc<Token>,
        position: u32,
        boundary: Slot,
        names: &mut Names,
    ) -> Option<Self> {
        let credential = credential(token, position)?;
        let mut digest = [position.to_le_bytes(), boundary.0.to_le_bytes()].concat();
        let plain = token.status == Status::Enabled
            && token.expire_time.is_none()
            && credential.max_lifetime.is_none()
            && !credential.bind_to_identity_expiry;
        let code = test_code::of(credential, names);
        let flag = |holds: bool, flag: u8| if holds { flag } else { 0 };
        digest.push(flag(code.is_some(), CODED) | flag(plain, PLAIN));
        digest.extend(code.into_iter().flatten());
        Some(Self { token: Arc::clone(token), digest: digest.into() })
    }

    /// The credential.
    pub(super) fn credential(&self) -> Option<&FederatedCredential> {
        credential(&self.token, self.header()?.0.position)
    }

    /// Where the scope map of its token stands.
    pub(super) fn boundary(&self) -> Slot {
        self.header().map_or_else(Slot::default, |(header, _)| header.boundary)
    }

    /// True when its token is enabled, and neither the token nor the credential bounds anything in time.
    pub(super) fn is_plain(&self) -> bool {
        self.header().is_some_and(|(header, _)| header.flags & PLAIN != 0)
    }

    /// True when a workload of its issuer may act as the token.
    pub(super) fn admits(&self, seen: &Seen<'_>) -> bool {
        let Some((header, code)) = self.header() else { return false };
        if header.flags & CODED != 0 {
            return test_code::holds(code, seen);
        }
        let workload = seen.workload;
        self.credential().is_some_and(|own| {
            own.admits(workload.issuer().as_str(), workload.subject(), workload.claims())
        })
    }

    /// True when it is this credential of this token.
    pub(super) fn is(&self, (token, position): (&Arc<Token>, u32)) -> bool {
        let own = self.header().map(|(header, _)| header.position);
        Arc::ptr_eq(&self.token, token) && own == Some(position)
    }

    /// What no other credential has, as long as this one is there.
    pub(super) fn identity(&self) -> (*const Token, Option<u32>) {
        (Arc::as_ptr(&self.token), self.header().map(|(header, _)| header.position))
    }

    /// INVARIANT: a digest is never shorter than its header.
    #[inline]
    fn header(&self) -> Option<(Header, &[u8])> {
        let (header, code) = self.digest.split_first_chunk::<HEADER>()?;
        let [p0, p1, p2, p3, b0, b1, b2, b3, flags] = *header;
        let position = u32::from_le_bytes([p0, p1, p2, p3]);
        let boundary = Slot(u32::from_le_bytes([b0, b1, b2, b3]));
        Some((Header { position, boundary, flags }, code))
    }
}

/// The credential that stands there in the token.
pub(super) fn credential(token: &Token, position: u32) -> Option<&FederatedCredential> {
    token.federated_credentials.get(usize::try_from(position).ok()?)
}
