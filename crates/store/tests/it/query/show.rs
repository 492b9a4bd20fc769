//! Expressions in the language of the protocol.

use jiff::SignedDuration;

use super::evaluate::{E, V, civil};
use super::generate::NAMES;

/// The expression, everything in parentheses.
pub fn shown(e: &E) -> String {
    let list = |all: &[E], between: &str| all.iter().map(shown).collect::<Vec<_>>().join(between);
    match e {
        E::Is(value) => literal(value),
        E::Property(at) => NAMES[*at].to_owned(),
        E::Of(address, at, _) => format!("$root/{address}/{}", NAMES[*at]),
        E::Not(one) => format!("(not {})", shown(one)),
        E::Minus(one) => format!("-({})", shown(one)),
        E::And(all) => format!("({})", list(all, " and ")),
        E::Or(all) => format!("({})", list(all, " or ")),
        E::Operator(name, one, other) => format!("({} {name} {})", shown(one), shown(other)),
        E::In(one, all) => format!("({} in ({}))", shown(one), list(all, ",")),
        E::Function(name, all) => format!("{name}({})", list(all, ",")),
        E::Case(branches) => {
            let shown =
                |(condition, value): &(E, E)| format!("{} : {}", shown(condition), shown(value));
            format!("case({})", branches.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        E::Cast(one, ty) => format!("cast({},{ty})", shown(one)),
        E::Array(items) => {
            format!("[{}]", items.iter().map(in_json).collect::<Vec<_>>().join(","))
        }
    }
}

fn in_json(item: &V) -> String {
    match item {
        V::Text(text) => serde_json::to_string(text).unwrap(),
        other => literal(other),
    }
}

fn literal(value: &V) -> String {
    match value {
        V::Null => "null".to_owned(),
        V::Bool(value) => value.to_string(),
        V::Int(number) => number.to_string(),
        // With a point or an exponent, that they are what they are.
        V::Decimal(number) => {
            let digits = format!("{number:?}");
            if digits.contains('.') { digits } else { digits + ".0" }
        }
        V::NaN => "NaN".to_owned(),
        V::Double(number) if number.is_infinite() => {
            if *number > 0.0 {
                "INF".to_owned()
            } else {
                "-INF".to_owned()
            }
        }
        V::Double(number) => format!("{number:e}"),
        V::Text(text) => format!("'{}'", text.replace('\'', "''")),
        V::Date(date) => date.to_string(),
        V::Time(time) => time.to_string(),
        V::Instant(instant) => format!("{}Z", civil(*instant).unwrap()),
        V::Guid(guid) => guid.to_string(),
        V::Duration(nanoseconds) => {
            format!("duration'{}'", SignedDuration::from_nanos(*nanoseconds))
        }
        V::List(_) => panic!(),
    }
}
