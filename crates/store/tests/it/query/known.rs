//! Each operator and function against known rows, limits at their greatest,
//! and what a query costs.

use jiff::SignedDuration;
use rollcall_odata::plan::page::{Terms, page};
use rollcall_odata::uri::Limits;
use rollcall_odata::uri::options::Options;
use rollcall_odata::{Period, Row, Value};
use uuid::Uuid;

use super::{Samples, numbers, options};
use crate::support::{ONE, Rows, author, create, date, delete};

/// Four rows: numbers that differ, one of nulls.
fn rows() -> Vec<Row> {
    let row = |seq: i64, number: i64, text: &str, word: &str, day: &str, period: i64| {
        let key = Uuid::from_u128(u128::try_from(seq).unwrap());
        vec![
            Value::Guid(key),
            Value::Int(seq),
            Value::Bool(number > 0),
            Value::Int(number),
            Value::Int(number / 2),
            Value::Int(3),
            Value::Text(text.to_owned()),
            Value::Text(word.to_owned()),
            Value::Date(date(day)),
            Value::Date(date("2026-11-20")),
            Value::Guid(key),
            Value::Duration(SignedDuration::from_mins(number)),
            Value::Duration(SignedDuration::from_nanos(1_500_000_000)),
            Value::Period(Period::from_number(period).unwrap()),
            Value::List(vec![Value::Text(text.to_owned()), Value::Text("b".to_owned())]),
            Value::List(vec![Value::Int(number), Value::Int(1), Value::Int(number), Value::Null]),
        ]
    };
    let mut rows = vec![
        row(1, -7, "Alpha", " a\u{a0}", "0000-01-01", 7),
        row(2, 8, "\u{c9}t\u{e9} 7", "pha", "2024-02-29", 180),
        row(3, 15, "it's", "\u{1F600}z", "9999-12-31", 10_000),
    ];
    let mut nulls = vec![Value::Null; 16];
    nulls[0] = Value::Guid(Uuid::from_u128(4));
    nulls[1] = Value::Int(4);
    rows.push(nulls);
    rows
}

