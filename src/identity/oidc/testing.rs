//! Issuers for tests.
