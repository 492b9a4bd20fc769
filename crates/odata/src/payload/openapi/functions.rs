//! The report functions: their calls, and the two ways in which they answer.

use serde_json::{Value as Json, json};

use super::parameters::schema;
use super::resources::{ANY, COUNT, JSON, KEPT, LIST, LONG, address, asking, count, odata};
use super::{Address, Answer, Operation, parameters, schemas};
use crate::edm::{Function, Model};
use crate::error::Code;
use crate::plan::window::{LAST_DAY, PERIOD, PERIOD_IN};

/// The report functions, with and without the last day among the arguments.
pub fn functions(model: &Model) -> Vec<Address> {
    model.functions.iter().flat_map(|function| calls(function, "", report)).collect()
}

/// The numbers of their rows.
pub fn counts(model: &Model) -> Vec<Address> {
    model.functions.iter().flat_map(|function| calls(function, "/$count", number)).collect()
}

/// Reports whose query comes in a body.
pub fn queries(model: &Model) -> Vec<Address> {
    let one = |function: &Function, id: &str| {
        answered(function, asking(&format!("{id}.query"), "The report, as the body asks for it"))
    };
    model.functions.iter().flat_map(|function| calls(function, "/$query", one)).collect()
}

/// Every call of a function, with what follows it in the path.
fn calls(
    function: &Function,
    rest: &str,
    operation: impl Fn(&Function, &str) -> Operation,
) -> Vec<Address> {
    let call = |arguments: Vec<(String, Json)>, ending: &str, option: Option<Json>| {
        let (written, parameters): (Vec<String>, Vec<Json>) = arguments.into_iter().unzip();
        let (under, name) = (function.under(), &function.name);
        let path = format!("/{under}/{name}({}){rest}", written.join(","));
        let operation = operation(function, &format!("{under}.{name}{ending}"));
        Address { parameters, ..address(&path, vec![operation.taking(option)]) }
    };
    let period = function.takes_period().then(|| (format!("{PERIOD}='{{{PERIOD}}}'"), period()));
    let short: Vec<(String, Json)> = period.into_iter().collect();
    if !function.takes_last_day() {
        return vec![call(short, "", None)];
    }
    let last = parameters::path(LAST_DAY, LAST, day());
    let last = (format!("{LAST_DAY}={{{LAST_DAY}}}"), last);
    let long = short.iter().cloned().chain([last]).collect();
    let option = parameters::query(LAST_DAY, LAST, day());
    vec![call(short, "", Some(option)), call(long, ".to", None)]
}

const LAST: &str = "The last day of the window; the newest refresh date unless it is given.";

fn day() -> Json {
    json!({ "type": "string", "format": "date" })
}

fn period() -> Json {
    let words = "The number of days: D7, D30, D90, D180, any other up to D9999, or ALL.";
    parameters::path(PERIOD, words, json!({ "type": "string", "pattern": PERIOD_IN }))
}

fn report(function: &Function, id: &str) -> Operation {
    let get = Operation::new("GET", id, "The report, each day as it was known last")
        .described(
            "CSV behind a redirect, unless $format or Accept names JSON. The link in Location \
             needs no token and holds for five minutes. In CSV there is no place for $count=true.",
        )
        .taking(parameters::options(LIST, &function.entity_set))
        .taking([parameters::json_format(&["json", "csv", JSON, "text/csv"])]);
    answered(function, get)
}

/// What an operation answers that gives a report.
fn answered(function: &Function, operation: Operation) -> Operation {
    let rows = schemas::collection(&schema(&format!("{}.row", function.entity_set.name)), true);
    let json_rows = odata("The rows, newest day first.", rows);
    let link = Answer::new("The way to the rows as CSV.")
        .with(&["Location", "Vary", "Preference-Applied"])
        .body("text/plain", json!({}));
    operation
        .taking([parameters::of_a_list()])
        .answering(200, json_rows)
        .answering(302, link)
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(LONG)
        .refusing(&[Code::InvalidArgument, Code::NotAcceptable])
}

fn number(function: &Function, id: &str) -> Operation {
    Operation::new("GET", format!("{id}.count"), "The number of its rows that are asked for")
        .taking(parameters::options(COUNT, &function.entity_set))
        .answering(200, count())
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(&[Code::InvalidArgument])
}
