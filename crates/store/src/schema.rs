//! From the model to the tables, by adding only.
//!
//! Each data set's table is recorded in `data_set` with its *shape*: one line
//! for each column, and for each member of what a column keeps as JSON. While
//! shapes and views are what the model wants, opening costs one look at
//! `data_set`. Otherwise, in one transaction: tables that are missing are made,
//! lines that are new and may be null become columns, and anything else is
//! refused with the table and column in question. Views are made anew.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use rollcall_odata::edm::{EntitySet, Model};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::column::Kind;
use crate::error::failed;
use crate::sql::{define, whole};
use crate::table::Tables;
use crate::{Error, sqlite};

/// The format of the database, its `user_version`. Up by one with every change
/// that a program of before would not understand.
pub(crate) const FORMAT: i64 = 2;

/// The first format; what later ones have besides is added to it.
const FIRST: i64 = 1;

/// Where SQLite keeps `user_version` in the file.
const FORMAT_AT: Range<usize> = 60..64;

/// The format of this database; 0 where nothing has been made.
pub(crate) fn format(connection: &Connection) -> Result<i64, Error> {
    connection.query_row(whole::FORMAT, [], |row| row.get(0)).map_err(failed)
}

/// Refuses a database that a newer program made.
pub(crate) fn refuse_newer(connection: &Connection) -> Result<(), Error> {
    refuse_newer_format(format(connection)?)
}

/// As `refuse_newer`, before a connection that may write is opened. A database
/// that was closed says its format at the head of its file, where it is read
/// without a trace; with a log beside it, it takes a connection to know.
pub(crate) fn refuse_newer_file(file: &Path) -> Result<(), Error> {
    if sqlite::has_beside(file, "-wal") {
        return refuse_newer(&sqlite::open_to_read(file)?);
    }
    let mut head = [0; FORMAT_AT.end];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut head));
    let [a, b, c, d] = head[FORMAT_AT] else { return Ok(()) };
    // What is shorter or no database at all is for SQLite to judge.
    if read.is_err() || !head.starts_with(b"SQLite format 3\0") {
        return Ok(());
    }
    refuse_newer_format(i32::from_be_bytes([a, b, c, d]).into())
}

fn refuse_newer_format(found: i64) -> Result<(), Error> {
    if found > FORMAT { Err(Error::Newer { found, known: FORMAT }) } else { Ok(()) }
}

/// Brings the database to the model, or leaves it as it is and says why.
pub(crate) fn prepare(connection: &mut Connection, model: &Model) -> Result<Tables, Error> {
    if format(connection)? == FORMAT
        && let Some(tables) = current(connection, model)?
    {
        return Ok(tables);
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| Error::of_write(&error))?;
    // Another process may have been faster.
    refuse_newer(&transaction)?;
    if format(&transaction)? == 0 {
        create(&transaction)?;
    }
    if format(&transaction)? < FORMAT {
        run(&transaction, define::REPEATED)?;
        run(&transaction, &whole::set_format(FORMAT))?;
    }
    let recorded = Recorded::all(&transaction)?;
    for set in &model.entity_sets {
        match recorded.get(&set.table) {
            None => create_table(&transaction, set, &view_name(model, set))?,
            Some(record) => extend_table(&transaction, set, record)?,
        }
    }
    for set in &model.entity_sets {
        renew_view(&transaction, set, recorded.get(&set.table), &view_name(model, set))?;
    }
    let tables = numbered(&Recorded::all(&transaction)?, model);
    transaction.commit().map_err(|error| Error::of_write(&error))?;
    tables.ok_or_else(|| Error::Failed("a data set was not recorded".to_owned()))
}

/// The tables of the data sets, where they are what the model wants already,
/// in a database of this format or of one before.
pub(crate) fn current(connection: &Connection, model: &Model) -> Result<Option<Tables>, Error> {
    if !(FIRST..=FORMAT).contains(&format(connection)?) {
        return Ok(None);
    }
    let recorded = Recorded::all(connection)?;
    let as_wanted = model.entity_sets.iter().all(|set| {
        recorded.get(&set.table).is_some_and(|record| {
            record.shape == text_of(&shape(set)) && record.view == view_name(model, set)
        })
    });
    Ok(as_wanted.then(|| numbered(&recorded, model)).flatten())
}

