//! HTTP: what addresses there are, and how a connection is served.

pub mod answer;
pub mod batch;
pub mod body;
pub mod controls;
pub mod documents;
pub mod error;
pub mod fault;
pub mod issuer;
pub mod layers;
pub mod line;
pub mod links;
pub mod openapi;
pub mod origin;
pub mod pipeline;
pub mod receive;
pub mod reload;
pub mod room;
pub mod routes;
pub mod serve;
pub mod throttle;
