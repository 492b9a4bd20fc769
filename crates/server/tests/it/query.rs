//! The query options of the collection, as clients send them.

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

fn get(world: &World, target: &str) -> Reply {
    world.send(&ask("GET", target).bearer(&world.writer()))
}

/// Asks with these options, which are encoded here.
fn query(world: &World, options: &str) -> Reply {
    get(world, &format!("{COLLECTION}?{}", encoded(options)))
}

fn encoded(options: &str) -> String {
    options.replace(' ', "+").replace('\u{e9}', "%C3%A9").replace('"', "%22")
}

/// Twelve rows whose counts of teams are 0 to 11.
fn fill(world: &World) {
    for number in 0..12 {
        let request = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number));
        assert_eq!(world.send(&request).status, 201);
    }
}

fn numbers(reply: &Reply) -> Vec<u64> {
    assert_eq!(reply.status, 200, "{reply}");
    let page = reply.json();
    let rows = page["value"].as_array().unwrap_or_else(|| panic!("{reply}"));
    rows.iter().map(|row| row["teams"].as_u64().unwrap()).collect()
}

fn next(reply: &Reply) -> Option<String> {
    let link = reply.json()["@odata.nextLink"].as_str()?.to_owned();
    Some(link.strip_prefix("http://rollcall.test").expect("an absolute link").to_owned())
}

/// The numbers of all pages.
fn all(world: &World, options: &str) -> Vec<u64> {
    let mut reply = query(world, options);
    let mut numbers_of_all = numbers(&reply);
    while let Some(target) = next(&reply) {
        reply = get(world, &target);
        let page = numbers(&reply);
        assert!(!page.is_empty(), "an empty page after {target}");
        numbers_of_all.extend(page);
    }
    numbers_of_all
}

pub fn each_option_in_every_spelling(world: &World) {
    fill(world);
    for (options, expected) in [
        ("$filter=teams ge 9&$orderby=teams", vec![9, 10, 11]),
        ("filter=teams GE 9&ORDERBY=teams ASC", vec![9, 10, 11]),
        ("%24Filter=teams%20ge%209&%24orderby=teams%20DESC", vec![11, 10, 9]),
        ("$filter=teams+ge+9+and+teams+mod+2+eq+0&$orderby=teams", vec![10]),
        ("$filter=teams in (1,3)&$orderby=teams", vec![1, 3]),
        ("$filter=teams in [1,3]&$orderby=teams", vec![1, 3]),
        ("$filter=teams in @list&$orderby=teams&@list=[2,4]", vec![2, 4]),
        ("$filter=teams eq @p&@p=5", vec![5]),
        ("$filter=teams eq @p", vec![]),
        ("$filter=teams eq '5'", vec![5]),
        ("$filter=reportPeriod eq '7' and teams lt 8&$orderby=teams", vec![0, 4]),
        ("$filter=not (teams lt 10)&$orderby=teams", vec![10, 11]),
        ("$filter=(teams sub 1) mul 2 eq 8", vec![5]),
        ("$filter=teams divby 2 eq 2.5", vec![5]),
        ("$filter=startswith(id,'x') or teams eq 1", vec![1]),
        (
            "$filter=reportRefreshDate lt 2026-01-01 and year(reportDate) eq 2000 and teams eq 1",
            vec![1],
        ),
        ("$search=11&$filter=teams gt 0", vec![11]),
        ("$orderby=teams&$skip=9", vec![9, 10, 11]),
        ("$orderby=teams&$skip=2&$top=7", vec![2, 3, 4, 5, 6, 7, 8]),
        ("$orderby=teams mod 3 desc,teams&$top=5", vec![2, 5, 8, 11, 1]),
        (
            "$compute=teams mul teams as square&$filter=square gt 99&$orderby=square desc",
            vec![11, 10],
        ),
        ("$expand=*&$filter=teams eq 3", vec![3]),
        ("$orderby=teams&$skip=12", vec![]),
    ] {
        assert_eq!(all(world, options), expected, "{options}");
    }
}

