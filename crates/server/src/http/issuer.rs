//! The built-in issuer's endpoints: discovery, keys, and tokens for client credentials.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, PRAGMA};
use percent_encoding::percent_decode_str;
use rollcall_odata::headers::media_type;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::answer::Answer;
use super::error::Stamp;
use super::error::oauth::{Refused, invalid, unproven};
use super::receive::Request;
use super::routes::Endpoint;
use crate::app::App;
use crate::auth::issuer::{Grant, Holder, LIFETIME, Proven, Version};
use crate::auth::trust::guid;
use crate::auth::user_and_password;

/// Names that stand for any tenant, where no tenant is needed to answer or the client has but one.
pub const ANY_TENANT: [&str; 2] = ["common", "organizations"];

/// Answers for a tenant as it stands in the path. `base` is scheme, host and port.
pub fn answer(
    app: &App,
    request: &Request,
    endpoint: Endpoint,
    tenant: &str,
    base: &str,
    stamp: &Stamp,
) -> Answer {
    let known = guid(tenant).is_some();
    let any = ANY_TENANT.iter().any(|one| tenant.eq_ignore_ascii_case(one));
    let tenant = tenant.to_ascii_lowercase();
    let answered = match endpoint {
        // Who has a token is none of a cache's business (RFC 6749, section 5.1).
        Endpoint::Token => token(app, request, (!any).then_some(&*tenant))
            .map(|token| document(&token).unkept().stating(PRAGMA, "no-cache")),
        _ if !known && !any => Err(invalid(format!("'{tenant}' is not a tenant's GUID."))),
        Endpoint::Keys => Ok(document(&app.authenticator.issuer().jwks()).uncached()),
        _ => Ok(document(&app.authenticator.issuer().configuration(base, &tenant)).uncached()),
    };
    answered.unwrap_or_else(|refused| refused.answer(stamp))
}

fn document(json: &Json) -> Answer {
    Answer::json(StatusCode::OK, json.to_string())
}

/// A token for the client that proves itself.
fn token(app: &App, request: &Request, tenant: Option<&str>) -> Result<Json, Refused> {
    let form = form(request)?;
    match form.get("grant_type")? {
        Some("client_credentials") => {}
        None => return Err(invalid("The form has no grant_type. Expected client_credentials.")),
        Some(_) => {
            let message = "The grant_type is not one that is served. Expected client_credentials.";
            return Err(invalid(message).called("unsupported_grant_type"));
        }
    }
    let basic = basic(request)?;
    let (id, secret) = proof(&form, basic.as_ref())?;
    let issuer = app.authenticator.issuer();
    let proven = issuer.proven(id.unwrap_or_default(), secret.unwrap_or_default());
    let client = proven.ok_or_else(|| {
        unproven(
            "The client's id or secret is not right. `rollcall client` prints those of the first \
             client, `rollcall client list` the ids of all.",
        )
    })?;
    let tenant = of_client(&client, tenant)?;
    if !form.get("scope")?.is_some_and(|scope| scope.ends_with("/.default")) {
        let message = "Expected one scope, a resource with /.default after it.";
        return Err(invalid(message).called("invalid_scope"));
    }
    let grant = Grant {
        tenant,
        client: client.client,
        holder: Holder::Application(client.roles.to_vec()),
        version: Version::One,
        seconds: LIFETIME,
    };
    let token = issuer.mint(&grant, app.clock.now());
    // A second less than the token has: a client never holds one that has ended.
    let seconds = LIFETIME - 1;
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token,
    }))
}

/// With what a client proves itself: one of two ways, or the same in both (RFC 6749,
/// section 2.3).
fn proof<'a>(
    form: &'a Form,
    basic: Option<&'a (String, String)>,
) -> Result<(Option<&'a str>, Option<&'a str>), Refused> {
    let (id, secret) = (form.get("client_id")?, form.get("client_secret")?);
    let Some((own_id, own_secret)) = basic else { return Ok((id, secret)) };
    if id.is_some_and(|id| !id.eq_ignore_ascii_case(own_id))
        || secret.is_some_and(|secret| secret != own_secret)
    {
        let message = "The form names another client, or has another secret, than the header \
                       Authorization. Expected them in one of the two.";
        return Err(invalid(message));
    }
    Ok((Some(own_id), Some(own_secret)))
}

/// The tenant that a client means: the one that it names, or the only one that it has.
fn of_client(client: &Proven<'_>, named: Option<&str>) -> Result<Uuid, Refused> {
    match (named, client.tenants) {
        (None, [only]) => Ok(*only),
        (None, _) => Err(invalid(
            "The client is known to several tenants. Expected one of them in the address, in \
             place of a word for any.",
        )),
        (Some(name), tenants) => {
            let found = tenants.iter().find(|one| one.to_string() == name);
            found.copied().ok_or_else(|| {
                invalid(format!(
                    "The client is not known to tenant '{name}'. `rollcall client list` prints the \
                     tenants of each."
                ))
            })
        }
    }
}

/// The fields of a form, decoded.
struct Form(Vec<(String, String)>);

impl Form {
    /// A field that is there once, or not at all: without a value it counts as left
    /// out (RFC 6749, section 3.2).
    fn get(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut found =
            self.0.iter().filter(|(one, _)| one == name).map(|(_, value)| value.as_str());
        let first = found.next();
        if found.next().is_some() {
            return Err(invalid(format!("The field {name} is there twice.")));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }
}

fn form(request: &Request) -> Result<Form, Refused> {
    let expected = "application/x-www-form-urlencoded";
    let given = request.header(&CONTENT_TYPE).map(media_type);
    if !given.is_some_and(|given| given.eq_ignore_ascii_case(expected)) {
        return Err(invalid(format!("Expected the Content-Type {expected}.")));
    }
    let body = request.body.as_ref().map_err(|error| invalid(error.message.clone()))?;
    let body = std::str::from_utf8(body).map_err(|_| invalid("The form is not UTF-8."))?;
    let fields = body.split('&').filter(|field| !field.is_empty()).map(|field| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        Ok((decoded(name)?, decoded(value)?))
    });
    fields.collect::<Result<_, Refused>>().map(Form)
}

fn decoded(text: &str) -> Result<String, Refused> {
    let text = text.replace('+', " ");
    let text = percent_decode_str(&text).decode_utf8();
    text.map(String::from).map_err(|_| invalid("A field is not UTF-8 once it is decoded."))
}

/// Id and secret from Basic authorization, each form-encoded before they were
/// put together (RFC 6749, section 2.3.1).
fn basic(request: &Request) -> Result<Option<(String, String)>, Refused> {
    let Some(header) = request.header(&AUTHORIZATION) else { return Ok(None) };
    // A client that tries another way has failed to prove itself (RFC 6749, section 5.2).
    let malformed =
        || unproven("Expected `Authorization: Basic`, or the secret in the form alone.");
    let (scheme, encoded) = header.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let (id, secret) = user_and_password(encoded).ok_or_else(malformed)?;
    Ok(Some((decoded(&id)?, decoded(&secret)?)))
}
