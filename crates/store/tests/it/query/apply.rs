//! `$apply`: SQL against what the standard says, done in the plainest way.

mod evaluate;
mod generate;

use rollcall_odata::plan::List;
use rollcall_odata::plan::page::{Terms, count, page};
use rollcall_odata::uri::Limits;
use rollcall_odata::{Row, Value};

use evaluate::{Instance, done, shown};
use generate::{Place, sequence};

use super::evaluate::seen;
use super::generate::{Dice, NAMES, row};
use super::{Samples, options};
use crate::support::{ONE, Rows, TWO};

/// How many sequences are asked; another number by `ROLLCALL_QUERY_CASES`.
const CASES: u64 = 20_000;

/// How many rows there are, and how many sequences are asked of them.
const ROWS: i64 = 9;
const PER_ROWS: u64 = 1_000;

/// The rows of a page by name, of each only what its form has.
fn instances(list: &List, rows: &[(u64, Row)]) -> Vec<Instance> {
    let applied = list.shape.apply.as_ref().unwrap();
    let one = |(form, row): &(u64, Row)| {
        let places = &applied.forms[usize::try_from(*form).unwrap()];
        let named = |place: &usize| (applied.columns[*place].name.clone(), seen(&row[*place]));
        places.iter().map(named).collect()
    };
    rows.iter().map(one).collect()
}

/// All pages of what is asked, and what `$count` says.
async fn asked(
    samples: &Samples,
    query: &[(&str, String)],
    page_size: usize,
) -> Result<(Vec<Instance>, Option<u64>), String> {
    let (mut all, mut counted, mut token) = (Vec::new(), None, None::<String>);
    loop {
        let options = options(query, token.as_deref())?;
        let page =
            page(&samples.set, &options, &samples.terms(page_size)).map_err(|e| e.to_string())?;
        let listed = samples.store.list(ONE, page.list.clone(), Rows(Vec::new())).await;
        let (listed, Rows(rows)) = listed.map_err(|error| error.to_string())?;
        assert!(rows.len() <= page_size && (token.is_none() || !rows.is_empty()));
        all.extend(instances(&page.list, &rows));
        counted = counted.or(listed.count);
        token = listed.last.as_ref().and_then(|last| page.next(last));
        if token.is_none() {
            return Ok((all, counted));
        }
    }
}

fn in_any_order(rows: &[Instance]) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    texts.sort();
    texts
}

