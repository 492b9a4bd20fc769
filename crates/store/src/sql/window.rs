//! The SQL text of a report function: one statement for the whole answer.
//!
//! The rule is in `rollcall_odata::plan::window`. Bound are, in this order: the
//! tenant, the data set's number, the asked period (null where the function has
//! none), the number of days, the last day (null for the newest refresh date),
//! and how many days were given before; a text takes as many of them as it has
//! marks for.

use rollcall_odata::edm::{EntitySet, Role};

use super::{TENANT, VERSION, column, order, quoted};

/// Which rows a window gives for one day, or for all.
enum Shape {
    /// One row a day. The days are found one by one at the head of the
    /// clustered key, so that the cost does not grow with the versions of a day.
    Days { date: usize, refreshed: usize, period: Option<usize> },
    /// A row for each day and whatever else says which fact a row is.
    Parts { date: usize, refreshed: usize, period: Option<usize> },
    /// No days: what was known on the newest refresh date.
    Newest { refreshed: usize, period: Option<usize> },
}

/// The texts of a report function.
#[derive(Debug)]
pub(crate) struct Texts {
    /// Days as most of them are: each has a row of the newest refresh date and
    /// of the asked period, which is then the row that counts, found with one
    /// seek. A day without such a row gives a row of nulls, from where `rows`
    /// goes on.
    pub likely: Option<String>,
    /// All rows, whatever there is.
    pub rows: String,
}

/// The texts for a set. With `shared` every row carries the data set's refresh
/// date in place of its own. `None` where the set has no refresh date.
pub(crate) fn texts(set: &EntitySet, shared: bool) -> Option<Texts> {
    let shape = shape(set)?;
    let list = |newest: &str| select_list(set, shared.then_some(newest));
    let of = |likely, rows| Some(Texts { likely, rows });
    match &shape {
        Shape::Days { date, refreshed, period } => of(
            Some(likely(set, *date, *refreshed, *period, &list)),
            days(set, *date, *refreshed, *period, &list),
        ),
        Shape::Parts { date, refreshed, period } => {
            of(None, parts(set, *date, *refreshed, *period, &list))
        }
        Shape::Newest { refreshed, period } => of(None, newest(set, *refreshed, *period, &list)),
    }
}

fn shape(set: &EntitySet) -> Option<Shape> {
    let part = |role| set.entity_type.in_role(role).filter(|at| set.identity.contains(at));
    let (date, refreshed) = (part(Role::Date), part(Role::Refreshed)?);
    let period = part(Role::Period);
    let Some(date) = date else { return Some(Shape::Newest { refreshed, period }) };
    let head: Vec<usize> = [date, refreshed].into_iter().chain(period).collect();
    Some(if set.identity == head {
        Shape::Days { date, refreshed, period }
    } else {
        Shape::Parts { date, refreshed, period }
    })
}

/// Version and every property, labelled: the asked period in place of the
/// row's own, and the newest refresh date where it is shared.
fn select_list(set: &EntitySet, newest: Option<&str>) -> String {
    let properties = set.entity_type.properties.iter().map(|one| {
        let name = quoted(&one.name);
        match (one.role, newest) {
            (Role::Period, _) => format!("coalesce(?3, kept.{name}) AS {name}"),
            (Role::Refreshed, Some(newest)) => format!("{newest} AS {name}"),
            _ => format!("kept.{name} AS {name}"),
        }
    });
    let properties: Vec<String> = properties.collect();
    format!("kept.{VERSION} AS {VERSION}, {}", properties.join(", "))
}

/// Which of several rows of one day counts: that of the newest refresh date,
/// then that of the asked period, then that of the longest.
fn preferred(set: &EntitySet, refreshed: usize, period: Option<usize>) -> String {
    let newest = format!("{} DESC", column(set, refreshed));
    match period.map(|at| column(set, at)) {
        None => newest,
        Some(period) => format!("{newest}, {period} IS ?3 DESC, {period} DESC"),
    }
}

/// A day and its newest refresh date are found with one seek, at the head of the
/// clustered key, and a subquery gives one value: so many low bits of it are the
/// refresh date, more than the years 0000 to 9999 have days.
const BITS: u32 = 22;
/// At least as many days as those years have before 1970.
const BEFORE_1970: i64 = 1_000_000;

