//! Room for what is held: the answers to batches until they have been sent, and the rows
//! of bodies until they have been stored. What all of one kind may take at the same time
//! is bounded, and one tenant leaves room to others.

use std::collections::HashMap;
use std::mem::replace;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::Notify;
use uuid::Uuid;

/// Room for one kind, in bytes.
#[derive(Debug, Clone)]
pub struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    all: usize,
    limit: &'static str,
    taken: Mutex<Taken>,
    /// Somebody holds less than before.
    freed: Notify,
}

/// What is held now.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of: HashMap<Uuid, usize>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Others hold it now.
    Now,
    /// It is more than one tenant may ever hold.
    Ever,
}

impl Room {
    /// So many bytes, by the limit of this name.
    pub fn new(bytes: usize, limit: &'static str) -> Self {
        Self(Arc::new(Shared { all: bytes, limit, taken: Mutex::default(), freed: Notify::new() }))
    }

    /// The limit that was met, for a message: how many bytes, and by which name.
    pub fn limit(&self, full: Full) -> String {
        let (all, name) = (self.0.all, self.0.limit);
        match full {
            Full::Now => format!("the limit {name}, {all} bytes"),
            Full::Ever => {
                let share = share(all);
                format!("{share} bytes, as much of {all} as one tenant may: the limit {name}")
            }
        }
    }

    /// How many bytes nobody holds.
    pub fn left(&self) -> usize {
        self.0.all - self.0.taken().all
    }

    /// The place of one more of a tenant, of which nothing is held yet.
    pub fn place(&self, tenant: Uuid) -> Held {
        Held { room: Arc::clone(&self.0), tenant, bytes: 0 }
    }
}

