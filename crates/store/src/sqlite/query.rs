//! Reads, as they run on a connection.

use rollcall_odata::plan::expression::{Expression, Ty};
use rollcall_odata::plan::query::Shape;
use rollcall_odata::plan::window::Window;
use rollcall_odata::plan::{Count, List, Read, Selector};
use rollcall_odata::{Row, Value};
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params_from_iter};
use uuid::Uuid;

use super::{applied, changes};
use crate::column::{computed, day_number};
use crate::error::failed;
use crate::sql::predicate::Statement;
use crate::sql::select::{self, Source};
use crate::sql::window::Texts;
use crate::table::{Table, Tables, version};
use crate::{Entity, Error, Listed, RowSink, sql};

/// More days than there are from the first year to the last.
const ALL_DAYS: i64 = 10_000_000;

/// The number of no tenant. Whoever never wrote anything has no rows, of which
/// `$apply` may make some.
const NOBODY: i64 = 0;

/// The number that stands for the tenant, if it ever wrote anything.
pub(super) fn tenant_number(
    connection: &Connection,
    tenant: Uuid,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(sql::TENANT_NUMBER)?;
    statement.query_row([tenant.as_bytes()], |row| row.get(0)).optional()
}

/// As `tenant_number` for a reader, which looks up each tenant once.
pub(super) fn met_before(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
) -> Result<Option<i64>, Error> {
    if let Some(number) = tables.tenant(tenant) {
        return Ok(Some(number));
    }
    let found = tenant_number(connection, tenant).map_err(failed)?;
    if let Some(number) = found {
        tables.met(tenant, number);
    }
    Ok(found)
}

/// The entity that is selected among this tenant's.
pub(super) fn find(
    connection: &Connection,
    table: &Table,
    tenant: i64,
    selector: &Selector,
) -> Result<Option<Entity>, Error> {
    let (text, values) = match selector {
        Selector::Key(key) => {
            (&table.sql.by_key, vec![ToSqlOutput::from(key.as_bytes().as_slice())])
        }
        Selector::Fact(fact) => (&table.sql.by_fact, table.bind_fact(fact)?),
    };
    let mut statement = connection.prepare_cached(text).map_err(failed)?;
    let values = std::iter::once(ToSqlOutput::from(tenant)).chain(values);
    let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
    rows.next().map_err(failed)?.map(|row| table.entity(row)).transpose()
}

/// See `Store::read`.
pub(crate) fn read(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    plan: &Read,
) -> Result<Option<Entity>, Error> {
    let table = tables.get(&plan.set)?;
    match met_before(connection, tables, tenant)? {
        Some(tenant) => find(connection, table, tenant, &plan.selector),
        None => Ok(None),
    }
}

/// See `Store::count`.
pub(crate) fn count(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    plan: &Count,
) -> Result<u64, Error> {
    let table = tables.get(&plan.set)?;
    let tenant = met_before(connection, tables, tenant)?;
    let filter = plan.filter.as_ref();
    match (tenant, &plan.apply) {
        (tenant, Some(applied)) => {
            let source = Source::table(table.set(), tenant.unwrap_or(NOBODY));
            count_rows(connection, source.count_applied(applied, filter))
        }
        (Some(tenant), None) => count_rows(connection, counting(table, tenant, filter)),
        (None, None) => Ok(0),
    }
}

fn counting(table: &Table, tenant: i64, filter: Option<&Expression>) -> Statement {
    if filter.is_some() {
        return Source::table(table.set(), tenant).count(filter);
    }
    let values = vec![Owned::Integer(tenant)];
    Statement { text: table.sql.count.clone(), values, limit: None, given: None }
}

pub(super) fn count_rows(connection: &Connection, statement: Statement) -> Result<u64, Error> {
    let Statement { text, mut values, .. } = statement;
    let mut prepared = Prepared::of(connection, &text)?;
    let prepared = prepared.statement();
    values.truncate(prepared.parameter_count());
    version(prepared.query_row(params_from_iter(values), |row| row.get(0)).map_err(failed)?)
}