pub fn what_is_selected_is_shown_and_named(world: &World) {
    fill(world);
    insta::assert_snapshot!(
        "selected",
        query(world, "$select=teams,reportDate&$filter=teams eq 5")
    );
    insta::assert_snapshot!(
        "computed",
        query(
            world,
            "$compute=teams add 1 as t,teams divby 2 as half,concat(reportPeriod,'!') as p,\
             reportDate as day,teams gt 4 as many,null as none&$select=t,half,p,day,many,none,teams\
             &$filter=t gt 5&$orderby=t&$top=1"
        )
    );
    let everything = query(world, "$select=*&$filter=teams eq 5").json();
    assert!(everything["@odata.context"].as_str().unwrap().ends_with("Counts(*)"));
    assert_eq!(everything["value"][0].as_object().unwrap().len(), 12, "all and the ETag");
    let computed = query(world, "$compute=teams add 1 as t&$filter=teams eq 5").json();
    assert_eq!(computed["value"][0]["t"], 6, "what is computed is shown without $select");
    assert!(computed["@odata.context"].as_str().unwrap().ends_with("Counts"));
    let not_named = query(world, "$compute=teams add 1 as t&$select=teams&$top=1").json();
    assert_eq!(not_named["value"][0].get("t"), None);
}

pub fn of_one_entity_is_shown_what_is_selected(world: &World) {
    fill(world);
    let all = query(world, "$filter=teams eq 5").json();
    let id = all["value"][0]["id"].as_str().unwrap().to_owned();
    let one = get(world, &format!("{COLLECTION}/{id}?$select=teams,id&$expand=*"));
    let body = one.json();
    assert!(
        body["@odata.context"].as_str().unwrap().ends_with("Counts(id,teams)/$entity"),
        "{one}"
    );
    assert_eq!((&body["teams"], &body["id"]), (&5.into(), &id.as_str().into()));
    assert_eq!(body.as_object().unwrap().len(), 4, "{one}");
    let by_id = format!("/v1.0/$entity?$id=office365ActiveUserCounts/{id}&$select=*");
    assert!(get(world, &by_id).text().contains("Counts(*)/$entity"));
    for (options, status) in [("$select=nothing", 400), ("$expand=nothing", 400), ("$id=x", 400)] {
        let reply = get(world, &format!("{COLLECTION}/{id}?{options}"));
        assert_eq!(reply.status, status, "{options}\n{reply}");
    }
}

pub fn what_is_selected_of_a_write_is_shown_after_it(world: &World) {
    let send = |method: &str, target: &str, body: String, prefer: &str| {
        let request = ask(method, target).bearer(&world.writer()).json(body);
        world.send(&request.header("Prefer", prefer))
    };
    let created = send("POST", &format!("{COLLECTION}?$select=id,teams"), fact(5), "x=1");
    assert_eq!(created.status, 201, "{created}");
    insta::assert_snapshot!("selected_create", created);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let one = format!("{COLLECTION}/{id}");
    for (method, body) in [("PATCH", "{\"teams\":7}".to_owned()), ("PUT", fact(5))] {
        let target = format!("{one}?select=teams&$expand=*");
        let changed = send(method, &target, body.clone(), "return=minimal");
        assert_eq!(changed.status, 200, "who selects wants to see\n{changed}");
        assert_eq!(changed.header("preference-applied"), None);
        let changed = changed.json();
        assert_eq!(changed.as_object().unwrap().len(), 4, "{changed}");
        assert!(changed["@odata.context"].as_str().unwrap().ends_with("Counts(teams)/$entity"));
        let refused = send(method, &format!("{one}?$select=nothing"), body.clone(), "x=1");
        assert_eq!(refused.status, 400, "{refused}");
        let refused = send(method, &format!("{one}?$compute=1%20as%20x"), body, "x=1");
        assert_eq!(refused.status, 400, "{refused}");
    }
    assert_eq!(get(world, &one).json()["teams"], 5, "what was refused changed nothing");
}

pub fn what_is_computed_of_one_entity_follows_its_properties(world: &World) {
    fill(world);
    let all = query(world, "$filter=teams eq 5").json();
    let id = all["value"][0]["id"].as_str().unwrap().to_owned();
    let options = "$compute=teams add 1 as t,t mul 2 as u&$select=teams,u";
    let one = get(world, &format!("{COLLECTION}/{id}?{}", encoded(options)));
    let body = one.json();
    assert_eq!((&body["teams"], &body["u"]), (&5.into(), &12.into()), "{one}");
    assert!(body["@odata.context"].as_str().unwrap().ends_with("Counts(teams,u)/$entity"));
    assert!(one.header("etag").is_some(), "{one}");
    let fact = "reportDate=2000-01-02,reportRefreshDate=2000-01-02,reportPeriod='30'";
    for address in [format!("{COLLECTION}({fact})"), format!("{COLLECTION}('{id}')")] {
        let reply = get(world, &format!("{address}?{}", encoded("$compute=teams add 1 as t")));
        assert_eq!((&reply.json()["t"], reply.status), (&6.into(), 200), "{reply}");
    }
    let none = "00000000-0000-0000-0000-000000000000";
    assert_eq!(get(world, &format!("{COLLECTION}/{none}?$compute=1+as+t")).status, 404);
    let other = ask("GET", &format!("{COLLECTION}/{id}?$compute=1+as+t"));
    assert_eq!(world.send(&other.bearer(&world.writer_of(2))).status, 404);
}

