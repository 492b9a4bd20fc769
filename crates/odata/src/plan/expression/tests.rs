use crate::catalog;
use crate::edm::EntitySet;
use crate::plan::page::{Terms, page};
use crate::plan::query::Shape;
use crate::uri::Limits;
use crate::uri::options::Options;

const EVERYTHING: &str = r#"
    [[complex_type]]
    name = "microsoft.graph.part"
    property = [{ name = "label", type = "Edm.String" }]

    [[entity_type]]
    name = "microsoft.graph.everything"
    base = "microsoft.graph.entity"
    property = [
        { name = "flag", type = "Edm.Boolean" },
        { name = "number", type = "Edm.Int64" },
        { name = "small", type = "Edm.Int32" },
        { name = "text", type = "Edm.String" },
        { name = "day", type = "Edm.Date" },
        { name = "guid", type = "Edm.Guid" },
        { name = "length", type = "Edm.Duration" },
        { name = "span", type = "Edm.String", role = "period" },
        { name = "names", type = "Collection(Edm.String)" },
        { name = "part", type = "microsoft.graph.part" },
    ]

    [[entity_set]]
    name = "everythings"
    under = "reports"
    entity_type = "microsoft.graph.everything"
    table = "everything"
    identity = ["number"]
"#;

fn set() -> std::sync::Arc<EntitySet> {
    let files = [catalog::EMBEDDED, &[("more.toml", EVERYTHING)]].concat();
    std::sync::Arc::clone(catalog::load(&files).unwrap().entity_set("everythings").unwrap())
}

fn planned(query: &str, limits: Limits) -> Result<Shape, crate::Error> {
    let terms = Terms { page_size: 5, limits, now: "2026-11-24T12:00:00Z".parse().unwrap() };
    let query = query.replace('+', "%2B").replace('&', "%26").replace(" ;; ", "&");
    page(&set(), &Options::parse(&query)?, &terms).map(|page| page.list.shape)
}

fn told(query: &str) -> String {
    let told = match planned(query, Limits::default()) {
        Err(error) => format!("{} {}", error.code.status(), error.message),
        Ok(shape) => format!("{:?}", shape.filter.map(|one| shown(&one))),
    };
    format!("{query}\n    {told}")
}

/// An expression without what does not matter here.
fn shown(expression: &super::Expression) -> String {
    format!("{expression:?}").replace("Value(Text(\"", "Text((\"")
}

fn filters(texts: &[&str]) -> String {
    let lines: Vec<String> = texts.iter().map(|text| told(&format!("$filter={text}"))).collect();
    lines.join("\n")
}

#[test]
fn names_and_literals_get_their_types() {
    insta::assert_snapshot!(filters(&[
        "NUMBER eq 5 and $it/Flag",
        "number eq '5' and '2026-11-18' lt day",
        "number eq 5.0 or number eq 5.5 or number eq 9223372036854775808",
        "number lt -9223372036854775808",
        "small eq number",
        "id eq 'da0e2eb0-2eb0-da0e-b02e-0edab02e0eda'",
        "id eq 'DA0E2EB0-2eb0-da0e-b02e-0edab02e0eda' or id ne 'x' or id eq null",
        "id gt 'x' and length(id) eq 36",
        "span in ('7','ALL','D7',null) and 'all' ne span",
        "guid eq da0e2eb0-2eb0-da0e-b02e-0edab02e0eda and guid ne '00000000-0000-0000-0000-000000000000'",
        "length eq duration'PT1H' and length gt 'PT30M'",
        "day add duration'P1D' gt day and day sub day eq length",
        "number in (1,2.0,2.5,null,'3')",
        "number in (number add 1,2)",
        "5 in (1,number)",
        "number in ()",
        "number in [1,2]",
        "substring(text,1) eq concat('a',toupper(text))",
        "round(number) eq 1 and round(number divby 2) eq 1.5",
        "number div 2 eq 1 and number div 2.0 eq 1",
        "-number lt -length mul 2 or true",
        "-length lt length mul 2",
        "year(day) eq 2026 and year('2026-11-18') eq 2026 and year(now()) gt 1",
        "hour(2026-11-18T23:30:00+02:00) eq 23 and day(2026-11-18T23:30:00-02:00) eq 18",
        "totaloffsetminutes(2026-11-18T23:30:00-02:30) eq -150",
        "case(flag:1,number gt 2:2.5) gt 1",
        "cast(number,Edm.String) eq '5' and cast(text,Edm.Int32) eq 5 and cast(day,Edm.Guid) eq null",
        "isof(small,Edm.Int32) and isof(small,Edm.Int64) and isof(microsoft.graph.everything)",
        "null eq null and text ne null and null",
        "not flag or not (number eq 5)",
        "time(now()) lt 23:59:59.5",
    ]));
}