/// A statement from the cache, or, where its text is long, one for once: the
/// cache of each reader keeps a number of statements, and would else grow as
/// large as clients can make them.
pub(super) enum Prepared<'c> {
    Kept(CachedStatement<'c>),
    Once(rusqlite::Statement<'c>),
}

impl<'c> Prepared<'c> {
    /// The longest text that is kept, in bytes.
    const LONGEST_KEPT: usize = 4096;

    pub(super) fn of(connection: &'c Connection, text: &str) -> Result<Self, Error> {
        let prepared = if text.len() <= Self::LONGEST_KEPT {
            connection.prepare_cached(text).map(Self::Kept)
        } else {
            connection.prepare(text).map(Self::Once)
        };
        prepared.map_err(failed)
    }

    pub(super) fn statement(&mut self) -> &mut rusqlite::Statement<'c> {
        match self {
            Self::Kept(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}

/// See `Store::list`.
pub(crate) fn list(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    plan: &List,
    sink: &mut impl RowSink,
) -> Result<Listed, Error> {
    let table = tables.get(&plan.set)?;
    let tenant = met_before(connection, tables, tenant)?;
    if let Some(applied) = &plan.shape.apply {
        let tenant = tenant.unwrap_or(NOBODY);
        let source = Source::table(table.set(), tenant);
        return applied::page(connection, (table, tenant), &source, (plan, applied), sink);
    }
    let after = after(table, plan)?;
    let Some(tenant) = tenant else { return Ok(nothing(plan)) };
    let counting = counting(table, tenant, plan.shape.filter.as_ref());
    let statements = statements(table, plan, tenant, after);
    page(connection, (table, tenant), plan, &statements, counting, sink)
}

/// See `Store::report`.
pub(crate) fn report(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    (rows, plan): (&Window, &List),
    sink: &mut impl RowSink,
) -> Result<Listed, Error> {
    let table = tables.get(&plan.set)?;
    let tenant = met_before(connection, tables, tenant)?;
    let number = tenant.unwrap_or(NOBODY);
    let Some((texts, values)) = labelled(table, number, rows) else { return Ok(nothing(plan)) };
    let source = Source::labelled(table.set(), &texts.rows, values);
    if let Some(applied) = &plan.shape.apply {
        return applied::page(connection, (table, number), &source, (plan, applied), sink);
    }
    let after = after(table, plan)?;
    let Some(tenant) = tenant else { return Ok(nothing(plan)) };
    let counting = source.count(plan.shape.filter.as_ref());
    let statements = if plan.is_plain_beginning() {
        // They have this order by themselves, and end where the page is full.
        plain(texts, source)
    } else {
        source.rows(&plan.shape, after.as_deref())
    };
    page(connection, (table, tenant), plan, &statements, counting, sink)
}

/// The statements of all rows of a report function.
fn plain(texts: &Texts, source: Source<'_>) -> Vec<Statement> {
    let Source { select: text, values, .. } = source;
    let given = texts.likely.as_ref().map(|_| values.len() - 1);
    let likely = texts.likely.as_ref().map(|text| {
        let (text, values) = (text.clone(), values.clone());
        Statement { text, values, limit: None, given: None }
    });
    likely.into_iter().chain([Statement { text, values, limit: None, given }]).collect()
}

/// A list of nothing.
fn nothing(plan: &List) -> Listed {
    Listed { count: plan.count.then_some(0), last: None, change: None }
}

/// One snapshot for the count and all statements of the page.
fn page(
    connection: &Connection,
    (table, tenant): (&Table, i64),
    plan: &List,
    statements: &[Statement],
    counting: Statement,
    sink: &mut impl RowSink,
) -> Result<Listed, Error> {
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let count = plan.count.then(|| count_rows(&snapshot, counting)).transpose()?;
    let mut page = Page {
        table,
        extra: &select::extra(&plan.shape),
        computed: plan.shape.computed.len(),
        left: plan.limit,
        given: 0,
        gap: false,
        row: Row::new(),
        keys: Vec::new(),
        more: false,
        sink,
    };
    if plan.limit > 0 {
        for statement in statements {
            page.fill(&snapshot, statement)?;
        }
    }
    let last = page.more.then(|| [page.keys.as_slice(), &table.fact(&page.row)].concat());
    let change = last.as_ref().map(|_| last_change(&snapshot, tenant)).transpose()?;
    Ok(Listed { count, last, change })
}

/// The number of the tenant's last change.
pub(super) fn last_change(connection: &Connection, tenant: i64) -> Result<u64, Error> {
    version(changes::last_number(connection, tenant)?)
}

/// The texts of a report function and their values; there are none where the
/// function's set has no refresh date.
fn labelled<'t>(table: &'t Table, tenant: i64, plan: &Window) -> Option<(&'t Texts, Vec<Owned>)> {
    let [own, shared] = table.sql.windows.as_ref()?;
    let texts = if plan.shares_refresh_date() { shared } else { own };
    let values = vec![
        Owned::Integer(tenant),
        Owned::Integer(table.number),
        plan.period.map_or(Owned::Null, |period| Owned::Integer(period.number())),
        Owned::Integer(plan.days().unwrap_or(ALL_DAYS)),
        plan.last.map_or(Owned::Null, |day| Owned::Integer(day_number(day))),
        Owned::Integer(0),
    ];
    Some((texts, values))
}

/// Where the page before ended, as it is bound.
fn after(table: &Table, plan: &List) -> Result<Option<Vec<Owned>>, Error> {
    let Some(after) = &plan.after else { return Ok(None) };
    table.bind_fact(after.get(plan.shape.order.len()..).unwrap_or_default())?;
    Ok(Some(after.iter().map(computed::encode).collect()))
}

/// The statements of a page, in the order in which they give its rows. Of a
/// list without a shape they are made already.
fn statements(
    table: &Table,
    plan: &List,
    tenant: i64,
    after: Option<Vec<Owned>>,
) -> Vec<Statement> {
    if plan.shape != Shape::default() {
        return Source::table(table.set(), tenant).rows(&plan.shape, after.as_deref());
    }
    let made = |text: &String, fact: &[Owned]| {
        let first = [Owned::Integer(tenant), Owned::Null];
        let values = [&first, fact].concat();
        Statement { text: text.clone(), values, limit: Some(1), given: None }
    };
    let Some(fact) = after else { return vec![made(&table.sql.first_rows, &[])] };
    let texts = table.sql.rows_after.iter().enumerate();
    texts.map(|(back, text)| made(text, &fact[..fact.len() - back])).collect()
}

/// A page that is being filled.
struct Page<'a, S> {
    table: &'a Table,
    /// The types of what follows the properties.
    extra: &'a [Ty],
    /// How many of these are values of the row; the others are its place in the order.
    computed: usize,
    left: usize,
    /// How many rows there are so far.
    given: i64,
    /// Whether the last statement ended with a row of nulls.
    gap: bool,
    /// The last row that was given.
    row: Row,
    /// Its place in the order.
    keys: Vec<Value>,
    /// Whether a row follows that has no room.
    more: bool,
    sink: &'a mut S,
}

impl<S: RowSink> Page<'_, S> {
    /// Gives the rows of one statement to the sink, as long as there is room.
    fn fill(&mut self, connection: &Connection, statement: &Statement) -> Result<(), Error> {
        let Statement { text, values, limit, given } = statement;
        if self.more || (given.is_some() && !self.gap) {
            return Ok(());
        }
        let mut values = values.clone();
        if let Some(given) = *given {
            values[given] = Owned::Integer(self.given);
        }
        if let Some(limit) = *limit {
            // One row beyond the page tells whether there are more.
            let most = i64::try_from(self.left).unwrap_or(i64::MAX).saturating_add(1);
            values[limit] = Owned::Integer(most);
        }
        let mut prepared = Prepared::of(connection, text)?;
        let prepared = prepared.statement();
        values.truncate(prepared.parameter_count());
        let mut rows = prepared.query(params_from_iter(values)).map_err(failed)?;
        while let Some(stored) = rows.next().map_err(failed)? {
            if stored.get_ref(0).map_err(failed)? == ValueRef::Null {
                self.gap = true;
                break;
            }
            if self.left == 0 {
                self.more = true;
                break;
            }
            let version = self.read(stored)?;
            self.sink.row(version, &self.row);
            self.given += 1;
            self.left = if self.sink.has_room() { self.left - 1 } else { 0 };
        }
        Ok(())
    }

    fn read(&mut self, stored: &rusqlite::Row<'_>) -> Result<u64, Error> {
        let version = self.table.read_into(stored, &mut self.row)?;
        let first = self.row.len() + 1;
        self.keys.clear();
        for (number, ty) in self.extra.iter().enumerate() {
            let place = if number < self.computed { &mut self.row } else { &mut self.keys };
            place.push(value(*ty, stored, first + number)?);
        }
        Ok(version)
    }
}

/// The value of an expression.
pub(super) fn value(ty: Ty, stored: &rusqlite::Row<'_>, at: usize) -> Result<Value, Error> {
    let given = stored.get_ref(at).map_err(failed)?;
    computed::decode(ty, given)
        .ok_or_else(|| Error::Failed(format!("an expression gave no {}", ty.name())))
}
