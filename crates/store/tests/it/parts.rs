//! Many rows, part by part: every row once, in the order of a list that is too
//! simple to be wrong, however little room there is.

use std::cmp::Reverse;
use std::sync::Arc;

use rollcall_odata::edm::{EntitySet, Model};
use rollcall_odata::plan::List;
use rollcall_odata::plan::page::{Terms, page};
use rollcall_odata::uri::Limits;
use rollcall_odata::uri::options::Options;
use rollcall_odata::{Row, Value};

use crate::support::*;

/// How many rows there are: days go down from the newest, counts repeat.
const ROWS: u32 = 60;

/// A count that ties often and is null at times, by a row's number.
fn exchange(number: u32) -> Option<i64> {
    (!number.is_multiple_of(5)).then(|| i64::from(number * 7 % 4))
}

fn teams(number: u32) -> i64 {
    i64::from(number * 11 % 9) - 4
}

fn rows(set: &EntitySet) -> Vec<Row> {
    let at = |name: &str| set.entity_type.find(name).unwrap();
    let one = |number: u32| {
        let day = date("2026-11-20").checked_sub(jiff::ToSpan::days(i64::from(number))).unwrap();
        let day = day.to_string();
        let mut row = row(set, u128::from(number) + 1, (&day, &day, 7), 0);
        row[at("exchange")] = exchange(number).map_or(Value::Null, Value::Int);
        row[at("teams")] = Value::Int(teams(number).abs());
        row[at("yammer")] = Value::Int(teams(number).max(0));
        row
    };
    (0..ROWS).map(one).collect()
}

fn planned(set: &Arc<EntitySet>, query: &str, limit: usize) -> List {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let model = &Model::default();
    let terms = Terms { model, page_size: limit, limits: Limits::default(), now };
    let query = query.replace(' ', "+");
    page(set, &Options::parse(&query).unwrap(), &terms).unwrap().list
}

/// The rows' numbers, read so many at a time; `between` is done after each part.
async fn numbers(
    house: &House,
    mut plan: List,
    room: usize,
    mut between: impl AsyncFnMut(),
) -> Vec<u32> {
    let mut numbers = Vec::new();
    loop {
        let sink = Few(Vec::new(), room);
        let (listed, Few(given, _)) = house.store.list(ONE, plan.clone(), sink).await.unwrap();
        assert!(given.len() <= room && listed.last.is_some() == listed.change.is_some());
        plan.limit = plan.limit.saturating_sub(given.len());
        for row in given {
            let Value::Guid(key) = row[0] else { panic!("{row:?}") };
            numbers.push(u32::try_from(key.as_u128() - 1).unwrap());
        }
        (plan.after, plan.shape.skip) = (listed.last, 0);
        if plan.after.is_none() || plan.limit == 0 {
            return numbers;
        }
        between().await;
    }
}

#[tokio::test]
async fn every_order_part_by_part() {
    let house = House::new();
    let set = house.counts();
    for row in rows(&set) {
        house.create(ONE, &row).await.unwrap();
        house.create(TWO, &row).await.unwrap();
    }
    let by = |key: &dyn Fn(u32) -> (i64, i64)| {
        let mut all: Vec<u32> = (0..ROWS).collect();
        all.sort_by_key(|number| key(*number));
        all
    };
    // Null is the least of all.
    let exchange = |number: u32| exchange(number).unwrap_or(i64::MIN + 1);
    let size = |number: u32| teams(number).abs();
    let double = |number: u32| teams(number).max(0) * 2;
    let few: Vec<u32> = (0..ROWS).filter(|number| size(*number) > 2).collect();
    for (query, expected) in [
        ("", (0..ROWS).collect()),
        ("$filter=teams gt 2", few.clone()),
        ("$filter=teams gt 2&$skip=3&$top=11", few[3..14].to_vec()),
        ("$orderby=exchange", by(&|number| (exchange(number), 0))),
        ("$orderby=exchange desc", by(&|number| (-exchange(number), 0))),
        ("$orderby=exchange desc,teams", by(&|number| (-exchange(number), size(number)))),
        ("$orderby=teams,exchange desc", by(&|number| (size(number), -exchange(number)))),
        ("$orderby=yammer add yammer desc", by(&|number| (-double(number), 0))),
        ("$compute=yammer add yammer as d&$orderby=d,teams desc", {
            by(&|number| (double(number), -size(number)))
        }),
        ("$orderby=exchange&$skip=7&$top=40", by(&|number| (exchange(number), 0))[7..47].to_vec()),
        ("$orderby=reportDate", (0..ROWS).rev().collect()),
    ] {
        for room in [1, 4, 7, 59, 60, 61] {
            let plan = planned(&set, query, usize::MAX);
            assert_eq!(
                numbers(&house, plan, room, async || {}).await,
                expected,
                "{query} by {room}"
            );
        }
        let page = planned(&set, query, 9);
        assert_eq!(numbers(&house, page, 4, async || {}).await, expected[..9], "{query}");
    }
}

#[tokio::test]
async fn what_is_written_between_parts_neither_hides_nor_repeats_what_stays() {
    let house = House::new();
    let set = house.counts();
    let rows = rows(&set);
    let stays = |number: &u32| !number.is_multiple_of(3);
    for query in ["", "$orderby=exchange desc", "$orderby=teams,exchange"] {
        for number in (0..ROWS).filter(stays) {
            // Of the round before they are there already.
            drop(house.create(ONE, &rows[usize::try_from(number).unwrap()]).await);
        }
        let mut round = 0;
        let mut seen = numbers(&house, planned(&set, query, usize::MAX), 4, async || {
            let one = usize::try_from(round * 3 % ROWS).unwrap();
            let key = u128::try_from(one).unwrap() + 1;
            if round % 2 == 0 {
                drop(house.create(ONE, &rows[one]).await);
            } else {
                let gone = rollcall_odata::plan::Write::Delete(delete(&set, key));
                drop(house.write(ONE, gone).await);
            }
            round += 1;
        })
        .await;
        assert!(round > 8);
        seen.retain(stays);
        seen.sort_unstable_by_key(|number| Reverse(*number));
        assert_eq!(seen, (0..ROWS).rev().filter(stays).collect::<Vec<u32>>(), "{query}");
    }
}

/// The moment is named as long as more follows, and is another after a write.
#[tokio::test]
async fn a_part_names_its_moment() {
    let house = House::new();
    let set = house.counts();
    for row in &rows(&set)[..3] {
        house.create(ONE, row).await.unwrap();
        house.create(TWO, row).await.unwrap();
    }
    let moment = async || house.list(ONE, plain(&set, 2)).await.0.change;
    assert_eq!(moment().await, Some(3));
    house.create(ONE, &rows(&set)[3]).await.unwrap();
    assert_eq!(moment().await, Some(4));
    assert_eq!(house.list(ONE, plain(&set, 4)).await.0.change, None);
}
