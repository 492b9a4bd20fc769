//! Known
