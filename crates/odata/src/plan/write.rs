//! Writes: from a body to what the store is to do, and the rules of an entity.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use uuid::Uuid;

use super::{Create, Precondition, Selector, Update};
use crate::edm::{EntitySet, Property, Role};
use crate::error::{Detail, Error, Fault};
use crate::payload::json::read::{Body, Slot};
use crate::value::{Row, Value};

/// What a write depends on besides its body.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The key of an entity whose body has none.
    pub new_key: Uuid,
    /// The newest refresh date that is believed; see [`newest_refresh`].
    pub newest_refresh: Date,
    /// `Prefer: handling=lenient`: a property that may be null and is missing is null.
    pub lenient: bool,
}

/// The newest refresh date that is believed: tomorrow in UTC, today in the time zones
/// that are ahead of it.
pub fn newest_refresh(now: Timestamp) -> Date {
    let today = TimeZone::UTC.to_datetime(now).date();
    today.checked_add(1.day()).unwrap_or(today)
}

/// A new entity. Every property but the key is required, as Graph's page says.
pub fn create(set: &Arc<EntitySet>, body: Body, terms: &Terms) -> Result<Create, Error> {
    Ok(Create { set: Arc::clone(set), row: insert(set, body, terms)? })
}

/// PATCH: what the body has is changed, all else stays.
pub fn merge(
    set: &Arc<EntitySet>,
    selector: Selector,
    body: Body,
    terms: &Terms,
    precondition: Precondition,
    create_if_missing: bool,
) -> Result<Update, Error> {
    let or_create = upsert(set, &selector, &body, terms, create_if_missing)?;
    let mut faults = body.faults;
    address(set, &selector, &body.slots, &mut faults);
    refuse(faults)?;
    let given = body.slots.into_iter().enumerate();
    let values = given.filter_map(|(at, slot)| Some((at, slot.into_value()?))).collect();
    let (set, newest_refresh) = (Arc::clone(set), terms.newest_refresh);
    Ok(Update { set, selector, precondition, values, newest_refresh, or_create })
}

/// PUT: what the body leaves out becomes null; what says which fact it is must be there.
pub fn replace(
    set: &Arc<EntitySet>,
    selector: Selector,
    body: Body,
    terms: &Terms,
    precondition: Precondition,
    create_if_missing: bool,
) -> Result<Update, Error> {
    let lenient = Terms { lenient: true, ..terms.clone() };
    let or_create = upsert(set, &selector, &body, &lenient, create_if_missing)?;
    let mut faults = body.faults;
    missing(set, &body.slots, true, &mut faults);
    address(set, &selector, &body.slots, &mut faults);
    between(set, |at| body.slots[at].value(), terms.newest_refresh, &mut faults);
    refuse(faults)?;
    let mut values: Vec<(usize, Value)> = Vec::new();
    for (at, slot) in body.slots.into_iter().enumerate() {
        match slot.into_value() {
            Some(value) => values.push((at, value)),
            None if at == 0 => {}
            None => values.push((at, Value::Null)),
        }
    }
    let (set, newest_refresh) = (Arc::clone(set), terms.newest_refresh);
    Ok(Update { set, selector, precondition, values, newest_refresh, or_create })
}

/// PUT or DELETE of one property: this value in place of the one that is there.
pub fn property(
    set: &Arc<EntitySet>,
    selector: Selector,
    (at, value): (usize, Value),
    terms: &Terms,
    precondition: Precondition,
) -> Result<Update, Error> {
    let property = &set.entity_type.properties[at];
    if value.is_null() && !set.nullable(at) {
        let message = format!("The property '{}' cannot be null.", property.name);
        return Err(Error::of_faults(vec![fault(property, Fault::NullNotAllowed, message)]));
    }
    let (set, newest_refresh) = (Arc::clone(set), terms.newest_refresh);
    let values = vec![(at, value)];
    Ok(Update { set, selector, precondition, values, newest_refresh, or_create: None })
}

/// Whether an entity keeps the rules that go beyond types; all faults in one error.
pub fn check(set: &EntitySet, row: &Row, newest_refresh: Date) -> Result<(), Error> {
    let mut faults = Vec::new();
    between(set, |at| row.get(at), newest_refresh, &mut faults);
    refuse(faults)
}

/// A body's key is another than that of the entity it is sent to.
pub(super) fn key_differs(set: &EntitySet) -> Error {
    Error::of_faults(vec![key_fault(set)])
}

