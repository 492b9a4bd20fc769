//! Report functions: the window rule against a model that is too simple to be wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;
use proptest::prelude::*;
use rollcall_odata::edm::{EntitySet, Function, Role};
use rollcall_odata::plan::List;
use rollcall_odata::plan::page::{Terms, report};
use rollcall_odata::plan::window::Window;
use rollcall_odata::uri::Limits;
use rollcall_odata::uri::options::Options;
use rollcall_odata::{Period, Row, Value};
use rollcall_store::{Error, Listed};
use uuid::Uuid;

use crate::support::*;

/// Sets whose facts have more parts than day, refresh date and period, or no day.
const PRODUCTS: &str = r#"
    [[entity_type]]
    name = "microsoft.graph.product"
    base = "microsoft.graph.entity"
    property = [
        { name = "known", type = "Edm.Date", role = "refreshed" },
        { name = "product", type = "Edm.String" },
        { name = "people", type = "Edm.Int64", role = "measure" },
        { name = "day", type = "Edm.Date", role = "date" },
        { name = "span", type = "Edm.String", role = "period" },
    ]

    [[entity_type]]
    name = "microsoft.graph.person"
    base = "microsoft.graph.entity"
    property = [
        { name = "known", type = "Edm.Date", role = "refreshed" },
        { name = "person", type = "Edm.String" },
        { name = "span", type = "Edm.String", role = "period" },
    ]

    [[entity_set]]
    name = "products"
    under = "reports"
    entity_type = "microsoft.graph.product"
    table = "products"
    identity = ["day", "product", "known", "span"]

    [[entity_set]]
    name = "restated"
    under = "reports"
    entity_type = "microsoft.graph.product"
    table = "restated"
    identity = ["day", "known", "product", "span"]

    [[entity_set]]
    name = "people"
    under = "reports"
    entity_type = "microsoft.graph.person"
    table = "people"
    identity = ["known", "person", "span"]

    [[function]]
    name = "getProducts"
    entity_set = "products"

    [[function]]
    name = "getRestated"
    entity_set = "restated"

    [[function]]
    name = "getPeople"
    entity_set = "people"
"#;

/// A fact in small numbers: days back, how long until it was known (more than
/// three days: together with the other such facts), which period, which part,
/// and the count.
type Fact = (u8, u8, u8, u8, i64);

const PERIODS: [i64; 4] = [7, 30, 180, 10_000];

fn newest() -> Date {
    date("2026-11-20")
}

fn row_of(set: &EntitySet, key: u128, (back, late, period, part, count): Fact) -> Row {
    let day = newest().checked_sub(i64::from(back).days()).unwrap();
    // From here on it is not so many days later, but on one day for all of them.
    let together = u8::from(late > 3) * (back + 3);
    let known = day.checked_add(i64::from(late.min(3).max(together)).days()).unwrap();
    let properties = set.entity_type.properties.iter();
    let values = properties.map(|property| match property.role {
        Role::Key => Value::Guid(Uuid::from_u128(key)),
        Role::Date => Value::Date(day),
        Role::Refreshed => Value::Date(known),
        Role::Period => {
            Value::Period(Period::from_number(PERIODS[usize::from(period) % 4]).unwrap())
        }
        Role::Measure => Value::Int(count),
        Role::Dimension => Value::Text(format!("part {part}")),
    });
    values.collect()
}

fn in_role(set: &EntitySet, row: &Row, role: Role) -> Option<Value> {
    set.entity_type.in_role(role).map(|at| row[at].clone())
}

fn day_in(set: &EntitySet, row: &Row, role: Role) -> Option<Date> {
    match in_role(set, row, role) {
        Some(Value::Date(date)) => Some(date),
        _ => None,
    }
}

fn period_of(set: &EntitySet, row: &Row) -> Period {
    match in_role(set, row, Role::Period) {
        Some(Value::Period(period)) => period,
        other => panic!("{other:?}"),
    }
}

/// The parts of a fact that are neither refresh date nor period.
fn parts(set: &EntitySet, row: &Row) -> Vec<String> {
    let other = |at: &&usize| {
        !matches!(set.entity_type.properties[**at].role, Role::Refreshed | Role::Period)
    };
    set.identity.iter().filter(other).map(|at| format!("{:?}", row[*at])).collect()
}

