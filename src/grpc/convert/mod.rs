//! Between the messages and the nouns. A message becomes a request whole or not at all: every violation is named at once.

mod access;
mod action;
pub(super) mod audit;
pub(super) mod credential;
mod json;
pub(super) mod page;
pub(super) mod policy;
pub(super) mod registry;
pub(super) mod review;
pub(super) mod scope_map;
mod time;
pub(super) mod token;
mod usage;
mod violations;

pub(super) use self::access::{
    access_request, access_token, access_token_id, check_request, check_response,
};
pub(super) use self::time::timestamp;
