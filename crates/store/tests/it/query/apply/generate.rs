//! Transformations at random, of what there is where they stand.

use super::evaluate::S;
use crate::query::evaluate::{D, V};
use crate::query::generate::{Dice, NAMES};

/// What can be asked at one place of a sequence.
#[derive(Clone)]
pub struct Place {
    /// Names of whole numbers, and of anything that can be grouped by.
    numbers: Vec<String>,
    others: Vec<String>,
    /// What tells rows apart, where that is known.
    key: Option<Vec<String>>,
    next: usize,
}

impl Place {
    pub fn start() -> Self {
        let names = |all: &[usize]| all.iter().map(|at| NAMES[*at].to_owned()).collect();
        let (numbers, others) = (names(&[1, 3, 4, 5]), names(&[2, 6, 7, 8, 9, 13]));
        Self { numbers, others, key: Some(vec!["seq".to_owned()]), next: 0 }
    }

    fn alias(&mut self) -> String {
        self.next += 1;
        format!("made{}", self.next)
    }

    fn any(&self, dice: &mut Dice) -> Option<String> {
        let all = [self.numbers.as_slice(), &self.others].concat();
        (!all.is_empty()).then(|| all[dice.roll(all.len())].clone())
    }
}

pub fn sequence(dice: &mut Dice, place: &mut Place, depth: usize) -> Vec<S> {
    let mut all = Vec::new();
    for _ in 0..=dice.roll(3) {
        step(dice, place, depth, &mut all);
    }
    all
}

fn step(dice: &mut Dice, place: &mut Place, depth: usize, all: &mut Vec<S>) {
    match dice.roll(if depth == 0 { 5 } else { 8 }) {
        0 => all.push(filter(dice, place)),
        1 if !place.numbers.is_empty() => {
            let name = place.numbers[dice.roll(place.numbers.len())].clone();
            let alias = place.alias();
            let operations =
                [("add", "1"), ("mul", "-1.5"), ("divby", "3"), ("sub", "0.1"), ("mod", "2.5")];
            let (operator, by) = operations[dice.roll(operations.len())];
            place.numbers.push(alias.clone());
            all.push(S::Compute(name, operator, by, alias));
        }
        2 | 3 => all.push(aggregate(dice, place)),
        4 => {
            let Some(key) = place.key.clone().filter(|key| !key.is_empty()) else {
                return all.push(S::Identity);
            };
            let first = place.any(dice).map(|name| (name, dice.roll(2) == 0));
            let rest = key.into_iter().map(|name| (name, dice.roll(2) == 0));
            let keys: Vec<(String, bool)> = first.into_iter().chain(rest).collect();
            all.push(S::OrderBy(keys));
            all.push(if dice.roll(3) == 0 { S::Skip(dice.roll(4)) } else { S::Top(dice.roll(6)) });
        }
        _ if depth == 0 => all.push(S::Identity),
        5 | 6 => all.push(group_by(dice, place, depth)),
        _ => {
            let mut next = place.next;
            let parts = (0..2 + dice.roll(2)).map(|_| {
                let mut part = Place { next, ..place.clone() };
                let one = sequence(dice, &mut part, depth - 1);
                next = part.next;
                (one, part)
            });
            let (parts, places): (Vec<_>, Vec<_>) = parts.unzip();
            *place = Place { numbers: Vec::new(), others: Vec::new(), key: None, next };
            for part in places {
                for (to, from) in
                    [(&mut place.numbers, part.numbers), (&mut place.others, part.others)]
                {
                    to.extend(from);
                    to.sort();
                    to.dedup();
                }
            }
            all.push(S::Concat(parts));
        }
    }
}

fn filter(dice: &mut Dice, place: &Place) -> S {
    let operator = ["eq", "ne", "gt", "le"][dice.roll(4)];
    let Some(name) = place.numbers.get(dice.roll(place.numbers.len().max(1))) else {
        return S::Identity;
    };
    let half = V::Decimal(D("-10.5".parse().unwrap()));
    let values = [V::Null, V::Int(0), V::Int(-7), half, V::Int(9_007_199_254_740_993)];
    S::Filter(name.clone(), operator, values[dice.roll(values.len())].clone())
}

fn aggregate(dice: &mut Dice, place: &mut Place) -> S {
    let mut values = Vec::new();
    let (mut numbers, mut others) = (Vec::new(), Vec::new());
    for _ in 0..=dice.roll(2) {
        let alias = place.alias();
        let number = place.numbers.get(dice.roll(place.numbers.len().max(1))).cloned();
        let what = match (dice.roll(4), number) {
            (1, Some(name)) => Some((name, ["sum", "average"][dice.roll(2)])),
            (2, _) => place.any(dice).map(|name| (name, ["min", "max"][dice.roll(2)])),
            (3, _) => place.any(dice).map(|name| (name, "countdistinct")),
            _ => None,
        };
        match &what {
            Some((_, "average" | "min" | "max")) => others.push(alias.clone()),
            _ => numbers.push(alias.clone()),
        }
        values.push((what, alias));
    }
    (place.numbers, place.others, place.key) = (numbers, others, Some(Vec::new()));
    S::Aggregate(values)
}

fn group_by(dice: &mut Dice, place: &mut Place, depth: usize) -> S {
    let mut names: Vec<String> = Vec::new();
    for _ in 0..=dice.roll(3) {
        names.extend(place.any(dice).filter(|name| !names.contains(name)));
    }
    if names.is_empty() {
        return S::Identity;
    }
    let many = if names.len() > 2 && dice.roll(2) == 0 { 2 } else { 0 };
    let levels = names.split_off(names.len() - many);
    let total = many > 0 && dice.roll(2) == 0;
    let all = [names.as_slice(), &levels].concat();
    let mut own = place.clone();
    let inside = (dice.roll(3) > 0).then(|| sequence(dice, &mut own, depth - 1));
    let of = |from: &[String]| -> Vec<String> {
        all.iter().filter(|name| from.contains(name)).cloned().collect()
    };
    let (mut numbers, mut others) = (of(&place.numbers), of(&place.others));
    if inside.is_some() {
        numbers.extend(own.numbers);
        others.extend(own.others);
    }
    for names in [&mut numbers, &mut others] {
        names.sort();
        names.dedup();
    }
    let known = many == 0 && place.key.is_some();
    let key = match &inside {
        None => Some(all.clone()),
        Some(_) => own.key.map(|key| [all.as_slice(), &key].concat()),
    };
    *place = Place { numbers, others, key: key.filter(|_| known), next: own.next };
    S::GroupBy(names, levels, total, inside)
}
