//! Objects to create.

use jiff::ToSpan;
use jiff::civil::date;

/// The collection as Graph's clients would address it.
pub const COLLECTION: &str = "/v1.0/reports/office365ActiveUserCounts";

/// The page's numbers under real dates.
pub const SAMPLE: &str = r##"{"@odata.type":"#microsoft.graph.office365ActiveUserCounts","reportRefreshDate":"2026-11-20","office365":9,"exchange":8,"oneDrive":8,"sharePoint":10,"skypeForBusiness":0,"yammer":6,"teams":5,"reportDate":"2026-11-18","reportPeriod":"7"}"##;

/// A fact of its own for each number: a day, newest last, and one of Graph's periods.
pub fn fact(number: usize) -> String {
    let day = date(2000, 1, 1).checked_add(i64::try_from(number / 4).unwrap().days()).unwrap();
    let period = ["7", "30", "90", "180"][number % 4];
    SAMPLE
        .replace("2026-11-20", &day.to_string())
        .replace("2026-11-18", &day.to_string())
        .replace("\"7\"", &format!("\"{period}\""))
        .replace("\"teams\":5", &format!("\"teams\":{number}"))
}
