//! What waits for the threads: bounded, and empty once they have ended.

use std::sync::{PoisonError, RwLock};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::Error;

/// A queue that tells whoever waits in it when nobody will come.
///
/// A bounded channel keeps its messages until the last sender is gone, even if
/// no receiver is left, and the senders are those who wait. So the one sender
/// is kept here alone, and given up once the threads have ended: what was too
/// late for them goes with it.
pub(crate) struct Queue<T>(RwLock<Option<Sender<T>>>);

impl<T> Queue<T> {
    /// A queue with room for so many messages, and where the threads take them
    /// from. Nobody else is to keep that: without it a queue is closed.
    pub fn new(room: usize) -> (Self, Receiver<T>) {
        let (sender, receiver) = bounded(room);
        (Self(RwLock::new(Some(sender))), receiver)
    }

    /// Queues a message, or says at once that there is no room.
    pub fn put(&self, message: T) -> Result<(), Error> {
        // Whoever ends the queue waits for this, which itself never waits.
        let sender = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let sent = sender.as_ref().ok_or(Error::Closed)?.try_send(message);
        sent.map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => Error::Closed,
        })
    }

    /// Queues a message as soon as there is room; it is of no matter where no
    /// thread is left.
    pub fn wait_and_put(&self, message: T) {
        let sender = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        drop(sender.map(|sender| sender.send(message)));
    }

    /// The threads have ended: drops what waits, and what comes.
    pub fn end(&self) {
        drop(self.0.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn nothing_stays_in_a_queue_that_has_ended() {
        for _ in 0..1000 {
            let (queue, receiver) = Queue::new(64);
            let message = Arc::new(());
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for _ in 0..8 {
                            let put = queue.put(Arc::clone(&message));
                            assert!(matches!(put, Ok(()) | Err(Error::Closed)));
                        }
                    });
                }
                drop(receiver);
                queue.end();
            });
            assert_eq!(queue.put(Arc::clone(&message)), Err(Error::Closed));
            queue.wait_and_put(Arc::clone(&message));
            assert_eq!(Arc::strong_count(&message), 1);
        }
    }

    #[test]
    fn a_full_queue_is_busy() {
        let (queue, receiver) = Queue::new(1);
        assert_eq!(queue.put(1), Ok(()));
        assert_eq!(queue.put(2), Err(Error::Busy));
        assert_eq!(receiver.recv(), Ok(1));
    }

    #[test]
    fn a_queue_whose_thread_has_died_is_closed_and_nobody_waits_for_room() {
        let (queue, receiver) = Queue::new(1);
        let message = Arc::new(());
        assert_eq!(queue.put(Arc::clone(&message)), Ok(()));
        drop(receiver);
        assert_eq!(queue.put(Arc::clone(&message)), Err(Error::Closed));
        queue.wait_and_put(Arc::clone(&message));
        queue.end();
        assert_eq!(Arc::strong_count(&message), 1);
    }
}
