//! The language of the query options, sentence by sentence of the ABNF: what
//! is served answers, what is not says so, and nothing is a fault of ours.

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

fn get(world: &World, target: &str) -> Reply {
    world.send(&ask("GET", target).bearer(&world.writer()))
}

fn query(world: &World, options: &str) -> Reply {
    get(world, &format!("{COLLECTION}?{}", encoded(options)))
}

/// Blanks as `+`, and encoded what a URL cannot have. Names stay as they are.
fn encoded(options: &str) -> String {
    let one = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'"' | b'+' | b'#' | b'%' | b'\\' | b'^' | b'[' | b']' | b'{' | b'}' | b'|' | b'<'
        | b'>' => {
            format!("%{byte:02X}")
        }
        byte => char::from(byte).to_string(),
    };
    options.bytes().map(one).collect()
}

/// What each sort of property is compared with.
const COMPARED: &[(&str, &[&str])] = &[
    (
        "teams",
        &[
            "0", "-5", "5.0", "5.25", "1e3", "1E-3", "null", "'5'", "INF", "-INF", "NaN", "@p",
            "exchange",
        ],
    ),
    ("reportDate", &["2026-11-18", "'2026-11-18'", "0000-01-01", "null", "reportRefreshDate"]),
    ("reportPeriod", &["'7'", "'D7'", "'it''s'", "''", "null", "id"]),
    ("id", &["'da0e2eb0-2eb0-da0e-b02e-0edab02e0eda'", "'x'", "null", "@p"]),
    (
        "now()",
        &[
            "9999-12-31T23:59:59Z",
            "2026-11-18T12:00:00.123456789012Z",
            "2026-11-18T12:00:00Z",
            "2026-11-18T12:00:00.123+01:30",
            "2026-11-18T12:00Z",
        ],
    ),
    ("time(now())", &["12:00:00", "12:00:00.123456789012", "23:59:59.999999999", "11:59"]),
    ("reportRefreshDate sub reportDate", &["duration'P1D'", "duration'-PT1H30M'", "'P1D'"]),
    ("cast('x',Edm.Guid)", &["da0e2eb0-2eb0-da0e-b02e-0edab02e0eda"]),
    ("cast(id,Edm.Binary)", &["binary'AAAA'", "binary'_-8='", "'AAAA'", "null"]),
    ("teams divby 3", &["0.1", "-5", "1e0", "NaN", "9007199254740993.5", "exchange"]),
    ("(teams gt 5)", &["true", "false", "null", "(exchange lt 5)"]),
];

const OPERATORS: &[&str] = &["eq", "ne", "gt", "ge", "lt", "le"];

/// Functions with arguments, each of which can be compared with null.
const CALLS: &[&str] = &[
    "concat(id,'x')",
    "contains(id,'x')",
    "endswith(reportPeriod,'0')",
    "indexof(id,'-')",
    "length(reportPeriod)",
    "startswith(id,reportPeriod)",
    "substring(id,1)",
    "substring(id,-3)",
    "substring(id,1,2)",
    "matchesPattern(reportPeriod,'^[0-9]+$')",
    "matchesPattern(id,@p)",
    "matchesPattern(id,reportPeriod)",
    "hassubset([1,2.5,null],[2.5])",
    "hassubsequence([1,2,3],@list)",
    "tolower(id)",
    "toupper(id)",
    "trim(' x ')",
    "date(now())",
    "day(reportDate)",
    "fractionalseconds(now())",
    "hour(now())",
    "maxdatetime()",
    "mindatetime()",
    "minute(12:30:00)",
    "month(reportDate)",
    "now()",
    "second(now())",
    "time(now())",
    "totaloffsetminutes(2026-11-18T12:00:00+01:30)",
    "totalseconds(duration'PT1M')",
    "year(reportDate)",
    "ceiling(teams divby 2)",
    "floor(2.5)",
    "round(teams)",
    "cast(teams,Edm.String)",
    "cast('2026-11-18',Edm.Date)",
    "cast(teams,Edm.Decimal)",
    "cast(teams,Edm.Single)",
    "cast(teams,Edm.SByte)",
    "cast(id,Edm.Binary)",
    "cast(now(),Edm.TimeOfDay)",
    "cast('PT1H',Edm.Duration)",
    "cast('x',Edm.DateTimeOffset)",
    "cast(reportDate,Edm.Guid)",
    "isof(teams divby 2,Edm.Decimal)",
    "isof(teams,Edm.Int64)",
    "isof(microsoft.graph.office365ActiveUserCounts)",
    "isof($it,microsoft.graph.office365ActiveUserCounts)",
    "cast(teams,'Edm.String')",
    "case(teams eq 500:22,true:0)",
    "case(7 eq 100:10,true:100)",
    "case(reportDate lt 2023-12-31:21,true:0)",
    "case(time(now()) lt 12:00:00:10,true:20)",
    "case(teams eq 12:345,true:0)",
    "case(now() lt 2026-11-18T12:00:00Z:12,true:0)",
    "case(now() lt 2026-11-18T12:00:00+01:00:12,true:0)",
    "case(teams gt 5:'many',true:'few')",
    "$it/teams",
    "$root/reports/office365ActiveUserCounts('da0e2eb0-2eb0-da0e-b02e-0edab02e0eda')/teams",
    "$ROOT/office365activeusercounts(@p2)/id",
    "-(teams)",
    "not (teams gt 5)",
    "teams in (1,2,null)",
    "reportPeriod in [\"7\",\"30\"]",
    "teams in @list",
];

