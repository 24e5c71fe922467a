//! The conditions of a federated credential, as the values that single it out.

use crate::model::{Accepted, ClaimName, FederatedCredential, Glob};

/// Of what a condition is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Source {
    Subject,
    Claim(ClaimName),
}

/// A value, or how it starts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Key<'a> {
    Text(&'a str),
    Integer(i64),
    Prefix(&'a str),
}

/// One condition of a credential, as the keys under which it would stand: a value that fits has at least one of them.
pub(super) struct Handle<'a> {
    pub(super) source: Source,
    pub(super) keys: Vec<Key<'a>>,
}

/// The conditions that single a credential out.
pub(super) fn handles(credential: &FederatedCredential) -> impl Iterator<Item = Handle<'_>> {
    let subject = credential
        .subject
        .as_ref()
        .and_then(|rule| Some(Handle { source: Source::Subject, keys: vec![glob_key(&rule.0)?] }));
    let claims = credential.claims.iter().filter_map(|condition| {
        let keys = condition.accepted.iter().map(accepted_key).collect::<Option<Vec<_>>>()?;
        Some(Handle { source: Source::Claim(condition.name.clone()), keys })
    });
    subject.into_iter().chain(claims)
}

fn accepted_key(accepted: &Accepted) -> Option<Key<'_>> {
    match accepted {
        // of two values, each is shared by about half of all
        Accepted::Boolean(_) => None,
        Accepted::Integer(number) => Some(Key::Integer(*number)),
        Accepted::Text(glob) => glob_key(glob),
    }
}

fn glob_key(glob: &Glob) -> Option<Key<'_>> {
    match glob.exact() {
        Some(text) => Some(Key::Text(text)),
        None => Some(glob.literal_prefix()).filter(|prefix| !prefix.is_empty()).map(Key::Prefix),
    }
}
