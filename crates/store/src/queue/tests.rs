//! Whose turn it is, who comes in where it is full, and that nobody is forgotten.

use std::sync::mpsc;

use super::*;

/// A message of a tenant, which tells when it is refused or dropped.
struct Letter {
    tenant: u128,
    number: usize,
    fate: mpsc::Sender<(usize, Option<Error>)>,
    refused: bool,
}

impl Waits for Letter {
    fn tenant(&self) -> Uuid {
        Uuid::from_u128(self.tenant)
    }

    fn refuse(mut self, error: Error) {
        self.refused = true;
        self.fate.send((self.number, Some(error))).unwrap();
    }
}

impl Drop for Letter {
    fn drop(&mut self) {
        if !self.refused {
            drop(self.fate.send((self.number, None)));
        }
    }
}

struct Post {
    fate: mpsc::Sender<(usize, Option<Error>)>,
    told: mpsc::Receiver<(usize, Option<Error>)>,
}

impl Post {
    fn new() -> Self {
        let (fate, told) = mpsc::channel();
        Self { fate, told }
    }

    fn letter(&self, tenant: u128, number: usize) -> Letter {
        Letter { tenant, number, fate: self.fate.clone(), refused: false }
    }

    /// Those that were refused so far.
    fn refused(&self) -> Vec<usize> {
        let told = self.told.try_iter();
        told.filter(|(_, error)| *error == Some(Error::OverShare))
            .map(|(number, _)| number)
            .collect()
    }
}

fn one(room: usize) -> (Queue<Letter>, Taker<Letter>) {
    let (queue, mut takers) = Queue::new(room, 1, usize::MAX);
    (queue, takers.pop().unwrap())
}

fn all(taker: &mut Taker<Letter>) -> Vec<usize> {
    std::iter::from_fn(|| taker.try_take()).map(|letter| letter.number).collect()
}

#[test]
fn each_tenant_has_its_turn() {
    let (post, (queue, mut taker)) = (Post::new(), one(100));
    for number in 0..5 {
        queue.put(post.letter(1, number)).unwrap();
    }
    queue.put(post.letter(2, 10)).unwrap();
    queue.put(post.letter(3, 20)).unwrap();
    queue.put(post.letter(2, 11)).unwrap();
    assert_eq!(all(&mut taker), [0, 10, 20, 1, 11, 2, 3, 4]);
}

#[test]
fn one_alone_fills_it_and_then_it_is_busy() {
    let (post, (queue, mut taker)) = (Post::new(), one(3));
    for number in 0..3 {
        queue.put(post.letter(1, number)).unwrap();
    }
    assert_eq!(queue.put(post.letter(1, 3)), Err(Error::Busy));
    assert_eq!(all(&mut taker), [0, 1, 2]);
    assert_eq!(queue.put(post.letter(1, 4)), Ok(()));
}

#[test]
fn who_has_less_waiting_comes_in_for_the_newest_of_who_has_most() {
    let (post, (queue, mut taker)) = (Post::new(), one(6));
    for number in 0..6 {
        queue.put(post.letter(1, number)).unwrap();
    }
    assert_eq!(queue.put(post.letter(2, 10)), Ok(()));
    assert_eq!(queue.put(post.letter(2, 11)), Ok(()));
    assert_eq!(queue.put(post.letter(1, 6)), Err(Error::OverShare));
    assert_eq!(queue.put(post.letter(2, 12)), Ok(()));
    assert_eq!(post.refused(), [5, 4, 3]);
    // Both have a half now.
    assert_eq!(queue.put(post.letter(2, 13)), Err(Error::OverShare));
    assert_eq!(queue.put(post.letter(3, 20)), Ok(()));
    assert_eq!(post.refused().len(), 1);
    assert_eq!(all(&mut taker).len(), 6, "it never holds more");
}

#[test]
fn where_each_has_one_there_is_no_room_for_another() {
    let (post, (queue, _taker)) = (Post::new(), one(2));
    assert_eq!(queue.put(post.letter(1, 1)), Ok(()));
    assert_eq!(queue.put(post.letter(2, 2)), Ok(()));
    assert_eq!(queue.put(post.letter(3, 3)), Err(Error::Busy));
    assert_eq!(queue.put(post.letter(1, 4)), Err(Error::OverShare));
}