pub fn counts_hold_under_a_filter_and_ignore_pages(world: &World) {
    fill(world);
    let page = query(world, "$filter=teams ge 4&$count=true&$top=2&$skip=1&$orderby=teams");
    assert_eq!((page.json()["@odata.count"].as_u64(), numbers(&page)), (Some(8), vec![5, 6]));
    for (options, count) in [
        ("$filter=teams ge 4", "8"),
        ("$filter=teams ge 4&$top=2&$skip=1&$orderby=teams", "8"),
        ("$search=11", "1"),
        ("$filter=teams gt 99", "0"),
        ("$compute=teams mul 2 as t&$filter=t eq 22", "1"),
        ("", "12"),
    ] {
        let reply = get(world, &format!("{COLLECTION}/$count?{}", encoded(options)));
        assert_eq!((reply.status, reply.text()), (200, count.to_owned()), "{options}");
    }
}

pub fn a_page_is_as_large_as_the_client_prefers(world: &World) {
    fill(world);
    let preferring = |target: &str, preference: &str| {
        world.send(&ask("GET", target).bearer(&world.writer()).header("Prefer", preference))
    };
    for (preference, applied, size) in [
        ("maxpagesize=2", Some("maxpagesize=2"), 2),
        ("odata.maxpagesize=3", Some("odata.maxpagesize=3"), 3),
        ("odata.maxpagesize=1000", Some("odata.maxpagesize=1000"), 5),
        ("maxpagesize=0", None, 5),
        ("maxpagesize=x", None, 5),
    ] {
        let page = preferring(&format!("{COLLECTION}?$orderby=teams"), preference);
        assert_eq!((numbers(&page).len(), page.header("preference-applied")), (size, applied));
        // The next page is the client's to size again.
        let rest = preferring(&next(&page).unwrap(), preference);
        assert_eq!(numbers(&rest)[0], u64::try_from(size).unwrap(), "{preference}");
    }
}

pub fn pages_go_on_in_their_order_while_others_write(world: &World) {
    fill(world);
    let first = query(world, "$orderby=teams desc&$filter=teams ne 3");
    assert_eq!(numbers(&first), [11, 10, 9, 8, 7]);
    // One that would stand before, one that stands after, and the last one gone.
    for number in [40, 12] {
        let request = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number));
        assert_eq!(world.send(&request).status, 201);
    }
    let gone = first.json()["value"][4]["id"].as_str().unwrap().to_owned();
    let gone = ask("DELETE", &format!("{COLLECTION}/{gone}")).bearer(&world.writer());
    assert_eq!(world.send(&gone).status, 204);
    let second = get(world, &next(&first).unwrap());
    assert_eq!(numbers(&second), [6, 5, 4, 2, 1]);
    let third = get(world, &next(&second).unwrap());
    assert_eq!((numbers(&third), next(&third)), (vec![0], None));
}

pub fn a_token_holds_for_its_own_query(world: &World) {
    fill(world);
    let first = query(world, "$orderby=teams&$filter=teams gt 1");
    let token = next(&first).unwrap().split("skiptoken=").nth(1).unwrap().to_owned();
    for options in ["$orderby=teams", "$orderby=teams desc&$filter=teams gt 1", "", "$top=3"] {
        let reply = query(world, &format!("{options}&$skiptoken={token}"));
        assert_eq!(reply.status, 400, "{options}\n{reply}");
    }
    let same =
        query(world, &format!("$select=teams&$skiptoken={token}&filter=teams gt 1&ORDERBY=teams"));
    assert_eq!(numbers(&same), [7, 8, 9, 10, 11], "what is shown may differ");
}

pub fn now_is_one_instant_on_all_pages(world: &World) {
    fill(world);
    for options in [
        "$orderby=now(),teams",
        "$orderby=now() desc,teams",
        "$orderby=@n desc,teams&@n=now()",
        "$compute=fractionalseconds(now()) as part&$orderby=part,teams",
    ] {
        let (mut reply, mut given) = (query(world, options), Vec::new());
        loop {
            given.extend(numbers(&reply));
            let Some(target) = next(&reply) else { break };
            world.advance(1);
            reply = get(world, &target);
        }
        assert_eq!(given, (0..12).collect::<Vec<_>>(), "{options}");
    }
}

