//! Bodies that are refused, each with its exact answer, and none leaves a trace.

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, SAMPLE};
use crate::world::World;

/// The properties of the sample and what each holds there.
const MEMBERS: [(&str, &str); 10] = [
    ("reportRefreshDate", "\"2026-11-20\""),
    ("office365", "9"),
    ("exchange", "8"),
    ("oneDrive", "8"),
    ("sharePoint", "10"),
    ("skypeForBusiness", "0"),
    ("yammer", "6"),
    ("teams", "5"),
    ("reportDate", "\"2026-11-18\""),
    ("reportPeriod", "\"7\""),
];

/// The sample with this JSON for one property.
fn with(name: &str, json: &str) -> String {
    let was = MEMBERS.iter().find(|(one, _)| *one == name).unwrap().1;
    SAMPLE.replacen(&format!("\"{name}\":{was}"), &format!("\"{name}\":{json}"), 1)
}

/// The sample without one property.
fn without(name: &str) -> String {
    let was = MEMBERS.iter().find(|(one, _)| *one == name).unwrap().1;
    let member = format!(",\"{name}\":{was}");
    assert!(SAMPLE.contains(&member));
    SAMPLE.replacen(&member, "", 1)
}

/// The sample with this text after its opening brace.
fn plus(text: &str) -> String {
    SAMPLE.replacen('{', &format!("{{{text},"), 1)
}

/// The sample with another type.
fn typed(json: &str) -> String {
    SAMPLE.replacen("\"#microsoft.graph.office365ActiveUserCounts\"", json, 1)
}

fn unreadable() -> Vec<String> {
    let cut = |at: usize| SAMPLE[..at].to_owned();
    let mut bodies: Vec<String> = [
        "",
        " ",
        "\r\n\t",
        "{",
        "}",
        "[",
        "[]",
        "null",
        "true",
        "1",
        "\"x\"",
        "nul",
        "undefined",
        "NaN",
        "{}{}",
        "{},",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":0x10}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":tru}",
        "{\"a\":1}//",
        "/* */{}",
        "<xml/>",
        "a=1&b=2",
        "{\"\\ud800\":1}",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .collect();
    bodies.extend([cut(1), cut(20), cut(100), cut(200), cut(SAMPLE.len() - 1)]);
    bodies.push(format!("[{SAMPLE}]"));
    bodies.push(format!("{SAMPLE}{SAMPLE}"));
    bodies.push("[".repeat(10_000));
    bodies.push("{\"a\":".repeat(10_000));
    bodies
}

fn incomplete() -> Vec<String> {
    let mut bodies: Vec<String> = MEMBERS.iter().map(|(name, _)| without(name)).collect();
    bodies.push("{}".to_owned());
    bodies.push("{\"@odata.type\":\"#microsoft.graph.office365ActiveUserCounts\"}".to_owned());
    bodies
}

fn mistyped() -> Vec<String> {
    let kinds = ["true", "[]", "{}", "7.5", "\"?\""];
    let every = MEMBERS.iter().flat_map(|(name, _)| kinds.map(|json| with(name, json)));
    let numbers = [
        "-1",
        "9.0",
        "1e2",
        "1E2",
        "\"9\"",
        "9223372036854775808",
        "-9223372036854775808",
        "99999999999999999999999999",
        "1e400",
        "-0.0",
        "0.1",
        "[1]",
        "{\"a\":1}",
        "\"\"",
        "false",
    ];
    let counts = numbers.map(|json| with("teams", json));
    let nulls = ["reportRefreshDate", "reportDate", "reportPeriod"].map(|name| with(name, "null"));
    every.chain(counts).chain(nulls).collect()
}

fn strings() -> Vec<String> {
    let dates = [
        "2026-02-29",
        "2026-02-30",
        "2026-13-01",
        "2026-00-10",
        "2026-11-00",
        "2026-11-31",
        "2026-1-1",
        "20261118",
        "2026-11-18T00:00:00Z",
        "2026-11-18 ",
        " 2026-11-18",
        "18.11.2026",
        "11/18/2026",
        "-2026-11-18",
        "+2026-11-18",
        "12026-11-18",
        "2026-11",
        "today",
        "",
        "２０２６-11-18",
    ];
    let periods = [
        "0",
        "007",
        "07",
        "-7",
        "+7",
        "7.0",
        "10000",
        "99999999999",
        "D",
        "D0",
        "D07",
        "DD7",
        "7D",
        "W1",
        "7 ",
        " 7",
        "",
        "all days",
        "Report Period value",
        "D10000",
    ];
    let ids = [
        "\"\"",
        "\"1\"",
        "5",
        "null",
        "true",
        "[]",
        "\"da0e2eb02eb0da0eb02e0edab02e0eda\"",
        "\"{da0e2eb0-2eb0-da0e-b02e-0edab02e0eda}\"",
        "\"da0e2eb0-2eb0-da0e-b02e-0edab02e0edg\"",
        "\"da0e2eb0-2eb0-da0e-b02e-0edab02e0eda \"",
        "\"urn:uuid:da0e2eb0-2eb0-da0e-b02e-0edab02e0eda\"",
        "\"da0e2eb02-eb0-da0e-b02e-0edab02e0eda\"",
    ];
    let dates = dates.map(|text| with("reportDate", &format!("\"{text}\"")));
    let periods = periods.map(|text| with("reportPeriod", &format!("\"{text}\"")));
    let ids = ids.map(|json| plus(&format!("\"id\":{json}")));
    dates.into_iter().chain(periods).chain(ids).collect()
}

