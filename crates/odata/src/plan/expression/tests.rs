use crate::catalog;
use crate::edm::{EntitySet, Model};
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

fn model() -> Model {
    catalog::load(&[catalog::EMBEDDED, &[("more.toml", EVERYTHING)]].concat()).unwrap()
}

fn set() -> std::sync::Arc<EntitySet> {
    std::sync::Arc::clone(model().entity_set("everythings").unwrap())
}

fn planned(query: &str, limits: Limits) -> Result<Shape, crate::Error> {
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let terms = Terms { model: &model(), page_size: 5, limits, now };
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
        "geo.length(text) gt 1",
        "text eq geography'POINT(1 2)'",
        "cast(text,Edm.GeographyPoint) eq null",
        "number eq 1 ;; $apply=join(names as x)",
    ] {
        let error = planned(&format!("$filter={text}"), Limits::default()).unwrap_err();
        assert_eq!(error.code.status(), 501, "{text}: {}", error.message);
    }
}

#[test]
fn decimals_are_exact_and_doubles_where_one_is() {
    insta::assert_snapshot!(filters(&[
        "number divby 2 eq 0.5 and number mul 1.0 gt small",
        "number add 0.1 in (1,2.5,null)",
        "number mul 1.5 in (1e0)",
        "number gt 5e0 and 5e0 le number add 0.5",
        "number mul 1e0 eq small",
        "round(2.5) eq 3 and floor(-2.5e0) eq -3 and ceiling('1.5') eq 2",
        "-(number mul 0.5) lt -0.25",
        "number add '0.5' gt 1",
        "length mul 0.5 lt length divby 3 and length div 1.5e0 gt length",
        "totalseconds(length) eq 1.5 and fractionalseconds(now()) lt 0.5",
        "case(flag:1,true:2.5) lt case(flag:1.5,true:1e0)",
        "cast(number,Edm.Decimal) eq 9007199254740993.5",
        "number eq 99999999999999999999999999999999999999.5",
        "number eq 100000000000000000000000000000000000000",
        "number eq 0.00000000000000000000000000001",
    ]));
}

#[test]
fn what_is_no_number_is_equal_to_nothing() {
    insta::assert_snapshot!(filters(&[
        "number eq NaN or NaN ne NaN",
        "number mul 1e0 ge NaN",
        "NaN in (NaN,1e0) or number in (NaN)",
        "number mul 1e0 eq number mul INF",
        "number mul 1e0 lt number mul -INF",
        "number mul 1e0 in (1e0,NaN,null)",
    ]));
}

#[test]
fn casts_to_every_primitive_type() {
    insta::assert_snapshot!(filters(&[
        "cast(number,Edm.SByte) eq cast(number,Edm.Byte)",
        "cast(number,Edm.Int16) eq cast(2.5,Edm.Int32)",
        "cast(number,Edm.Single) lt cast('1.5',Edm.Double)",
        "cast(1.5e0,Edm.Decimal) eq cast('1.5',Edm.Decimal)",
        "cast('AAEC',Edm.Binary) eq binary'AAEC' and cast(binary'AA==',Edm.String) eq 'AA'",
        "binary'AA' eq 'AA' and binary'AA' lt binary'_w'",
        "cast('PT1H',Edm.Duration) eq cast(length,Edm.Duration)",
        "cast('12:00:00',Edm.TimeOfDay) lt cast(now(),Edm.TimeOfDay)",
        "cast('2026-11-18',Edm.Date) eq cast(now(),Edm.Date)",
        "cast('2026-11-18T00:00:00',Edm.DateTimeOffset) lt now()",
        "cast('x',Edm.Guid) eq guid and cast(flag,Edm.String) eq 'true'",
        "cast('true',Edm.Boolean) or cast(null,Edm.Binary) eq null",
        "cast(flag,Edm.Decimal) eq null and cast(day,Edm.Single) eq null",
        "isof(cast(number,Edm.Single),Edm.Single) and isof(binary'AA',Edm.Binary)",
        "isof(number divby 2,Edm.Decimal) and isof(small,Edm.SByte)",
        "text eq binary'AA'",
        "number eq binary'AA'",
        "text eq binary'A'",
        "cast(text,Edm.Stream) eq null",
        "cast(text,Edm.Untyped) eq null",
        "cast(Edm.String) eq '1'",
    ]));
}

#[test]
fn collections_have_functions_of_their_own() {
    insta::assert_snapshot!(filters(&[
        "hassubset([4,1,3,1],[1,1.0]) and hassubsequence([4,1,3],[3,1])",
        "hassubset(names,['a']) or hassubset(names,[\"a\",null])",
        "HasSubsequence($it/names,@p) ;; @p=[\"a\",\"b\"]",
        "hassubset([\"a\"],names) and hassubset(names,names)",
        "hassubset(names,@p) or hassubset(null,names)",
        "hassubset([],[null]) or hassubset([9007199254740993,0.5],[9007199254740993.0])",
        "hassubset([1,2e0],[2]) and hassubset([true,null],[true])",
        "hassubset(names,[1])",
        "hassubset([1,\"a\"],[1])",
        "hassubset(text,names)",
        "hassubset(names,text)",
        "hassubset(names,1 add 2)",
        "hassubset(part,names)",
        "hassubset(nothing,names)",
        "hassubset(names)",
        "hassubset([[1]],[1])",
        "hassubset({\"a\":1},names)",
        "names/any(x:x eq 'a')",
        "names eq null",
        "part/label eq 'x'",
        "names/$count gt 1",
        "text in names",
        "number eq 1 ;; $select=part($select=label)",
        "number eq 1 ;; $apply=groupby((names))",
    ]));
}

#[test]
fn a_pattern_may_differ_from_row_to_row() {
    insta::assert_snapshot!(filters(&[
        "matchesPattern(text,text)",
        "matchesPattern(text,concat('^',span))",
        "matchesPattern(text,number)",
        "matchesPattern(text,null)",
    ]));
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
    "NaN",
    "2.5e0",
    "binary'AA'",
    "hassubset(",
    "matchesPattern(",
    "Edm.Decimal",
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