#[test]
fn a_thread_is_left_for_others() {
    let post = Post::new();
    let (queue, mut takers) = Queue::new(100, 3, 2);
    for number in 0..4 {
        queue.put(post.letter(1, number)).unwrap();
    }
    let mut take = |taker: usize| takers[taker].try_take().map(|letter| letter.number);
    assert_eq!((take(0), take(1), take(2)), (Some(0), Some(1), None));
    queue.put(post.letter(2, 10)).unwrap();
    assert_eq!(take(2), Some(10));
    assert_eq!((take(2), take(0), take(0)), (None, Some(2), Some(3)));
    assert_eq!((take(1), take(0)), (None, None));
}

#[test]
fn a_thread_that_sleeps_is_woken_for_what_another_has_left_over() {
    let post = Post::new();
    let (queue, mut takers) = Queue::new(100, 2, 1);
    let (mut first, mut second) = (takers.remove(0), takers.remove(0));
    for number in 0..2 {
        queue.put(post.letter(1, number)).unwrap();
    }
    assert_eq!(first.try_take().map(|letter| letter.number), Some(0));
    queue.put(post.letter(2, 10)).unwrap();
    assert_eq!(second.try_take().map(|letter| letter.number), Some(10));
    queue.put(post.letter(2, 11)).unwrap();
    let (tell, told) = mpsc::channel();
    let sleeper = std::thread::spawn(move || {
        while let Some(letter) = second.take() {
            tell.send(letter.number).unwrap();
        }
    });
    // It takes what its own tenant has left; then all that there is is done by either.
    assert_eq!(told.recv().unwrap(), 11);
    assert_eq!(first.try_take().map(|letter| letter.number), Some(1));
    queue.put(post.letter(3, 30)).unwrap();
    assert_eq!(told.recv().unwrap(), 30);
    queue.put(post.letter(1, 2)).unwrap();
    queue.put(post.letter(4, 40)).unwrap();
    assert_eq!(told.recv().unwrap(), 40, "the first still works for whom it took");
    drop(first);
    drop(queue);
    assert_eq!(told.recv().unwrap(), 2);
    sleeper.join().unwrap();
}

#[test]
fn what_waits_is_done_before_a_closed_one_ends() {
    let (post, (queue, mut taker)) = (Post::new(), one(9));
    queue.put(post.letter(1, 1)).unwrap();
    queue.put(post.letter(2, 2)).unwrap();
    queue.close();
    assert_eq!(queue.put(post.letter(1, 3)), Err(Error::Closed));
    let numbers = std::iter::from_fn(|| taker.take()).map(|letter| letter.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_queue_whose_threads_have_died_is_closed_and_drops_what_waits() {
    let (post, (queue, taker)) = (Post::new(), one(9));
    queue.put(post.letter(1, 1)).unwrap();
    drop(taker);
    assert_eq!(post.told.try_iter().collect::<Vec<_>>(), [(1, None)]);
    assert_eq!(queue.put(post.letter(1, 2)), Err(Error::Closed));
}

#[test]
fn nothing_stays_in_a_queue_that_ends_while_messages_come() {
    for _ in 0..200 {
        let (post, (queue, taker)) = (Post::new(), one(64));
        std::thread::scope(|scope| {
            let putting: Vec<_> = (0..3)
                .map(|tenant| {
                    let letters: Vec<_> =
                        (0..8).map(|number| post.letter(tenant, number)).collect();
                    let queue = &queue;
                    scope.spawn(move || letters.into_iter().for_each(|one| drop(queue.put(one))))
                })
                .collect();
            drop(taker);
            for one in putting {
                one.join().unwrap();
            }
        });
        assert_eq!(post.told.try_iter().count(), 24);
    }
}

#[test]
fn many_threads_do_everything_once() {
    let (queue, takers) = Queue::new(10_000, 4, 3);
    let post = Post::new();
    let done = std::thread::scope(|scope| {
        let working: Vec<_> = takers
            .into_iter()
            .map(|mut taker| {
                scope.spawn(move || {
                    std::iter::from_fn(|| taker.take())
                        .map(|one: Letter| one.number)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for number in 0..5000 {
            queue.put(post.letter(number as u128 % 7, number)).unwrap();
        }
        queue.close();
        let mut done: Vec<_> = working.into_iter().flat_map(|one| one.join().unwrap()).collect();
        done.sort_unstable();
        done
    });
    assert!(done.into_iter().eq(0..5000));
}

#[test]
fn a_wait_ends_by_itself() {
    let (post, (queue, mut taker)) = (Post::new(), one(9));
    assert!(taker.take_within(Duration::from_micros(1)).is_none());
    queue.put(post.letter(1, 1)).unwrap();
    assert!(taker.take_within(Duration::from_micros(1)).is_some());
}
