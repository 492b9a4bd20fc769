//! When people work: weekdays, holidays, the quiet weeks of a year.

use jiff::civil::{Date, Weekday};

/// Holidays that fall on the same date each year, as month and day.
type Holidays = &'static [(i8, i8)];

/// Calendars to choose from. What falls on another date each year is left out.
const CALENDARS: [(Holidays, [i8; 2]); 4] = [
    // In Europe, with a quiet July and August.
    (&[(1, 1), (1, 6), (5, 1), (8, 15), (11, 1), (12, 25), (12, 26)], [7, 8]),
    (&[(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 11), (12, 25)], [8, 8]),
    // In North America.
    (&[(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)], [7, 7]),
    // Where Christmas is in summer.
    (&[(1, 1), (1, 26), (4, 25), (12, 25), (12, 26)], [1, 1]),
];

/// The calendar of one organisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    holidays: Holidays,
    quiet: [i8; 2],
}

impl Calendar {
    /// One of the calendars, the first again after the last.
    pub fn nth(number: i64) -> Self {
        let at = usize::try_from(number).unwrap_or_default() % CALENDARS.len();
        let (holidays, quiet) = CALENDARS[at];
        Self { holidays, quiet }
    }

    /// Whether people are expected to work on this day.
    pub fn is_working(self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !self.holidays.contains(&(day.month(), day.day()))
    }

    /// Of 1000 people who could be there on such a day, how many are.
    pub fn presence(self, day: Date) -> i64 {
        let of_week = match day.weekday() {
            Weekday::Tuesday | Weekday::Wednesday | Weekday::Saturday => 1000,
            Weekday::Thursday => 985,
            Weekday::Monday => 970,
            Weekday::Friday => 880,
            Weekday::Sunday => 850,
        };
        let of_year = match (day.month(), day.day()) {
            // Between the years.
            (12, 22..) | (1, ..=2) => 550,
            (month, _) if self.quiet.contains(&month) => 840,
            _ => 1000,
        };
        of_week * of_year / 1000
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn holidays_and_weekends_are_free() {
        let european = Calendar::nth(0);
        assert!(european.is_working(date(2026, 4, 30)));
        assert!(!european.is_working(date(2026, 5, 1)), "a Friday");
        assert!(!european.is_working(date(2026, 5, 2)), "a Saturday");
        assert!(Calendar::nth(2).is_working(date(2026, 5, 1)));
        assert!(european.presence(date(2026, 12, 29)) < european.presence(date(2026, 12, 15)));
        assert!(european.presence(date(2026, 8, 4)) < european.presence(date(2026, 6, 2)));
    }
}
