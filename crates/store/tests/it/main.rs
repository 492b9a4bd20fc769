//! The store as its users see it: one binary, one file for each part of the contract.

mod contract;
mod durability;
mod migration;
mod paging;
mod random;
mod support;
