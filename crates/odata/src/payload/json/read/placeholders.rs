//! The placeholders of Graph's generated pages: texts that stand where a value of
//! a sample should. Tests replay such samples as they are; the service itself
//! refuses these texts, as they are no values.

use jiff::civil::Date;

use crate::edm::{Property, Role};
use crate::payload::primitive;
use crate::value::Value;

/// What stands for a date.
const DATE: &str = "Date";

/// What stands for a period.
const PERIOD: &str = "Report Period value";

/// The period that it is read as: the shortest that Graph has.
const READ_PERIOD: &str = "7";

/// What the placeholders are read as.
#[derive(Debug, Clone, Copy)]
pub struct Placeholders {
    /// The day that stands for any date.
    pub date: Date,
}

impl Placeholders {
    /// The value of a property for which this text stands, if it does.
    pub(super) fn value(self, property: &Property, text: &str) -> Option<Value> {
        match (property.role, text) {
            (Role::Refreshed | Role::Date, DATE) => {
                primitive::from_text(property, &self.date.to_string())
            }
            (Role::Period, PERIOD) => primitive::from_text(property, READ_PERIOD),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::{entity, sample};
    use super::*;
    use crate::catalog;
    use crate::headers::Numbers;

    #[test]
    fn they_stand_where_their_kind_of_value_does() {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        let set = &model.entity_sets[0];
        let named =
            |role| set.entity_type.properties[set.entity_type.in_role(role).unwrap()].name.as_str();
        let body = |date: &str, period: &str| {
            let (day, refreshed) = (named(Role::Date), named(Role::Refreshed));
            let period_name = named(Role::Period);
            format!(r#"{{"{day}":"{date}","{refreshed}":"{date}","{period_name}":"{period}"}}"#)
        };
        let placeholders = Placeholders { date: date(2026, 11, 24) };
        let read = |text: &str| sample(text.as_bytes(), set, Numbers::default(), placeholders);
        let page = body(DATE, PERIOD);
        let filled = body("2026-11-24", "7");
        let expected = entity(filled.as_bytes(), set, Numbers::default()).unwrap();
        assert_eq!(read(&page).unwrap().slots, expected.slots);
        assert_eq!(read(&filled).unwrap().slots, expected.slots);
        assert_eq!(entity(page.as_bytes(), set, Numbers::default()).unwrap().faults.len(), 3);
        for (date, period, faults) in [(PERIOD, DATE, 3), ("date", PERIOD, 2), (DATE, "period", 1)]
        {
            assert_eq!(read(&body(date, period)).unwrap().faults.len(), faults, "{date} {period}");
        }
    }
}
