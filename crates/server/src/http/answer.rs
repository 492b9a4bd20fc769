//! Answers, before the layers around the pipeline add what every answer has.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LOCATION, VARY,
};
use hyper::{StatusCode, body::Bytes};
use rollcall_odata::headers::{Json, MediaType};
use sha2::{Digest, Sha256};

use super::body::Body;

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");

/// `OData-EntityId`: the address of an entity whose body is left out.
pub const ODATA_ENTITY_ID: HeaderName = HeaderName::from_static("odata-entityid");

/// `Repeatability-Result`: whether a request that may be sent again is done once.
pub const REPEATABILITY_RESULT: HeaderName = HeaderName::from_static("repeatability-result");

/// `Preference-Applied`: which of the client's preferences were honoured.
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// As many headers as most answers have, so that their map need not grow.
const USUAL_HEADERS: usize = 16;

/// An answer of the pipeline.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Body,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        let headers = HeaderMap::with_capacity(USUAL_HEADERS);
        Self { status, headers, body: Bytes::new().into() }
    }

    /// An answer with a body of this media type.
    pub fn body(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::of(status, media_type, Body::Whole(body.into()))
    }

    /// An answer with a body of this media type, whole or in parts.
    pub fn of(status: StatusCode, media_type: &'static str, body: Body) -> Self {
        Self { body, ..Self::empty(status) }.stating(CONTENT_TYPE, media_type)
    }

    /// OData JSON in this form.
    pub fn odata(status: StatusCode, json: Json, body: impl Into<Body>) -> Self {
        Self::of(status, MediaType::Json(json).content_type(), body.into()).versioned()
    }

    /// Plain JSON: errors, health and the built-in issuer.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::body(status, "application/json", body)
    }

    /// The same with OData's version.
    #[must_use]
    pub fn versioned(self) -> Self {
        self.stating(ODATA_VERSION, "4.0")
    }

    /// The same with a header whose value never changes.
    #[must_use]
    pub fn stating(self, name: HeaderName, value: &'static str) -> Self {
        self.having(name, HeaderValue::from_static(value))
    }

    /// The same with this header.
    #[must_use]
    pub fn having(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same, saying which headers of the request it depends on.
    #[must_use]
    pub fn varying(self, headers: &'static str) -> Self {
        self.stating(VARY, headers)
    }

    /// The same with another header. A value that cannot be in a header is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same with a header that may be there several times.
    #[must_use]
    pub fn adding(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// The same with an entity tag.
    #[must_use]
    pub fn tagged(self, tag: &str) -> Self {
        self.with(ETAG, tag)
    }

    /// The same, saying which preferences were honoured, if any had to be.
    #[must_use]
    pub fn applying(self, preferences: &[impl AsRef<str>]) -> Self {
        if preferences.is_empty() {
            return self;
        }
        let preferences: Vec<&str> = preferences.iter().map(AsRef::as_ref).collect();
        self.with(PREFERENCE_APPLIED, &preferences.join(", "))
    }

    /// The same with the address of what was created.
    #[must_use]
    pub fn located(self, url: &str) -> Self {
        self.with(LOCATION, url)
    }

    /// The same with the methods that the resource has.
    #[must_use]
    pub fn allowing(self, methods: &[&str]) -> Self {
        self.with(ALLOW, &allowed(methods))
    }

    /// The same, to be kept by the client alone, and not without asking again.
    #[must_use]
    pub fn private(self) -> Self {
        self.stating(CACHE_CONTROL, "private, no-cache")
    }

    /// The same, to be kept by nobody.
    #[must_use]
    pub fn unkept(self) -> Self {
        self.stating(CACHE_CONTROL, "no-store")
    }

    /// The same, not to be kept by caches without asking again.
    #[must_use]
    pub fn uncached(self) -> Self {
        self.stating(CACHE_CONTROL, "no-cache")
    }
}

/// The tag of what has these bytes, and no others.
pub fn tag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", short(Sha256::new().chain_update(bytes)))
}

/// A hash, as long as a tag need be.
pub fn short(hash: Sha256) -> String {
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
}

/// A list of methods as `Allow` has it.
pub fn allowed(methods: &[&str]) -> String {
    let mut methods = methods.to_vec();
    methods.push("OPTIONS");
    methods.join(", ")
}