fn likely(
    set: &EntitySet,
    date: usize,
    refreshed: usize,
    period: Option<usize>,
    list: &dyn Fn(&str) -> String,
) -> String {
    let (table, date, known) = (quoted(&set.table), column(set, date), column(set, refreshed));
    let period =
        period.map_or_else(String::new, |at| format!(" AND kept.{} = ?3", column(set, at)));
    format!(
        "SELECT {} FROM refresh CROSS JOIN \
         generate_series(coalesce(?5, refreshed) - ?4 + 1, coalesce(?5, refreshed)) AS day \
         LEFT JOIN {table} AS kept ON kept.{TENANT} = ?1 AND kept.{date} = day.value \
             AND kept.{known} = refresh.refreshed{period} \
         WHERE refresh.tenant = ?1 AND refresh.data_set = ?2 ORDER BY day.value DESC",
        list("refresh.refreshed")
    )
}

fn days(
    set: &EntitySet,
    date: usize,
    refreshed: usize,
    period: Option<usize>,
    list: &dyn Fn(&str) -> String,
) -> String {
    let (table, date, refreshed) = (quoted(&set.table), column(set, date), column(set, refreshed));
    let head = format!(
        "SELECT ({date} << {BITS}) + {refreshed} + {BEFORE_1970} FROM {table} \
         WHERE {TENANT} = ?1 AND {date}"
    );
    let first = format!("ORDER BY {date} DESC, {refreshed} DESC LIMIT 1");
    let day = format!("(day.head >> {BITS})");
    let known = format!("((day.head & {}) - {BEFORE_1970})", (1 << BITS) - 1);
    let period = period.map_or_else(String::new, |at| {
        let period = column(set, at);
        let same = format!(
            "FROM {table} WHERE {TENANT} = ?1 AND {date} = {day} AND {refreshed} = {known}"
        );
        format!(
            " AND kept.{period} = coalesce((SELECT {period} {same} AND {period} = ?3), \
             (SELECT max({period}) {same}))"
        )
    });
    format!(
        "WITH RECURSIVE day (head, before, newest) AS (\
         SELECT ({head} <= coalesce(?5, refreshed) - ?6 \
             AND {date} > coalesce(?5, refreshed) - ?4 {first}), \
             coalesce(?5, refreshed) - ?4, refreshed \
         FROM refresh WHERE tenant = ?1 AND data_set = ?2 \
         UNION ALL \
         SELECT ({head} < {day} AND {date} > day.before {first}), day.before, day.newest \
         FROM day WHERE day.head IS NOT NULL) \
         SELECT {} FROM day CROSS JOIN {table} AS kept \
         WHERE kept.{TENANT} = ?1 AND kept.{date} = {day} AND kept.{refreshed} = {known}{period} \
         ORDER BY day.head DESC",
        list("day.newest")
    )
}

fn parts(
    set: &EntitySet,
    date: usize,
    refreshed: usize,
    period: Option<usize>,
    list: &dyn Fn(&str) -> String,
) -> String {
    let parts: Vec<String> = set
        .identity
        .iter()
        .filter(|at| **at != refreshed && Some(**at) != period)
        .map(|at| column(set, *at))
        .collect();
    let (table, date, parts) = (quoted(&set.table), column(set, date), parts.join(", "));
    let preferred = preferred(set, refreshed, period);
    format!(
        "SELECT {} FROM (SELECT stored.*, refresh.refreshed AS \"$newest\", \
         row_number() OVER (PARTITION BY {parts} ORDER BY {preferred}) AS \"$place\" \
         FROM refresh JOIN {table} AS stored ON stored.{TENANT} = ?1 \
             AND stored.{date} <= coalesce(?5, refresh.refreshed) \
             AND stored.{date} > coalesce(?5, refresh.refreshed) - ?4 \
         WHERE refresh.tenant = ?1 AND refresh.data_set = ?2) AS kept \
         WHERE kept.\"$place\" = 1 ORDER BY {}",
        list("kept.\"$newest\""),
        // By what the rows are labelled as: a page goes on from labelled values.
        order(set, 0, "")
    )
}

/// Without days: the rows of the newest refresh date that the period was reported for.
fn newest(
    set: &EntitySet,
    refreshed: usize,
    period: Option<usize>,
    list: &dyn Fn(&str) -> String,
) -> String {
    let (table, refreshed) = (quoted(&set.table), column(set, refreshed));
    let period = period.map_or_else(String::new, |at| format!(" AND {} = ?3", column(set, at)));
    let rows = format!("FROM {table} AS kept WHERE {TENANT} = ?1{period}");
    format!(
        "SELECT {} {rows} AND {refreshed} = (SELECT {refreshed} {rows} ORDER BY {refreshed} DESC \
         LIMIT 1) ORDER BY {}",
        list(&format!("kept.{refreshed}")),
        order(set, 0, "kept.")
    )
}
