//! Several things at once that begin in their order.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// What all of these give. Each time it is their turn the first goes first, so
/// that what they send without waiting is sent in their order.
pub(super) async fn in_order<T>(work: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut work: Vec<_> = work.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = work.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut all = true;
        for (one, done) in work.iter_mut().zip(&mut done) {
            if done.is_none() {
                match Pin::as_mut(one).poll(context) {
                    Poll::Ready(value) => *done = Some(value),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test]
    async fn each_begins_after_the_one_before() {
        let seen = RefCell::new(Vec::new());
        let one = |number: usize| {
            let seen = &seen;
            async move {
                seen.borrow_mut().push(number);
                for _ in 0..3 - number {
                    tokio::task::yield_now().await;
                }
                seen.borrow_mut().push(number + 10);
                number
            }
        };
        assert_eq!(in_order(vec![one(0), one(1), one(2)]).await, [0, 1, 2]);
        assert_eq!(*seen.borrow(), [0, 1, 2, 12, 11, 10]);
        assert_eq!(in_order(Vec::<std::future::Ready<()>>::new()).await, []);
    }
}
