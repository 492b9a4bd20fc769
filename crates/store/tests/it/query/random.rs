//! Random queries over random rows, against the evaluator.

use std::cmp::Ordering;

use rollcall_odata::Row;

use super::evaluate::{E, V, compare, evaluate, seen};
use super::generate::{Dice, NAMES, T, TYPES, expression, row};
use super::show::shown;
use super::{Samples, numbers};

/// How many queries are asked; another number by `ROLLCALL_QUERY_CASES`.
const CASES: u64 = 100_000;

/// How many rows there are, and how many queries are asked of them before others come.
const ROWS: i64 = 16;
const PER_ROWS: u64 = 2_000;

/// How deep expressions are.
const DEPTH: usize = 3;

#[derive(Debug)]
struct Query {
    filter: Option<E>,
    search: Option<Find>,
    order: Vec<(E, bool)>,
    computed: Vec<E>,
    skip: Option<usize>,
    top: Option<usize>,
    page_size: usize,
}

#[derive(Debug)]
enum Find {
    Word(&'static str),
    Not(Box<Find>),
    And(Box<Find>, Box<Find>),
    Or(Box<Find>, Box<Find>),
}

fn query(dice: &mut Dice) -> Query {
    let any = |dice: &mut Dice| {
        let ty = TYPES[dice.roll(TYPES.len())];
        expression(dice, ty, DEPTH - 1)
    };
    let size = usize::try_from(ROWS).unwrap();
    Query {
        filter: (dice.roll(4) > 0).then(|| expression(dice, T::Bool, DEPTH)),
        search: (dice.roll(10) == 0).then(|| find(dice, 2)),
        order: (0..dice.roll(3)).map(|_| (any(dice), dice.roll(2) == 0)).collect(),
        computed: (0..dice.roll(3)).map(|_| any(dice)).collect(),
        skip: (dice.roll(6) == 0).then(|| dice.roll(size)),
        top: (dice.roll(6) == 0).then(|| dice.roll(size)),
        page_size: [1, 3, 7, size, 100]
            [if dice.roll(8) == 0 { dice.roll(2) } else { 2 + dice.roll(3) }],
    }
}

fn find(dice: &mut Dice, depth: usize) -> Find {
    let words = ["a", "A", "\u{c9}", "b b", "7", "-7", "2026-11-18", "all", "zzz", "0"];
    let inside = |dice: &mut Dice| Box::new(find(dice, depth - 1));
    match if depth == 0 { 0 } else { dice.roll(4) } {
        0 => Find::Word(words[dice.roll(words.len())]),
        1 => Find::Not(inside(dice)),
        2 => Find::And(inside(dice), inside(dice)),
        _ => Find::Or(inside(dice), inside(dice)),
    }
}

fn shown_find(find: &Find) -> String {
    match find {
        Find::Word(word) => format!("\"{word}\""),
        Find::Not(one) => format!("(NOT {})", shown_find(one)),
        Find::And(one, other) => format!("({} {})", shown_find(one), shown_find(other)),
        Find::Or(one, other) => format!("({} OR {})", shown_find(one), shown_find(other)),
    }
}

/// Substring of strings in any letter case, exact text of dates and numbers, not the key.
fn is_found(find: &Find, row: &Row) -> bool {
    match find {
        Find::Word(word) => row[1..].iter().any(|value| match seen(value) {
            V::Text(text) => text.to_lowercase().contains(&word.to_lowercase()),
            V::Int(number) => number.to_string() == *word,
            V::Date(date) => date.to_string() == *word,
            _ => false,
        }),
        Find::Not(one) => !is_found(one, row),
        Find::And(one, other) => is_found(one, row) && is_found(other, row),
        Find::Or(one, other) => is_found(one, row) || is_found(other, row),
    }
}

fn options(query: &Query) -> Vec<(&'static str, String)> {
    let mut options = Vec::new();
    options.extend(query.filter.as_ref().map(|one| ("$filter", shown(one))));
    options.extend(query.search.as_ref().map(|one| ("$search", shown_find(one))));
    let computed = query.computed.iter().enumerate();
    let computed: Vec<String> =
        computed.map(|(number, one)| format!("{} as c{number}", shown(one))).collect();
    if !computed.is_empty() {
        options.push(("$compute", computed.join(",")));
    }
    let direction = |descending: bool| if descending { " desc" } else { "" };
    let order: Vec<String> = query
        .order
        .iter()
        .map(|(key, descending)| format!("{}{}", shown(key), direction(*descending)))
        .collect();
    if !order.is_empty() {
        options.push(("$orderby", order.join(",")));
    }
    options.extend(query.skip.map(|skip| ("$skip", skip.to_string())));
    options.extend(query.top.map(|top| ("$top", top.to_string())));
    options.push(("$count", "true".to_owned()));
    options
}

/// The rows by the evaluator, with what is computed, and how many there are in all.
fn expected(query: &Query, rows: &[Row]) -> (Vec<(i64, Vec<V>)>, usize) {
    let kept = |row: &&Row| {
        query.filter.as_ref().is_none_or(|one| evaluate(one, row) == V::Bool(true))
            && query.search.as_ref().is_none_or(|one| is_found(one, row))
    };
    let mut kept: Vec<&Row> = rows.iter().filter(kept).collect();
    let count = kept.len();
    let in_order = |one: &&Row, other: &&Row| {
        let keys = query.order.iter().map(|(key, descending)| {
            let order = compare(&evaluate(key, one), &evaluate(key, other));
            if *descending { order.reverse() } else { order }
        });
        keys.into_iter().find(|one| one.is_ne()).unwrap_or(Ordering::Equal)
    };
    // Stable: what is the same stays in the order of the identity.
    kept.sort_by(in_order);
    let shown =
        kept.into_iter().skip(query.skip.unwrap_or(0)).take(query.top.unwrap_or(usize::MAX));
    let computed = |row: &Row| query.computed.iter().map(|one| evaluate(one, row)).collect();
    let shown = shown.map(|row| (numbers(std::slice::from_ref(row))[0], computed(row)));
    (shown.collect(), count)
}

fn given(rows: &[Row]) -> Vec<(i64, Vec<V>)> {
    let computed = |row: &Row| row[NAMES.len()..].iter().map(seen).collect();
    rows.iter().map(|row| (numbers(std::slice::from_ref(row))[0], computed(row))).collect()
}

#[tokio::test]
async fn sql_does_as_the_evaluator_does() {
    ask_from(4).await;
}

/// The other half, beside the first where there is a second core.
#[tokio::test]
async fn sql_does_so_from_another_seed() {
    ask_from(2026).await;
}

async fn ask_from(seed: u64) {
    let cases = std::env::var("ROLLCALL_QUERY_CASES").ok().and_then(|text| text.parse().ok());
    let cases = cases.unwrap_or(CASES) / 2;
    let mut dice = Dice::new(seed);
    let (mut asked, mut not_empty) = (0, 0);
    while asked < cases {
        let rows: Vec<Row> = (0..ROWS).map(|number| row(&mut dice, number)).collect();
        let samples = Samples::new(&rows).await;
        dice.rows.clone_from(&rows);
        for _ in 0..PER_ROWS.min(cases - asked) {
            let query = query(&mut dice);
            let options = options(&query);
            let answer = samples.ask(&options, query.page_size).await;
            let answer = answer.unwrap_or_else(|error| panic!("{options:#?}\n{error}"));
            let (expected, count) = expected(&query, &rows);
            assert_eq!(given(&answer.pages.concat()), expected, "{options:#?}");
            assert_eq!(answer.count, Some(u64::try_from(count).unwrap()), "{options:#?}");
            let (last, full) = answer.pages.split_last().unwrap();
            assert!(full.iter().all(|page| page.len() == query.page_size), "{options:#?}");
            assert!(!last.is_empty() || full.is_empty(), "{options:#?}");
            asked += 1;
            not_empty += usize::from(!expected.is_empty());
        }
    }
    // Most of what is asked has an answer, or the test would show little.
    assert!(not_empty as u64 * 3 > cases, "{not_empty} of {cases}");
}