pub fn what_is_too_large_says_which_limit(world: &World) {
    fill(world);
    let many = |text: &str, count: usize, between: &str| vec![text; count].join(between);
    let computed = |count: usize, text: &str| {
        (0..count).map(|n| format!("{text} as c{n}")).collect::<Vec<_>>().join(",")
    };
    for (options, told) in [
        (format!("$filter=5 in ({})", many("1", 1000, ",")), "query-nodes"),
        (format!("$filter=teams in (exchange,{})", many("1", 600, ",")), "query-nodes"),
        (format!("$compute={}", computed(17, "1")), "query-keys"),
        (
            format!("$compute={}&@l=[{}]", computed(3, "teams in @l"), many("1", 400, ",")),
            "query-list",
        ),
        (
            format!(
                "$compute=teams in @l as a&$filter={}&@l=[{}]",
                many("a", 4, " or "),
                many("1", 400, ",")
            ),
            "query-list",
        ),
        (format!("$filter={}&@p='7'", many("matchesPattern(id,@p)", 25, " or ")), "query-nodes"),
        (
            format!("$compute={}&@a={}", computed(10, "@a"), many("true", 60, " and ")),
            "query-nodes",
        ),
    ] {
        let reply = query(world, &options);
        let shown: String = options.chars().take(60).collect();
        assert_eq!((reply.status, reply.code().as_str()), (400, "queryTooComplex"), "{shown}");
        assert!(reply.message().contains(told), "{shown}\n{reply}");
    }
    // A page whose next one could not be asked for.
    let long = format!("$orderby=@a&@a='{}'", many("x", 5000, ""));
    let reply = query(world, &long);
    assert_eq!((reply.status, reply.code().as_str()), (414, "uriTooLong"), "{reply}");
}

pub fn what_cannot_be_asked(world: &World) {
    fill(world);
    let lines: Vec<String> = [
        "$filter=nothing eq 5",
        "$filter=teams",
        "$filter=teams eq",
        "$filter=teams eq 'x'",
        "$filter=not teams eq 5",
        "$filter=unknown(teams)",
        "$filter=length(teams) eq 1",
        "$filter=teams eq 5)",
        "$filter='",
        "$filter=reportDate eq 2026-02-30",
        "$filter=teams/any(x:x eq 1)",
        "$orderby=nothing",
        "$orderby=teams up",
        "$select=nothing",
        "$select=",
        "$compute=1 as teams",
        "$compute=teams",
        "$search=AND",
        "$search=",
        "$expand=nothing",
        "$skip=-1",
        "$skip=99999999999999999999",
        "$filter=teams eq 1&filter=teams eq 2",
    ]
    .iter()
    .map(|options| {
        let reply = query(world, options);
        assert_eq!(reply.status, 400, "{options}\n{reply}");
        format!("{options}\n    {} {}", reply.code(), reply.message())
    })
    .collect();
    insta::assert_snapshot!("bad_queries", lines.join("\n"));
    for path in ["$ref?$select=teams", "$count?$filter=nothing%20eq%205"] {
        assert_eq!(get(world, &format!("{COLLECTION}/{path}")).status, 400, "{path}");
    }
}

pub fn another_tenant_s_rows_are_in_no_answer(world: &World) {
    fill(world);
    let other = world.writer_of(2);
    for options in
        ["$filter=teams ge 0", "$search=11", "$orderby=teams", "$filter=teams ge 0 or true"]
    {
        let target = format!("{COLLECTION}?$count=true&{}", encoded(options));
        let reply = world.send(&ask("GET", &target).bearer(&other));
        assert_eq!(reply.json()["@odata.count"], 0, "{options}\n{reply}");
        assert_eq!(reply.json()["value"], serde_json::json!([]), "{options}");
    }
}

