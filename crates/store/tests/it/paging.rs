//! Lists: their order, their pages, and what happens between pages.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::SignedDuration;
use rollcall_odata::edm::EntitySet;
use rollcall_odata::plan::{List, Write};
use rollcall_odata::{Period, Row, Value};
use uuid::Uuid;

use crate::support::*;

/// Values of every type, so that each value of an identity both ties and differs.
fn everything() -> Vec<Row> {
    let mut rows = Vec::new();
    let texts = ["", "Z", "a", "a\u{0}b", "\u{e9}", "\u{1F600}"];
    for number in 0..288_i64 {
        let part = |of: i64| number / of;
        let values = [
            Value::Bool(part(144) % 2 == 1),
            Value::Int([i64::MIN, 0, i64::MAX][usize::try_from(part(48) % 3).unwrap()]),
            Value::Text(texts[usize::try_from(part(8) % 6).unwrap()].to_owned()),
            Value::Date(date(["2026-11-18", "1969-12-31"][usize::try_from(part(4) % 2).unwrap()])),
            Value::Guid(Uuid::from_u128([7, u128::MAX][usize::try_from(part(2) % 2).unwrap()])),
            Value::Duration(SignedDuration::from_nanos(part(2) % 3 - 1)),
            Value::Period(
                Period::from_number([30, 10_000][usize::try_from(number % 2).unwrap()]).unwrap(),
            ),
            Value::Null,
            Value::List(vec![Value::Text(format!("\"{number}\""))]),
            Value::List(vec![Value::Record(vec![Value::Null, Value::Date(date("2026-01-01"))])]),
        ];
        let key = Value::Guid(Uuid::from_u128(u128::try_from((number * 97) % 288).unwrap()));
        rows.push(std::iter::once(key).chain(values).collect());
    }
    rows
}

/// The order of the contract: by identity, dates newest first, texts by their bytes.
fn in_order(set: &EntitySet, one: &Row, other: &Row) -> Ordering {
    let compare = |at: &usize| match (&one[*at], &other[*at]) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::Date(one), Value::Date(other)) => other.cmp(one),
        (Value::Guid(one), Value::Guid(other)) => one.cmp(other),
        (Value::Duration(one), Value::Duration(other)) => one.cmp(other),
        (Value::Period(one), Value::Period(other)) => one.cmp(other),
        different => panic!("{different:?}"),
    };
    set.identity.iter().map(compare).find(|one| one.is_ne()).unwrap_or(Ordering::Equal)
}

async fn pages(house: &House, set: &Arc<EntitySet>, limit: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let plan = List { after, count: true, ..plain(set, limit) };
        let (listed, page) = house.list(ONE, plan).await;
        assert_eq!(listed.count, Some(288));
        assert!(page.len() == limit || listed.last.is_none());
        rows.extend(page.into_iter().map(|(_, row)| row));
        let Some(last) = listed.last else { return rows };
        assert_eq!(last, fact_of(set, rows.last().unwrap()));
        after = Some(last);
    }
}

#[tokio::test]
async fn pages_of_any_size_give_each_row_once_in_order() {
    let house = House::new();
    let set = house.set("everythings");
    let mut rows = everything();
    let writes = rows.iter().map(|row| house.write(ONE, create(&set, row)));
    for write in writes {
        write.await.unwrap();
    }
    rows.sort_by(|one, other| in_order(&set, one, other));
    for limit in [1, 2, 5, 7, 48, 287, 288, 289] {
        assert!(pages(&house, &set, limit).await == rows, "pages of {limit}");
    }
    house.is_sound();
}

#[tokio::test]
async fn an_empty_page_reads_nothing_and_says_nothing_of_more() {
    let house = House::new();
    let set = house.counts();
    house.create(ONE, &row(&set, 1, ("2026-11-18", "2026-11-20", 7), 9)).await.unwrap();
    let plan = List { count: true, ..plain(&set, 0) };
    let (listed, rows) = house.list(ONE, plan.clone()).await;
    assert_eq!((listed.count, listed.last, rows), (Some(1), None, vec![]));
    let (listed, rows) = house.list(TWO, List { limit: 5, ..plan }).await;
    assert_eq!((listed.count, listed.last, rows), (Some(0), None, vec![]));
}

#[tokio::test]
async fn writes_between_pages_neither_hide_nor_repeat_what_stays() {
    let house = House::new();
    let set = house.counts();
    let fact = |n: usize| {
        (
            format!("2026-{:02}-{:02}", n / 12 % 3 + 1, n / 4 % 3 + 1),
            ["2026-11-20", "2026-11-21"][n / 2 % 2],
            [7, 30][n % 2],
        )
    };
    let row_of = |n: usize| {
        let (day, refreshed, period) = fact(n);
        row(&set, u128::try_from(n).unwrap() + 1, (&day, refreshed, period), 1)
    };
    for n in (0..36).filter(|n| n % 3 != 0) {
        house.create(ONE, &row_of(n)).await.unwrap();
    }
    let mut keys = Vec::new();
    let (mut after, mut round) = (None, 0);
    loop {
        let plan = List { after, ..plain(&set, 3) };
        let (listed, page) = house.list(ONE, plan).await;
        keys.extend(page.into_iter().map(|(_, row)| row[0].clone()));
        // Rows come in the gaps and go again, also the one that the page ended with.
        house.create(ONE, &row_of(round * 3)).await.unwrap();
        let last = keys.last().unwrap().clone();
        if let Value::Guid(key) = last
            && round % 2 == 1
        {
            house.write(ONE, Write::Delete(delete(&set, key.as_u128()))).await.unwrap();
        }
        round += 1;
        after = listed.last;
        if after.is_none() {
            break;
        }
    }
    let stayed = (0..36_u128).filter(|n| n % 3 != 0).map(|n| Value::Guid(Uuid::from_u128(n + 1)));
    for key in stayed {
        assert_eq!(keys.iter().filter(|one| **one == key).count(), 1, "{key:?}");
    }
    house.is_sound();
}
