//! Room for what is held whole: the answers to batches until they have been sent, and
//! the rows that are stored all or not at all. What all of one kind may take at the
//! same time is bounded.

use std::sync::Arc;

use hyper::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is left for all of one kind, in bytes.
#[derive(Debug, Clone)]
pub struct Room(Arc<Semaphore>);

impl Room {
    /// So many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// How many bytes nobody holds.
    pub fn left(&self) -> usize {
        self.0.available_permits()
    }

    /// The place of one more, of which nothing is held yet.
    pub fn place(&self) -> Held {
        Held { room: Arc::clone(&self.0), bytes: None }
    }
}

/// What one takes of the room; dropped, it takes nothing.
#[derive(Debug)]
pub struct Held {
    room: Arc<Semaphore>,
    bytes: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// Holds so many bytes in all, or as many as before where there is no room.
    pub fn hold(&mut self, bytes: usize) -> bool {
        let held = self.bytes.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if bytes <= held {
            let spare = self.bytes.as_mut().and_then(|all| all.split(held - bytes));
            drop(spare);
            return true;
        }
        let more = u32::try_from(bytes - held).ok();
        let more = more.and_then(|more| Arc::clone(&self.room).try_acquire_many_owned(more).ok());
        match (more, &mut self.bytes) {
            (None, _) => false,
            (Some(more), Some(all)) => {
                all.merge(more);
                true
            }
            (more, none) => {
                *none = more;
                true
            }
        }
    }

    /// This text, which takes its room until it has been sent.
    pub(super) fn with(self, text: Vec<u8>) -> Bytes {
        Bytes::from_owner(Kept { text, _held: self })
    }
}

/// A text and the room that it takes.
struct Kept {
    text: Vec<u8>,
    _held: Held,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_hold_is_no_more_than_there_is() {
        let room = Room::new(10);
        let (mut one, mut other) = (room.place(), room.place());
        assert!(one.hold(6) && other.hold(4));
        assert!(!one.hold(7) && !other.hold(5), "each holds what it did before");
        assert!(one.hold(5) && other.hold(5) && !other.hold(6));
        let sent = one.with(b"five!".to_vec());
        assert!(!other.hold(10) && sent == "five!");
        let of_it = sent.slice(1..);
        drop(sent);
        assert!(!other.hold(6), "a piece of it is still there");
        drop(of_it);
        assert!(other.hold(10));
    }

    #[test]
    fn there_can_be_more_room_than_anyone_needs() {
        let mut one = Room::new(usize::MAX).place();
        assert!(one.hold(usize::try_from(u32::MAX).unwrap()) && one.hold(0));
    }
}
