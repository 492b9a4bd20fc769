//! The report functions: their calls, and the two ways in which they answer.

use serde_json::{Value as Json, json};

use super::parameters::schema;
use super::resources::{ANY, JSON, KEPT, address, odata};
use super::{Address, Answer, Operation, parameters, schemas};
use crate::edm::{Function, Model};
use crate::error::Code;
use crate::plan::window::{LAST_DAY, PERIOD, PERIOD_IN};

/// The report functions, with and without the last day among the arguments.
pub fn functions(model: &Model) -> Vec<Address> {
    model.functions.iter().flat_map(|function| calls(function)).collect()
}

fn calls(function: &Function) -> Vec<Address> {
    let period = function.takes_period().then(|| (format!("{PERIOD}='{{{PERIOD}}}'"), period()));
    let short: Vec<(String, Json)> = period.into_iter().collect();
    if !function.takes_last_day() {
        return vec![call(function, short, "", None)];
    }
    let last = parameters::path(LAST_DAY, LAST, day());
    let last = (format!("{LAST_DAY}={{{LAST_DAY}}}"), last);
    let long = short.iter().cloned().chain([last]).collect();
    let option = parameters::query(LAST_DAY, LAST, day());
    vec![call(function, short, "", Some(option)), call(function, long, ".to", None)]
}

/// A call with these arguments, as they are written, and a further query option.
fn call(
    function: &Function,
    arguments: Vec<(String, Json)>,
    ending: &str,
    option: Option<Json>,
) -> Address {
    let (written, parameters): (Vec<String>, Vec<Json>) = arguments.into_iter().unzip();
    let path = format!("/{}/{}({})", function.under(), function.name, written.join(","));
    let id = format!("{}.{}{ending}", function.under(), function.name);
    Address { parameters, ..address(&path, vec![report(function, id).taking(option)]) }
}

const LAST: &str = "The last day of the window; the newest refresh date unless it is given.";

fn day() -> Json {
    json!({ "type": "string", "format": "date" })
}

fn period() -> Json {
    let words = "The number of days: D7, D30, D90, D180, any other up to D9999, or ALL.";
    parameters::path(PERIOD, words, json!({ "type": "string", "pattern": PERIOD_IN }))
}

fn report(function: &Function, id: String) -> Operation {
    let rows = schemas::collection(&schema(&format!("{}.row", function.entity_set.name)), false);
    let json_rows = odata("The rows, newest day first.", rows).with(&["Vary"]);
    let link = Answer::new("The way to the rows as CSV.")
        .with(&["Location", "Vary"])
        .body("text/plain", json!({}));
    Operation::new("GET", id, "The report, each day as it was known last")
        .described(
            "CSV behind a redirect, unless $format or Accept names JSON. The link in Location \
             needs no token and holds for five minutes.",
        )
        .taking([parameters::format(&["json", "csv", JSON, "text/csv"])])
        .answering(200, json_rows)
        .answering(302, link)
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(&[Code::InvalidArgument, Code::NotAcceptable])
}
