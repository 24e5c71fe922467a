//! Whole tokens against whole issuers.

mod claim_shapes;
mod wycheproof;
