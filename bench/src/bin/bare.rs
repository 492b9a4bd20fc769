//! Bare hyper: reads the body of a create, makes its UUIDv7, renders the entity,
//! answers 201. It checks no token and no rule, and keeps nothing.

use std::convert::Infallible;
use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rollcall_bench::{Created, address};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address()).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let connection = http1::Builder::new();
            let service =
                service_fn(|request| async { Ok::<_, Infallible>(answer(request).await) });
            // A connection that breaks is the client's affair.
            drop(connection.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let created = create(request).await;
    created.unwrap_or_else(|error| {
        let mut response = Response::new(Full::new(error.to_string().into()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    })
}

async fn create(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Box<dyn Error>> {
    let body = request.into_body().collect().await?.to_bytes();
    let created = Created::new(serde_json::from_slice(&body)?);
    let mut response = Response::new(Full::new(serde_json::to_vec(&created)?.into()));
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(LOCATION, HeaderValue::from_str(&created.id.to_string())?);
    Ok(response)
}
