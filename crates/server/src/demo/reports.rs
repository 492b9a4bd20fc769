//! What reports say of an organisation: when each day was known, and in which windows.

use jiff::ToSpan;
use jiff::civil::Date;
use rollcall_odata::edm::{EntitySet, Role};
use rollcall_odata::{Period, Row, Value};

use super::Organisation;
use super::organisation::Counts;

/// How many days after a day its report comes, as a rule; Graph's come after about two.
pub const USUAL_DELAY: i64 = 2;

/// The window that somebody fetches every day.
const DAILY: u16 = 7;

/// The windows that somebody fetches for the first day of a month besides.
const MONTHLY: [u16; 3] = [30, 90, 180];

/// The days that are reported.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The last day. What is known of it, and of all others, is known two days later.
    pub last: Date,
    /// How many days there are.
    pub days: u16,
}

impl Span {
    /// The first day.
    pub fn first(self) -> Date {
        self.before(i64::from(self.days) - 1)
    }

    fn before(self, days: i64) -> Date {
        self.last.checked_sub(days.days()).unwrap_or(Date::MIN)
    }
}

/// Whether a set's facts are days alone. What is counted for each person or
/// site would need names, and none are made up.
pub fn can_be_made_up(set: &EntitySet) -> bool {
    let roles: Vec<Role> =
        set.identity.iter().map(|at| set.entity_type.properties[*at].role).collect();
    let of_days = |role: &Role| matches!(role, Role::Refreshed | Role::Date | Role::Period);
    let counts = set.entity_type.properties.iter().any(|property| property.demo.is_some());
    roles.contains(&Role::Date) && roles.iter().all(of_days) && counts
}

/// The rows of a set that say all there is of these days, oldest day first.
pub fn rows<'a>(
    organisation: &'a Organisation,
    set: &'a EntitySet,
    span: Span,
) -> impl Iterator<Item = Row> + 'a {
    (0..i64::from(span.days)).rev().flat_map(move |back| of_day(organisation, set, span, back))
}

/// One day's rows: each refresh date's, and in each window once.
fn of_day(organisation: &Organisation, set: &EntitySet, span: Span, back: i64) -> Vec<Row> {
    let day = span.before(back);
    let (mut rows, mut said): (Vec<Row>, Option<Counts>) = (Vec::new(), None);
    for (refreshed, missing) in versions(organisation, day, span) {
        let counts = organisation.counts(&set.entity_type, day, back, missing);
        // Where there is nothing to count there is nothing to restate.
        if said.as_ref() == Some(&counts) {
            continue;
        }
        let monthly = if said.is_none() && day.day() == 1 { MONTHLY.as_slice() } else { &[] };
        for days in std::iter::once(&DAILY).chain(monthly) {
            let period = Period::of_days(*days).unwrap_or(Period::ALL);
            let row = row(organisation, set, (day, refreshed, period), &counts);
            let same = |other: &Row| set.identity.iter().all(|at| other[*at] == row[*at]);
            // A set whose facts know no refresh date or window keeps what is newest.
            rows.retain(|other| !same(other));
            rows.push(row);
        }
        said = Some(counts);
    }
    rows
}

/// The refresh dates of a day and how many of 1000 are missing in each. A late
/// report or a restated day is known by the end of the span or not at all.
fn versions(organisation: &Organisation, day: Date, span: Span) -> Vec<(Date, i64)> {
    let chance = &organisation.chance;
    let known = span.before(-USUAL_DELAY);
    let after = |date: Date, days: i64| date.checked_add(days.days()).unwrap_or(Date::MAX);
    let one_in = |purpose: &str, many: i64| chance.on(purpose, day, &(1..=many)) == 1;
    let delay = if one_in("late", 20) { chance.on("delay", day, &(3..=6)) } else { USUAL_DELAY };
    let first = after(day, delay).min(known);
    let mut versions = vec![(first, 0)];
    if one_in("restated", 12) {
        let missing = chance.on("missing", day, &(4..=30));
        let second = after(first, chance.on("restated after", day, &(1..=5)));
        versions = vec![(first, missing), (second, 0)];
        if one_in("restated again", 6) {
            let third = after(second, chance.on("again after", day, &(1..=9)));
            versions = vec![(first, missing), (second, missing / 4), (third, 0)];
        }
    }
    versions.retain(|(refreshed, _)| *refreshed <= known);
    versions
}

fn row(
    organisation: &Organisation,
    set: &EntitySet,
    (day, refreshed, period): (Date, Date, Period),
    counts: &Counts,
) -> Row {
    let value = |(at, role): (usize, Role)| match role {
        Role::Key => {
            let about = format!("{} {day} {refreshed} {period}", set.name);
            Value::Guid(organisation.chance.key(&about, millis(refreshed)))
        }
        Role::Refreshed => Value::Date(refreshed),
        Role::Date => Value::Date(day),
        Role::Period => Value::Period(period),
        Role::Measure => {
            let count = counts.iter().find(|(one, _)| *one == at);
            count.map_or(Value::Null, |(_, count)| Value::Int(*count))
        }
        Role::Dimension => Value::Null,
    };
    let properties = set.entity_type.properties.iter().enumerate();
    properties.map(|(at, property)| value((at, property.role))).collect()
}

/// A date's beginning in milliseconds since 1970.
fn millis(date: Date) -> u64 {
    let since = date.duration_since(Date::constant(1970, 1, 1));
    u64::try_from(since.as_millis()).unwrap_or_default()
}