/// How much one tenant may hold of what others leave: a part stays for who comes next.
const fn share(left: usize) -> usize {
    left - left / 4
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one takes of the room; dropped, it takes nothing.
#[derive(Debug)]
pub struct Held {
    room: Arc<Shared>,
    tenant: Uuid,
    bytes: usize,
}

impl Held {
    /// Holds so many bytes in all, or as many as before where there is no room for more.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Full> {
        let mut taken = self.room.taken();
        let own = taken.of.get(&self.tenant).copied().unwrap_or_default();
        let (others, of_tenant) = (taken.all - own, own - self.bytes);
        if bytes > self.bytes {
            let left = share(self.room.all - others).saturating_sub(of_tenant);
            match bytes {
                _ if bytes <= left => {}
                _ if bytes > share(self.room.all) => return Err(Full::Ever),
                _ => return Err(Full::Now),
            }
        }
        let own = of_tenant + bytes;
        taken.all = others + own;
        if own == 0 {
            taken.of.remove(&self.tenant);
        } else {
            taken.of.insert(self.tenant, own);
        }
        drop(taken);
        if bytes < self.bytes {
            self.room.freed.notify_waiters();
        }
        self.bytes = bytes;
        Ok(())
    }

    /// The same as soon as there is room, if there is some within this time.
    pub async fn hold_within(&mut self, bytes: usize, time: Duration) -> Result<(), Full> {
        let room = Arc::clone(&self.room);
        let held = async {
            loop {
                // Before it is looked: what is freed in between counts as well.
                let freed = room.freed.notified();
                match self.hold(bytes) {
                    Err(Full::Now) => freed.await,
                    done => return done,
                }
            }
        };
        tokio::time::timeout(time, held).await.unwrap_or(Err(Full::Now))
    }

    /// What is held here, and for the tenant's next of which nothing is held yet.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let next = Self { room: Arc::clone(&self.room), tenant: self.tenant, bytes: 0 };
        replace(self, next)
    }

    /// This text, which takes its room until it has been sent.
    pub(super) fn with(self, text: Vec<u8>) -> Bytes {
        Bytes::from_owner(Kept { text, _held: self })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // For nothing there is room.
        let _ = self.hold(0);
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

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);
    const THIRD: Uuid = Uuid::from_u128(3);

    fn room(bytes: usize) -> Room {
        Room::new(bytes, "of-test")
    }

    #[test]
    fn what_a_tenant_holds_is_no_more_than_its_share() {
        let room = room(100);
        let told = "75 bytes, as much of 100 as one tenant may: the limit of-test";
        assert_eq!(
            (&*room.limit(Full::Ever), &*room.limit(Full::Now)),
            (told, "the limit of-test, 100 bytes")
        );
        let (mut first, mut second) = (room.place(ONE), room.place(ONE));
        assert_eq!(first.hold(76), Err(Full::Ever));
        assert_eq!(first.hold(40), Ok(()));
        assert_eq!(second.hold(36), Err(Full::Now));
        assert_eq!(second.hold(35), Ok(()));
        assert_eq!(first.hold(41), Err(Full::Now), "it holds what it did before");
        assert_eq!((first.hold(5), second.hold(70)), (Ok(()), Ok(())));
        drop(second);
        assert_eq!((room.left(), first.hold(75)), (95, Ok(())));
    }

    #[test]
    fn there_is_room_for_who_comes_next() {
        let room = room(1000);
        let mut places = [ONE, OTHER, THIRD].map(|tenant| room.place(tenant));
        let most = [750, 188, 47];
        for (place, most) in places.iter_mut().zip(most) {
            assert_eq!((place.hold(most + 1).is_err(), place.hold(most)), (true, Ok(())));
        }
        assert_eq!(room.left(), 1000 - most.iter().sum::<usize>());
        // Others have taken what would be its share, and it takes no more; nor must it give back.
        assert_eq!((places[0].hold(751), places[0].hold(740)), (Err(Full::Ever), Ok(())));
        assert_eq!(places[0].hold(750), Err(Full::Now));
        drop(places);
        assert_eq!(room.left(), 1000);
        assert!(room.0.taken().of.is_empty(), "who holds nothing is forgotten");
    }

    #[test]
    fn a_text_takes_its_room_until_all_of_it_was_sent() {
        let room = room(100);
        let mut place = room.place(ONE);
        assert_eq!(place.hold(5), Ok(()));
        let sent = place.with(b"five!".to_vec());
        let of_it = sent.slice(1..);
        drop(sent);
        assert_eq!((room.left(), &*of_it), (95, &b"ive!"[..]));
        drop(of_it);
        assert_eq!(room.left(), 100);
    }

    #[tokio::test]
    async fn who_waits_for_room_has_it_as_soon_as_there_is_some() {
        let room = room(100);
        let (mut first, mut second) = (room.place(ONE), room.place(ONE));
        let long = Duration::from_hours(1);
        assert_eq!(first.hold(70), Ok(()));
        assert_eq!(second.hold_within(76, long).await, Err(Full::Ever));
        assert_eq!(second.hold_within(50, Duration::ZERO).await, Err(Full::Now));
        let waits = tokio::spawn(async move { (second.hold_within(50, long).await, second) });
        for left in [69, 26, 25] {
            tokio::task::yield_now().await;
            assert!(!waits.is_finished());
            assert_eq!(first.hold(left), Ok(()));
        }
        let (held, _second) = waits.await.unwrap();
        assert_eq!((held, room.left()), (Ok(()), 25));
    }

    #[test]
    fn what_is_taken_of_a_place_holds_its_room() {
        let room = room(100);
        let mut place = room.place(ONE);
        assert_eq!(place.hold(5), Ok(()));
        let taken = place.take();
        assert_eq!((room.left(), place.hold(70), room.left()), (95, Ok(()), 25));
        drop(taken);
        assert_eq!(room.left(), 30);
        drop(place);
        assert_eq!(room.left(), 100);
    }

    #[test]
    fn there_can_be_more_room_than_anyone_needs() {
        let mut one = room(usize::MAX).place(ONE);
        assert_eq!((one.hold(usize::MAX / 2), one.hold(0)), (Ok(()), Ok(())));
    }
}
