//! Random batches against a model that is too simple to be wrong.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::client::ask;
use crate::sample::{COLLECTION, fact};
use crate::world::World;

/// How many facts there are.
const FACTS: usize = 5;

/// A request about one fact.
#[derive(Debug, Clone)]
enum Step {
    Create(usize),
    Change(usize, usize),
    Delete(usize),
    Read(usize),
}

/// A request, whether it joins the group of the one before, and one before it
/// that it depends on, counted backwards.
type Part = (Step, bool, Option<usize>);

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let at = 0..FACTS;
    let step = prop_oneof![
        3 => at.clone().prop_map(Step::Create),
        3 => (at.clone(), 0..9_usize).prop_map(|(at, teams)| Step::Change(at, teams)),
        2 => at.clone().prop_map(Step::Delete),
        1 => at.prop_map(Step::Read),
    ];
    let part = (step, prop::bool::weighted(0.4), prop::option::weighted(0.2, 1..4_usize));
    prop::collection::vec(part, 1..=20)
}

fn body(number: usize) -> Json {
    serde_json::from_str(&fact(number)).unwrap()
}

/// The fact's own address, by its alternate key.
fn address(number: usize) -> String {
    let body = body(number);
    let part = |name: &str| body[name].as_str().unwrap().to_owned();
    let (day, refreshed, period) =
        (part("reportDate"), part("reportRefreshDate"), part("reportPeriod"));
    format!(
        "office365ActiveUserCounts(reportDate={day},reportRefreshDate={refreshed},\
         reportPeriod='{period}')"
    )
}

/// The names of the groups: a part alone has none.
fn groups(parts: &[Part]) -> Vec<Option<usize>> {
    let mut names = vec![None; parts.len()];
    for at in 1..parts.len() {
        if parts[at].1 {
            let name = names[at - 1].unwrap_or(at);
            (names[at - 1], names[at]) = (Some(name), Some(name));
        }
    }
    names
}

fn request(parts: &[Part], groups: &[Option<usize>], at: usize) -> Json {
    let json_type = json!({ "Content-Type": "application/json" });
    let mut request = match &parts[at].0 {
        Step::Create(number) => json!({ "method": "POST", "url": "office365ActiveUserCounts",
                                        "headers": json_type, "body": body(*number) }),
        Step::Change(number, teams) => json!({ "method": "PATCH", "url": address(*number),
                                               "headers": json_type, "body": { "teams": teams } }),
        Step::Delete(number) => json!({ "method": "DELETE", "url": address(*number) }),
        Step::Read(number) => json!({ "method": "GET", "url": address(*number) }),
    };
    request["id"] = at.to_string().into();
    if let Some(name) = groups[at] {
        request["atomicityGroup"] = format!("g{name}").into();
    }
    if let Some(other) = depends(parts, at) {
        request["dependsOn"] = json!([other.to_string()]);
    }
    request
}

fn depends(parts: &[Part], at: usize) -> Option<usize> {
    at.checked_sub(parts[at].2?)
}

/// What there is: the number of teams of each fact.
type Model = BTreeMap<usize, usize>;

fn step(model: &mut Model, step: &Step) -> u64 {
    match step {
        Step::Create(number) if model.contains_key(number) => 409,
        Step::Create(number) => model.insert(*number, *number).map_or(201, |_| 409),
        Step::Change(number, teams) => match model.get_mut(number) {
            Some(there) => {
                *there = *teams;
                200
            }
            None => 404,
        },
        Step::Delete(number) => model.remove(number).map_or(404, |_| 204),
        Step::Read(number) => model.get(number).map_or(404, |_| 200),
    }
}

/// The statuses that a batch should have.
fn expect(model: &mut Model, parts: &[Part], groups: &[Option<usize>]) -> Vec<u64> {
    let mut statuses: Vec<u64> = Vec::new();
    let mut at = 0;
    while at < parts.len() {
        let end = (at + 1..parts.len())
            .find(|end| groups[*end].is_none() || groups[*end] != groups[at])
            .unwrap_or(parts.len());
        let mut after = model.clone();
        let failed: BTreeSet<usize> = (0..at).filter(|one| statuses[*one] >= 400).collect();
        let needs = |one: usize| depends(parts, one).is_some_and(|other| failed.contains(&other));
        let one = |after: &mut Model, one: usize| match &parts[one].0 {
            Step::Read(_) if groups[one].is_some() => 400,
            _ if needs(one) => 424,
            step_of => step(after, step_of),
        };
        // What can be seen without the store is told first.
        let early = (at..end).find(|part| {
            groups[*part].is_some() && (needs(*part) || matches!(parts[*part].0, Step::Read(_)))
        });
        let blamed = match early {
            Some(part) => Some((part, one(&mut after, part))),
            None => (at..end)
                .map(|part| (part, one(&mut after, part)))
                .find(|(_, status)| *status >= 400),
        };
        match blamed {
            None => {
                let mut again = model.clone();
                statuses.extend((at..end).map(|part| one(&mut again, part)));
                *model = again;
            }
            Some((part, status)) => {
                statuses.extend((at..end).map(|other| if other == part { status } else { 424 }));
            }
        }
        at = end;
    }
    statuses
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn batches_do_as_the_model_does(batches in prop::collection::vec(parts(), 1..6)) {
        let world = World::plain();
        let mut model = Model::new();
        for parts in &batches {
            let groups = groups(parts);
            let requests: Vec<Json> = (0..parts.len()).map(|at| request(parts, &groups, at)).collect();
            let body = json!({ "requests": requests }).to_string();
            let reply = world.send(&ask("POST", "/v1.0/$batch").bearer(&world.writer()).json(body));
            prop_assert_eq!(reply.status, 200, "{}", reply);
            let answers = reply.json()["responses"].as_array().unwrap().clone();
            let statuses: Vec<u64> = answers.iter().map(|one| one["status"].as_u64().unwrap()).collect();
            prop_assert_eq!(statuses, expect(&mut model, parts, &groups), "{}", reply);
        }
        let all = world.send(&ask("GET", COLLECTION).bearer(&world.writer())).json();
        let mut kept: Vec<u64> =
            all["value"].as_array().unwrap().iter().map(|one| one["teams"].as_u64().unwrap()).collect();
        let mut there: Vec<u64> = model.values().map(|teams| *teams as u64).collect();
        kept.sort_unstable();
        there.sort_unstable();
        prop_assert_eq!(kept, there);
    }
}
