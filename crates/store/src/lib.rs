//! Plans in, rows out.
