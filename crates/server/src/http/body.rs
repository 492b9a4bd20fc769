//! The body of an answer: whole, or made part by part while it is sent.
//!
//! A part is made when the connection has room for it. So a client that reads
//! slowly costs the memory of one part and nothing else, and for one that has
//! gone nothing is made any more.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};

use super::error::Refusal;
use super::line::{End, Line};

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// All of it: its length is told.
    Whole(Bytes),
    /// Its first part, and what makes the others.
    Parts(Bytes, Rest),
}

/// What is not made yet of a body.
pub struct Rest(Box<dyn Source>);

/// Makes the parts of a body, one after the other.
pub trait Source: Send + 'static {
    /// The next part, and what makes those that follow it.
    fn next(self: Box<Self>) -> Making;
}

/// A part that is being made.
pub type Making = Pin<Box<dyn Future<Output = Result<(Bytes, Option<Rest>), Refusal>> + Send>>;

impl Rest {
    /// What this makes.
    pub fn of(source: impl Source) -> Self {
        Self(Box::new(source))
    }

    /// The next part.
    pub fn next(self) -> Making {
        self.0.next()
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Whole(text.into())
    }
}

impl Body {
    /// How many bytes of it there are already.
    pub fn made(&self) -> usize {
        self.first().len()
    }

    /// What there is of it already.
    pub fn first(&self) -> &Bytes {
        match self {
            Self::Whole(bytes) | Self::Parts(bytes, _) => bytes,
        }
    }

    /// What there is of it already, and what makes the rest.
    pub fn split(self) -> (Bytes, Option<Rest>) {
        match self {
            Self::Whole(bytes) => (bytes, None),
            Self::Parts(first, rest) => (first, Some(rest)),
        }
    }
}

/// A body on its way to the client. One in parts ends the request's line in the
/// log when it ends, however it ends.
pub struct Outgoing {
    ready: Bytes,
    more: More,
    /// Of a body in parts; dropped, it is written down.
    line: Option<Line>,
}

/// What comes after the part that is ready.
enum More {
    Nothing,
    Rest(Rest),
    Making(Making),
}

/// The connection must not end as if all had been sent: what is left cannot be made.
#[derive(Debug)]
pub struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is cut off")
    }
}

impl std::error::Error for CutOff {}

impl Outgoing {
    /// A body of this length.
    pub fn whole(bytes: Bytes) -> Self {
        Self { ready: bytes, more: More::Nothing, line: None }
    }

    /// A body whose end is not known yet; without a line where it has been
    /// written, as nobody will ask for the body.
    pub fn parts(first: Bytes, rest: Rest, mut line: Option<Line>) -> Self {
        if let Some(line) = &mut line {
            line.hand_out(0);
        }
        Self { ready: first, more: More::Rest(rest), line }
    }

    /// Hands out the part that is ready; of the last one the line is written.
    fn hand_out(&mut self) -> Bytes {
        let part = std::mem::take(&mut self.ready);
        if let Some(line) = &mut self.line {
            line.hand_out(part.len());
        }
        if matches!(self.more, More::Nothing) {
            self.end(End::Complete);
        }
        part
    }

    fn end(&mut self, end: End) {
        if let Some(line) = self.line.take() {
            line.end(end);
        }
    }
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        loop {
            if !self.ready.is_empty() {
                let part = self.hand_out();
                return Poll::Ready(Some(Ok(Frame::data(part))));
            }
            self.more = match std::mem::replace(&mut self.more, More::Nothing) {
                More::Nothing => {
                    self.end(End::Complete);
                    return Poll::Ready(None);
                }
                More::Rest(rest) => More::Making(rest.next()),
                More::Making(mut making) => match making.as_mut().poll(context) {
                    Poll::Pending => {
                        self.more = More::Making(making);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok((part, rest))) => {
                        self.ready = part;
                        rest.map_or(More::Nothing, More::Rest)
                    }
                    Poll::Ready(Err(refusal)) => {
                        self.end(End::Failed(refusal));
                        return Poll::Ready(Some(Err(CutOff)));
                    }
                },
            };
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && matches!(self.more, More::Nothing)
    }

    fn size_hint(&self) -> SizeHint {
        match self.more {
            More::Nothing => SizeHint::with_exact(self.ready.len() as u64),
            _ => SizeHint::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http_body_util::BodyExt;
    use jiff::Timestamp;
    use rollcall_odata::{Code, Error};

    use super::*;
    use crate::clock::{Clock, FixedClock};
    use crate::observe::{Log, Observation};

    /// So many parts of one byte, and then none or an error.
    struct Parts(usize, bool);

    impl Source for Parts {
        fn next(self: Box<Self>) -> Making {
            let Self(left, fails) = *self;
            Box::pin(async move {
                tokio::task::yield_now().await;
                if left == 0 && fails {
                    return Err(Error::new(Code::TooComplex, "It took too long.").into());
                }
                let rest = (left > 0).then(|| Rest::of(Self(left - 1, fails)));
                Ok((if left == 0 { Bytes::new() } else { "x".into() }, rest))
            })
        }
    }

    /// A body, and where its line will be.
    fn sent(parts: usize, fails: bool) -> (Outgoing, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let there = Arc::clone(&lines);
        let log = Log::new(move |line| there.lock().unwrap().push(line.to_owned()));
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(0));
        let mut seen = Observation::begin(&clock, "GET");
        seen.name("name");
        seen.end(200, 1);
        let line = Line::begin(seen, &log, Timestamp::UNIX_EPOCH);
        let rest = Rest::of(Parts(parts, fails));
        (Outgoing::parts("x".into(), rest, Some(line)), lines)
    }

    fn lines(of: &Mutex<Vec<String>>) -> String {
        of.lock().unwrap().join("\n")
    }

    #[tokio::test]
    async fn parts_come_one_after_the_other_and_then_a_line_in_the_log() {
        let (body, log) = sent(3, false);
        assert!(!body.is_end_stream() && body.size_hint().exact().is_none());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "xxxx");
        let line = "1970-01-01T00:00:00.000Z GET unknown 200 4 total=0us send=0us principal=- \
                    request-id=name";
        assert_eq!(lines(&log), line);
        let whole = Outgoing::whole("abc".into());
        assert_eq!(whole.size_hint().exact(), Some(3));
        assert_eq!(whole.collect().await.unwrap().to_bytes(), "abc");
    }

    #[tokio::test]
    async fn a_part_that_cannot_be_made_is_an_error_and_not_an_end() {
        let (mut body, log) = sent(1, true);
        for _ in 0..2 {
            assert!(body.frame().await.unwrap().is_ok());
        }
        assert_eq!(lines(&log), "");
        assert!(body.frame().await.unwrap().is_err());
        assert!(lines(&log).ends_with("cause=\"cut off: It took too long.\""), "{}", lines(&log));
    }

    #[tokio::test]
    async fn who_leaves_before_the_end_is_told_apart() {
        let (mut body, log) = sent(3, false);
        assert!(body.frame().await.unwrap().is_ok());
        drop(body);
        let line = lines(&log);
        assert!(line.contains(" 200 1 ") && line.contains("the client left"), "{line}");
    }
}