/// What the aliases in these stand for.
const ALIASES: &str = "@list=[1,2]&@p='a'&@p2='da0e2eb0-2eb0-da0e-b02e-0edab02e0eda'";

/// Whole options that answer.
const SERVED: &[&str] = &[
    "$filter=teams gt 5 and exchange lt 5 or not (yammer eq 5)",
    "$filter=teams add 1 sub 2 mul 3 div 4 divby 5 mod 6 gt -7",
    "$filter=((teams)) eq ((5))",
    "filter=teams EQ 5 AND CONTAINS(id,'x')",
    "$orderby=teams",
    "$orderby=teams asc,exchange desc,reportDate",
    "$orderby=length(id) desc",
    "$select=*",
    "$select=teams,id",
    "$select=teams, id",
    "$select=*,teams",
    "$select=microsoft.graph.office365ActiveUserCounts/teams",
    "$compute=teams mul 2 as double",
    "$compute=teams mul 2 as double,double add 1 as more&$filter=more gt 5&$select=more",
    "$expand=*",
    "$expand=*/$ref",
    "$expand=*($levels=2)",
    "$expand=*(levels=max)",
    "$filter=teams lt 1e400 and teams gt -1e400",
    "$count=true",
    "$count=FALSE",
    "$top=0",
    "$skip=5",
    "$search=teams",
    "$search=\"a phrase\" AND NOT (b OR c) d",
    "$search=2026-11-18",
    "custom=1",
    "$filter=teams eq @p&@p=5",
    "$filter=teams eq @missing",
];

/// Language that OData has and Rollcall has not.
const NOT_SERVED: &[&str] = &[
    "$filter=id has Some.Colour'Red'",
    "$filter=geo.distance(id,geography'POINT(1 2)') lt 5",
    "$filter=geo.intersects(id,id)",
    "$filter=geo.length(id) gt 1",
    "$orderby=cast(teams,Edm.GeographyPoint)",
];

