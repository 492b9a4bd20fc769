//! The route table: every address that answers, with its methods. What only a command of
//! this machine or a tester asks is in `reload` and `controls`.

use percent_encoding::percent_decode_str;

/// One kind of address.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// What the log calls it.
    pub name: &'static str,
    /// How it is written; what stands in braces is any one segment.
    pub pattern: &'static str,
    /// The methods it has besides `OPTIONS`.
    pub methods: &'static [&'static str],
    /// Whether it answers without a token.
    pub open: bool,
}

macro_rules! routes {
    ($($(#[$doc:meta])* $name:ident = $text:literal $pattern:literal [$($method:literal)*] $open:ident;)*) => {
        /// What a request is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Endpoint { $($(#[$doc])* $name,)* }

        /// Every route, in the order of the documentation.
        pub const ROUTES: &[Route] = &[
            $(Route { name: $text, pattern: $pattern, methods: &[$($method),*], open: $open!() },)*
        ];

        /// Every endpoint, in the same order.
        pub const ENDPOINTS: &[Endpoint] = &[$(Endpoint::$name),*];

        impl Endpoint {
            /// Its row of the table.
            pub fn route(self) -> &'static Route {
                &ROUTES[self as usize]
            }
        }
    };
}

macro_rules! open {
    () => {
        true
    };
}

macro_rules! guarded {
    () => {
        false
    };
}

routes! {
    /// The page for people.
    Home = "home" "/" ["GET" "HEAD"] open;
    /// Whether the process runs.
    Live = "live" "/health/live" ["GET" "HEAD"] open;
    /// Whether it can take writes.
    Ready = "ready" "/health/ready" ["GET" "HEAD"] open;
    /// Every address, as OpenAPI.
    OpenApi = "openapi" "/openapi.json" ["GET" "HEAD"] open;
    /// The built-in issuer's OpenID configuration.
    Discovery = "discovery" "/{tenant}/v2.0/.well-known/openid-configuration" ["GET" "HEAD"] open;
    /// The built-in issuer's keys.
    Keys = "keys" "/{tenant}/discovery/v2.0/keys" ["GET" "HEAD"] open;
    /// The built-in issuer's token endpoint.
    Token = "token" "/{tenant}/oauth2/v2.0/token" ["POST"] open;
    /// A file that a report function's link leads to.
    Download = "download" "/download/{link}" ["GET" "HEAD"] open;
    /// The service document.
    Service = "service" "/{version}" ["GET" "HEAD"] open;
    /// The model.
    Metadata = "metadata" "/{version}/$metadata" ["GET" "HEAD"] open;
    /// Many requests in one.
    Batch = "batch" "/{version}/$batch" ["POST"] guarded;
    /// What is asked of another address in a body.
    Query = "query" "/{version}/{set}/$query" ["POST"] guarded;
    /// A singleton that leads to entity sets.
    Singleton = "singleton" "/{version}/{singleton}" ["GET" "HEAD"] guarded;
    /// An entity set.
    Collection = "collection" "/{version}/{set}" ["GET" "HEAD" "POST"] guarded;
    /// The entities of a set of which an expression is true.
    Filtered = "filtered" "/{version}/{set}/$filter({expression})" ["GET" "HEAD"] guarded;
    /// What has changed in a set.
    Delta = "delta" "/{version}/{set}/delta" ["GET" "HEAD"] guarded;
    /// The number of entities of a set.
    Count = "count" "/{version}/{set}/$count" ["GET" "HEAD"] guarded;
    /// One entity by its address in `$id`.
    ById = "by id" "/{version}/$entity" ["GET" "HEAD"] guarded;
    /// The addresses of the entities of a set.
    References = "references" "/{version}/{set}/$ref" ["GET" "HEAD"] guarded;
    /// The address of one entity.
    Reference = "reference" "/{version}/{set}/{key}/$ref" ["GET" "HEAD"] guarded;
    /// One property of an entity.
    Property = "property" "/{version}/{set}/{key}/{property}" ["GET" "HEAD" "PUT" "DELETE"] guarded;
    /// The plain value of a property.
    Value = "value" "/{version}/{set}/{key}/{property}/$value" ["GET" "HEAD" "PUT" "DELETE"] guarded;
    /// A report function.
    Function = "function" "/{version}/{singleton}/{function}" ["GET" "HEAD"] guarded;
    /// The number of rows of a report function.
    ReportCount = "report count" "/{version}/{singleton}/{function}/$count" ["GET" "HEAD"] guarded;
    /// One entity.
    Entity = "entity" "/{version}/{set}/{key}" ["GET" "HEAD" "PATCH" "PUT" "DELETE"] guarded;
}

/// The versions of the API; both serve the same.
pub const VERSIONS: [&str; 2] = ["v1.0", "beta"];

/// Where a path leads before anyone looks at the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An address with a meaning of its own.
    Fixed(Endpoint),
    /// One of the built-in issuer's, for a tenant.
    Issuer(Endpoint, String),
    /// A download, by its link's text.
    Download(String),
    /// The OData service: the version as declared, and the encoded path after it.
    Service(&'static str, String),
    /// None of these.
    Unknown,
}

/// Where this encoded path leads. Fixed parts count in any letter case, as Graph's do.
pub fn place(path: &str) -> Place {
    let (first, rest) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let first = percent_decode_str(first).decode_utf8_lossy();
    let fixed = first.to_ascii_lowercase();
    if let Some(version) = VERSIONS.iter().find(|version| first.eq_ignore_ascii_case(version)) {
        return Place::Service(version, rest.to_owned());
    }
    if fixed == "download" && !rest.is_empty() && !rest.contains('/') {
        return Place::Download(rest.to_owned());
    }
    let rest = rest.trim_end_matches('/').to_ascii_lowercase();
    match (fixed.as_str(), rest.as_str()) {
        ("", "") => Place::Fixed(Endpoint::Home),
        ("openapi.json", "") => Place::Fixed(Endpoint::OpenApi),
        ("health", "live") => Place::Fixed(Endpoint::Live),
        ("health", "ready") => Place::Fixed(Endpoint::Ready),
        (_, rest) => {
            let lead = [Endpoint::Discovery, Endpoint::Keys, Endpoint::Token]
                .into_iter()
                .find(|endpoint| endpoint.route().pattern.strip_prefix("/{tenant}/") == Some(rest));
            lead.map_or(Place::Unknown, |endpoint| {
                Place::Issuer(endpoint, first.clone().into_owned())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(place("/"), Place::Fixed(Endpoint::Home));
        assert_eq!(place("/health/live"), Place::Fixed(Endpoint::Live));
        assert_eq!(place("/Health/LIVE/"), Place::Fixed(Endpoint::Live));
        assert_eq!(place("/OpenAPI.json"), Place::Fixed(Endpoint::OpenApi));
        assert_eq!(place("/V1.0/reports/x"), Place::Service("v1.0", "reports/x".to_owned()));
        assert_eq!(place("/BETA"), Place::Service("beta", String::new()));
        assert_eq!(place("/v2.0/reports"), Place::Unknown);
        assert_eq!(
            place("/abc/OAuth2/v2.0/token"),
            Place::Issuer(Endpoint::Token, "abc".to_owned())
        );
        assert_eq!(place("/abc/def"), Place::Unknown);
        assert_eq!(place("/download/AbC"), Place::Download("AbC".to_owned()));
        assert_eq!(place("/download/"), Place::Unknown);
        assert_eq!(place("/download/a/b"), Place::Unknown);
    }

    #[test]
    fn each_endpoint_finds_its_own_row() {
        assert_eq!(Endpoint::Home.route().name, "home");
        assert_eq!(Endpoint::Entity.route().name, "entity");
        assert_eq!(Endpoint::Entity as usize + 1, ROUTES.len());
    }
}
