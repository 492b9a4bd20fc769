//! Rows as CSV: Graph's for a report function, with a byte order mark, the
//! documented heading row and CRLF at every line's end; or every property of a
//! data set, the key included, under its own name; or the rows of a list.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use csv::{Terminator, Writer, WriterBuilder};

use crate::edm::{Column, EntitySet, Function, Model, Type};
use crate::payload::json::write::text_of;
use crate::payload::primitive;
use crate::plan::apply::{self, Applied};
use crate::plan::query::{Selection, Shape};
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
    /// The types of the columns, where collections and complex values are JSON in
    /// their cells; without them items are joined.
    types: Option<Arc<[Type]>>,
    out: Writer<W>,
    cell: String,
}

impl<W: Write> Sheet<W> {
    /// The columns of a report function, of these what is selected, then what else
    /// its rows have; writes the heading row.
    pub fn of_function(function: &Function, asked: Asked<'_>, out: W) -> io::Result<Self> {
        let own = function.columns.iter().map(|one| Column {
            heading: one.heading.clone(),
            property: one.property,
            member: one.member,
        });
        Self::new(asked.columns(&function.entity_set, own.collect()), out)
    }

    /// A column for each property of a set; writes the heading row. Nothing is
    /// lost as long as no property is a collection or a complex value.
    pub fn of_set(set: &EntitySet, out: W) -> io::Result<Self> {
        let properties = set.entity_type.properties.iter().enumerate();
        let columns = properties.map(|(property, one)| column(property, &one.name));
        Self::new(columns.collect(), out)
    }

    /// The rows of a list of a set, as import takes them back: the key, then the
    /// properties in the order and under the headings of the set's function,
    /// those that it has no column for under their own names, then what is
    /// computed; of all these what is selected. Writes the heading row.
    pub fn of_list(model: &Model, set: &EntitySet, asked: Asked<'_>, out: W) -> io::Result<Self> {
        let columns = asked.columns(set, columns_of(model, set));
        let types = columns.iter().map(|one| asked.ty(set, one.property)).collect();
        Ok(Self { types: Some(types), ..Self::new(columns, out)? })
    }

    fn new(columns: Vec<Column>, mut out: W) -> io::Result<Self> {
        out.write_all(BYTE_ORDER_MARK)?;
        let mut out = lines(out);
        out.write_record(columns.iter().map(|column| &column.heading))?;
        let listed = columns.iter().find(|column| column.member.is_some());
        let listed = listed.map(|column| column.property);
        Ok(Self { columns: columns.into(), listed, types: None, out, cell: String::new() })
    }

    /// The same file from here on, without what has been written of it.
    pub fn continued<O: Write>(&self, out: O) -> Sheet<O> {
        Sheet {
            columns: Arc::clone(&self.columns),
            listed: self.listed,
            types: self.types.clone(),
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
        for (number, column) in self.columns.iter().enumerate() {
            self.cell.clear();
            match (shown(column, row, item), &self.types) {
                (None, _) => {}
                (Some(value @ (Value::List(_) | Value::Record(_))), Some(types)) => {
                    self.cell.push_str(&text_of(&types[number], value));
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

/// What is asked of the rows that are to be written.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What they have besides their properties, or what is made of them.
    pub shape: &'a Shape,
    /// What is shown of all that, where it is not everything.
    pub selection: Option<&'a Selection>,
}

impl Asked<'_> {
    /// The columns that are asked for, where these are the ones without a wish.
    fn columns(&self, set: &EntitySet, own: Vec<Column>) -> Vec<Column> {
        let (mut columns, width) = match &self.shape.apply {
            Some(applied) => (self.made(applied, &own), applied.columns.len()),
            None => (self.chosen(set, own), set.entity_type.properties.len()),
        };
        let computed = self.shape.computed.iter().map(|one| one.name.as_str());
        columns.extend((width..).zip(computed).map(|(at, name)| column(at, name)));
        columns
    }

    /// Of these columns those that are selected, then what is selected besides.
    fn chosen(&self, set: &EntitySet, mut columns: Vec<Column>) -> Vec<Column> {
        let Some(selection) = self.selection.filter(|one| !one.all) else { return columns };
        columns.retain(|one| selection.properties.contains(&one.property));
        for at in &selection.properties {
            if columns.iter().all(|one| one.property != *at) {
                columns.push(column(*at, &set.entity_type.properties[*at].name));
            }
        }
        columns
    }

    /// The columns of what `$apply` makes, properties under the headings that they have.
    fn made(&self, applied: &Applied, own: &[Column]) -> Vec<Column> {
        let heading = |one: &apply::Column| {
            let same = |own: &&Column| own.property == one.at && own.member.is_none();
            let own = own.iter().find(same).filter(|_| one.ty.is_none());
            own.map_or(one.name.clone(), |own| own.heading.clone())
        };
        let all = applied.columns.iter().enumerate();
        let shown =
            all.filter(|(_, one)| self.selection.is_none_or(|it| it.properties.contains(&one.at)));
        shown.map(|(at, one)| column(at, &heading(one))).collect()
    }

    /// The type of what stands at this place in a row.
    fn ty(&self, set: &EntitySet, at: usize) -> Type {
        let at = match &self.shape.apply {
            Some(applied) => {
                applied.columns.get(at).filter(|one| one.ty.is_none()).map(|one| one.at)
            }
            None => Some(at),
        };
        let property = at.and_then(|at| set.entity_type.properties.get(at));
        property.map_or(Type::String, |property| property.ty.clone())
    }
}

/// A column of what stands at this place in a row.
fn column(property: usize, heading: &str) -> Column {
    Column { heading: heading.to_owned(), property, member: None }
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
            columns.push(column(property, &heading));
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
        let asked = Asked { shape: &Shape::default(), selection: None };
        let mut sheet = Sheet::of_function(function, asked, Vec::new()).unwrap();
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