#[test]
fn what_does_not_fit_is_refused() {
    insta::assert_snapshot!(filters(&[
        "nothing eq 5",
        "nothing/at/all eq 5",
        "number/x eq 5",
        "number",
        "number eq 'x'",
        "number eq day",
        "id eq da0e2eb0-2eb0-da0e-b02e-0edab02e0eda",
        "not number eq 5",
        "-text eq 'x'",
        "number and flag",
        "flag or number",
        "text add 1 eq 2",
        "day mul 2 eq day",
        "text eq 2026-02-30",
        "text eq 25:00:00",
        "text eq 5x",
        "number in ('x')",
        "number in text",
        "length(number) eq 1",
        "length() eq 1",
        "contains(text) eq true",
        "substringof('a',text)",
        "year(number) eq 1",
        "now(1) gt 1",
        "cast(number) eq 1",
        "cast(number,5) eq 1",
        "cast(number,Edm.Nothing) eq 1",
        "case(number:1) eq 1",
        "case(flag:1,flag:'x') eq 1",
        "number/any(x:x eq 1)",
        "nothing/any(x:x eq 1)",
        "number/some(x:x eq 1)",
        "text eq Some.Type'x'",
        "number eq @p ;; @p=@q",
        "number in @p ;; @p=5",
        "number eq 1 ;; $orderby=nothing",
        "number eq 1 ;; $orderby=number asc,5 5",
        "number eq 1 ;; $select=nothing",
        "number eq 1 ;; $select=number/x",
        "number eq 1 ;; $compute=number add 1 as Text",
        "number eq 1 ;; $compute=1 as x,2 as X",
        "number eq 1 ;; $compute=1 as x.y",
        "number eq 1 ;; $compute=x add 1 as y,1 as x",
        "matchesPattern(text,'[')",
        "matchesPattern(text,'(?!a)b')",
        "matchesPattern(number,'a')",
        "matchesPattern(text,'\\w{1000}') ;; @limit=1",
        "number eq 1 ;; $select=number($top=5)",
        "number eq 1 ;; $select=nothing($top=5)",
        "number eq 1 ;; $expand=nothing",
        "number eq 1 ;; $expand=number",
        "number eq 1 ;; $skip=-1",
    ]));
}

#[test]
fn what_the_protocol_has_and_is_not_served() {
    for text in [
        "text has Some.Type'x'",
        "geo.distance(text,text) lt 1",
        "matchesPattern(text,text)",
        "hassubset(names,names)",
        "names/any(x:x eq 'a')",
        "names eq null",
        "part/label eq 'x'",
        "names/$count gt 1",
        "text in names",
        "text eq binary'AA'",
        "number eq NaN",
        "cast(text,Edm.Single) eq 1",
        "cast(Edm.String) eq '1'",
        "number eq 1 ;; $select=part($select=label)",
        "number eq 1 ;; $apply=join(names as x)",
        "number eq 1 ;; $apply=groupby((names))",
    ] {
        let error = planned(&format!("$filter={text}"), Limits::default()).unwrap_err();
        assert_eq!(error.code.status(), 501, "{text}: {}", error.message);
    }
}

#[test]
fn aliases_and_computed_properties_are_used_by_name() {
    insta::assert_snapshot!(filters(&[
        "number eq @p ;; @p=5",
        "number eq @p",
        "number eq @p ;; @p=small add 1",
        "number in @p ;; @p=[1,2]",
        "number in @p ;; @p=(1)",
        "DOUBLE gt 5 ;; $compute=number mul 2 as double",
        "more gt 5 ;; $compute=number mul 2 as double,double add 1 as more",
        "matchesPattern(text,@p) ;; @p='^a'",
    ]));
}

#[test]
fn what_refers_to_others_counts_with_them() {
    let limits = Limits { nodes: 20, ..Limits::default() };
    let alias = format!("@p={}", ["number"; 9].join(" add "));
    assert!(planned(&format!("$filter=number eq @p ;; {alias}"), limits).is_ok());
    let computed = format!("$compute={} as t", ["number"; 9].join(" add "));
    for query in [
        format!("$filter=number eq @p and small eq 1 ;; {alias}"),
        format!("$orderby=t,t ;; {computed}"),
    ] {
        let error = planned(&query, limits).unwrap_err();
        assert_eq!(error.code, crate::Code::TooComplex, "{query}");
        assert!(error.message.contains("query-nodes"), "{query}: {}", error.message);
    }
}

#[test]
fn a_search_looks_into_texts_dates_and_numbers() {
    insta::assert_snapshot!(
        ["$search=Word", "$search=5", "$search=05", "$search=2026-11-18", "$search=NOT a OR b c"]
            .map(told)
            .join("\n")
    );
}

/// What expressions are made of, right or wrong.
const WORDS: &[&str] = &[
    "number",
    "text",
    "day",
    "span",
    "id",
    "names",
    "part",
    "flag",
    "length(",
    "contains(",
    "cast(",
    "isof(",
    "now(",
    "case(",
    "substring(",
    "(",
    ")",
    ",",
    ":",
    "/",
    "eq",
    "ne",
    "gt",
    "add",
    "sub",
    "mul",
    "div",
    "in",
    "and",
    "or",
    "not",
    "-",
    "null",
    "true",
    "5",
    "-9223372036854775808",
    "1.5",
    "'x'",
    "'7'",
    "2026-11-18",
    "12:00:00",
    "2026-11-18T00:00:00Z",
    "duration'PT1H'",
    "Edm.String",
    "Edm.Int32",
    "@p",
    "desc",
    "as",
    "t",
    "*",
    "any(",
    "has",
    "AND",
    "NOT",
    "\"",
    "[1,null]",
    "'",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn no_words_make_it_panic(
        option in proptest::sample::select(vec![
            "$filter", "$orderby", "$select", "$compute", "$search", "$filter=number eq @p ;; @p",
        ]),
        words in proptest::collection::vec(proptest::sample::select(WORDS.to_vec()), 0..12),
    ) {
        let limits = Limits { nodes: 20, depth: 6, list: 3, keys: 2, pattern: 1000, transformations: 20 };
        drop(planned(&format!("{option}={}", words.join(" ")), limits));
    }
}