/// The rule, word for word: each day (and part) once, by the newest refresh
/// date, then the asked period, then the longest.
fn expected(set: &EntitySet, rows: &[Row], call: &Window) -> Vec<Row> {
    let asked = call.period.unwrap();
    let newest = rows.iter().filter_map(|row| day_in(set, row, Role::Refreshed)).max();
    let Some(newest) = newest else { return Vec::new() };
    let last = call.last.unwrap_or(newest);
    let inside = |row: &&Row| {
        let day = day_in(set, row, Role::Date).unwrap();
        let days_back = (last - day).get_days();
        day <= last && call.days().is_none_or(|days| i64::from(days_back) < days)
    };
    let mut best: BTreeMap<Vec<String>, &Row> = BTreeMap::new();
    for row in rows.iter().filter(inside) {
        let rank = |row: &Row| {
            let period = period_of(set, row);
            (day_in(set, row, Role::Refreshed), period == asked, period)
        };
        let there = best.entry(parts(set, row)).or_insert(row);
        if rank(row) > rank(there) {
            *there = row;
        }
    }
    let mut chosen: Vec<Row> = best.into_values().cloned().collect();
    chosen.sort_by_key(|row| (std::cmp::Reverse(day_in(set, row, Role::Date)), parts(set, row)));
    for row in &mut chosen {
        label(set, row, asked, call.shares_refresh_date().then_some(newest));
    }
    chosen
}

fn label(set: &EntitySet, row: &mut Row, asked: Period, newest: Option<Date>) {
    row[set.entity_type.in_role(Role::Period).unwrap()] = Value::Period(asked);
    if let Some(newest) = newest {
        row[set.entity_type.in_role(Role::Refreshed).unwrap()] = Value::Date(newest);
    }
}

/// The same where the refresh date stands before the part in a fact: rows are
/// in the order of what they are labelled as.
fn expected_restated(set: &EntitySet, rows: &[Row], call: &Window) -> Vec<Row> {
    let mut chosen = expected(set, rows, call);
    let known = |row: &Row| std::cmp::Reverse(day_in(set, row, Role::Refreshed));
    chosen.sort_by_key(|row| (std::cmp::Reverse(day_in(set, row, Role::Date)), known(row)));
    chosen
}

/// Without days: what was known on the newest refresh date of the asked period.
fn expected_people(set: &EntitySet, rows: &[Row], call: &Window) -> Vec<Row> {
    let asked = call.period.unwrap();
    let of_period: Vec<&Row> = rows.iter().filter(|row| period_of(set, row) == asked).collect();
    let newest = of_period.iter().filter_map(|row| day_in(set, row, Role::Refreshed)).max();
    let mut chosen: Vec<Row> = of_period
        .into_iter()
        .filter(|row| day_in(set, row, Role::Refreshed) == newest)
        .cloned()
        .collect();
    chosen.sort_by_key(|row| parts(set, row));
    chosen
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let fact = (0_u8..40, 0_u8..8, 0_u8..4, 0_u8..2, 0_i64..1000);
    let few = prop::collection::vec(fact, 0..60);
    // Most days of a stretch as they are reported: in one period, on one day.
    let many = (0_u8..4, 0_u8..10).prop_flat_map(|(period, first)| {
        let together = move |back| (Just(back), Just(9), Just(period), Just(0), 0_i64..1000);
        let days: Vec<_> = (first..first + 14).map(together).collect();
        (days, prop::collection::vec(any::<bool>(), 14))
    });
    (few, many, any::<bool>()).prop_map(|(few, (days, there), both)| {
        let kept = |(number, day): (usize, Fact)| (number < 8 || there[number]).then_some(day);
        let many = days.into_iter().enumerate().filter_map(kept);
        if both { many.chain(few).collect() } else { few }
    })
}

fn calls(function: &Arc<Function>) -> Vec<Window> {
    let windows = [Some(7), Some(30), Some(180), Some(1), Some(12), Some(9999), None];
    let lasts =
        [None, Some(date("2026-11-10")), Some(date("2027-01-01")), Some(date("2020-01-01"))];
    let call = |days: Option<u16>, last| Window {
        function: Arc::clone(function),
        period: Some(days.map_or(Period::ALL, |days| Period::of_days(days).unwrap())),
        last,
    };
    windows.into_iter().flat_map(|days| lasts.map(|last| call(days, last))).collect()
}

