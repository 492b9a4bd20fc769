//! What waits for the threads: bounded, and empty once they have ended.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::Error;

/// A queue that tells whoever waits in it when nobody will come.
///
/// A bounded channel keeps its messages until the last sender is gone, and the
/// senders are those who wait. So the queue has a receiver of its own, and what
/// comes too late for the threads is dropped here.
pub(crate) struct Queue<T> {
    sender: Sender<T>,
    receiver: Receiver<T>,
    ended: AtomicBool,
}

impl<T> Queue<T> {
    /// A queue with room for so many messages.
    pub fn new(room: usize) -> Self {
        let (sender, receiver) = bounded(room);
        Self { sender, receiver, ended: AtomicBool::new(false) }
    }

    /// Where a thread takes messages from.
    pub fn receiver(&self) -> Receiver<T> {
        self.receiver.clone()
    }

    /// Queues a message, or says at once that there is no room.
    pub fn put(&self, message: T) -> Result<(), Error> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(Error::Closed);
        }
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => Error::Closed,
        })?;
        // Either this sees the end, or the end sees the message.
        if self.ended.load(Ordering::SeqCst) {
            self.clear();
        }
        Ok(())
    }

    /// Queues a message as soon as there is room.
    pub fn wait_and_put(&self, message: T) {
        // It fails only without a receiver, and here is one.
        let _ = self.sender.send(message);
    }

    /// The threads have ended: drops what waits, and what comes.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.clear();
    }

    fn clear(&self) {
        while self.receiver.try_recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn nothing_stays_in_a_queue_that_has_ended() {
        for _ in 0..1000 {
            let queue = Queue::new(64);
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
                queue.end();
            });
            assert_eq!(queue.put(Arc::clone(&message)), Err(Error::Closed));
            assert_eq!(Arc::strong_count(&message), 1);
        }
    }

    #[test]
    fn a_full_queue_is_busy() {
        let queue = Queue::new(1);
        assert_eq!(queue.put(1), Ok(()));
        assert_eq!(queue.put(2), Err(Error::Busy));
        assert_eq!(queue.receiver().recv(), Ok(1));
    }
}
