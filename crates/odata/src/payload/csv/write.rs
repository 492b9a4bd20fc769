//! Rows as CSV: Graph's for a report function, with a byte order mark, the
//! documented heading row and CRLF at every line's end; or every property of a
//! data set, the key included, under its own name; or the rows of a list.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use csv::{Terminator, Writer, WriterBuilder};

use crate::edm::{Column, EntitySet, Function, Model};
use crate::payload::json::write::text_of;
use crate::payload::primitive;
use crate::plan::query::{Computed, Selection};
use crate::value::{Row, Value};

/// What every file begins with: spreadsheets take UTF-8 for something else without it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What stands between the items of a collection in one cell, as in Graph's
/// column of assigned products.
const BETWEEN_ITEMS: char = '+';

/// A file that is being written, row by row. Null is an empty cell.
pub struct Sheet<W: Write> {
    columns: Arc<[Column]>,
    /// The collection whose items get a line each.
    listed: Option<usize>,
    /// The set whose collections and complex values are JSON in their cells;
    /// without it items are joined.
    whole: Option<Arc<EntitySet>>,
    out: Writer<W>,
    cell: String,
}

impl<W: Write> Sheet<W> {
    /// The columns of a report function; writes the heading row.
    pub fn of_function(function: &Function, out: W) -> io::Result<Self> {
        let columns = function.columns.iter().map(|one| Column {
            heading: one.heading.clone(),
            property: one.property,
            member: one.member,
        });
        Self::new(columns.collect(), out)
    }

    /// A column for each property of a set; writes the heading row. Nothing is
    /// lost as long as no property is a collection or a complex value.
    pub fn of_set(set: &EntitySet, out: W) -> io::Result<Self> {
        let properties = set.entity_type.properties.iter().enumerate();
        let column = |(property, one): (usize, &crate::edm::Property)| Column {
            heading: one.name.clone(),
            property,
            member: None,
        };
        Self::new(properties.map(column).collect(), out)
    }

    /// The rows of a list of a set, as import takes them back: the key, then the
    /// properties in the order and under the headings of the set's function,
    /// those that it has no column for under their own names, then what is
    /// computed; of all these what is selected. Writes the heading row.
    pub fn of_list(
        model: &Model,
        set: &Arc<EntitySet>,
        computed: &[Computed],
        selection: Option<&Selection>,
        out: W,
    ) -> io::Result<Self> {
        let properties = &set.entity_type.properties;
        let mut columns = columns_of(model, set);
        columns.retain(|one| selection.is_none_or(|it| it.properties.contains(&one.property)));
        let computed = computed.iter().map(|one| one.name.clone());
        columns.extend((properties.len()..).zip(computed).map(|(property, heading)| Column {
            heading,
            property,
            member: None,
        }));
        Ok(Self { whole: Some(Arc::clone(set)), ..Self::new(columns, out)? })
    }

    fn new(columns: Vec<Column>, mut out: W) -> io::Result<Self> {
        out.write_all(BYTE_ORDER_MARK)?;
        let mut out = lines(out);
        out.write_record(columns.iter().map(|column| &column.heading))?;
        let listed = columns.iter().find(|column| column.member.is_some());
        let listed = listed.map(|column| column.property);
        Ok(Self { columns: columns.into(), listed, whole: None, out, cell: String::new() })
    }

    /// The same file from here on, without what has been written of it.
    pub fn continued<O: Write>(&self, out: O) -> Sheet<O> {
        Sheet {
            columns: Arc::clone(&self.columns),
            listed: self.listed,
            whole: self.whole.clone(),
            out: lines(out),
            cell: String::new(),
        }
    }

    /// Adds a row: one line, or one for each item of the collection whose
    /// members are columns.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        match self.listed.map(|at| &row[at]) {
            Some(Value::List(items)) if !items.is_empty() => {
                items.iter().try_for_each(|item| self.line(row, Some(item)))
            }
            _ => self.line(row, None),
        }
    }

    /// What the file was written to, once all of it is there.
    pub fn finish(self) -> io::Result<W> {
        self.out.into_inner().map_err(csv::IntoInnerError::into_error)
    }

    fn line(&mut self, row: &Row, item: Option<&Value>) -> io::Result<()> {
        for column in self.columns.iter() {
            self.cell.clear();
            match (shown(column, row, item), &self.whole) {
                (None, _) => {}
                (Some(value @ (Value::List(_) | Value::Record(_))), Some(set)) => {
                    let property = &set.entity_type.properties[column.property];
                    self.cell.push_str(&text_of(&property.ty, value));
                }
                (Some(value), _) => text(&mut self.cell, value),
            }
            self.out.write_field(&self.cell)?;
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }
}

impl Sheet<Vec<u8>> {
    /// About how many bytes have been written since the last part.
    pub fn written(&self) -> usize {
        self.out.get_ref().len()
    }

    /// What has been written since the last part.
    pub fn part(&mut self) -> io::Result<Vec<u8>> {
        let written = std::mem::replace(&mut self.out, lines(Vec::new()));
        written.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// A column for each property of a set.
fn columns_of(model: &Model, set: &EntitySet) -> Vec<Column> {
    let function = model.functions.iter().find(|one| one.entity_set.name == set.name);
    let headed = function.into_iter().flat_map(|function| &function.columns);
    let headed = headed.filter(|one| one.member.is_none());
    let headed = headed.map(|one| (one.property, one.heading.clone()));
    let named = set.entity_type.properties.iter().map(|one| one.name.clone()).enumerate();
    let key = named.clone().take(1);
    let mut columns: Vec<Column> = Vec::new();
    for (property, heading) in key.chain(headed).chain(named) {
        if columns.iter().all(|one| one.property != property) {
            columns.push(Column { heading, property, member: None });
        }
    }
    columns
}

fn lines<W: Write>(out: W) -> Writer<W> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out)
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
        let mut sheet = Sheet::of_function(function, Vec::new()).unwrap();
        for body in bodies {
            let set = &function.entity_set;
            let numbers = crate::headers::Numbers::default();
            let body = crate::payload::json::read::entity(body.as_bytes(), set, numbers).unwrap();
            sheet.row(&create(set, body, &terms).unwrap().row).unwrap();
        }
        String::from_utf8(sheet.finish().unwrap()).unwrap()
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
