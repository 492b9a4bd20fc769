//! The report function: as CSV behind a redirect and as JSON, in every
//! spelling that clients send.

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, SAMPLE};
use crate::world::World;

const NAME: &str = "getOffice365ActiveUserCounts";

fn get(world: &World, target: &str) -> Reply {
    world.send(&ask("GET", target).bearer(&world.writer()))
}

/// The report as JSON. The call has its query, if any, after it.
fn json(world: &World, call: &str) -> Reply {
    let target = format!("/v1.0/reports/{call}");
    world.send(&ask("GET", &target).bearer(&world.writer()).header("Accept", "application/json"))
}

fn create(world: &World, day: &str, refreshed: &str, period: &str, teams: u64) {
    let body = SAMPLE
        .replace("2026-11-20", refreshed)
        .replace("2026-11-18", day)
        .replace("\"7\"", &format!("\"{period}\""))
        .replace("\"teams\":5", &format!("\"teams\":{teams}"));
    let made = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(body));
    assert_eq!(made.status, 201, "{made}");
}

/// Three days: one restated, one of two periods, one of a period that nobody asks for.
fn fill(world: &World) {
    create(world, "2026-11-18", "2026-11-20", "7", 1);
    create(world, "2026-11-17", "2026-11-19", "7", 2);
    create(world, "2026-11-17", "2026-11-20", "30", 3);
    create(world, "2026-11-17", "2026-11-20", "180", 4);
    create(world, "2026-11-10", "2026-11-12", "90", 5);
}

/// Day, count and refresh date of each row.
fn rows(reply: &Reply) -> Vec<(String, u64, String)> {
    assert_eq!(reply.status, 200, "{reply}");
    let body = reply.json();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let row = |row: &serde_json::Value| {
        let count = row["teams"].as_u64().unwrap();
        (text(row, "reportDate"), count, text(row, "reportRefreshDate"))
    };
    body["value"].as_array().unwrap().iter().map(row).collect()
}

/// The address of the file that a redirect leads to, without scheme and host.
fn link(reply: &Reply) -> String {
    assert_eq!(reply.status, 302, "{reply}");
    let location = reply.header("location").unwrap();
    location.strip_prefix("http://rollcall.test").expect("an absolute link").to_owned()
}

/// An answer with its link made short: the link differs from one catalogue to
/// the next only by its signature, which is of no interest.
fn linkless(reply: &Reply) -> String {
    reply.to_string().replace(&link(reply), "/download/LINK")
}

pub fn csv_is_a_redirect_to_a_file(world: &World) {
    fill(world);
    let redirect = get(world, &format!("/v1.0/reports/{NAME}(period='D7')"));
    insta::assert_snapshot!("redirect", linkless(&redirect));
    insta::assert_snapshot!("file", world.send(&ask("GET", &link(&redirect))));
}

pub fn json_is_the_same_rows(world: &World) {
    fill(world);
    let format = "$format=application/json";
    let call = format!("reports/{NAME}(period='D30')?{format}");
    let [v1, beta] = ["v1.0", "beta"].map(|version| get(world, &format!("/{version}/{call}")));
    insta::assert_snapshot!("json", v1);
    assert_eq!(v1.text().replace("/v1.0/", "/beta/"), beta.text());
}

pub fn nothing_is_a_heading_row_or_an_empty_list(world: &World) {
    let empty = json(world, &format!("{NAME}(period='ALL')"));
    assert_eq!(empty.json()["value"], serde_json::json!([]));
    let file =
        world.send(&ask("GET", &link(&get(world, &format!("/beta/reports/{NAME}(period='D7')")))));
    assert_eq!(file.status, 200);
    assert_eq!(
        file.text(),
        "\u{feff}Report Refresh Date,Office 365,Exchange,OneDrive,SharePoint,Skype For \
         Business,Yammer,Teams,Report Date,Report Period\r\n"
    );
}

