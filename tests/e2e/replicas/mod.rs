//! Three replicas on one PostgreSQL and one Redis, and what happens to them all.

mod fault;
mod kills;
mod postgres_faults;
mod redis_faults;
mod rolling;
mod sessions;
mod soak;
mod trail;
mod withdraw;
