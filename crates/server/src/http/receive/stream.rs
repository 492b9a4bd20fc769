//! A body of many rows, as it comes: piece by piece, gunzipped, within limits.

use std::io::Write;
use std::time::Duration;

use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::HeaderMap;
use rollcall_odata::{Code, Error};

use super::{MAX_DISCARD, broken_off, is_gzip, not_gzip, over, too_slow};

/// How much is gunzipped at once, in bytes: at worst a thousand times as much comes out.
const GZIP_PIECE: usize = 1024;

/// The body of a request that has many rows.
pub struct Stream {
    incoming: Incoming,
    /// Whether the body is gzipped, or why it cannot be read.
    gzip: Result<bool, Error>,
    gunzip: MultiGzDecoder<Vec<u8>>,
    /// What has come and is gzipped still.
    packed: Bytes,
    pause: Duration,
    /// How much has been given, in bytes.
    given: u64,
    most: u64,
    /// The name of that limit.
    limit: &'static str,
    ended: bool,
}

impl Stream {
    /// The body of a request with these headers; between two pieces of it no
    /// more than `pause` may pass.
    pub(super) fn new(incoming: Incoming, headers: &HeaderMap, pause: Duration) -> Self {
        Self {
            ended: incoming.is_end_stream(),
            incoming,
            gzip: is_gzip(headers),
            gunzip: MultiGzDecoder::new(Vec::new()),
            packed: Bytes::new(),
            pause,
            given: 0,
            most: u64::MAX,
            limit: "",
        }
    }

    /// Sets the most that may come, in bytes, gunzipped, and what this limit is
    /// called; a length that is announced and larger is refused at once.
    pub fn limit(&mut self, most: u64, name: &'static str) -> Result<(), Error> {
        (self.most, self.limit) = (most, name);
        let announced = self.incoming.size_hint().exact().unwrap_or(0);
        let is_plain = self.gzip.as_ref().is_ok_and(|gzip| !gzip);
        if is_plain && announced > most { Err(self.too_large()) } else { Ok(()) }
    }

    /// The next piece; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.gzip.clone()? {
            let piece = self.receive().await?;
            return piece.map(|piece| self.counted(piece)).transpose();
        }
        loop {
            if self.packed.is_empty() {
                match self.receive().await? {
                    Some(piece) => self.packed = piece,
                    None => return self.end(),
                }
            }
            let piece = self.packed.split_to(GZIP_PIECE.min(self.packed.len()));
            self.gunzip.write_all(&piece).map_err(|_| not_gzip())?;
            let plain = std::mem::take(self.gunzip.get_mut());
            if !plain.is_empty() {
                return self.counted(plain.into()).map(Some);
            }
        }
    }

    /// All of it, in no longer than a pause may be.
    pub async fn whole(&mut self) -> Result<Vec<u8>, Error> {
        let pause = self.pause;
        let all = async {
            let mut whole = Vec::new();
            while let Some(piece) = self.next().await? {
                whole.extend_from_slice(&piece);
            }
            Ok(whole)
        };
        tokio::time::timeout(pause, all).await.unwrap_or_else(|_| Err(too_slow(pause)))
    }

    /// Takes in and throws away what nobody wanted, up to a limit, so that the
    /// client hears why instead of losing the connection. No longer than a pause
    /// may be: who may not send anything must not hold a place by sending slowly.
    pub async fn discard(&mut self) {
        let pause = self.pause;
        let all = async {
            let mut rest = MAX_DISCARD;
            while rest > 0 {
                match self.receive().await {
                    Ok(Some(piece)) => rest = rest.saturating_sub(piece.len()),
                    Ok(None) | Err(_) => break,
                }
            }
        };
        drop(tokio::time::timeout(pause, all).await);
    }

    /// What has been gunzipped at the very end, if the end is one.
    fn end(&mut self) -> Result<Option<Bytes>, Error> {
        self.gunzip.try_finish().map_err(|_| not_gzip())?;
        let plain = std::mem::take(self.gunzip.get_mut());
        if plain.is_empty() { Ok(None) } else { self.counted(plain.into()).map(Some) }
    }

    fn counted(&mut self, piece: Bytes) -> Result<Bytes, Error> {
        self.given += piece.len() as u64;
        if self.given > self.most { Err(self.too_large()) } else { Ok(piece) }
    }

    fn too_large(&self) -> Error {
        over(self.most, self.limit)
    }

    /// What comes next on the connection.
    async fn receive(&mut self) -> Result<Option<Bytes>, Error> {
        while !self.ended {
            let frame = tokio::time::timeout(self.pause, self.incoming.frame()).await;
            let frame = frame.map_err(|_| {
                self.ended = true;
                let message = format!("The body paused for {} seconds.", self.pause.as_secs());
                Error::new(Code::RequestTimeout, message)
            })?;
            match frame {
                None => self.ended = true,
                Some(Err(_)) => {
                    self.ended = true;
                    return Err(broken_off());
                }
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
        Ok(None)
    }
}