pub fn each_day_as_it_was_known_last(world: &World) {
    fill(world);
    let of = |call: &str| {
        let rows = rows(&json(world, &format!("{NAME}({call})")));
        let short = |(day, count, refreshed): (String, u64, String)| {
            format!("{} {count} {}", &day[8..], &refreshed[8..])
        };
        rows.into_iter().map(short).collect::<Vec<_>>().join(", ")
    };
    // Graph's own periods carry one refresh date, the others each row's own.
    assert_eq!(of("period='D7'"), "18 1 20, 17 4 20");
    assert_eq!(of("period='D30'"), "18 1 20, 17 3 20, 10 5 20");
    assert_eq!(of("period='D11'"), "18 1 20, 17 4 20, 10 5 12");
    assert_eq!(of("period='D10'"), "18 1 20, 17 4 20");
    assert_eq!(of("period='ALL'"), "18 1 20, 17 4 20, 10 5 12");
    assert_eq!(of("period='D7',to=2026-11-17"), "17 4 20");
    assert_eq!(of("period='D2',to=2026-11-11"), "10 5 12");
    assert_eq!(of("period='D1',to=2026-11-09"), "");
    let labelled = json(world, &format!("{NAME}(period='D11')?to=2026-11-18")).json();
    assert_eq!(labelled["value"][2]["reportPeriod"], "11");
    let all = json(world, &format!("{NAME}(period='all')")).json();
    assert_eq!(all["value"][0]["reportPeriod"], "ALL");
}

pub fn every_spelling_that_clients_send(world: &World) {
    fill(world);
    let expected = rows(&json(world, &format!("{NAME}(period='D30')")));
    let upper = NAME.to_ascii_uppercase();
    for call in [
        format!("/v1.0/reports/microsoft.graph.{NAME}(period='D30')"),
        format!("/beta/reports/{NAME}(period='D30')/content"),
        format!("/beta/reports/microsoft.graph.{NAME}(period='D30')/content"),
        format!("/v1.0/reports/{NAME}(period=%27D30%27)"),
        format!("/v1.0/reports/{NAME}%28period%3D%27D30%27%29"),
        format!("/V1.0/REPORTS/MICROSOFT.GRAPH.{upper}(PERIOD='d30')/CONTENT"),
        format!("/v1.0/reports/{NAME}(period=@p)?@p='D30'"),
        format!("/v1.0/reports/{NAME}(period=@p)?@p=%27D30%27&unknown=1"),
        format!("/v1.0/reports/{NAME}(period='D30')/"),
    ] {
        let mark = if call.contains('?') { '&' } else { '?' };
        for format in ["$format=application/json", "format=json", "%24format=application%2Fjson"] {
            assert_eq!(rows(&get(world, &format!("{call}{mark}{format}"))), expected, "{call}");
        }
        let file = world.send(&ask("GET", &link(&get(world, &call))));
        assert_eq!(file.text().lines().count(), 1 + expected.len(), "{call}\n{file}");
    }
}

pub fn accept_chooses_where_format_does_not(world: &World) {
    let target = format!("/v1.0/reports/{NAME}(period='D7')");
    let status = |accept: &str, query: &str| {
        let request = ask("GET", &format!("{target}{query}")).bearer(&world.writer());
        world.send(&request.header("Accept", accept)).status
    };
    assert_eq!(status("application/json", ""), 200);
    assert_eq!(status("application/octet-stream, application/json", ""), 302);
    assert_eq!(status("application/json, */*;q=0.1", ""), 302);
    assert_eq!(status("application/json, */*;q=0", ""), 200);
    assert_eq!(status("application/json", "?$format=text/csv"), 302);
    assert_eq!(status("text/csv", "?$format=application/json"), 200);
    assert_eq!(status("text/csv", "?$format=xml"), 406);
}