/// The whole row that this body inserts.
fn insert(set: &EntitySet, body: Body, terms: &Terms) -> Result<Row, Error> {
    let mut body = body;
    complete(set, &mut body, terms.lenient, terms.newest_refresh)?;
    let values = body.slots.into_iter().map(|slot| slot.into_value().unwrap_or(Value::Null));
    let mut row: Row = values.collect();
    if row[0].is_null() {
        row[0] = Value::Guid(terms.new_key);
    }
    Ok(row)
}

/// Refuses a body that inserts nothing: all its faults in one error.
pub(super) fn complete(
    set: &EntitySet,
    body: &mut Body,
    lenient: bool,
    newest_refresh: Date,
) -> Result<(), Error> {
    let mut faults = std::mem::take(&mut body.faults);
    missing(set, &body.slots, lenient, &mut faults);
    between(set, |at| body.slots[at].value(), newest_refresh, &mut faults);
    refuse(faults)
}

/// What to create where the alternate key addresses nothing: the address
/// says which fact it is, and the body may not contradict it.
fn upsert(
    set: &EntitySet,
    selector: &Selector,
    body: &Body,
    terms: &Terms,
    create_if_missing: bool,
) -> Result<Option<Result<Row, Error>>, Error> {
    let Selector::Fact(fact) = selector else { return Ok(None) };
    if !create_if_missing {
        return Ok(None);
    }
    let mut body = body.clone();
    for (at, value) in set.identity.iter().zip(fact) {
        match &body.slots[*at] {
            Slot::Given(given) if given != value => {
                let property = &set.entity_type.properties[*at];
                body.faults.push(fault(property, Fault::Inconsistent, format!(
                    "The property '{}' is not what the address says. Expected the same value, or \
                     none.",
                    property.name
                )));
                return Err(Error::of_faults(body.faults));
            }
            Slot::Absent => body.slots[*at] = Slot::Given(value.clone()),
            Slot::Given(_) | Slot::Faulty => {}
        }
    }
    Ok(Some(insert(set, body, terms)))
}

/// Names what insert requires and the body has not.
fn missing(set: &EntitySet, slots: &[Slot], nulls: bool, faults: &mut Vec<Detail>) {
    let properties = set.entity_type.properties.iter().enumerate().skip(1);
    for (at, property) in properties {
        let required = !(nulls && set.nullable(at));
        if required && matches!(slots[at], Slot::Absent) {
            let message = format!("The property '{}' is required and missing.", property.name);
            faults.push(fault(property, Fault::Missing, message));
        }
    }
}

/// A body's key must be the one that addresses it.
fn address(set: &EntitySet, selector: &Selector, slots: &[Slot], faults: &mut Vec<Detail>) {
    if let (Selector::Key(key), Some(Value::Guid(given))) = (selector, slots[0].value())
        && key != given
    {
        faults.push(key_fault(set));
    }
}

fn key_fault(set: &EntitySet) -> Detail {
    let key = set.entity_type.key();
    let message = format!(
        "The property '{}' is not that of the entity that is addressed. A key never changes: \
         expected the same value, or none.",
        key.name
    );
    fault(key, Fault::Inconsistent, message)
}

/// The rules between values: a day is not counted before it is over somewhere
/// on Earth, and not after the data set was refreshed.
fn between<'a>(
    set: &EntitySet,
    value: impl Fn(usize) -> Option<&'a Value>,
    newest: Date,
    faults: &mut Vec<Detail>,
) {
    let date_in = |role| {
        let at = set.entity_type.in_role(role)?;
        match value(at) {
            Some(Value::Date(date)) => Some((&set.entity_type.properties[at], *date)),
            _ => None,
        }
    };
    let refreshed = date_in(Role::Refreshed);
    if let Some((property, date)) = refreshed.filter(|(_, date)| *date > newest) {
        let message = format!(
            "The property '{}' is {date}, in the future. Expected no later than {newest}, \
             tomorrow in UTC.",
            property.name
        );
        faults.push(fault(property, Fault::InvalidValue, message));
    }
    if let (Some((other, refreshed)), Some((property, date))) = (refreshed, date_in(Role::Date))
        && date > refreshed
    {
        let message = format!(
            "The property '{}' is {date}, after '{}', which is {refreshed}. Expected the same \
             day or one before.",
            property.name, other.name
        );
        faults.push(fault(property, Fault::Inconsistent, message));
    }
}

fn fault(property: &Property, code: Fault, message: String) -> Detail {
    Detail { code, message, target: Some(property.name.clone()) }
}

fn refuse(faults: Vec<Detail>) -> Result<(), Error> {
    if faults.is_empty() { Ok(()) } else { Err(Error::of_faults(faults)) }
}