/// The rows for which each of these conditions is true.
const CONDITIONS: &[(&str, &[i64])] = &[
    ("number eq 8", &[2]),
    ("number eq null", &[4]),
    ("number ne 8", &[1, 3, 4]),
    ("number ne null", &[1, 2, 3]),
    ("number gt 8", &[3]),
    ("number ge 8", &[2, 3]),
    ("number lt 8", &[1]),
    ("number le 8", &[1, 2]),
    ("number gt null", &[]),
    ("not (number gt 8)", &[1, 2, 4]),
    ("not (number gt null)", &[1, 2, 3, 4]),
    ("flag", &[2, 3]),
    ("not flag", &[1]),
    ("flag eq false", &[1]),
    ("flag ne true", &[1, 4]),
    ("flag and null", &[]),
    ("not (flag and null)", &[1]),
    ("flag or null", &[2, 3]),
    ("(flag or null) eq null", &[1, 4]),
    ("number eq 8 or number eq -7 and text eq 'x'", &[2]),
    ("number in (8,15)", &[2, 3]),
    ("number in (8,null)", &[2, 4]),
    ("number in (null)", &[4]),
    ("number in ()", &[]),
    ("not (number in (8,15))", &[1, 4]),
    ("not (number in ())", &[1, 2, 3, 4]),
    (r#"text in ["Alpha","x",null]"#, &[1, 4]),
    ("number add 1 eq 9", &[2]),
    ("number sub 1 eq 7", &[2]),
    ("number mul 2 eq 16", &[2]),
    ("number div 2 eq -3", &[1]),
    ("number divby 2 eq -3.5", &[1]),
    ("number mod 2 eq -1", &[1]),
    ("number mod -2 eq 1", &[3]),
    ("-number eq 7", &[1]),
    ("number div 0 eq null", &[1, 2, 3, 4]),
    ("number divby 0 eq null", &[1, 2, 3, 4]),
    ("number mod 0 eq null", &[1, 2, 3, 4]),
    ("number add 9223372036854775807 eq null", &[2, 3, 4]),
    ("number mul 9223372036854775807 eq null", &[1, 2, 3, 4]),
    ("-9223372036854775808 div -1 eq null", &[1, 2, 3, 4]),
    ("-9223372036854775808 mod -1 eq 0", &[1, 2, 3, 4]),
    ("9007199254740993 eq 9007199254740992.0", &[]),
    ("seq add 9007199254740992 gt 9007199254740993.5", &[2, 3, 4]),
    ("contains(text,'lph')", &[1]),
    ("contains(text,'LPH')", &[]),
    ("contains(text,'%')", &[]),
    ("contains(text,'')", &[1, 2, 3]),
    ("contains(text,null) eq null", &[1, 2, 3, 4]),
    ("startswith(text,'\u{c9}t')", &[2]),
    ("endswith(text,word)", &[]),
    ("endswith(concat(text,word),'pha')", &[2]),
    ("matchesPattern(text,'^[A-Z]l')", &[1]),
    ("matchesPattern(text,'(?i)ALPHA')", &[1]),
    ("matchesPattern(text,'^.t.{2,}7$')", &[2]),
    ("matchesPattern(text,'')", &[1, 2, 3]),
    ("matchesPattern(text,null) eq null", &[1, 2, 3, 4]),
    ("matchesPattern(span,'^[0-9]+$') and not matchesPattern(text,'7')", &[1]),
    ("number gt $root/samples(seq=2)/number", &[3]),
    ("number le $root/reports/samples('00000000-0000-0000-0000-000000000002')/number", &[1, 2]),
    ("number eq $ROOT/Samples(seq=4)/number", &[4]),
    ("number eq $root/samples(seq=5)/number", &[4]),
    ("text eq concat($root/samples(seq=3)/text,'')", &[3]),
    ("id gt $root/samples(seq=2)/id", &[3, 4]),
    ("span eq $root/samples(seq=3)/span and span eq 'ALL'", &[3]),
    ("later eq $root/samples(seq=1)/later", &[1, 2, 3]),
    ("(number add 7) div 2 in ($root/samples(seq=2)/number,11)", &[3]),
    ("length(text) eq 5", &[1, 2]),
    ("length(word) eq 2", &[3]),
    ("indexof(text,'t') eq 1", &[2, 3]),
    ("indexof(text,'zz') eq -1", &[1, 2, 3]),
    ("substring(text,1) eq 'lpha'", &[1]),
    ("substring(text,-1) eq '7'", &[2]),
    ("substring(text,-99) eq text", &[1, 2, 3, 4]),
    ("substring(text,99) eq ''", &[1, 2, 3]),
    ("substring(text,1,2) eq 'lp'", &[1]),
    ("substring(text,-2,1) eq '''' and number eq 15", &[3]),
    ("tolower(text) eq '\u{e9}t\u{e9} 7'", &[2]),
    ("toupper(text) eq '\u{c9}T\u{c9} 7'", &[2]),
    ("trim(word) eq 'a'", &[1]),
    ("concat(text,null) eq null", &[1, 2, 3, 4]),
    ("year(day) eq 0", &[1]),
    ("month(day) eq 2", &[2]),
    ("day(day) eq 29", &[2]),
    ("day add duration'P1D' eq 2024-03-01", &[2]),
    ("day add duration'PT23H' eq day", &[1, 2, 3, 4]),
    ("day sub duration'PT1S' eq 2024-02-28", &[2]),
    ("day add duration'P1D' eq null", &[3, 4]),
    ("day sub duration'P1D' eq null", &[1, 4]),
    ("later sub day gt duration'P900D'", &[2]),
    ("later lt date(now())", &[1, 2, 3]),
    ("year(now()) eq 2026 and hour(now()) eq 12 and minute(now()) eq 34", &[1, 2, 3, 4]),
    ("second(now()) eq 56 and fractionalseconds(now()) eq 0.789", &[1, 2, 3, 4]),
    ("time(now()) eq 12:34:56.789", &[1, 2, 3, 4]),
    ("now() sub duration'PT56.789S' eq 2026-11-24T13:34:00+01:00", &[1, 2, 3, 4]),
    ("mindatetime() lt now() and now() lt maxdatetime()", &[1, 2, 3, 4]),
    ("totaloffsetminutes(now()) eq 0", &[1, 2, 3, 4]),
    ("length eq duration'PT8M'", &[2]),
    ("length mul 2 eq duration'PT16M' and length div 2 eq duration'PT4M'", &[2]),
    ("length mul 0.5 eq length divby 2", &[1, 2, 3, 4]),
    ("totalseconds(pause) eq 1.5", &[1, 2, 3]),
    ("-length gt length", &[1]),
    ("round(number divby 2) eq -4", &[1]),
    ("round(number divby 2) eq 8", &[3]),
    ("floor(number divby 2) eq -4", &[1]),
    ("ceiling(number divby 2) eq -3", &[1]),
    ("floor(number) eq 8", &[2]),
    ("cast(number,Edm.String) eq '-7'", &[1]),
    ("cast(text,Edm.Int64) eq null", &[1, 2, 3, 4]),
    ("cast('7',Edm.Int32) eq 7", &[1, 2, 3, 4]),
    ("cast(number mul 100,Edm.SByte) eq null", &[1, 2, 3, 4]),
    ("cast(number mul 20,Edm.Byte) eq 160", &[2]),
    ("cast(number mul 5000,Edm.Int16) eq null", &[1, 2, 3, 4]),
    ("cast(0.1,Edm.Single) gt 0.1 and cast(number,Edm.Single) eq 8", &[2]),
    ("cast('1.50',Edm.Decimal) add number eq 9.5", &[2]),
    ("cast(text,Edm.Decimal) eq null and cast(text,Edm.Double) eq null", &[1, 2, 3, 4]),
    ("cast(number divby 2,Edm.Int64) eq -3", &[1]),
    ("cast(number divby 2,Edm.String) eq '7.5'", &[3]),
    ("cast(0.1e0,Edm.Decimal) eq 0.1", &[1, 2, 3, 4]),
    ("cast(INF,Edm.Decimal) eq null and cast(NaN,Edm.Int64) eq null", &[1, 2, 3, 4]),
    ("cast('12:34:56.789',Edm.TimeOfDay) eq time(now())", &[1, 2, 3, 4]),
    ("cast('2026-11-24T12:34:56.789',Edm.DateTimeOffset) eq now()", &[1, 2, 3, 4]),
    ("cast('PT8M',Edm.Duration) eq length", &[2]),
    ("cast('00000000-0000-0000-0000-000000000002',Edm.Guid) eq guid", &[2]),
    ("cast('AAE',Edm.Binary) eq binary'AAE=' and binary'AAE' ne binary'AA'", &[1, 2, 3, 4]),
    ("cast(binary'AAE=',Edm.String) eq 'AAE' and number eq 8", &[2]),
    ("cast(text,Edm.Binary) eq null", &[1, 2, 3, 4]),
    ("cast(flag,Edm.Int64) eq null and cast(day,Edm.Guid) eq null", &[1, 2, 3, 4]),
    ("number mul 1.0 eq 8 and number mul 1.0 eq 8.0", &[2]),
    ("(number add 9007199254740985) mul 1.0 eq 9007199254740993", &[2]),
    ("(number add 9007199254740985) divby 2 eq 4503599627370496.5", &[2]),
    ("(number add 9007199254740985) mul 1e0 eq 9007199254740992", &[2]),
    ("number divby 3 mul 3 eq 7.9999999999999999999999999999", &[]),
    ("number divby 3 eq 2.6666666666666666666666666667", &[2]),
    ("number divby 4 mod 1.5 eq -0.25", &[1]),
    ("number add 0.1 sub 0.1 eq number", &[1, 2, 3, 4]),
    ("0.1 add 0.2 eq 0.3 and 0.1e0 add 0.2e0 ne 0.3e0", &[1, 2, 3, 4]),
    ("number mul 99999999999999999999999999999999999999 eq null", &[1, 2, 3, 4]),
    ("number divby 0.0 eq null and number mod 0.0 eq null", &[1, 2, 3, 4]),
    ("-(number divby 2) eq 3.5", &[1]),
    ("number in (8.0,14.5,15e0)", &[2, 3]),
    ("number divby 2 in (4,7.5)", &[2, 3]),
    ("number eq NaN or NaN eq NaN or NaN in (NaN)", &[]),
    ("number ne NaN and NaN ne NaN", &[1, 2, 3, 4]),
    ("number lt NaN or number ge NaN or NaN le NaN", &[]),
    ("not (number lt NaN)", &[1, 2, 3, 4]),
    ("INF sub INF eq INF sub INF", &[]),
    ("(number mul INF) sub (number mul INF) eq null", &[4]),
    ("number lt INF and number gt -INF and INF eq INF and -INF lt INF", &[1, 2, 3]),
    ("hassubset(names,[\"b\"])", &[1, 2, 3]),
    ("hassubset(names,[\"b\",\"Alpha\"])", &[1]),
    ("hassubset(names,[\"b\",\"b\"])", &[]),
    ("hassubset(counts,[8,8,null])", &[2]),
    ("hassubset(counts,[1.0]) and hassubset(counts,[0.5]) eq false", &[1, 2, 3]),
    ("hassubset(counts,counts) and hassubset([-7,null,1,1,-7],counts)", &[1]),
    ("hassubset(names,[]) eq null", &[4]),
    ("hassubsequence(counts,[8,1]) or hassubsequence(counts,[1,15])", &[2, 3]),
    ("hassubsequence(names,[\"b\",\"Alpha\"])", &[]),
    ("hassubsequence([4,1,3],[4,3]) and not hassubsequence([4,1,3],[3,1])", &[1, 2, 3, 4]),
    ("matchesPattern(text,concat('^',substring(text,0,1)))", &[1, 2, 3]),
    ("matchesPattern(concat(text,'\u{e9}'),concat(word,'$'))", &[]),
    ("matchesPattern(text,concat('(',word)) eq null", &[1, 2, 3, 4]),
    ("matchesPattern(word,case(number gt 10:'z$',true:'^p'))", &[2, 3]),
    ("cast(day,Edm.String) eq '2024-02-29'", &[2]),
    ("isof(number,Edm.Int64)", &[1, 2, 3]),
    ("isof(number,Edm.String)", &[]),
    ("isof(microsoft.graph.sample) and isof(microsoft.graph.entity)", &[1, 2, 3, 4]),
    ("case(number lt 0:'minus',number gt 10:'much') eq 'much'", &[3]),
    ("case(number lt 0:'minus',number gt 10:'much') eq null", &[2, 4]),
    ("id eq '00000000-0000-0000-0000-000000000002'", &[2]),
    ("id ne '00000000-0000-0000-0000-000000000002'", &[1, 3, 4]),
    ("id gt '00000000-0000-0000-0000-000000000002' and contains(id,'-')", &[3, 4]),
    ("id lt 'x' and length(id) eq 36", &[1, 2, 3, 4]),
    ("guid gt 00000000-0000-0000-0000-000000000002", &[3]),
    ("span eq '7'", &[1]),
    ("span eq 'D7' or span eq '007'", &[]),
    ("span ne 'D7'", &[1, 2, 3, 4]),
    ("span in ('ALL','180','D7')", &[2, 3]),
    ("span eq null", &[4]),
    ("span lt '7'", &[2]),
    ("span gt '7'", &[3]),
    ("startswith(span,'1') or tolower(span) eq 'all'", &[2, 3]),
];

/// The rows in which each of these is found.
const SEARCHES: &[(&str, &[i64])] = &[
    ("alpha", &[1]),
    ("PHA", &[1, 2]),
    ("\"it's\"", &[3]),
    ("7", &[1, 2, 3]),
    ("-7", &[1]),
    ("2024-02-29", &[2]),
    ("2024", &[]),
    ("NOT pha", &[3, 4]),
    ("pha 180", &[2]),
    ("pha AND 180", &[2]),
    ("alpha OR all", &[1, 3]),
    ("2026-11-20 NOT (pha OR zzz)", &[3]),
    ("00000000-0000", &[]),
    ("%", &[]),
];

/// The order of the rows by each of these.
const ORDERS: &[(&str, &[i64])] = &[
    ("number", &[4, 1, 2, 3]),
    ("number desc", &[3, 2, 1, 4]),
    ("number div 100", &[4, 1, 2, 3]),
    ("flag,number desc", &[4, 1, 3, 2]),
    ("span", &[4, 2, 1, 3]),
    ("id desc", &[4, 3, 2, 1]),
    ("length(text) desc,id desc", &[2, 1, 3, 4]),
    ("1", &[1, 2, 3, 4]),
    ("null desc", &[1, 2, 3, 4]),
    ("year(later) asc,tolower(word)", &[4, 1, 2, 3]),
    ("number divby 2", &[4, 1, 2, 3]),
    ("number mul -0.1,seq", &[4, 3, 2, 1]),
    ("number mul 0.1 desc", &[3, 2, 1, 4]),
    ("number mod 3.5 desc,seq", &[2, 3, 1, 4]),
    ("case(number eq 8:NaN,number eq 15:INF,true:number mul 1e0)", &[4, 1, 3, 2]),
    ("case(number eq 8:NaN,number eq 15:INF,true:number mul 1e0) desc", &[2, 3, 1, 4]),
];

#[tokio::test]
async fn each_operator_and_function() {
    let samples = Samples::new(&rows()).await;
    let all = [("$filter", CONDITIONS), ("$search", SEARCHES), ("$orderby", ORDERS)];
    for (option, table) in all {
        for (text, expected) in table {
            let query = [(option, (*text).to_owned())];
            for page_size in [1, 3, 10] {
                let answer = samples.ask(&query, page_size).await;
                let answer = answer.unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!(numbers(&answer.pages.concat()), *expected, "{option}={text}");
            }
            let counted = samples.count(&query).await;
            assert_eq!(counted, Ok(u64::try_from(expected.len()).unwrap()), "{option}={text}");
        }
    }
}

#[tokio::test]
async fn filter_and_search_both_hold_and_paging_comes_after() {
    let samples = Samples::new(&rows()).await;
    let query = [
        ("$filter", "number ge 0".to_owned()),
        ("$search", "pha OR z".to_owned()),
        ("$orderby", "number desc".to_owned()),
        ("$skip", "1".to_owned()),
        ("$top", "5".to_owned()),
        ("$count", "true".to_owned()),
    ];
    let answer = samples.ask(&query, 10).await.unwrap();
    assert_eq!((numbers(&answer.pages.concat()), answer.count), (vec![2], Some(2)));
    let query: Vec<_> = query.into_iter().filter(|(name, _)| *name != "$count").collect();
    assert_eq!(samples.count(&query).await, Ok(2));
}

#[tokio::test]
async fn what_is_computed_follows_the_properties() {
    let samples = Samples::new(&rows()).await;
    let query = [
        ("$compute", "number add 1 as n,concat(text,'!') as t,now() as now".to_owned()),
        ("$filter", "n gt 0".to_owned()),
        ("$select", "t,id".to_owned()),
    ];
    let rows = samples.ask(&query, 10).await.unwrap().pages.concat();
    let computed: Vec<&[Value]> = rows.iter().map(|row| &row[16..]).collect();
    let text = |text: &str| Value::Text(text.to_owned());
    assert_eq!(computed, [[text("\u{c9}t\u{e9} 7!")], [text("it's!")]]);
}

/// What the settings allow at most is what SQLite can take.
#[tokio::test]
async fn the_greatest_queries_that_can_be_allowed_run() {
    let samples = Samples::new(&rows()).await;
    let limits = Limits { nodes: 900, depth: 100, list: 20_000, keys: 32, ..Limits::default() };
    let list = |text: &str, count: usize, between: &str| vec![text; count].join(between);
    let nested = |open: &str, inside: &str, close: &str, depth: usize| {
        format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
    };
    for (option, text) in [
        ("$filter", list("seq gt 0", 299, " or ")),
        ("$filter", list("flag", 899, " and ")),
        ("$filter", nested("not (", "flag", ")", 49)),
        ("$filter", format!("{} eq 'x'", nested("trim(", "text", ")", 98))),
        ("$filter", nested("case(true:", "flag", ")", 99)),
        ("$filter", format!("{} gt 0", list("seq", 99, " add "))),
        ("$filter", format!("number in ({})", list("7", 20_000, ","))),
        ("$filter", nested("(", "(flag in (true))", " in (true,null))", 95)),
        ("$search", list("word", 899, " ")),
        ("$search", list("word", 899, " OR ")),
        ("$filter", format!("flag in (true,{})", list("flag", 440, ","))),
        ("$filter", format!("5 in ({}) and flag", list("1", 890, ","))),
        ("$compute", format!("number in ({}) as one", list("7", 20_000, ","))),
        ("$orderby", list("number add 1 desc", 32, ",")),
        ("$orderby", list(&list("seq", 12, " add "), 32, ",")),
    ] {
        let mut token = None;
        for _ in 0..2 {
            let options = options(&[(option, text.clone())], token.as_deref()).unwrap();
            let terms = Terms { limits, ..samples.terms(1) };
            let shown: String = text.chars().take(40).collect();
            let page = page(&samples.set, &options, &terms);
            let page = page.unwrap_or_else(|error| panic!("{shown}: {error}"));
            let listed = samples.store.list(ONE, page.list.clone(), Rows(Vec::new())).await;
            let (listed, _) = listed.unwrap_or_else(|error| panic!("{shown}: {error}"));
            token = listed.last.as_ref().and_then(|last| page.next(last));
        }
    }
}

/// Rows that stay where they are are given once, whatever is written between pages.
#[tokio::test]
async fn pages_in_any_order_stay_whole_while_others_write() {
    for order in ["number desc,text", "text desc", "length(word),seq", "number div 10 desc"] {
        let samples = Samples::new(&[]).await;
        let row = |seq: i64| {
            let mut row = rows().swap_remove(usize::try_from(seq % 4).unwrap());
            row[0] = Value::Guid(Uuid::from_u128(u128::try_from(seq).unwrap() + 1));
            row[1] = Value::Int(seq);
            row
        };
        let stays = |seq: &i64| seq % 3 != 0;
        for seq in (0..40).filter(stays) {
            samples.store.write(author(ONE), create(&samples.set, &row(seq))).await.unwrap();
        }
        let query = [("$orderby", order.to_owned())];
        let (mut seen, mut token, mut round) = (Vec::new(), None::<String>, 0);
        loop {
            let options: Options = options(&query, token.as_deref()).unwrap();
            let page = page(&samples.set, &options, &samples.terms(3)).unwrap();
            let sink = Rows(Vec::new());
            let (listed, Rows(given)) =
                samples.store.list(ONE, page.list.clone(), sink).await.unwrap();
            seen.extend(given.into_iter().map(|(_, row)| numbers(&[row])[0]));
            token = listed.last.as_ref().and_then(|last| page.next(last));
            if token.is_none() {
                break;
            }
            let new = create(&samples.set, &row(round * 3));
            samples.store.write(author(ONE), new).await.unwrap();
            if round % 2 == 1 {
                let gone = delete(&samples.set, u128::try_from(round * 3).unwrap() + 1);
                let gone = rollcall_odata::plan::Write::Delete(gone);
                samples.store.write(author(ONE), gone).await.unwrap();
            }
            round += 1;
        }
        seen.retain(stays);
        seen.sort_unstable();
        assert_eq!(seen, (0..40).filter(stays).collect::<Vec<i64>>(), "{order}");
    }
}
