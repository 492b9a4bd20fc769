//! Whether a database is what it ought to be.

use std::path::Path;

use rollcall_odata::Row;
use rollcall_odata::edm::{EntitySet, Model};
use rusqlite::{Connection, Transaction};

use crate::error::failed;
use crate::sql::{audit, whole};
use crate::table::Table;
use crate::{Error, schema, sqlite};

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was looked at, a line each.
    pub lines: Vec<String>,
    /// What is not as it ought to be, a line each. Empty is good.
    pub problems: Vec<String>,
}

/// Checks a database whole, as it is at one moment, and changes nothing. A
/// service may go on using it meanwhile.
///
/// Looked at are SQLite's own structures, that every row can be read, that
/// each was made by the last change of its entity and none is missing, that
/// changes are numbered without a gap, that what is remembered of requests can
/// be answered, and that `refresh` says what the rows say.
pub fn check(file: &Path, model: &Model) -> Result<Report, Error> {
    let mut connection = sqlite::open_to_read(file)?;
    schema::refuse_newer(&connection)?;
    let moment = connection.transaction().map_err(|error| Error::of_read(&error))?;
    let mut report = Report::default();
    integrity(&moment, &mut report)?;
    if !report.problems.is_empty() {
        // What else would be found follows from this.
        return Ok(report);
    }
    let Some(tables) = schema::current(&moment, model)? else {
        report.problems.push("the tables are not those of the catalogue".to_owned());
        return Ok(report);
    };
    changes(&moment, &mut report)?;
    repeated(&moment, &mut report)?;
    for set in &model.entity_sets {
        let (altered, before) = (schema::altered(&moment, set)?, report.problems.len());
        report.problems.extend(altered);
        if report.problems.len() == before {
            data_set(&moment, set, tables.get(set)?, &mut report)?;
        }
    }
    Ok(report)
}

fn integrity(moment: &Transaction<'_>, report: &mut Report) -> Result<(), Error> {
    let mut statement = moment.prepare(whole::INTEGRITY).map_err(failed)?;
    let found = statement.query_map([], |row| row.get::<_, String>(0));
    let found: Vec<String> = found.and_then(Iterator::collect).map_err(failed)?;
    report.lines.push("SQLite's integrity check".to_owned());
    report.problems.extend(found.into_iter().filter(|line| line != "ok"));
    Ok(())
}

fn changes(moment: &Transaction<'_>, report: &mut Report) -> Result<(), Error> {
    let changes = number(moment, audit::CHANGES, [])?;
    report.lines.push(format!("{changes} changes"));
    let mut statement = moment.prepare(audit::GAPS).map_err(failed)?;
    let tenants = statement.query_map([], |row| row.get::<_, i64>(0));
    for tenant in tenants.map_err(failed)? {
        let tenant = tenant.map_err(failed)?;
        report.problems.push(format!("the changes of tenant {tenant} have gaps"));
    }
    let former = number(moment, audit::FORMER, [])?;
    report.suspect(former, "changes have former values that cannot be");
    Ok(())
}

/// The requests that are done once, in a database that has been opened since there are any.
fn repeated(moment: &Transaction<'_>, report: &mut Report) -> Result<(), Error> {
    if schema::format(moment)? < schema::FORMAT {
        return Ok(());
    }
    let requests = number(moment, audit::REPEATED, [])?;
    report.lines.push(format!("{requests} requests that may be repeated"));
    let wrong = number(moment, audit::REPEATED_WRONG, [])?;
    report.suspect(wrong, "requests that may be repeated have an answer that cannot be");
    Ok(())
}

fn data_set(
    moment: &Transaction<'_>,
    set: &EntitySet,
    table: &Table,
    report: &mut Report,
) -> Result<(), Error> {
    let rows = rows(moment, set, table, report)?;
    report.lines.push(format!("{}: {rows} rows", set.table));
    let strays = number(moment, &audit::strays(set), [])?;
    let [unmade, missing] = audit::versions(set);
    let [unsaid, unkept] = audit::refresh(set);
    report.suspect(strays, &format!("rows of {} have no tenant", set.table));
    for (sql, what) in [
        (unmade, "rows were not made by the last change of their entity"),
        (missing, "entities that were not deleted have no row"),
        (unsaid, "tenants have rows that say what refresh does not"),
        (unkept, "tenants have a refresh that their rows do not say"),
    ] {
        let found = number(moment, &sql, [table.number])?;
        report.suspect(found, &format!("{what}, in {}", set.table));
    }
    Ok(())
}

/// Reads every row; gives how many there are.
fn rows(
    moment: &Transaction<'_>,
    set: &EntitySet,
    table: &Table,
    report: &mut Report,
) -> Result<i64, Error> {
    let mut statement = moment.prepare(&audit::rows(set)).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let (mut count, mut row) = (0, Row::new());
    while let Some(stored) = rows.next().map_err(failed)? {
        count += 1;
        if let Err(error) = table.read_into(stored, &mut row) {
            report.problems.push(error.to_string());
        }
    }
    Ok(count)
}

impl Report {
    fn suspect(&mut self, count: i64, what: &str) {
        if count > 0 {
            self.problems.push(format!("{count} {what}"));
        }
    }
}

fn number(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<i64, Error> {
    connection.query_row(sql, values, |row| row.get(0)).map_err(failed)
}
