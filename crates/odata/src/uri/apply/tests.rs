use super::{parse, print};
use crate::uri::Limits;

const LIMITS: Limits =
    Limits { nodes: 60, depth: 8, list: 9, keys: 4, pattern: 1000, transformations: 12 };

fn read(text: &str) -> String {
    match parse(text, LIMITS) {
        Ok(sequence) => print::sequence(&sequence),
        Err(error) => format!("{error}"),
    }
}

#[test]
fn what_is_read_and_what_is_refused() {
    let lines: Vec<String> = [
        "aggregate($count as n)",
        "AGGREGATE( a with SUM as b , a add 1 with average as c,$Count AS n )",
        "filter(a eq 5 and (b gt 1 or c))/groupby((a,b/c))",
        "groupby((a,rollup(b,c,d)),filter(x)/aggregate(e with min as f))",
        "groupby((rollup($all,b)),top(2)/concat(identity,skip(1)))",
        "compute(a mul 2 as b,b add 1 as c)/orderby(b desc,c asc,d)",
        "search(a OR \"b )\" NOT (c d))/identity",
        "concat(aggregate(a with max as b),groupby((a)),identity)",
        "",
        "a",
        "aggregate",
        "aggregate()",
        "aggregate(a)",
        "aggregate(a with sum)",
        "aggregate(a with total as b)",
        "aggregate(a with my.own as b)",
        "aggregate($count)",
        "aggregate(a with sum from b with average as c)",
        "aggregate(a with sum as 5)",
        "concat(identity)",
        "filter(a",
        "filter(a))",
        "filter()",
        "groupby(a)",
        "groupby(())",
        "groupby((a)",
        "groupby((rollup(a)))",
        "groupby((rollup($all)))",
        "identity()",
        "identity/",
        "orderby()",
        "orderby(a,b,c,d,e)",
        "search()",
        "search(a",
        "search(a))",
        "skip(-1)",
        "top(1.5)",
        "top(x)",
        "top(99999999999999999999)",
        "topcount(2,a)",
        "nest(identity as a)",
        "top(1)/top(1)/top(1)/top(1)/top(1)/top(1)/top(1)/top(1)/top(1)/top(1)/top(1)/top(1)/top(1)",
        "concat(concat(concat(concat(concat(concat(concat(concat(identity,identity),top(1))))))))",
    ]
    .iter()
    .map(|text| format!("{text}\n    {}", read(text)))
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// What sequences are made of, right or wrong.
const WORDS: &[&str] = &[
    "aggregate(",
    "compute(",
    "concat(",
    "filter(",
    "groupby((",
    "identity",
    "orderby(",
    "search(",
    "skip(",
    "top(",
    "rollup(",
    "$all",
    "$count",
    "with",
    "sum",
    "as",
    "a",
    "b",
    "5",
    "(",
    ")",
    "))",
    ",",
    "/",
    "eq",
    "add",
    "desc",
    "'x'",
    "\"",
    "from",
    "NOT",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn what_is_read_is_printed_and_read_again(
        words in proptest::collection::vec(proptest::sample::select(WORDS.to_vec()), 0..14),
    ) {
        let Ok(sequence) = parse(&words.join(" "), LIMITS) else { return Ok(()) };
        let printed = print::sequence(&sequence);
        let again = parse(&printed, Limits { depth: 100, ..LIMITS });
        let again = again.unwrap_or_else(|error| panic!("{printed}: {error}"));
        proptest::prop_assert_eq!(print::sequence(&again), printed);
    }
}
