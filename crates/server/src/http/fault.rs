//! A panic while a request is answered is a fault of ours, and told as one:
//! the client gets its answer, the log its line, and nobody else notices.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use super::error::{Refusal, internal};

/// What this work gives, or the refusal that its panic amounts to. What it
/// was doing is dropped; what the panic said is on standard error.
pub async fn told<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let mut work = pin!(work);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(internal("a panic".to_owned()))))
    })
    .await
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;
    use crate::http::answer::Answer;

    #[tokio::test]
    async fn a_panic_is_told_and_all_else_is_let_through() {
        let answered = told(async {
            tokio::task::yield_now().await;
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        });
        assert_eq!(answered.await.unwrap().status, 204);
        let panicked = told(async {
            tokio::task::yield_now().await;
            let nothing: [Answer; 0] = [];
            Ok(nothing.into_iter().next().unwrap())
        });
        let refusal = panicked.await.unwrap_err();
        assert_eq!((refusal.error.code.status(), refusal.cause.as_deref()), (500, Some("a panic")));
    }
}
