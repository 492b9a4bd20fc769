//! `$query` behind any address: what is asked for comes in the body of a `POST`,
//! for which a URL may have no room. It is answered as the `GET` that it stands for.

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use rollcall_odata::Error;
use rollcall_odata::headers::{check_content_type, media_type};

use crate::app::App;
use crate::http::receive::{Request, Stream};

/// The media types of a query in a body; both are written as in a URL.
const MEDIA_TYPES: [&str; 2] = ["text/plain", "application/x-www-form-urlencoded"];

/// The `GET` that a request stands for. The options of its URL count as well.
pub(super) async fn asked(
    app: &App,
    request: &Request,
    stream: Option<&mut Stream>,
) -> Result<Request, Error> {
    let content_type = request.header(&CONTENT_TYPE).unwrap_or_default();
    if !MEDIA_TYPES.iter().any(|one| media_type(content_type).eq_ignore_ascii_case(one)) {
        let message = "The body of a $query has another media type than a query. Expected \
                       Content-Type text/plain or application/x-www-form-urlencoded.";
        return Err(Error::bad_request(message).about("Content-Type"));
    }
    check_content_type(content_type)?;
    let bytes = request.whole(stream, (app.limits.query_bytes, "query-bytes")).await?;
    let text = str::from_utf8(&bytes)
        .map_err(|_| Error::bad_request("The body of a $query is not UTF-8."))?;
    let text = text.trim();
    let both = [request.query.as_str(), text.strip_prefix('?').unwrap_or(text)];
    let query: Vec<&str> = both.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(Request {
        arrival: request.arrival,
        method: Method::GET,
        path: before_last(&request.path).to_owned(),
        query: query.join("&"),
        knows_ends: request.knows_ends,
        headers: request.headers.clone(),
        body: Ok(Bytes::new()),
    })
}

/// An encoded path without its last segment.
pub(super) fn before_last(path: &str) -> &str {
    path.trim_end_matches('/').rsplit_once('/').map_or("", |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_is_taken_off() {
        for (path, before) in [("/v1.0/a/$query", "/v1.0/a"), ("a/%24query/", "a"), ("$query", "")]
        {
            assert_eq!(before_last(path), before);
        }
    }
}
