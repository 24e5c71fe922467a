//! Three replicas on one PostgreSQL and one Redis, and what happens to both.

mod rolling;