/// What is not as recorded in the table of this set: columns that another hand changed.
pub(crate) fn altered(connection: &Connection, set: &EntitySet) -> Result<Vec<String>, Error> {
    let there = columns_there(connection, &set.table)?;
    let wanted = define::columns(set);
    let missing = wanted.iter().filter(|column| !there.contains(column));
    let missing = missing.map(|column| mismatch(set, &column.name, "is not as it was made"));
    let foreign = there.iter().filter(|one| !wanted.iter().any(|column| column.name == one.name));
    let foreign = foreign.map(|column| mismatch(set, &column.name, "was not made by Rollcall"));
    Ok(missing.chain(foreign).collect())
}

/// A row of `data_set`.
struct Recorded {
    number: i64,
    view: String,
    shape: String,
}

impl Recorded {
    fn all(connection: &Connection) -> Result<HashMap<String, Self>, Error> {
        let mut statement = connection.prepare(define::DATA_SETS).map_err(failed)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, Self { number: row.get(1)?, view: row.get(2)?, shape: row.get(3)? }))
        });
        rows.and_then(Iterator::collect).map_err(failed)
    }
}

fn numbered(recorded: &HashMap<String, Recorded>, model: &Model) -> Option<Tables> {
    Tables::of(model, |table| recorded.get(table).map(|record| record.number))
}

/// The tables of an empty database. One with tables of others is refused.
fn create(transaction: &Transaction<'_>) -> Result<(), Error> {
    let objects = transaction.query_row(define::OBJECTS, [], |row| row.get::<_, i64>(0));
    let objects = objects.map_err(failed)?;
    if objects > 0 {
        return Err(Error::Mismatch("it was not made by Rollcall".to_owned()));
    }
    run(transaction, define::TABLES)?;
    run(transaction, &whole::set_format(FIRST))
}

fn create_table(transaction: &Transaction<'_>, set: &EntitySet, view: &str) -> Result<(), Error> {
    let name = set.table.to_ascii_lowercase();
    if name.starts_with("sqlite_") || define::RESERVED.contains(&name.as_str()) {
        return Err(Error::Mismatch(format!("no data set's table may be named \"{name}\"")));
    }
    let taken = transaction.query_row(define::OBJECTS_NAMED, [&name], |row| row.get::<_, i64>(0));
    if taken.map_err(failed)? > 0 {
        let message = format!("table \"{name}\" was not made by Rollcall for this data set");
        return Err(Error::Mismatch(message));
    }
    run(transaction, &define::table(set))?;
    write(transaction, define::NEW_DATA_SET, &[&set.table, view, &text_of(&shape(set))])
}

/// Adds the columns that are new, if that is all there is to do.
fn extend_table(
    transaction: &Transaction<'_>,
    set: &EntitySet,
    record: &Recorded,
) -> Result<(), Error> {
    let wanted = shape(set);
    if record.shape == text_of(&wanted) {
        return Ok(());
    }
    let before: Vec<&str> = record.shape.lines().collect();
    let new = additions(&before, &wanted)
        .map_err(|(path, what)| Error::Mismatch(mismatch(set, &path, &what)))?;
    let columns = define::columns(set);
    for column in columns.iter().filter(|column| new.contains(&column.name.as_str())) {
        if column.required {
            let what = "is new and may not be null, and there may be rows without it";
            return Err(Error::Mismatch(mismatch(set, &column.name, what)));
        }
        run(transaction, &define::add_column(set, column))?;
    }
    if let Some(first) = altered(transaction, set)?.into_iter().next() {
        return Err(Error::Mismatch(first));
    }
    write(transaction, define::NEW_SHAPE, &[&set.table, &text_of(&wanted)])
}

