//! The connection of the writer, with the statements that it runs for each row at hand.

use std::cell::RefCell;
use std::ops::Deref;

use rusqlite::{CachedStatement, Connection, Params};

/// How many statements are at hand: those of one data set's creates and of the
/// transaction around them, and some more.
const MOST: usize = 16;

/// A connection, and statements that are not given back to its cache after each use: to
/// look them up there by their long texts takes as long as a sixth of a row's write.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    /// With their texts, those that came last at the end.
    at_hand: RefCell<Vec<(String, CachedStatement<'c>)>>,
}

impl<'c> Statements<'c> {
    /// Of this connection, none of them at hand yet.
    pub fn of(connection: &'c Connection) -> Self {
        Self { connection, at_hand: RefCell::default() }
    }

    /// Runs a statement to its end; gives how many rows it changed.
    pub fn run(&self, text: &str, values: impl Params) -> rusqlite::Result<usize> {
        let mut at_hand = self.at_hand.borrow_mut();
        if let Some((_, known)) = at_hand.iter_mut().find(|(known, _)| known == text) {
            return known.execute(values);
        }
        let mut statement = self.connection.prepare_cached(text)?;
        let outcome = statement.execute(values);
        if at_hand.len() == MOST {
            at_hand.remove(0);
        }
        at_hand.push((text.to_owned(), statement));
        outcome
    }
}

impl Deref for Statements<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}
