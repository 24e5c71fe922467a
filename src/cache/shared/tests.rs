//! The second level against a real Redis.

mod faults;
mod fences;
mod flight;
mod reuse;
mod seals;
mod support;
mod topology;
