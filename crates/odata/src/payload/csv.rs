//! CSV, as Graph and the admin centre hand it out.

pub mod read;
pub mod write;

/// The UTF-8 byte order mark.
const MARK: [u8; 3] = *b"\xef\xbb\xbf";

/// Skips the byte order mark of a text that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Start {
    /// How much of the mark has been there.
    matched: usize,
    /// Whether the text has begun.
    over: bool,
}

impl Start {
    /// The piece without what it has of a byte order mark.
    pub(crate) fn skip<'b>(&mut self, mut piece: &'b [u8]) -> &'b [u8] {
        while !self.over && self.matched < MARK.len() {
            match piece.split_first() {
                None => break,
                Some((first, rest)) if *first == MARK[self.matched] => {
                    self.matched += 1;
                    piece = rest;
                }
                Some(_) => self.over = true,
            }
        }
        piece
    }
}
