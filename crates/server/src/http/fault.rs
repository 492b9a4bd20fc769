//! A panic while a request is answered is a fault of ours, and told as one:
//! the client gets its answer, the log its line, and nobody else notices.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use super::error::{Refusal, internal};

/// What this work gives, or the refusal that its panic amounts to; what the panic
/// said is on standard error. The work stays where it is: it is large, and would
/// have room here a second time.
pub async fn told<T>(
    mut work: Pin<&mut impl Future<Output = Result<T, Refusal>>>,
) -> Result<T, Refusal> {
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(internal("a panic".to_owned()))))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use hyper::StatusCode;

    use super::*;
    use crate::http::answer::Answer;

    #[tokio::test]
    async fn a_panic_is_told_and_all_else_is_let_through() {
        let well = pin!(async {
            tokio::task::yield_now().await;
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        });
        assert_eq!(told(well).await.unwrap().status, 204);
        let panicking = pin!(async {
            tokio::task::yield_now().await;
            let nothing: [Answer; 0] = [];
            Ok(nothing.into_iter().next().unwrap())
        });
        let refusal = told(panicking).await.unwrap_err();
        assert_eq!((refusal.error.code.status(), refusal.cause.as_deref()), (500, Some("a panic")));
    }
}
