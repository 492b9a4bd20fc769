//! `$apply` as clients send it: what it answers, page by page, and what it refuses.

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

fn get(world: &World, target: &str) -> Reply {
    world.send(&ask("GET", target).bearer(&world.writer()))
}

/// Asks with these options, in which blanks are made `+`.
fn query(world: &World, options: &str) -> Reply {
    get(world, &format!("{COLLECTION}?{}", options.replace(' ', "+")))
}

/// Twelve rows whose counts of teams are 0 to 11, four for each of three days.
fn fill(world: &World) {
    for number in 0..12 {
        let request = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number));
        assert_eq!(world.send(&request).status, 201);
    }
}

pub fn what_is_applied_is_answered(world: &World) {
    fill(world);
    let lines: Vec<String> = [
        "$apply=aggregate($count as n,teams with sum as total,teams with average as mean)",
        "$apply=groupby((reportPeriod),aggregate(teams with average as mean,teams with max as most))",
        "$apply=groupby((reportDate),aggregate(teams with sum as total))&$orderby=total desc&$top=2",
        "$apply=filter(teams ge 4)/groupby((reportDate,reportPeriod))&$count=true&$top=1",
        "$apply=groupby((rollup($all,reportDate)),aggregate($count as n))",
        "$apply=concat(aggregate($count as n),groupby((reportDate)))",
        "$apply=compute(teams mul 2 as twice)/filter(twice gt 20)&$select=twice,reportPeriod",
        "$apply=groupby((reportPeriod),aggregate(teams with sum as total))\
         &$compute=total divby 3 as third&$filter=total gt 15&$select=third,total",
        "$apply=search(30)/aggregate(reportDate with min as first,id with countdistinct as ids)",
        "$apply=groupby((reportDate),orderby(teams desc)/top(1))/aggregate(teams with sum as s)",
        "$apply=aggregate(teams mul 1000000000000000000 with sum as s)",
        "$apply=filter(teams gt 99)/aggregate($count as n,teams with sum as s)",
        "$apply=identity/filter(false)",
    ]
    .iter()
    .map(|options| {
        let reply = query(world, options);
        assert_eq!(reply.status, 200, "{options}\n{reply}");
        format!("{options}\n    {}", reply.text())
    })
    .collect();
    insta::assert_snapshot!("applied", lines.join("\n"));
    let counted = |options: &str| {
        let reply = get(world, &format!("{COLLECTION}/$count?{}", options.replace(' ', "+")));
        (reply.status, reply.text())
    };
    let groups = "$apply=groupby((reportDate),aggregate(teams with sum as total))";
    assert_eq!(counted(groups), (200, "3".to_owned()));
    assert_eq!(counted(&format!("{groups}&$filter=total gt 6")), (200, "2".to_owned()));
}

pub fn rows_are_written_as_the_client_accepts(world: &World) {
    fill(world);
    let options = "$apply=groupby((reportPeriod),aggregate(teams with sum as s))&$top=1";
    let target = format!("{COLLECTION}?{}", options.replace(' ', "+"));
    let lines: Vec<String> = ["metadata=none", "metadata=full", "IEEE754Compatible=true"]
        .iter()
        .map(|parameter| {
            let request = ask("GET", &target).bearer(&world.writer());
            let accept = format!("application/json;{parameter}");
            let reply = world.send(&request.header("Accept", &accept));
            assert_eq!(reply.status, 200, "{reply}");
            format!("{parameter}\n    {}", reply.text())
        })
        .collect();
    insta::assert_snapshot!("forms", lines.join("\n"));
}

/// What is made of rows stands in a file under the headings that are there, and its own names.
pub fn what_is_applied_is_a_file_as_well(world: &World) {
    fill(world);
    let text = |target: &str, options: &str| {
        let reply = get(world, &format!("{target}?{}", options.replace(' ', "+")));
        let link = reply.header("location").map(|link| link.replace("http://rollcall.test", ""));
        let reply = link.map_or(reply, |link| world.send(&ask("GET", &link)));
        assert_eq!(reply.status, 200, "{options}\n{reply}");
        reply.text().trim_start_matches('\u{feff}').to_owned()
    };
    let report = "/v1.0/reports/getOffice365ActiveUserCounts(period='ALL')";
    let groups = "$apply=groupby((reportPeriod),aggregate(teams with sum as s))";
    let both = "$apply=concat(groupby((reportPeriod)),aggregate(teams with max as m))";
    let lines: Vec<String> = [
        (COLLECTION, format!("$format=csv&{groups}&$orderby=s desc")),
        (COLLECTION, format!("$format=csv&{groups}&$compute=s mul 2 as t&$select=t,reportPeriod")),
        (COLLECTION, format!("$format=csv&{both}")),
        (COLLECTION, format!("$format=ndjson&{groups}&$orderby=s desc")),
        (COLLECTION, format!("$format=ndjson&{both}")),
        (report, format!("$format=csv&{groups}")),
    ]
    .iter()
    .map(|(target, options)| format!("{options}\n{}", text(target, options)))
    .collect();
    insta::assert_snapshot!("files", lines.join("\n"));
}