pub fn what_a_report_cannot_be_asked_for(world: &World) {
    let calls = [
        "(period='D0')",
        "(period='D10000')",
        "(period='7')",
        "(period='week')",
        "(period='')",
        "(period=D7)",
        "(period=null)",
        "(period='D7',period='D7')",
        "(period='D7',date=2026-11-18)",
        "(period='D7',to=2026-02-30)",
        "(period='D7')?to=yesterday",
        "('D7')",
        "()",
        "",
        "(period=@p)",
        "(period='D7'",
        "(period='D7')/value",
        "(period='D7')/content/more",
    ];
    let lines: Vec<String> = calls
        .iter()
        .map(|call| {
            let reply = json(world, &format!("{NAME}{call}"));
            assert_eq!(reply.status, 400, "{call}\n{reply}");
            let code = reply.json()["error"]["code"].as_str().unwrap().to_owned();
            format!("{call} => {code}: {}", reply.message())
        })
        .collect();
    insta::assert_snapshot!("bad_calls", lines.join("\n"));
}

pub fn query_options_see_the_labelled_rows(world: &World) {
    fill(world);
    let ask_for = |options: &str| {
        let options = options.replace(' ', "+");
        json(world, &format!("{NAME}(period='D30')?{options}"))
    };
    let counts = |options: &str| -> Vec<u64> {
        rows(&ask_for(options)).into_iter().map(|(_, count, _)| count).collect()
    };
    assert_eq!(counts("$orderby=teams desc"), [5, 3, 1]);
    // The stored periods are 7, 30 and 90; the call's is on every row.
    assert_eq!(counts("$filter=reportPeriod eq '30'"), [1, 3, 5]);
    assert_eq!(counts("$filter=reportPeriod eq '90'"), Vec::<u64>::new());
    assert_eq!(counts("$filter=reportRefreshDate eq 2026-11-20 and teams gt 1"), [3, 5]);
    assert_eq!(counts("$search=2026-11-17"), [3]);
    assert_eq!(counts("$skip=1&$top=1"), [3]);
    assert_eq!(counts("$compute=teams mul 2 as t&$filter=t eq 10"), [5]);
    insta::assert_snapshot!(
        "options",
        ask_for(
            "$count=true&$filter=teams lt 5&$select=teams,twice&$compute=teams mul 2 as twice&$top=1"
        )
    );
    let page = |target: &str| {
        let request = ask("GET", target).bearer(&world.writer());
        world.send(&request.header("Accept", "application/json").header("Prefer", "maxpagesize=2"))
    };
    let first = page(&format!("/v1.0/reports/{NAME}(period='D30')?$orderby=teams"));
    assert_eq!(rows(&first).len(), 2);
    let next = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    let last = page(next.strip_prefix("http://rollcall.test").unwrap());
    assert_eq!(rows(&last).iter().map(|(_, count, _)| *count).collect::<Vec<_>>(), [5]);
    assert_eq!(last.json().get("@odata.nextLink"), None);
    for (options, count) in [("", "3"), ("?$filter=teams+gt+1&$top=1", "2")] {
        let reply = get(world, &format!("/v1.0/reports/{NAME}(period='D30')/$count{options}"));
        assert_eq!((reply.status, reply.text().as_str()), (200, count), "{options}");
    }
}

pub fn query_options_hold_for_a_file_as_well(world: &World) {
    fill(world);
    let call = format!("/v1.0/reports/{NAME}(period='D30')");
    let target = format!("{call}?$filter=teams+gt+1&$orderby=teams+desc");
    let file = world.send(&ask("GET", &link(&get(world, &target))));
    let days: Vec<String> = file
        .text()
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(8).unwrap().to_owned())
        .collect();
    assert_eq!(days, ["2026-11-10", "2026-11-17"]);
    for (options, status) in [
        ("$count=true", 400),
        ("$skiptoken=x", 400),
        ("$expand=nope", 400),
        ("$select=nope", 400),
        ("$filter=nothing+eq+5", 400),
    ] {
        let reply = get(world, &format!("{call}?{options}"));
        assert_eq!(reply.status, status, "{options}\n{reply}");
    }
}

