//! Demo data: organisations that are made up, each the same for the same seed.
//!
//! What is particular to a count, its share of the people and whether it fades,
//! is data in the catalogue (`demo` of a property). Here is what all
//! organisations have in common: that people work on weekdays and not on
//! holidays, that organisations grow, and that reports come late and are restated.

mod calendar;
mod chance;
mod organisation;
mod reports;

pub use organisation::Organisation;
pub use reports::{Span, USUAL_DELAY, can_be_made_up, rows};

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};
    use std::sync::Arc;

    use jiff::ToSpan;
    use jiff::civil::{Date, Weekday, date};
    use proptest::prelude::*;
    use rollcall_odata::edm::{Demo, EntitySet, Role};
    use rollcall_odata::headers::Numbers;
    use rollcall_odata::payload::json::{read, write};
    use rollcall_odata::plan::write::{Terms, check, create};
    use rollcall_odata::{Period, Row, Value, catalog};

    use super::*;

    fn set() -> Arc<EntitySet> {
        Arc::clone(&catalog::load(catalog::EMBEDDED).unwrap().entity_sets[0])
    }

    fn made(set: &EntitySet, seed: u64, number: u32, span: Span) -> Vec<Row> {
        rows(&Organisation::new(seed, number), set, span).collect()
    }

    fn in_role(set: &EntitySet, row: &Row, role: Role) -> Date {
        match row[set.entity_type.in_role(role).unwrap()] {
            Value::Date(date) => date,
            ref other => panic!("{other:?}"),
        }
    }

    /// The total and the other counts.
    fn counts(set: &EntitySet, row: &Row) -> (i64, Vec<i64>) {
        let number = |at: usize| match row[at] {
            Value::Int(number) => number,
            ref other => panic!("{other:?}"),
        };
        let (mut total, mut parts) = (None, Vec::new());
        for (at, property) in set.entity_type.properties.iter().enumerate() {
            match property.demo {
                Some(Demo::Total) => total = Some(number(at)),
                Some(Demo::Part { .. }) => parts.push(number(at)),
                None => assert_ne!(property.role, Role::Measure, "{}", property.name),
            }
        }
        (total.unwrap(), parts)
    }

    const YEAR: Span = Span { last: date(2026, 11, 22), days: 365 };

    #[test]
    fn two_weeks_of_an_organisation() {
        let set = set();
        let span = Span { last: date(2026, 5, 10), days: 14 };
        let lines: Vec<String> = made(&set, 1, 0, span)
            .iter()
            .map(|row| {
                let texts = row[1..].iter().map(rollcall_odata::payload::primitive::text_of);
                texts.collect::<Vec<_>>().join(" ")
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn working_days_are_busier_than_others() {
        let set = set();
        for number in 0..20 {
            let (mut working, mut weekend) = (Vec::new(), Vec::new());
            for row in made(&set, 7, number, YEAR) {
                let day = in_role(&set, &row, Role::Date).weekday();
                let free = [Weekday::Saturday, Weekday::Sunday].contains(&day);
                if free { &mut weekend } else { &mut working }.push(counts(&set, &row).0);
            }
            let mean = |all: &[i64]| all.iter().sum::<i64>() / i64::try_from(all.len()).unwrap();
            assert!(mean(&working) > 2 * mean(&weekend), "{number}");
        }
    }

    #[test]
    fn what_fades_was_more_and_what_grows_was_less() {
        let set = set();
        let long = Span { days: 3 * 365, ..YEAR };
        let all = made(&set, 3, 8, long);
        let sum = |rows: &[Row], at: usize| -> i64 {
            let number = |row: &Row| if let Value::Int(number) = row[at] { number } else { 0 };
            rows.iter().map(number).sum()
        };
        let (before, after) = (&all[..all.len() / 3], &all[2 * all.len() / 3..]);
        for (at, property) in set.entity_type.properties.iter().enumerate() {
            if let Some(Demo::Part { yearly, .. }) = property.demo
                && yearly.abs() > 30
            {
                let less = sum(after, at) < sum(before, at);
                assert_eq!(less, yearly < 0, "{}", property.name);
            }
        }
    }

    #[test]
    fn some_days_are_late_and_some_are_restated_with_other_numbers() {
        let set = set();
        let mut by_day: BTreeMap<Date, BTreeMap<Date, (i64, Vec<i64>)>> = BTreeMap::new();
        for row in made(&set, 1, 2, YEAR) {
            let (day, refreshed) =
                (in_role(&set, &row, Role::Date), in_role(&set, &row, Role::Refreshed));
            let known = by_day.entry(day).or_default().insert(refreshed, counts(&set, &row));
            // A day's count does not depend on the window.
            assert!(known.is_none_or(|known| known == counts(&set, &row)));
        }
        let restated: Vec<_> = by_day.values().filter(|versions| versions.len() > 1).collect();
        assert!((10..80).contains(&restated.len()), "{}", restated.len());
        for versions in restated {
            let different: HashSet<_> = versions.values().collect();
            assert_eq!(different.len(), versions.len());
        }
        let late = |(day, versions): &(&Date, &BTreeMap<Date, _>)| {
            *versions.keys().next().unwrap() > day.checked_add(2.days()).unwrap()
        };
        let late = by_day.iter().filter(late).count();
        assert!((5..60).contains(&late), "{late}");
    }

    #[test]
    fn organisations_differ() {
        let set = set();
        let tenants: HashSet<_> = (0..100).map(|one| Organisation::new(1, one).tenant()).collect();
        assert_eq!(tenants.len(), 100);
        assert_ne!(Organisation::new(2, 1).tenant(), Organisation::new(1, 1).tenant());
        assert_ne!(made(&set, 1, 0, YEAR), made(&set, 1, 1, YEAR));
        assert_ne!(made(&set, 1, 0, YEAR), made(&set, 2, 0, YEAR));
    }

    #[test]
    fn other_reports_are_made_up_if_their_facts_are_days() {
        let email = include_str!("../../odata/tests/data/email-activity.toml");
        let files = catalog::EMBEDDED.iter().copied().chain([("email.toml", email)]);
        let model = catalog::load(&files.collect::<Vec<_>>()).unwrap();
        let which: Vec<bool> = model.entity_sets.iter().map(|set| can_be_made_up(set)).collect();
        assert_eq!(which, [true, false], "nobody's mail is made up");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn every_row_keeps_the_rules(
            seed: u64, number in 0_u32..1000, days in 1_u16..500, back in 0_i64..9000
        ) {
            let set = set();
            let last = date(2026, 11, 22).checked_sub(back.days()).unwrap();
            let known = last.checked_add(2.days()).unwrap();
            let all = made(&set, seed, number, Span { last, days });
            prop_assert_eq!(&all, &made(&set, seed, number, Span { last, days }));
            let (mut facts, mut keys, mut seen) = (HashSet::new(), HashSet::new(), HashSet::new());
            for row in &all {
                prop_assert!(check(&set, row, known).is_ok());
                let (total, parts) = counts(&set, row);
                let most = parts.iter().max().unwrap();
                prop_assert!(total >= *most && total <= parts.iter().sum(), "{row:?}");
                prop_assert!(*parts.iter().min().unwrap() >= 0);
                let fact: Vec<String> = set.identity.iter().map(|at| format!("{:?}", row[*at])).collect();
                prop_assert!(facts.insert(fact), "one fact twice");
                prop_assert!(keys.insert(format!("{:?}", row[0])), "one key twice");
                seen.insert(in_role(&set, row, Role::Date));
            }
            prop_assert_eq!(seen.len(), usize::from(days), "a day is missing");
            prop_assert_eq!(seen.iter().max(), Some(&last));
            prop_assert!(all.len() < 3 * usize::from(days) + 10);
        }

        #[test]
        fn rows_can_be_sent_and_created(seed: u64) {
            let set = set();
            let span = Span { days: 40, ..YEAR };
            for row in made(&set, seed, 0, span) {
                let sent = write::Shown::whole("http://h/v1.0", &set).entity(1, &row);
                let body = read::entity(&sent, &set, Numbers::default()).unwrap();
                let terms = Terms {
                    new_key: uuid::Uuid::nil(),
                    newest_refresh: date(2026, 11, 24),
                    lenient: false,
                };
                prop_assert_eq!(create(&set, body, &terms).unwrap().row, row);
            }
        }
    }

    #[test]
    fn graph_s_periods_are_among_them() {
        let set = set();
        let at = set.entity_type.in_role(Role::Period).unwrap();
        let found: HashSet<String> = made(&set, 1, 0, YEAR)
            .iter()
            .map(|row| match row[at] {
                Value::Period(period) => period.to_string(),
                ref other => panic!("{other:?}"),
            })
            .collect();
        let expected = [7, 30, 90, 180].map(|days| Period::of_days(days).unwrap().to_string());
        assert_eq!(found, HashSet::from(expected));
    }
}