/// Creates the facts, each once, and compares every call with the model.
fn compare(name: &str, facts: &[Fact], expected: impl Fn(&EntitySet, &[Row], &Window) -> Vec<Row>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let house = House::with(PRODUCTS);
    let function = house.model.functions.iter().find(|one| one.name == name).unwrap();
    let set = &function.entity_set;
    let mut rows: Vec<Row> = Vec::new();
    for (key, fact) in (1..).zip(facts) {
        let row = row_of(set, key, *fact);
        if runtime.block_on(house.write(ONE, create(set, &row))).is_ok() {
            rows.push(row);
        }
        // Another tenant's newer and other rows change nothing.
        let other = row_of(set, key, (0, fact.1 + 1, fact.2, fact.3, 77));
        drop(runtime.block_on(house.write(TWO, create(set, &other))));
    }
    for call in calls(function) {
        let whole = List::whole(Arc::clone(set));
        let given = house.store.report(ONE, (call.clone(), whole), Rows(Vec::new()));
        let given: Vec<Row> = rows_of(runtime.block_on(given));
        let expected = expected(set, &rows, &call);
        assert_eq!(given, expected, "{} of {rows:?}", call.label());
        for room in [1, 2, 7] {
            let given = runtime.block_on(in_parts(&house, &call, room));
            assert_eq!(given, expected, "{} by {room} of {rows:?}", call.label());
        }
        let asked = runtime.block_on(asked(&house, &call));
        assert_eq!(asked, in_order(set, expected), "{} of {rows:?}", call.label());
    }
    let whole = List::whole(Arc::clone(set));
    let call = calls(function)[0].clone();
    let nobody = house.store.report(Uuid::from_u128(9), (call, whole), Rows(vec![]));
    assert!(rows_of(runtime.block_on(nobody)).is_empty());
}

fn rows_of(given: Result<(Listed, Rows), Error>) -> Vec<Row> {
    given.unwrap().1.0.into_iter().map(|(_, row)| row).collect()
}

/// The rows of a call, as many at a time as there is room for.
async fn in_parts(house: &House, call: &Window, room: usize) -> Vec<Row> {
    let mut plan = List::whole(Arc::clone(&call.function.entity_set));
    let mut rows = Vec::new();
    loop {
        let asked = (call.clone(), plan.clone());
        let (listed, Few(given, _)) =
            house.store.report(ONE, asked, Few(Vec::new(), room)).await.unwrap();
        rows.extend(given);
        plan.after = listed.last;
        if plan.after.is_none() {
            return rows;
        }
    }
}

/// The rows that a query over a call gives, page by page.
async fn asked(house: &House, call: &Window) -> Vec<Row> {
    let set = &call.function.entity_set;
    let refreshed = &set.entity_type.properties[refreshed(set)].name;
    let query = format!("$filter={refreshed} gt 2026-11-11&$orderby={refreshed},id desc");
    let (model, now) = (&house.model, jiff::Timestamp::UNIX_EPOCH);
    let terms = Terms { model, page_size: 2, limits: Limits::default(), now };
    let (mut rows, mut token) = (Vec::new(), String::new());
    loop {
        let options = Options::parse(&format!("{query}{token}")).unwrap();
        let page = report(call, &options, &terms).unwrap();
        let plan = (call.clone(), page.list.clone());
        let (listed, Rows(given)) = house.store.report(ONE, plan, Rows(Vec::new())).await.unwrap();
        rows.extend(given.into_iter().map(|(_, row)| row));
        match listed.last.as_ref().and_then(|last| page.next(last)) {
            Some(next) => token = format!("&$skiptoken={next}"),
            None => return rows,
        }
    }
}

fn refreshed(set: &EntitySet) -> usize {
    set.entity_type.in_role(Role::Refreshed).unwrap()
}

/// What the query of `asked` makes of these rows: it sees them as they are labelled.
fn in_order(set: &EntitySet, mut rows: Vec<Row>) -> Vec<Row> {
    let of = |row: &Row| match (&row[refreshed(set)], &row[0]) {
        (Value::Date(date), Value::Guid(key)) => (*date, std::cmp::Reverse(*key)),
        _ => panic!(),
    };
    rows.retain(|row| of(row).0 > date("2026-11-11"));
    rows.sort_by_key(of);
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_day_is_given_as_it_was_known_last(facts in facts()) {
        compare("getOffice365ActiveUserCounts", &facts, expected);
    }

    #[test]
    fn a_day_s_parts_are_given_each_as_it_was_known_last(facts in facts()) {
        compare("getProducts", &facts, expected);
    }

    #[test]
    fn rows_are_in_the_order_of_their_labels(facts in facts()) {
        compare("getRestated", &facts, expected_restated);
    }

    #[test]
    fn without_days_the_newest_refresh_date_is_given(facts in facts()) {
        compare("getPeople", &facts, expected_people);
    }
}
