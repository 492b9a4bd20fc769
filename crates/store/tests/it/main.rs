//! The store as its users see it: one binary, one file for each part of the contract.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bulk;
mod changes;
mod contract;
mod durability;
mod groups;
mod migration;
mod once;
mod paging;
mod parts;
mod query;
mod random;
mod support;
mod windows;