#[tokio::test]
async fn random_sequences() {
    let cases = std::env::var("ROLLCALL_QUERY_CASES").ok().and_then(|text| text.parse().ok());
    let cases = cases.unwrap_or(CASES);
    let (mut dice, mut not_empty, mut refused) = (Dice::new(2026), 0, 0);
    let mut asked_for = 0;
    while asked_for < cases {
        let rows: Vec<Row> = (1..=ROWS).map(|number| row(&mut dice, number)).collect();
        let samples = Samples::new(&rows).await;
        let all: Vec<Instance> = rows
            .iter()
            .map(|row| {
                NAMES.iter().zip(row).map(|(name, one)| ((*name).to_owned(), seen(one))).collect()
            })
            .collect();
        for _ in 0..PER_ROWS.min(cases - asked_for) {
            asked_for += 1;
            let mut place = Place::start();
            let sequence = sequence(&mut dice, &mut place, 2);
            let text = shown(&sequence);
            let query = [("$apply", text.clone()), ("$count", "true".to_owned())];
            let page_size = [100, 7, 3, 1][dice.roll(8).saturating_sub(4)];
            let (given, counted) = match asked(&samples, &query, page_size).await {
                Ok(given) => given,
                // What some rows of a group lack is none of its properties any more.
                Err(error)
                    if error.contains("queryTooComplex")
                        || error.contains("Could not find a property named") =>
                {
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{text}: {error}"),
            };
            let expected = done(all.clone(), &sequence);
            assert_eq!(in_any_order(&given), in_any_order(&expected), "{text}");
            assert_eq!(counted, Some(u64::try_from(expected.len()).unwrap()), "{text}");
            not_empty += usize::from(!expected.is_empty());
        }
    }
    assert!(not_empty as u64 * 2 > cases && refused * 10 < cases, "{not_empty}, {refused}");
}

/// Rows of the sample set with these numbers and words, a day each.
fn few() -> Vec<Row> {
    let mut dice = Dice::new(7);
    let one = |(seq, (number, word)): (i64, (Option<i64>, &str))| {
        let mut row = row(&mut dice, seq);
        row[3] = number.map_or(Value::Null, Value::Int);
        row[7] = Value::Text(word.to_owned());
        row
    };
    let all =
        [(Some(i64::MAX), "a"), (Some(i64::MAX), "a"), (Some(5), "b"), (None, "b"), (None, "c")];
    (1..).zip(all).map(one).collect()
}

#[tokio::test]
async fn known_rows() {
    let samples = Samples::new(&few()).await;
    for (apply, more, expected) in [
        ("aggregate($count as n)", "", r#"{"n": Decimal(5)}"#),
        (
            "aggregate(number with sum as s,number with average as m)",
            "",
            r#"{"m": Double(6.148914691236517e18), "s": Decimal(18446744073709551619)}"#,
        ),
        (
            "filter(seq gt 99)/aggregate($count as n,number with sum as s)",
            "",
            r#"{"n": Decimal(0), "s": Null}"#,
        ),
        ("filter(seq gt 99)/groupby((word))", "", ""),
        ("groupby((word))", "", r#"{"word": Text("a")} {"word": Text("b")} {"word": Text("c")}"#),
        (
            "groupby((word),aggregate(number with countdistinct as n,number with max as x))",
            "",
            r#"{"n": Decimal(1), "word": Text("a"), "x": Int(9223372036854775807)} {"n": Decimal(1), "word": Text("b"), "x": Int(5)} {"n": Decimal(0), "word": Text("c"), "x": Null}"#,
        ),
        (
            "groupby((word),filter(number eq 5)/aggregate($count as n))",
            "$orderby=n desc,word desc",
            r#"{"n": Decimal(1), "word": Text("b")} {"n": Decimal(0), "word": Text("c")} {"n": Decimal(0), "word": Text("a")}"#,
        ),
        (
            "groupby((word),orderby(seq desc)/top(1))/compute(seq mul 2 as twice)/groupby((word,twice))",
            "$filter=twice gt 4",
            r#"{"twice": Int(8), "word": Text("b")} {"twice": Int(10), "word": Text("c")}"#,
        ),
        (
            "groupby((rollup($all,word)),aggregate($count as n))",
            "$compute=n mul 10 as tens&$select=word,tens&$top=4",
            r#"{"tens": Decimal(20), "word": Text("a")} {"tens": Decimal(20), "word": Text("b")} {"tens": Decimal(10), "word": Text("c")} {"tens": Decimal(50)}"#,
        ),
        (
            "concat(aggregate($count as n),filter(word eq 'c')/groupby((word)))",
            "$skip=1",
            r#"{"word": Text("c")}"#,
        ),
        (
            "groupby((word),aggregate(number with sum as s))",
            "$filter=s gt 9223372036854775807 and s eq 18446744073709551614",
            r#"{"s": Decimal(18446744073709551614), "word": Text("a")}"#,
        ),
    ] {
        let mut query = vec![("$apply", apply.to_owned())];
        for option in more.split('&').filter(|one| !one.is_empty()) {
            let (name, value) = option.split_once('=').unwrap();
            query.push((name, value.to_owned()));
        }
        for page_size in [1, 10] {
            let told = told(&samples, &query, page_size).await;
            assert_eq!(told, expected, "{apply} {more}");
        }
    }
}

/// The rows of all pages, computed properties and the selection included.
async fn told(samples: &Samples, query: &[(&str, String)], page_size: usize) -> String {
    let (mut all, mut token) = (Vec::new(), None::<String>);
    loop {
        let options = options(query, token.as_deref()).unwrap();
        let page = page(&samples.set, &options, &samples.terms(page_size)).unwrap();
        let listed = samples.store.list(ONE, page.list.clone(), Rows(Vec::new())).await;
        let (listed, Rows(rows)) = listed.unwrap();
        let applied = page.list.shape.apply.as_ref().unwrap();
        for (instance, (_, row)) in instances(&page.list, &rows).into_iter().zip(&rows) {
            let is_shown = |name: &String| {
                let column = applied.columns.iter().find(|one| one.name == *name).unwrap();
                page.selection.as_ref().is_none_or(|one| one.properties.contains(&column.at))
            };
            let mut shown: Instance =
                instance.into_iter().filter(|(name, _)| is_shown(name)).collect();
            let computed = page.list.shape.computed.iter().zip(&row[applied.columns.len()..]);
            shown.extend(computed.map(|(one, value)| (one.name.clone(), seen(value))));
            all.push(format!("{shown:?}"));
        }
        token = listed.last.as_ref().and_then(|last| page.next(last));
        if token.is_none() {
            return all.join(" ");
        }
    }
}

#[tokio::test]
async fn tenants_do_not_mix() {
    let samples = Samples::new(&few()).await;
    for apply in ["aggregate($count as n)", "concat(aggregate($count as n),groupby((word)))"] {
        let options = options(&[("$apply", apply.to_owned())], None).unwrap();
        let page = page(&samples.set, &options, &samples.terms(10)).unwrap();
        let listed = samples.store.list(TWO, page.list.clone(), Rows(Vec::new())).await;
        let (_, Rows(rows)) = listed.unwrap();
        let told: Vec<String> =
            instances(&page.list, &rows).iter().map(|one| format!("{one:?}")).collect();
        assert_eq!(told, [r#"{"n": Decimal(0)}"#], "{apply}");
        let plan = count(&samples.set, &options, &samples.terms(10)).unwrap();
        assert_eq!(samples.store.count(TWO, plan).await, Ok(1));
    }
}

/// What the settings allow at most is what SQLite can take.
#[tokio::test]
async fn the_longest_sequences_that_can_be_allowed_run() {
    let samples = Samples::new(&few()).await;
    let limits = Limits {
        nodes: 900,
        depth: 100,
        list: 20_000,
        keys: 32,
        transformations: 100,
        ..Limits::default()
    };
    let many = |one: &str, count: usize, between: &str| vec![one; count].join(between);
    let numbered = |one: &str, count: usize| {
        (0..count).map(|number| one.replace('#', &number.to_string())).collect::<Vec<_>>()
    };
    // All but the key, and the collections, by which nothing is grouped.
    let keys = NAMES[1..14].join(",");
    let nested = |open: &str, inside: &str, close: &str, depth: usize| {
        format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
    };
    for text in [
        many("filter(seq gt 0)", 99, "/"),
        many("orderby(seq)/top(9)", 49, "/"),
        numbered("compute(seq add 1 as c#)", 99).join("/"),
        numbered("compute(seq add 1 as c#)", 31).join("/")
            + "/groupby(("
            + &numbered("c#", 31).join(",")
            + "))",
        format!("compute({})", numbered("seq add # as c#", 32).join(",")),
        format!("aggregate({})", numbered("seq with sum as c#", 32).join(",")),
        format!("concat({})", many("identity", 99, ",")),
        format!("concat({})", many("aggregate($count as n)", 49, ",")),
        format!("groupby(({keys}),aggregate($count as n))"),
        format!("groupby((rollup({keys})),aggregate($count as n))"),
        many("concat(identity,identity)", 5, "/"),
        nested("concat(", "identity", ",identity)", 45),
        nested("groupby((word),", "aggregate($count as n)", ")", 40),
        nested("groupby((word),filter(seq gt 0)/", "aggregate($count as n)", ")", 30),
        nested("groupby((word),orderby(number)/top(3)/", "identity", ")", 30),
        format!("filter({})", many("seq gt 0", 299, " or ")),
        format!("orderby({})", many("number add 1 desc", 32, ",")),
    ] {
        let shown: String = text.chars().take(60).collect();
        let options = options(&[("$apply", text)], None).unwrap();
        let terms = Terms { limits, ..samples.terms(1) };
        let page = page(&samples.set, &options, &terms);
        let page = page.unwrap_or_else(|error| panic!("{shown}: {error}"));
        let listed = samples.store.list(ONE, page.list.clone(), Rows(Vec::new())).await;
        let (listed, _) = listed.unwrap_or_else(|error| panic!("{shown}: {error}"));
        let token = listed.last.as_ref().and_then(|last| page.next(last));
        assert!(token.is_none_or(|token| token.len() < 2000), "{shown}");
    }
}

/// SQLite puts what is computed in the place of its name, wherever that stands.
#[tokio::test]
async fn what_is_computed_of_what_was_computed_counts_with_it() {
    let samples = Samples::new(&few()).await;
    let doubled = |count: usize| {
        let step = |number: usize| format!("compute(c{number} add c{number} as c{})", number + 1);
        let steps: Vec<String> = (0..count).map(step).collect();
        format!("compute(seq as c0)/{}", steps.join("/"))
    };
    for (count, fits) in [(5, true), (30, false)] {
        let query = [("$apply", doubled(count))];
        match asked(&samples, &query, 10).await {
            Ok(_) => assert!(fits, "{count}"),
            Err(error) => assert!(!fits && error.contains("query-nodes"), "{count}: {error}"),
        }
    }
}