pub fn groups_come_in_pages(world: &World) {
    fill(world);
    for order in ["", "&$orderby=total desc", "&$orderby=reportPeriod,total mod 2"] {
        let options = format!(
            "$apply=groupby((reportDate,reportPeriod),aggregate(teams with sum as total))\
             /concat(identity,groupby((reportDate),aggregate(total with sum as daily)))\
             &$filter=total ne 5{order}"
        );
        let whole: Vec<String> = {
            let request = ask("GET", &format!("{COLLECTION}?{}", options.replace(' ', "+")));
            let mut reply = world.send(&request.bearer(&world.writer()));
            let mut rows = Vec::new();
            loop {
                let page = reply.json();
                let own = page["value"].as_array().unwrap();
                assert!(!own.is_empty() && own.len() <= 5, "{reply}");
                rows.extend(own.iter().map(ToString::to_string));
                let Some(next) = page["@odata.nextLink"].as_str() else { break rows };
                reply = get(world, next.strip_prefix("http://rollcall.test").unwrap());
            }
        };
        let mut different = whole.clone();
        different.sort();
        different.dedup();
        assert_eq!((whole.len(), different.len()), (14, 14), "{options}");
    }
    let first = query(world, "$apply=groupby((reportDate,reportPeriod))");
    let token = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    let token = token.split("skiptoken=").nth(1).unwrap().to_owned();
    let other = query(world, &format!("$apply=groupby((reportPeriod))&$skiptoken={token}"));
    assert_eq!(other.status, 400, "{other}");
}

pub fn a_report_function_is_transformed_as_well(world: &World) {
    fill(world);
    let report = "/v1.0/reports/getOffice365ActiveUserCounts(period='D30')";
    let ask = |options: &str| {
        let options = options.replace(' ', "+");
        let reply = get(world, &format!("{report}?$format=application/json&{options}"));
        assert_eq!(reply.status, 200, "{options} {reply}");
        reply
    };
    let options = "$apply=aggregate($count as days,teams with average as mean)";
    insta::assert_snapshot!("report", ask(options).text());
    let options = options.replace(' ', "+");
    assert_eq!(get(world, &format!("{report}/$count?{options}")).text(), "1");

    // The key can be named there as without $apply, and is shown to who names it.
    let lines: Vec<String> = [
        "$apply=filter(teams ge 4)",
        "$apply=filter(teams ge 4)&$select=id,teams",
        "$apply=filter(teams ge 4)&$select=*",
        "$apply=filter(id ne 'x')/aggregate(id with countdistinct as ids)",
        "$apply=groupby((id),filter(teams ge 4))&$top=1",
        "$apply=filter(teams ge 4)&$orderby=id desc&$compute=length(id) as long&$select=long",
        "$apply=filter(teams ge 4)/concat(identity,groupby((id)))",
    ]
    .iter()
    .map(|options| format!("{options}\n{}", ask(options).text()))
    .collect();
    insta::assert_snapshot!("report_keys", lines.join("\n"));
}

pub fn what_cannot_be_applied(world: &World) {
    fill(world);
    let lines: Vec<String> = [
        ("$apply=", 400),
        ("$apply=nothing(teams)", 400),
        ("$apply=aggregate(teams)", 400),
        ("$apply=aggregate(teams with sum as)", 400),
        ("$apply=aggregate(nothing with sum as n)", 400),
        ("$apply=aggregate(reportPeriod with sum as n)", 400),
        ("$apply=aggregate(teams with sum as exchange)", 400),
        ("$apply=aggregate($count as n,teams with max as N)", 400),
        ("$apply=groupby((nothing))", 400),
        ("$apply=groupby((teams),aggregate($count as n)", 400),
        ("$apply=groupby((reportDate))/filter(teams gt 5)", 400),
        ("$apply=groupby((reportDate))&$filter=teams gt 5", 400),
        ("$apply=groupby((reportDate))&$orderby=teams", 400),
        ("$apply=groupby((reportDate))&$select=teams", 400),
        ("$apply=concat(compute(1 as n),compute('x' as n))", 400),
        ("$apply=filter(teams)", 400),
        ("$apply=top(-1)", 400),
        ("$apply=topcount(2,teams)", 501),
        ("$apply=aggregate(teams with sum from reportDate with average as n)", 501),
        ("$apply=identity&apply=identity", 400),
    ]
    .iter()
    .map(|(options, status)| {
        let reply = query(world, options);
        assert_eq!(reply.status, *status, "{options}\n{reply}");
        format!("{options}\n    {} {}", reply.code(), reply.message())
    })
    .collect();
    insta::assert_snapshot!("refused", lines.join("\n"));
    let id = query(world, "$top=1").json()["value"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(get(world, &format!("{COLLECTION}/{id}?$apply=identity")).status, 400);
    let many = ["identity"; 51].join("/");
    let too_many = query(world, &format!("$apply={many}"));
    assert!(too_many.message().contains("query-transformations"), "{too_many}");
    let doubled = ["concat(identity,identity)"; 7].join("/");
    let doubled = query(world, &format!("$apply={doubled}"));
    assert_eq!(doubled.code(), "queryTooComplex", "{doubled}");
}

pub fn another_tenant_s_rows_are_in_no_group(world: &World) {
    fill(world);
    let other = world.writer_of(2);
    for (apply, expected) in [
        ("aggregate($count+as+n)", "[{\"n@odata.type\":\"#Decimal\",\"n\":0}]"),
        ("groupby((reportDate))", "[]"),
        ("concat(identity,identity)", "[]"),
    ] {
        let request = ask("GET", &format!("{COLLECTION}?$apply={apply}")).bearer(&other);
        let reply = world.send(&request);
        assert!(reply.text().contains(expected), "{apply}\n{reply}");
    }
}