/// What `$root` leads to, from every place that takes expressions, is what the
/// tenant who asks has there.
pub fn another_entity_can_be_looked_at(world: &World) {
    fill(world);
    let found = query(world, "$filter=teams eq 7&$select=id").json();
    let id = found["value"][0]["id"].as_str().unwrap().to_owned();
    let seven = format!("$root/reports/office365ActiveUserCounts('{id}')/teams");
    let by_fact = "$root/office365ActiveUserCounts(reportDate=2000-01-03,\
                   reportRefreshDate=2000-01-03,reportPeriod=@period)/teams";
    assert_eq!(all(world, &format!("$filter=teams gt {seven}&$orderby=teams")), [8, 9, 10, 11]);
    let order = format!("$filter=teams ge 6&$orderby=(teams sub {seven}) mul (teams sub {seven})");
    assert_eq!(all(world, &format!("{order},teams desc")), [7, 8, 6, 9, 10, 11]);
    let alias = format!("$filter=teams eq @p and teams eq @p&@p={seven}");
    assert_eq!(all(world, &alias), [7]);
    let same = query(world, &format!("$filter=teams eq {by_fact}&@period='7'"));
    assert_eq!(numbers(&same).len(), 1, "{same}");
    for (target, options, expected) in [
        (format!("{COLLECTION}/$count"), format!("$filter=teams lt {seven}"), "7"),
        (format!("{COLLECTION}/$filter(teams%20lt%20{seven})/$count"), String::new(), "7"),
        (
            format!("{COLLECTION}/{id}"),
            format!("$compute=teams sub {seven} as more&$select=more"),
            "\"more\":0",
        ),
        (
            COLLECTION.to_owned(),
            format!("$apply=filter(teams ge {seven})/aggregate(teams with max as most)"),
            "\"most\":11",
        ),
        (
            "/v1.0/reports/getOffice365ActiveUserCounts(period='ALL')".to_owned(),
            format!(
                "$format=application/json&$filter=teams eq {seven} add 4&$compute={seven} as s&$select=s"
            ),
            "\"s\":7",
        ),
        (
            format!("{COLLECTION}/delta"),
            format!("$filter=teams eq {seven}&$select=teams"),
            "\"teams\":7",
        ),
    ] {
        let reply = get(world, &format!("{target}?{}", encoded(&options)));
        assert_eq!(reply.status, 200, "{target} {options}\n{reply}");
        assert!(reply.text().contains(expected), "{target} {options}\n{reply}");
    }
    // Its own version does not say that what is looked at is the same.
    let one = query(world, "$filter=teams eq 1&$select=id").json();
    let one = format!("{COLLECTION}/{}", one["value"][0]["id"].as_str().unwrap());
    for (options, status) in [
        (format!("$compute={seven} as s"), 200),
        ("$compute=now() as n".to_owned(), 200),
        ("$compute=teams add 1 as n".to_owned(), 304),
    ] {
        let asked = || ask("GET", &format!("{one}?{}", encoded(&options))).bearer(&world.writer());
        let etag = world.send(&asked()).header("etag").unwrap().to_owned();
        assert_eq!(world.send(&asked().header("If-None-Match", &etag)).status, status, "{options}");
    }
    let other = world.writer_of(2);
    let own = ask("POST", COLLECTION).bearer(&other).json(fact(5));
    assert_eq!(world.send(&own).status, 201);
    let target = format!("{COLLECTION}?{}", encoded(&format!("$filter={seven} eq null")));
    let reply = world.send(&ask("GET", &target).bearer(&other));
    assert_eq!(numbers(&reply), [5], "{reply}");
}

#[test]
fn limits_are_named() {
    let world = World::with_limits(|limits| {
        limits.query.nodes = 20;
        limits.query.depth = 5;
        limits.query.list = 3;
        limits.query.keys = 2;
    });
    fill(&world);
    let many = ["teams eq 1"; 9].join(" or ");
    for (options, limit) in [
        (format!("$filter={many}"), "query-nodes"),
        (format!("$search={}", ["a"; 30].join(" ")), "query-nodes"),
        ("$filter=((((((teams eq 1))))))".to_owned(), "query-depth"),
        ("$filter=teams in (1,2,3,4)".to_owned(), "query-list"),
        ("$filter=teams in [1,2] or teams in (3,4)".to_owned(), "query-list"),
        ("$orderby=teams,yammer,id".to_owned(), "query-keys"),
    ] {
        let reply = query(&world, &options);
        assert_eq!((reply.status, reply.code().as_str()), (400, "queryTooComplex"), "{reply}");
        assert!(reply.message().contains(limit), "{reply}");
    }
    assert_eq!(all(&world, "$filter=teams in (1,2,3)&$orderby=teams,id"), [1, 2, 3]);
}

#[test]
fn the_first_and_the_last_instant_can_be_given() {
    let world = World::plain();
    fill(&world);
    let query = query(&world, "$compute=maxdatetime() as last,mindatetime() as first&$top=1");
    let row = query.json()["value"][0].clone();
    assert_eq!((query.status, &row["first"]), (200, &"0001-01-01T00:00:00Z".into()), "{query}");
    assert_eq!(row["last"], "9999-12-31T23:59:59.999999Z", "{query}");
}

#[test]
fn names_count_in_any_letter_case() {
    let world = World::plain();
    fill(&world);
    let reply = query(&world, "$filter=TEAMS Ge 9&$orderby=Teams&$select=ID,teamS");
    assert_eq!(numbers(&reply), [9, 10, 11], "and come back as they are declared");
    assert!(reply.json()["@odata.context"].as_str().unwrap().ends_with("Counts(id,teams)"));
}
