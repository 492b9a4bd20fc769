//! Transformations as they are shown, and what the standard says that they do.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bigdecimal::BigDecimal;

use crate::query::evaluate::{D, V, compare, decimal, decimals};

/// What a row has, by name. What is not there is not null.
pub type Instance = BTreeMap<String, V>;

/// A transformation.
#[derive(Debug, Clone)]
pub enum S {
    Filter(String, &'static str, V),
    /// The name of a number, an operator, its second operand, and the name of what comes of it.
    Compute(String, &'static str, &'static str, String),
    Aggregate(Vec<(Option<(String, &'static str)>, String)>),
    /// Properties, then the levels of a rollup, and whether it has a total.
    GroupBy(Vec<String>, Vec<String>, bool, Option<Vec<S>>),
    OrderBy(Vec<(String, bool)>),
    Top(usize),
    Skip(usize),
    Concat(Vec<Vec<S>>),
    Identity,
}

pub fn shown(sequence: &[S]) -> String {
    sequence.iter().map(shown_one).collect::<Vec<_>>().join("/")
}

fn shown_one(one: &S) -> String {
    match one {
        S::Filter(name, operator, value) => format!("filter({name} {operator} {})", literal(value)),
        S::Compute(name, operator, by, alias) => {
            format!("compute({name} {operator} {by} as {alias})")
        }
        S::Aggregate(all) => {
            let one = |(what, alias): &(Option<(String, &str)>, String)| match what {
                None => format!("$count as {alias}"),
                Some((name, method)) => format!("{name} with {method} as {alias}"),
            };
            format!("aggregate({})", all.iter().map(one).collect::<Vec<_>>().join(","))
        }
        S::GroupBy(by, levels, total, inside) => {
            let mut all = by.clone();
            if !levels.is_empty() {
                let total = if *total { "$all," } else { "" };
                all.push(format!("rollup({total}{})", levels.join(",")));
            }
            let inside = inside.as_ref().map(|inside| format!(",{}", shown(inside)));
            format!("groupby(({}){})", all.join(","), inside.unwrap_or_default())
        }
        S::OrderBy(keys) => {
            let key = |(name, descending): &(String, bool)| {
                format!("{name}{}", if *descending { " desc" } else { "" })
            };
            format!("orderby({})", keys.iter().map(key).collect::<Vec<_>>().join(","))
        }
        S::Top(number) => format!("top({number})"),
        S::Skip(number) => format!("skip({number})"),
        S::Concat(all) => {
            format!("concat({})", all.iter().map(|one| shown(one)).collect::<Vec<_>>().join(","))
        }
        S::Identity => "identity".to_owned(),
    }
}

fn literal(value: &V) -> String {
    match value {
        V::Null => "null".to_owned(),
        V::Int(number) => number.to_string(),
        V::Decimal(number) => format!("{number:?}"),
        V::Bool(value) => value.to_string(),
        V::Text(text) => format!("'{}'", text.replace('\'', "''")),
        V::Date(date) => date.to_string(),
        other => panic!("{other:?}"),
    }
}

/// What a sequence makes of rows.
pub fn done(mut rows: Vec<Instance>, sequence: &[S]) -> Vec<Instance> {
    for one in sequence {
        rows = match one {
            S::Identity => rows,
            S::Filter(name, operator, value) => {
                let holds =
                    |row: &Instance| holds(row.get(name).unwrap_or(&V::Null), operator, value);
                rows.into_iter().filter(holds).collect()
            }
            S::Compute(name, operator, by, alias) => rows
                .into_iter()
                .map(|mut row| {
                    let value = computed(row.get(name).unwrap_or(&V::Null), operator, by);
                    row.insert(alias.clone(), value);
                    row
                })
                .collect(),
            S::Aggregate(all) => vec![
                all.iter()
                    .map(|(what, alias)| (alias.clone(), aggregated(&rows, what.as_ref())))
                    .collect(),
            ],
            S::GroupBy(by, levels, total, inside) => {
                let least = if levels.is_empty() { 0 } else { usize::from(!total) };
                let all = (least..=levels.len()).rev().flat_map(|many| {
                    let by = [by.as_slice(), &levels[..many]].concat();
                    each_group(&rows, &by, inside.as_deref())
                });
                all.collect()
            }
            S::OrderBy(keys) => {
                rows.sort_by(|one, other| by_keys(keys, one, other));
                rows
            }
            S::Top(number) => rows.into_iter().take(*number).collect(),
            S::Skip(number) => rows.into_iter().skip(*number).collect(),
            S::Concat(all) => all.iter().flat_map(|one| done(rows.clone(), one)).collect(),
        };
    }
    rows
}

fn computed(value: &V, operator: &str, by: &str) -> V {
    match (value, operator) {
        (V::Int(number), "add") => number.checked_add(1).map_or(V::Null, V::Int),
        (V::Int(number), _) => decimals(operator, &(*number).into(), &by.parse().unwrap()),
        (V::Decimal(D(number)), _) => decimals(operator, number, &by.parse().unwrap()),
        _ => V::Null,
    }
}

fn by_keys(keys: &[(String, bool)], one: &Instance, other: &Instance) -> Ordering {
    let key = |(name, descending): &(String, bool)| {
        let order = compare(one.get(name).unwrap_or(&V::Null), other.get(name).unwrap_or(&V::Null));
        if *descending { order.reverse() } else { order }
    };
    keys.iter().map(key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn holds(value: &V, operator: &str, other: &V) -> bool {
    let order = compare(value, other);
    let null = *value == V::Null || *other == V::Null;
    match operator {
        "eq" => order.is_eq(),
        "ne" => order.is_ne(),
        "gt" => !null && order.is_gt(),
        _ => !null && order.is_le(),
    }
}

fn each_group(rows: &[Instance], by: &[String], inside: Option<&[S]>) -> Vec<Instance> {
    let mut groups: Vec<(Instance, Vec<Instance>)> = Vec::new();
    for row in rows {
        let own: Instance =
            by.iter().filter_map(|name| Some((name.clone(), row.get(name)?.clone()))).collect();
        match groups.iter_mut().find(|(other, _)| *other == own) {
            Some((_, all)) => all.push(row.clone()),
            None => groups.push((own, vec![row.clone()])),
        }
    }
    let made = groups.into_iter().flat_map(|(own, rows)| {
        let rows = inside.map_or(vec![Instance::new()], |inside| done(rows, inside));
        rows.into_iter().map(move |mut row| {
            row.extend(own.clone());
            row
        })
    });
    made.collect()
}

#[expect(clippy::cast_precision_loss, reason = "an average is a double")]
fn aggregated(rows: &[Instance], what: Option<&(String, &'static str)>) -> V {
    let count = |count: usize| decimal(&BigDecimal::from(u64::try_from(count).unwrap()));
    let Some((name, method)) = what else { return count(rows.len()) };
    let mut values: Vec<V> = rows
        .iter()
        .filter_map(|row| row.get(name))
        .filter(|one| **one != V::Null)
        .cloned()
        .collect();
    let number = |value: &V| match value {
        V::Int(number) => BigDecimal::from(*number),
        V::Decimal(D(number)) => number.clone(),
        other => panic!("{other:?}"),
    };
    let whole =
        |value: &V| if let V::Int(number) = value { Some(i128::from(*number)) } else { None };
    match *method {
        "countdistinct" => {
            values.sort_by(compare);
            values.dedup();
            count(values.len())
        }
        _ if values.is_empty() => V::Null,
        "min" => values.into_iter().min_by(compare).unwrap(),
        "max" => values.into_iter().max_by(compare).unwrap(),
        "sum" => decimal(&values.iter().map(number).sum()),
        _ => {
            let all = BigDecimal::from(u64::try_from(values.len()).unwrap());
            let of_decimals = || decimals("div", &values.iter().map(number).sum(), &all);
            let sum = values.iter().map(whole).sum::<Option<i128>>();
            sum.map_or_else(of_decimals, |sum| V::Double(sum as f64 / values.len() as f64))
        }
    }
}