/// What is no sentence, or one that means nothing here.
const REFUSED: &[&str] = &[
    "$filter=",
    "$filter=teams",
    "$filter=teams eq",
    "$filter=eq 5",
    "$filter=teams eq 5 and",
    "$filter=teams == 5",
    "$filter=teams eq 5 5",
    "$filter=(teams eq 5",
    "$filter=teams eq 5)",
    "$filter=teams eq 'five'",
    "$filter=reportDate eq 2026-13-01",
    "$filter=reportDate eq 2026-2-1",
    "$filter=now() eq 2026-11-18T25:00:00Z",
    "$filter=teams eq duration'P1Y'",
    "$filter=id eq 'open",
    "$filter=nothing eq 5",
    "$filter=teams/nothing eq 5",
    "$filter=nothing(teams)",
    "$filter=contains(id)",
    "$filter=contains(id,'x','y')",
    "$filter=contains(teams,'x')",
    "$filter=length(teams) eq 1",
    "$filter=year(teams) eq 1",
    "$filter=not teams eq 5",
    "$filter=teams and exchange",
    "$filter=id add 1 eq 2",
    "$filter=teams in 5",
    "$filter=teams eq [1,2]",
    "$filter=teams eq {1}",
    "$filter=teams in ('x')",
    "$filter=teams in id",
    "$filter=teams eq {\"a\":1}",
    "$filter=id eq binary'AAAA'",
    "$filter=cast(id,Edm.Binary) eq binary'AAAAA'",
    "$filter=cast(id,Edm.Stream) eq null",
    "$filter=cast(Edm.String) eq null",
    "$filter=hassubset(id,id)",
    "$filter=hassubset([1],teams)",
    "$filter=hassubset([1],[\"a\"])",
    "$filter=hassubset({\"a\":[1]},id)",
    "$filter=hassubsequence([1])",
    "$filter=id/any()",
    "$filter=id/any(x:x eq 'a')",
    "$filter=id/all(x:x eq 'a')",
    "$filter=teams/any(d:d gt 5 and d lt 7)",
    "$filter=nothing/any(x:x eq 'a')",
    "$filter=$root/office365ActiveUserCounts/teams eq 5",
    "$filter=$root/office365ActiveUserCounts/$count gt 5",
    "$filter=$root/office365ActiveUserCounts('x')/teams eq 5",
    "$filter=$root/office365ActiveUserCounts(reportDate=2026-11-18)/teams eq 5",
    "$filter=$root/office365ActiveUserCounts('da0e2eb0-2eb0-da0e-b02e-0edab02e0eda')/nothing eq 5",
    "$filter=$root/office365ActiveUserCounts(@nothing)/teams eq 5",
    "$filter=$root/office365ActiveUserCounts/any(x:x/teams eq 5)",
    "$filter=$root/reports/nothing/teams eq 5",
    "$filter=$root/$metadata eq 5",
    "$filter=$root/$entity/teams eq 5",
    "$filter=$root/office365ActiveUserCounts('x",
    "$filter=$root/ eq 5",
    "$filter=$root eq 5",
    "$filter=id/any(x)",
    "$filter=id/some(x:x eq 'a')",
    "$filter=matchesPattern(id,'(')",
    "$filter=matchesPattern(id,'(?=x)')",
    "$filter=matchesPattern(id,'(a)\\1')",
    "$filter=matchesPattern(id,5)",
    "$filter=teams eq @a&@a=@b",
    "$filter=teams eq @a&@a=(",
    "$orderby=",
    "$orderby=nothing",
    "$orderby=teams up",
    "$orderby=teams,",
    "$select=",
    "$select=nothing",
    "$select=teams,",
    "$select=teams/nothing",
    "$select=teams($select=x)",
    "$select=teams($filter=true;$top=5)",
    "$select=teams($nonsense=5)",
    "$select=teams(",
    "$compute=",
    "$compute=teams",
    "$compute=teams as id",
    "$compute=later add 1 as early,1 as later",
    "$compute=1 as a,2 as A",
    "$expand=nope",
    "$expand=teams",
    "$expand=nope($select=id)",
    "$count=1",
    "$count=",
    "$top=-1",
    "$top=1.5",
    "$top=",
    "$skip=x",
    "$search=",
    "$search=\"\"",
    "$search=a OR \"\"",
    "$search=(a",
    "$search=NOT",
    "$search=a AND",
    "$skiptoken=",
    "$nonsense=5",
    "$filter=true&filter=true",
    "$deltatoken=x",
    "$index=1",
    "$levels=1",
    "$expand=*($$levels=1)",
    "$id=x",
];

/// One entity's options: what is served, and what means nothing.
const OF_ONE: &[(&str, u16)] = &[
    ("$select=teams", 200),
    ("$select=*&$expand=*", 200),
    ("$compute=teams add 1 as t", 200),
    ("$compute=teams add 1 as t&$select=t,id", 200),
    ("$select=t", 400),
    ("$compute=nope as t", 400),
    ("$expand=nope", 400),
    ("$filter=true", 400),
    ("$orderby=teams", 400),
    ("$top=1", 400),
    ("$count=true", 400),
    ("$search=x", 400),
];

fn told(reply: &Reply, options: &str, status: u16) -> String {
    assert_eq!(reply.status, status, "{options}\n{reply}");
    assert!(!reply.code().is_empty() && reply.message().len() > 10, "{options}\n{reply}");
    format!("{options}\n    {}", reply.message())
}