fn shaped() -> Vec<String> {
    let types = [
        "\"#microsoft.graph.user\"",
        "\"#microsoft.graph.entity\"",
        "\"microsoft.graph.office365ActiveUserCount\"",
        "\"\"",
        "\"#\"",
        "5",
        "null",
        "[]",
        "\"office365ActiveUserCounts\"",
        "\"https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.report\"",
    ];
    let mut bodies: Vec<String> = types.map(typed).into_iter().collect();
    bodies.extend([
        plus("\"unheard\":1"),
        plus("\"unheard\":1,\"unknownToAll\":null,\"\":2"),
        plus("\"un\\u0068eard\":{\"a\":[1,2,{\"b\":null}]}"),
        plus(&format!("\"{}\":1", "u".repeat(300))),
        plus(&format!("\"unheard\":{}1{}", "[".repeat(10_000), "]".repeat(10_000))),
        plus("\"teams\":5"),
        plus("\"teams\":null"),
        plus("\"id\":\"da0e2eb0-2eb0-da0e-b02e-0edab02e0eda\",\"id\":\"da0e2eb0-2eb0-da0e-b02e-0edab02e0eda\""),
        plus("\"@odata.type\":\"#microsoft.graph.office365ActiveUserCounts\""),
        with("teams", &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        with("teams", &format!("\"{}\"", "9".repeat(1000))),
        with("reportPeriod", "\"\\ud800\""),
        with("reportDate", "\"2026-11-21\""),
        with("reportRefreshDate", "\"2026-11-26\""),
        with("reportRefreshDate", "\"9999-12-31\""),
        with("reportDate", "\"2026-11-30\"").replace("2026-11-20", "2026-11-29"),
        with("teams", "-1").replace("\"yammer\":6", "\"yammer\":\"6\"").replace("\"exchange\":8,", ""),
        SAMPLE.replace("2026-11-20", "Date").replace("2026-11-18", "Date").replace("\"7\"", "\"Report Period value\""),
    ]);
    bodies
}

/// One refusal as the snapshot keeps it: what was sent, cut short, and all that was answered.
fn shown(body: &[u8], reply: &Reply) -> String {
    let body = String::from_utf8_lossy(body);
    let body: String = body.chars().take(400).collect();
    let error = &reply.json()["error"];
    let mut text = format!("{body}\n  => {} {}", reply.status, error["code"].as_str().unwrap());
    let line = |one: &serde_json::Value| {
        let target = one["target"].as_str().unwrap_or("-");
        format!("[{target}] {}", one["message"].as_str().unwrap())
    };
    text += &format!(" {}", line(error));
    for detail in error["details"].as_array().into_iter().flatten() {
        text += &format!("\n     {} {}", detail["code"].as_str().unwrap(), line(detail));
    }
    text
}

pub fn every_bad_body_gets_its_answer_and_leaves_no_trace(world: &World) {
    let groups = [unreadable(), incomplete(), mistyped(), strings(), shaped()];
    let mut bodies: Vec<Vec<u8>> = groups.into_iter().flatten().map(String::into_bytes).collect();
    bodies.extend([
        b"\xff\xfe{\x00}\x00".to_vec(),
        b"{\"a\":\"\xc3\x28\"}".to_vec(),
        b"\xef\xbb\xbf".to_vec(),
        [SAMPLE.as_bytes(), &[0]].concat(),
        vec![0; 100],
    ]);
    assert!(bodies.len() >= 150, "{}", bodies.len());
    let token = world.writer();
    let mut answers = Vec::new();
    for body in &bodies {
        let reply = world.send(&ask("POST", COLLECTION).bearer(&token).json(body.clone()));
        assert_eq!(reply.status, 400, "{}\n{reply}", String::from_utf8_lossy(body));
        answers.push(shown(body, &reply));
    }
    insta::assert_snapshot!("bad_bodies", answers.join("\n"));
    let reply = world.send(&ask("GET", &format!("{COLLECTION}/$count")).bearer(&token));
    assert_eq!(reply.text(), "0", "something refused left a trace");
}
