//! What management does, refuses and records.

mod concurrency;
mod deadline;
mod policy_files;
mod refusals;
mod roles;
mod scope_maps;
mod tokens;