pub fn every_sentence_of_the_language_is_answered(world: &World) {
    for number in 0..6 {
        let request = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number));
        assert_eq!(world.send(&request).status, 201);
    }
    let compared = COMPARED.iter().flat_map(|(left, all)| {
        OPERATORS.iter().flat_map(move |operator| {
            all.iter().map(move |right| format!("$filter={left} {operator} {right}&@p='5'"))
        })
    });
    let called = CALLS.iter().flat_map(|call| {
        [
            format!("$filter={call} eq null&{ALIASES}"),
            format!("$compute={call} as computed&$select=computed&{ALIASES}"),
            format!("$orderby={call} desc&{ALIASES}"),
        ]
    });
    let served = SERVED.iter().map(|one| (*one).to_owned());
    for options in compared.chain(called).chain(served) {
        let reply = query(world, &options);
        assert_eq!(reply.status, 200, "{options}\n{reply}");
    }
    let lines = [(NOT_SERVED, 501), (REFUSED, 400)].map(|(all, status)| {
        all.iter().map(|one| told(&query(world, one), one, status)).collect::<Vec<_>>()
    });
    insta::assert_snapshot!("what_is_not_answered", lines.concat().join("\n"));
    let id = query(world, "$top=1").json()["value"][0]["id"].as_str().unwrap().to_owned();
    for (options, status) in OF_ONE {
        let reply = get(world, &format!("{COLLECTION}/{id}?{}", encoded(options)));
        assert_eq!(reply.status, *status, "{options}\n{reply}");
    }
}

pub fn segments_that_are_not_served_say_so(world: &World) {
    let function = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')";
    for (target, status) in [
        ("/v1.0/$all".to_owned(), 501),
        ("/v1.0/$crossjoin(office365ActiveUserCounts,x)".to_owned(), 501),
        (format!("{COLLECTION}/$filter(teams%20gt%205)/$each"), 501),
        (format!("{COLLECTION}/$each"), 501),
        (format!("{function}/$filter(teams%20gt%205)/$each"), 501),
        (format!("{COLLECTION}/$query"), 405),
        (format!("{COLLECTION}/$filter(teams)"), 400),
        (format!("{COLLECTION}/$filter(nothing%20eq%205)/$count"), 400),
        (format!("{COLLECTION}/$filter()"), 400),
        (format!("{COLLECTION}/$filter(teams%20gt%205)/delta"), 400),
        (format!("{COLLECTION}/$filter"), 400),
        (format!("{COLLECTION}/$nonsense(x)"), 400),
        (format!("{COLLECTION}/nope/any(x)"), 404),
    ] {
        let reply = get(world, &target);
        told(&reply, &target, status);
    }
}

/// What options are made of, in any order.
const WORDS: &[&str] = &[
    "teams",
    "id",
    "reportDate",
    "reportPeriod",
    "nothing",
    "$it",
    "$root/office365ActiveUserCounts(",
    "$root/reports/office365ActiveUserCounts(@p)/teams",
    "$count",
    "5",
    "-5",
    "1.5",
    "'x'",
    "'7'",
    "2026-11-18",
    "12:00:00",
    "duration'PT1H'",
    "null",
    "true",
    "@p",
    "eq",
    "ne",
    "gt",
    "add",
    "mul",
    "div",
    "mod",
    "and",
    "or",
    "not",
    "in",
    "has",
    "-",
    "(",
    ")",
    ",",
    ":",
    "/",
    ";",
    "=",
    "*",
    "length(",
    "contains(",
    "cast(",
    "now(",
    "case(",
    "any(x:",
    "as",
    "t",
    "desc",
    "Edm.String",
    "[1,null]",
    "\"",
    "'",
    "matchesPattern(",
    "substring(",
];

pub fn no_words_are_a_fault_of_ours(world: &World) {
    let request = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(1));
    assert_eq!(world.send(&request).status, 201);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut roll = |sides: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % sides
    };
    let options =
        ["$filter", "$orderby", "$select", "$compute", "$search", "$filter=teams eq @p&@p"];
    for _ in 0..600 {
        let words: Vec<&str> = (0..=roll(9)).map(|_| WORDS[roll(WORDS.len())]).collect();
        let options = format!("{}={}", options[roll(options.len())], words.join(" "));
        let reply = query(world, &options);
        assert!(matches!(reply.status, 200 | 400 | 501), "{options}\n{reply}");
    }
}
