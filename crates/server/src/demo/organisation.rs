//! One organisation: how many people it has, and what they do on a day.

use jiff::civil::Date;
use rollcall_odata::edm::{Demo, EntityType, Property};
use uuid::Uuid;

use super::calendar::Calendar;
use super::chance::Chance;

/// The most people who use one product, in a million: somebody is always away.
const NEARLY_ALL: i64 = 980_000;

/// The fewest people of an organisation.
const FEWEST: i64 = 8;

/// An organisation that is made up.
pub struct Organisation {
    pub(super) chance: Chance,
    calendar: Calendar,
    people: i64,
    yearly: i64,
}

/// The counts of one day, by the position of their property.
pub(super) type Counts = Vec<(usize, i64)>;

impl Organisation {
    /// The organisation of this number, from 0, among those of a seed.
    pub fn new(seed: u64, number: u32) -> Self {
        let chance = Chance::new(seed, number);
        // Sizes are spread as organisations are: most are small, a few are large.
        let least = 40 << chance.of_all("size", &(0..=8));
        let people = chance.of_all("people", &(least..=2 * least));
        let yearly = chance.of_all("growth", &(-3..=18));
        let calendar = Calendar::nth(chance.of_all("calendar", &(0..=999)));
        Self { chance, calendar, people, yearly }
    }

    /// A tenant of its own.
    pub fn tenant(&self) -> Uuid {
        self.chance.guid("tenant")
    }

    /// How many people it has at the end.
    pub fn people(&self) -> i64 {
        self.people
    }

    /// What is counted on a day, so many days before the last. Of 1000 that a
    /// report should have, `missing` are not in it yet.
    pub(super) fn counts(&self, ty: &EntityType, day: Date, back: i64, missing: i64) -> Counts {
        let people = earlier(self.people, self.yearly, back).max(FEWEST);
        let weather = self.chance.on("day", day, &(970..=1030));
        let parts = ty.properties.iter().enumerate().filter_map(|(at, property)| {
            let Some(Demo::Part { share, weekend, yearly }) = property.demo else { return None };
            let share = earlier(i64::from(share) * 10_000, yearly.into(), back).min(NEARLY_ALL);
            let free = if self.calendar.is_working(day) { 1000 } else { i64::from(weekend) * 10 };
            let present = thousandths(self.calendar.presence(day), free);
            let own = self.chance.on(&format!("own {at}"), day, &(960..=1040));
            let active = [present, weather, own].into_iter().fold(people * share, thousandths);
            let active = ((active + 500_000) / 1_000_000).min(people);
            Some((at, active - shortfall(active, missing)))
        });
        let parts: Counts = parts.collect();
        let total = self.total(day, people, &parts);
        let totals = ty.properties.iter().enumerate().filter(|(_, property)| is_total(property));
        totals.map(|(at, _)| (at, total)).chain(parts.clone()).collect()
    }

    /// Who is in at least one of the counts: at least as many as in the largest,
    /// and at most all of them together.
    fn total(&self, day: Date, people: i64, parts: &Counts) -> i64 {
        let most = parts.iter().map(|(_, count)| *count).max().unwrap_or_default();
        let all: i64 = parts.iter().map(|(_, count)| *count).sum();
        let others = thousandths(all - most, self.chance.on("overlap", day, &(90..=130)));
        (most + others).min(people)
    }
}

fn is_total(property: &Property) -> bool {
    property.demo == Some(Demo::Total)
}

/// What of a count is not reported yet: something, where there is anything.
fn shortfall(count: i64, missing: i64) -> i64 {
    if missing == 0 { 0 } else { thousandths(count, missing).max(1).min(count) }
}

fn thousandths(number: i64, parts: i64) -> i64 {
    (number * parts + 500) / 1000
}

/// What was so many days earlier, where it grows by so many in 100 each year.
fn earlier(mut number: i64, yearly: i64, days: i64) -> i64 {
    // A product that fades was not used by more than all there are.
    const MOST: i64 = 1_000_000;
    let before = |number: i64| (number * 100 / (100 + yearly)).min(MOST);
    for _ in 0..days / 365 {
        number = before(number);
    }
    number + (before(number) - number) * (days % 365) / 365
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_counted_backwards() {
        assert_eq!(earlier(1000, 25, 0), 1000);
        assert_eq!(earlier(1000, 25, 365), 800);
        assert_eq!(earlier(1000, 25, 730), 640);
        assert_eq!(earlier(1000, -50, 365), 2000);
        assert_eq!(earlier(1000, -90, 3650), 1_000_000, "and no further");
        assert!((900..1000).contains(&earlier(1000, 25, 180)));
    }

    #[test]
    fn what_is_missing_is_never_more_than_there_is() {
        assert_eq!([0, 1, 10, 1000].map(|count| shortfall(count, 20)), [0, 1, 1, 20]);
        assert_eq!(shortfall(1000, 0), 0);
    }
}