fn renew_view(
    transaction: &Transaction<'_>,
    set: &EntitySet,
    record: Option<&Recorded>,
    name: &str,
) -> Result<(), Error> {
    if let Some(record) = record {
        run(transaction, &define::drop_view(&record.view))?;
    }
    run(transaction, &define::view(set, name))?;
    write(transaction, define::NEW_VIEW, &[&set.table, name])
}

/// A view has the name of its entity set, unless a table has it.
fn view_name(model: &Model, set: &EntitySet) -> String {
    let is_table = model.entity_sets.iter().any(|one| one.table.eq_ignore_ascii_case(&set.name))
        || define::RESERVED.iter().any(|one| one.eq_ignore_ascii_case(&set.name));
    // No table has a `$` in its name.
    if is_table { format!("{}$", set.name) } else { set.name.clone() }
}

/// One line of a shape: where it is, and what is there.
struct Line {
    path: String,
    what: String,
}

fn shape(set: &EntitySet) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, property) in set.entity_type.properties.iter().enumerate() {
        let place = match set.identity.iter().position(|one| *one == at) {
            Some(place) => format!(" fact {}", place + 1),
            None if at == 0 => " key".to_owned(),
            None => String::new(),
        };
        describe(&mut lines, property.name.clone(), &Kind::of(property), &place);
    }
    lines
}

fn describe(lines: &mut Vec<Line>, path: String, kind: &Kind, place: &str) {
    let what = format!("{}{place}", kind.name());
    match kind {
        Kind::List(item) => describe(lines, format!("{path}[]"), item, ""),
        Kind::Record(members) => {
            for (name, kind) in members {
                describe(lines, format!("{path}.{name}"), kind, "");
            }
        }
        _ => {}
    }
    lines.push(Line { path, what });
}

fn text_of(shape: &[Line]) -> String {
    let lines: Vec<String> =
        shape.iter().map(|line| format!("{} {}", line.path, line.what)).collect();
    lines.join("\n")
}

/// The paths that are wanted and were not there before; or where something
/// else is different, and how.
fn additions<'w>(before: &[&str], wanted: &'w [Line]) -> Result<Vec<&'w str>, (String, String)> {
    for line in before {
        let (path, what) = line.split_once(' ').unwrap_or((line, ""));
        match wanted.iter().find(|one| one.path == path) {
            Some(one) if one.what == what => {}
            Some(one) => {
                let how = format!("was made as \"{what}\", and the catalogue has \"{}\"", one.what);
                return Err((path.to_owned(), how));
            }
            None => return Err((path.to_owned(), "is not in the catalogue".to_owned())),
        }
    }
    let was_there = |one: &&Line| {
        before.iter().any(|line| line.split_once(' ').is_some_and(|(path, _)| path == one.path))
    };
    Ok(wanted.iter().filter(|one| !was_there(one)).map(|one| one.path.as_str()).collect())
}

fn columns_there(connection: &Connection, table: &str) -> Result<Vec<define::Column>, Error> {
    let mut statement = connection.prepare(define::COLUMNS).map_err(failed)?;
    let rows = statement.query_map([table], |row| {
        let sql_type: String = row.get(1)?;
        Ok(define::Column {
            name: row.get(0)?,
            sql_type: match sql_type.as_str() {
                "INTEGER" => "INTEGER",
                "TEXT" => "TEXT",
                "BLOB" => "BLOB",
                _ => "another",
            },
            required: row.get(2)?,
            in_key: row.get(3)?,
        })
    });
    rows.and_then(Iterator::collect).map_err(failed)
}

fn mismatch(set: &EntitySet, column: &str, what: &str) -> String {
    format!("table \"{}\", column \"{column}\" {what}", set.table)
}

fn run(transaction: &Transaction<'_>, sql: &str) -> Result<(), Error> {
    transaction.execute_batch(sql).map_err(|error| Error::of_write(&error))
}

fn write(transaction: &Transaction<'_>, sql: &str, values: &[&str]) -> Result<(), Error> {
    transaction
        .execute(sql, rusqlite::params_from_iter(values))
        .map_err(|error| Error::of_write(&error))
        .map(drop)
}
