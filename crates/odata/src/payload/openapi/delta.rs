//! Change tracking: the function that every entity set has.

use serde_json::{Value as Json, json};

use super::parameters::schema;
use super::resources::{ANY, KEPT, address, each_place, negotiated, odata};
use super::{Address, Operation, parameters, schemas};
use crate::edm::{EntitySet, Model};
use crate::error::Code;
use crate::plan::delta::Reason;
use crate::plan::resource::DELTA;
use crate::uri::options::SystemOption;

/// The options of a round, which its links hold.
const ROUND: &[SystemOption] =
    &[SystemOption::Filter, SystemOption::Search, SystemOption::Select, SystemOption::Compute];

/// The function of each entity set, from the container and through its singleton.
pub fn deltas(model: &Model) -> Vec<Address> {
    each_place(model, |set, place, id| {
        let told = json!({ "anyOf": [schema(&format!("{}.item", set.name)), removed(set)] });
        let page = odata("A page.", schemas::tracked(schemas::collection(&told, true)));
        let get = negotiated(Operation::new("GET", format!("{id}.{DELTA}"), "What has changed"))
            .described(
                "Without a token, all objects; then, from @odata.deltaLink on, those that were \
                 created or changed since, as they are now, and the keys of those that were \
                 deleted or are not asked for any more. Links hold the options and stand alone.",
            )
            .taking(parameters::options(ROUND, set))
            .taking([token(), parameters::page_size()])
            .answering(200, page)
            .refusing(ANY)
            .refusing(KEPT)
            .refusing(&[Code::SyncStateNotFound]);
        vec![address(&format!("{place}/{DELTA}"), vec![get])]
    })
}

fn token() -> Json {
    let words = "latest begins with what changes from now on; other tokens come with a link, which \
                 is followed unchanged.";
    parameters::query("$deltatoken", words, json!({ "enum": ["latest", ""] }))
}

/// An object that is not there any more.
fn removed(set: &EntitySet) -> Json {
    let key = set.entity_type.key();
    let reasons = [Reason::Deleted, Reason::Changed].map(Reason::text);
    json!({
        "type": "object",
        "required": ["@removed", key.name],
        "properties": {
            "@removed": {
                "type": "object",
                "required": ["reason"],
                "properties": { "reason": { "enum": reasons } },
            },
            (key.name.as_str()): schemas::literal(key),
        },
    })
}
