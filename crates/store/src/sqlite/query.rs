//! Reads, as they run on a connection.

use rollcall_odata::plan::expression::{Expression, Ty};
use rollcall_odata::plan::query::Shape;
use rollcall_odata::plan::window::Window;
use rollcall_odata::plan::{Count, List, Read, Selector};
use rollcall_odata::{Row, Value};
use rusqlite::types::{ToSqlOutput, Value as Owned};
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use uuid::Uuid;

use crate::column::{computed, day_number};
use crate::sql::predicate::Statement;
use crate::sql::select::{self, Source};
use crate::table::{Table, Tables, version};
use crate::{Entity, Error, Listed, RowSink, sql};

const NULL: ToSqlOutput<'static> = ToSqlOutput::Owned(rusqlite::types::Value::Null);

/// More days than there are from the first year to the last.
const ALL_DAYS: i64 = 10_000_000;

/// The number that stands for the tenant, if it ever wrote anything.
pub(super) fn tenant_number(
    connection: &Connection,
    tenant: Uuid,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(sql::TENANT_NUMBER)?;
    statement.query_row([tenant.as_bytes()], |row| row.get(0)).optional()
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
    match tenant_number(connection, tenant).map_err(failed)? {
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
    match tenant_number(connection, tenant).map_err(failed)? {
        Some(tenant) => count_rows(connection, table, tenant, plan.filter.as_ref()),
        None => Ok(0),
    }
}

fn count_rows(
    connection: &Connection,
    table: &Table,
    tenant: i64,
    filter: Option<&Expression>,
) -> Result<u64, Error> {
    let Some(filter) = filter else {
        let mut statement = connection.prepare_cached(&table.sql.count).map_err(failed)?;
        return version(statement.query_row([tenant], |row| row.get(0)).map_err(failed)?);
    };
    let Statement { text, values, .. } = Source::table(table.set(), tenant).count(Some(filter));
    let mut statement = connection.prepare_cached(&text).map_err(failed)?;
    version(statement.query_row(params_from_iter(values), |row| row.get(0)).map_err(failed)?)
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
    let after = after(table, plan)?;
    let Some(tenant) = tenant_number(connection, tenant).map_err(failed)? else {
        return Ok(Listed { count: plan.count.then_some(0), last: None });
    };
    // One snapshot for the count and all statements of the page.
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let filter = plan.shape.filter.as_ref();
    let count = plan.count.then(|| count_rows(&snapshot, table, tenant, filter)).transpose()?;
    let extra = select::extra(&plan.shape);
    let computed = plan.shape.computed.len();
    let mut page = Page {
        table,
        extra: &extra,
        computed,
        left: plan.limit,
        row: Row::new(),
        keys: Vec::new(),
        more: false,
        sink,
    };
    if plan.limit > 0 {
        for statement in statements(table, plan, tenant, after) {
            page.fill(&snapshot, statement)?;
        }
    }
    let last = page.more.then(|| [page.keys.as_slice(), &table.fact(&page.row)].concat());
    Ok(Listed { count, last })
}

/// See `Store::window`.
pub(crate) fn window(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    plan: &Window,
    sink: &mut impl RowSink,
) -> Result<(), Error> {
    let table = tables.get(&plan.function.entity_set)?;
    let Some([own, shared]) = &table.sql.windows else { return Ok(()) };
    let Some(tenant) = tenant_number(connection, tenant).map_err(failed)? else { return Ok(()) };
    let text = if plan.shares_refresh_date() { shared } else { own };
    let bound = [
        ToSqlOutput::from(tenant),
        ToSqlOutput::from(table.number),
        plan.period.map_or(NULL, |period| ToSqlOutput::from(period.number())),
        ToSqlOutput::from(plan.days().unwrap_or(ALL_DAYS)),
        plan.last.map_or(NULL, |day| ToSqlOutput::from(day_number(day))),
    ];
    let mut statement = connection.prepare_cached(text).map_err(failed)?;
    let marks = statement.parameter_count();
    let mut rows = statement.query(params_from_iter(&bound[..marks])).map_err(failed)?;
    let mut row = Row::new();
    while let Some(stored) = rows.next().map_err(failed)? {
        let version = table.read_into(stored, &mut row)?;
        sink.row(version, &row);
    }
    Ok(())
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
        Statement { text: text.clone(), values: [&first, fact].concat(), limit: Some(1) }
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
    fn fill(&mut self, connection: &Connection, statement: Statement) -> Result<(), Error> {
        if self.more {
            return Ok(());
        }
        let Statement { text, mut values, limit } = statement;
        if let Some(limit) = limit {
            // One row beyond the page tells whether there are more.
            let most = i64::try_from(self.left).unwrap_or(i64::MAX).saturating_add(1);
            values[limit] = Owned::Integer(most);
        }
        let mut prepared = connection.prepare_cached(&text).map_err(failed)?;
        let mut rows = prepared.query(params_from_iter(values)).map_err(failed)?;
        while let Some(stored) = rows.next().map_err(failed)? {
            if self.left == 0 {
                self.more = true;
                break;
            }
            let version = self.read(stored)?;
            self.sink.row(version, &self.row);
            self.left -= 1;
        }
        Ok(())
    }

    fn read(&mut self, stored: &rusqlite::Row<'_>) -> Result<u64, Error> {
        let version = self.table.read_into(stored, &mut self.row)?;
        let first = self.row.len() + 1;
        self.keys.clear();
        for (number, ty) in self.extra.iter().enumerate() {
            let given = stored.get_ref(first + number).map_err(failed)?;
            let value = computed::decode(*ty, given)
                .ok_or_else(|| Error::Failed(format!("an expression gave no {}", ty.name())))?;
            let place = if number < self.computed { &mut self.row } else { &mut self.keys };
            place.push(value);
        }
        Ok(version)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where map_err wants a function")]
fn failed(error: rusqlite::Error) -> Error {
    Error::of_read(&error)
}