/// The function's columns in their order, unless others are asked for.
pub fn a_file_has_the_columns_that_are_asked_for(world: &World) {
    fill(world);
    let call = format!("/v1.0/reports/{NAME}(period='D30')");
    let text = |options: &str| {
        let target = format!("{call}?$top=2&{}", options.replace(' ', "+"));
        let file = world.send(&ask("GET", &link(&get(world, &target))));
        file.text().trim_start_matches('\u{feff}').replace("\r\n", "\n")
    };
    let lines: Vec<String> = [
        "$select=teams,reportDate",
        "$select=*",
        "$compute=teams mul 2 as twice",
        "$compute=teams mul 2 as twice&$select=twice,reportDate",
        "$compute=teams mul 2 as twice&$select=yammer&$orderby=twice desc",
        "$expand=*&$count=false&$select=reportPeriod",
    ]
    .iter()
    .map(|options| format!("{options}\n{}", text(options)))
    .collect();
    insta::assert_snapshot!("chosen_columns", lines.join("\n"));
    let address = |options: &str| link(&get(world, &format!("{call}?{options}")));
    let [one, other] = ["$select=teams", "$select=yammer"].map(|options| {
        world.send(&ask("GET", &address(options))).header("etag").unwrap().to_owned()
    });
    assert_ne!(one, other);
}

pub fn a_link_needs_no_token_and_ends(world: &World) {
    fill(world);
    let address = link(&get(world, &format!("/v1.0/reports/{NAME}(period='D7')")));
    let plain = world.send(&ask("GET", &address));
    let with_token = world.send(&ask("GET", &address).bearer("of somebody else's making"));
    assert_eq!((plain.status, plain.text()), (200, with_token.text()));
    let head = world.send(&ask("HEAD", &address));
    assert_eq!((head.status, head.text().as_str()), (200, ""));
    assert_eq!(head.header("content-length"), plain.header("content-length"));
    let tag = plain.header("etag").unwrap();
    let known = world.send(&ask("GET", &address).header("If-None-Match", tag));
    assert_eq!((known.status, known.text().as_str()), (304, ""));
    world.advance(299);
    assert_eq!(world.send(&ask("GET", &address)).status, 200);
    world.advance(1);
    insta::assert_snapshot!("expired", world.send(&ask("GET", &address)));
}

pub fn a_file_s_tag_changes_with_its_rows(world: &World) {
    fill(world);
    let address = link(&get(world, &format!("/v1.0/reports/{NAME}(period='D7')")));
    let before = world.send(&ask("GET", &address)).header("etag").unwrap().to_owned();
    create(world, "2026-11-19", "2026-11-20", "7", 9);
    let after = world.send(&ask("GET", &address).header("If-None-Match", &before));
    assert_eq!(after.status, 200);
    assert_ne!(after.header("etag").unwrap(), before);
}

pub fn no_altered_link_leads_anywhere(world: &World) {
    fill(world);
    let address = link(&get(world, &format!("/v1.0/reports/{NAME}(period='D7')")));
    let (path, text) = address.rsplit_once('/').unwrap();
    let altered = |at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        format!("{path}/{}", String::from_utf8(bytes).unwrap())
    };
    let cases = [altered(0), altered(50), altered(text.len() - 2), format!("{path}/x")];
    for address in cases {
        let reply = world.send(&ask("GET", &address));
        assert_eq!(reply.status, 403, "{address}");
        assert_eq!(reply.json()["error"]["code"], "accessDenied");
    }
    assert_eq!(world.send(&ask("POST", &address)).status, 405);
    insta::assert_snapshot!("altered", world.send(&ask("GET", &altered(3))));
}

pub fn a_report_holds_one_tenant_alone(world: &World) {
    fill(world);
    let call = format!("/v1.0/reports/{NAME}(period='ALL')");
    let theirs = world.send(&ask("GET", &call).bearer(&world.writer_of(2)));
    let file = world.send(&ask("GET", &link(&theirs)));
    assert_eq!(file.text().lines().count(), 1, "{file}");
    let request = ask("GET", &format!("{call}?$format=json")).bearer(&world.writer_of(2));
    assert_eq!(rows(&world.send(&request)), []);
}
