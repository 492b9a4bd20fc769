//! The window rule, random facts against a model that is too simple to be
//! wrong, through both formats.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, SAMPLE};
use crate::world::World;

/// Periods as rows have them, the longest last.
const PERIODS: [&str; 5] = ["1", "7", "30", "180", "ALL"];

/// Calls, each with its days and whether its rows share a refresh date.
const CALLS: [(&str, i32, bool); 6] = [
    ("D7", 7, true),
    ("D30", 30, true),
    ("D180", 180, true),
    ("D1", 1, false),
    ("D13", 13, false),
    ("ALL", i32::MAX, false),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fact {
    day: Date,
    refreshed: Date,
    /// A position in `PERIODS`.
    period: usize,
    count: u64,
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let fact =
        (0_i32..45, 0_i32..4, 0_usize..5, 0_u64..1000).prop_map(|(back, late, period, count)| {
            // Before the sample's own dates, which are replaced one after the other.
            let day = date(2026, 11, 15).checked_sub(back.days()).unwrap();
            let refreshed = day.checked_add(late.days()).unwrap();
            Fact { day, refreshed, period, count }
        });
    prop::collection::vec(fact, 0..25)
}

/// Refresh date, count and day of each row, as the rule says.
fn expected(facts: &[Fact], call: (&str, i32, bool), to: Option<Date>) -> Vec<(Date, u64, Date)> {
    let (name, days, shared) = call;
    let Some(newest) = facts.iter().map(|fact| fact.refreshed).max() else { return Vec::new() };
    let last = to.unwrap_or(newest);
    let asked = name.strip_prefix('D').unwrap_or(name);
    let rank = |fact: &Fact| (fact.refreshed, PERIODS[fact.period] == asked, fact.period);
    let mut best: BTreeMap<Date, Fact> = BTreeMap::new();
    for fact in facts.iter().filter(|one| one.day <= last && (last - one.day).get_days() < days) {
        let there = best.entry(fact.day).or_insert(*fact);
        if rank(fact) > rank(there) {
            *there = *fact;
        }
    }
    let label = |fact: &Fact| if shared { newest } else { fact.refreshed };
    best.values().rev().map(|fact| (label(fact), fact.count, fact.day)).collect()
}

fn create(world: &World, fact: &Fact) -> bool {
    // The day first: no day of these facts is the sample's refresh date.
    let body = SAMPLE
        .replace("2026-11-18", &fact.day.to_string())
        .replace("2026-11-20", &fact.refreshed.to_string())
        .replace("\"7\"", &format!("\"{}\"", PERIODS[fact.period]))
        .replace("\"teams\":5", &format!("\"teams\":{}", fact.count));
    world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(body)).status == 201
}

fn of_json(reply: &Reply, label: &str) -> Vec<(Date, u64, Date)> {
    let body = reply.json();
    let day = |text: &serde_json::Value| text.as_str().unwrap().parse::<Date>().unwrap();
    let row = |row: &serde_json::Value| {
        assert_eq!(row["reportPeriod"], label);
        let count = row["teams"].as_u64().unwrap();
        (day(&row["reportRefreshDate"]), count, day(&row["reportDate"]))
    };
    body["value"].as_array().unwrap_or_else(|| panic!("{reply}")).iter().map(row).collect()
}

fn of_csv(reply: &Reply, label: &str) -> Vec<(Date, u64, Date)> {
    let text = reply.text();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!((cells.len(), cells[9]), (10, label), "{line}");
        (cells[0].parse().unwrap(), cells[7].parse().unwrap(), cells[8].parse().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..Default::default() })]

    #[test]
    fn both_formats_give_what_the_rule_says(facts in facts(), to in 0_i32..60) {
        let world = World::plain();
        let mut kept: Vec<Fact> = facts;
        kept.retain(|fact| create(&world, fact));
        let last = date(2026, 11, 18).checked_sub(to.days()).unwrap();
        for call in CALLS {
            let label = call.0.strip_prefix('D').unwrap_or(call.0);
            for to in [None, Some(last)] {
                let query = to.map_or_else(String::new, |to| format!("?to={to}"));
                let target = format!(
                    "/beta/reports/getOffice365ActiveUserCounts(period='{}'){query}", call.0
                );
                let asked = ask("GET", &target).bearer(&world.writer());
                let json = world.send(&asked.clone().header("Accept", "application/json"));
                let expected = expected(&kept, call, to);
                prop_assert_eq!(&of_json(&json, label), &expected, "{} of {:?}", target, kept);
                let redirect = world.send(&asked);
                let link = redirect.header("location").unwrap().replace("http://rollcall.test", "");
                let file = world.send(&ask("GET", &link));
                prop_assert_eq!(&of_csv(&file, label), &expected, "{} of {:?}", target, kept);
            }
        }
    }
}
