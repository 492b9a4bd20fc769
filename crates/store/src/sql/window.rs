//! The SQL text of a report function: one statement for the whole answer.
//!
//! The rule is in `rollcall_odata::plan::window`. Bound are, in this order: the
//! tenant, the data set's number, the asked period (null where the function has
//! none), the number of days, and the last day (null for the newest refresh
//! date); a text takes as many of them as it has marks for.

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

/// The text for a set. With `shared` every row carries the data set's refresh
/// date in place of its own. `None` where the set has no refresh date.
pub(crate) fn text(set: &EntitySet, shared: bool) -> Option<String> {
    let shape = shape(set)?;
    let list = |newest: &str| select_list(set, shared.then_some(newest));
    Some(match &shape {
        Shape::Days { date, refreshed, period } => days(set, *date, *refreshed, *period, &list),
        Shape::Parts { date, refreshed, period } => parts(set, *date, *refreshed, *period, &list),
        Shape::Newest { refreshed, period } => newest(set, *refreshed, *period, &list),
    })
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

fn days(
    set: &EntitySet,
    date: usize,
    refreshed: usize,
    period: Option<usize>,
    list: &dyn Fn(&str) -> String,
) -> String {
    let (table, date, column_of) = (quoted(&set.table), column(set, date), |at| column(set, at));
    let newest_day = format!("SELECT max({date}) FROM {table} WHERE {TENANT} = ?1 AND {date}");
    let refreshed = column_of(refreshed);
    let of_day = format!("FROM {table} WHERE {TENANT} = ?1 AND {date} = day.day");
    let newest = format!("(SELECT max({refreshed}) {of_day})");
    let period = period.map_or_else(String::new, |at| {
        let period = column_of(at);
        let same = format!("{of_day} AND {refreshed} = {newest}");
        format!(
            " AND kept.{period} = CASE WHEN EXISTS (SELECT 1 {same} AND {period} = ?3) THEN ?3 \
             ELSE (SELECT max({period}) {same}) END"
        )
    });
    format!(
        "WITH RECURSIVE day (day, before, newest) AS (\
         SELECT ({newest_day} <= coalesce(?5, refreshed) \
             AND {date} > coalesce(?5, refreshed) - ?4), coalesce(?5, refreshed) - ?4, refreshed \
         FROM refresh WHERE tenant = ?1 AND data_set = ?2 \
         UNION ALL \
         SELECT ({newest_day} < day.day AND {date} > day.before), day.before, day.newest \
         FROM day WHERE day.day IS NOT NULL) \
         SELECT {} FROM day CROSS JOIN {table} AS kept \
         WHERE kept.{TENANT} = ?1 AND kept.{date} = day.day AND kept.{refreshed} = {newest}{period} \
         ORDER BY day.day DESC",
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
        order(set, 0, "kept.")
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
