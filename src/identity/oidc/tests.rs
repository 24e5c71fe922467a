//! Whole tokens against whole issuers.

mod claim_shapes;
mod tokens;
mod verdicts;
mod wycheproof;
