//! The rows of a report function as Graph's CSV: a byte order mark, the
//! documented heading row, CRLF at every line's end.

use std::fmt::Write as _;
use std::sync::Arc;

use csv::{Terminator, Writer, WriterBuilder};

use crate::edm::{Column, Function};
use crate::payload::primitive;
use crate::value::{Row, Value};

/// What every file begins with: spreadsheets take UTF-8 for something else without it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What stands between the items of a collection in one cell, as in Graph's
/// column of assigned products.
const BETWEEN_ITEMS: char = '+';

/// A file that is being written, row by row. Null is an empty cell.
pub struct Sheet {
    function: Arc<Function>,
    out: Writer<Vec<u8>>,
    cell: String,
}

impl Sheet {
    /// A file with nothing but its heading row.
    pub fn new(function: Arc<Function>) -> Self {
        let out = Vec::from(BYTE_ORDER_MARK);
        let mut out = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        // Writing into memory cannot fail, here and below.
        drop(out.write_record(function.columns.iter().map(|column| &column.heading)));
        Self { function, out, cell: String::new() }
    }

    /// Adds a row: one line, or one for each item of the collection whose
    /// members are columns.
    pub fn row(&mut self, row: &Row) {
        let function = Arc::clone(&self.function);
        let mut listed = function.columns.iter().filter(|column| column.member.is_some());
        match listed.next().map(|column| &row[column.property]) {
            Some(Value::List(items)) if !items.is_empty() => {
                for item in items {
                    self.line(&function.columns, row, Some(item));
                }
            }
            _ => self.line(&function.columns, row, None),
        }
    }

    /// The whole file.
    pub fn finish(self) -> Vec<u8> {
        self.out.into_inner().unwrap_or_default()
    }

    fn line(&mut self, columns: &[Column], row: &Row, item: Option<&Value>) {
        for column in columns {
            self.cell.clear();
            if let Some(value) = shown(column, row, item) {
                text(&mut self.cell, value);
            }
            drop(self.out.write_field(&self.cell));
        }
        drop(self.out.write_record(None::<&[u8]>));
    }
}

/// What a column shows of a row, or of the item that has the line.
fn shown<'a>(column: &Column, row: &'a Row, item: Option<&'a Value>) -> Option<&'a Value> {
    match (column.member, item) {
        (None, _) => row.get(column.property),
        (Some(member), Some(Value::Record(values))) => values.get(member),
        (Some(_), _) => None,
    }
}

fn text(cell: &mut String, value: &Value) {
    match value {
        Value::Text(text) => cell.push_str(text),
        Value::Int(number) => cell.push_str(itoa::Buffer::new().format(*number)),
        Value::List(items) => {
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    cell.push(BETWEEN_ITEMS);
                }
                text(cell, item);
            }
        }
        // Writing text into memory cannot fail.
        Value::Date(date) => drop(write!(cell, "{date}")),
        value => cell.push_str(&primitive::text_of(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::plan::write::{Terms, create};

    const MORE: [(&str, &str); 2] = [
        ("email.toml", include_str!("../../../tests/data/email-activity.toml")),
        ("activations.toml", include_str!("../../../tests/data/activations.toml")),
    ];

    fn sheet(set: &str, bodies: &[&str]) -> String {
        let files: Vec<_> = catalog::EMBEDDED.iter().copied().chain(MORE).collect();
        let model = catalog::load(&files).unwrap();
        let function = model.functions.iter().find(|one| one.entity_set.name == set).unwrap();
        let terms = Terms {
            new_key: uuid::Uuid::nil(),
            newest_refresh: jiff::civil::date(2026, 11, 25),
            lenient: true,
        };
        let mut sheet = Sheet::new(Arc::clone(function));
        for body in bodies {
            let set = &function.entity_set;
            let body = crate::payload::json::read::entity(body.as_bytes(), set).unwrap();
            sheet.row(&create(set, body, &terms).unwrap().row);
        }
        String::from_utf8(sheet.finish()).unwrap()
    }

    #[test]
    fn no_rows_are_the_heading_row_alone() {
        assert_eq!(
            sheet("office365ActiveUserCounts", &[]),
            "\u{feff}Report Refresh Date,Office 365,Exchange,OneDrive,SharePoint,Skype For \
             Business,Yammer,Teams,Report Date,Report Period\r\n"
        );
    }

    #[test]
    fn cells() {
        let counts = sheet(
            "office365ActiveUserCounts",
            &[
                r#"{"reportRefreshDate":"2026-11-20","office365":9223372036854775807,"exchange":0,"reportDate":"2026-11-18","reportPeriod":"all"}"#,
            ],
        );
        let line = counts.lines().nth(1);
        assert_eq!(line, Some("2026-11-20,9223372036854775807,0,,,,,,2026-11-18,ALL"));
        let mail = sheet(
            "emailActivityUserDetail",
            &[
                r#"{"reportRefreshDate":"2026-11-20","userPrincipalName":"a,b","displayName":"say \"hi\"\r\n","isDeleted":false,"assignedProducts":["E3","F1"],"reportPeriod":"7"}"#,
            ],
        );
        let line = mail.split_once("\r\n").unwrap().1;
        assert_eq!(line, "2026-11-20,\"a,b\",\"say \"\"hi\"\"\r\n\",false,,,,,,E3+F1,7\r\n");
    }

    #[test]
    fn a_line_for_each_item() {
        let both = sheet(
            "office365ActivationsUserDetail",
            &[
                r#"{"reportRefreshDate":"2026-11-20","userPrincipalName":"ada","userActivationCounts":[{"productType":"APPS","windows":3},{"productType":"VISIO","mac":1}]}"#,
                r#"{"reportRefreshDate":"2026-11-20","userPrincipalName":"bob","userActivationCounts":[]}"#,
            ],
        );
        let lines: Vec<&str> = both.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "2026-11-20,ada,,APPS,,3,,,,,",
                "2026-11-20,ada,,VISIO,,,1,,,,",
                "2026-11-20,bob,,,,,,,,,",
            ]
        );
    }
}
