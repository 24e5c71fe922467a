//! Tests of the audit trail as a whole.
