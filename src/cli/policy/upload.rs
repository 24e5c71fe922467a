//! A policy file on its way to the broker: in pieces, since it may be larger than a message.

use crate::pb;

/// What a piece holds at most.
const PIECE: usize = 32 * 1024;

/// The pieces of a text, at least one.
pub(super) fn pieces(text: &str) -> Vec<Vec<u8>> {
    if text.is_empty() {
        return vec![Vec::new()];
    }
    text.as_bytes().chunks(PIECE).map(<[u8]>::to_vec).collect()
}

/// How the file is to be read: `keep` what it does not name, or delete that.
pub(super) fn options(keep: bool, base_revision: u64) -> pb::PolicyFileOptions {
    let prune = if keep { pb::Prune::Keep } else { pb::Prune::Delete };
    pb::PolicyFileOptions { prune: prune.into(), base_revision }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_small_and_whole_together() {
        let text = "ü".repeat(PIECE);
        let pieces = pieces(&text);
        assert_eq!(pieces.len(), 2);
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        assert_eq!(pieces.concat(), text.as_bytes());
        assert_eq!(super::pieces(""), [Vec::<u8>::new()]);
    }
}
