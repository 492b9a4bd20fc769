//! Random rows, random expressions of a wanted type, and their text.

use jiff::{SignedDuration, Timestamp};
use rollcall_odata::{Period, Row, Value};
use uuid::Uuid;

use super::evaluate::{E, V};
use crate::support::date;

/// The types of expressions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum T {
    Bool,
    Int,
    Double,
    Text,
    Date,
    Time,
    Instant,
    Guid,
    Duration,
}

pub const TYPES: [T; 9] =
    [T::Bool, T::Int, T::Double, T::Text, T::Date, T::Time, T::Instant, T::Guid, T::Duration];

/// A generator of numbers that is the same in every run: splitmix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn one<X: Clone>(&mut self, all: &[X]) -> X {
        all[self.roll(all.len())].clone()
    }

    fn chance(&mut self, of: usize) -> bool {
        self.roll(of) == 0
    }
}

const TEXTS: [&str; 15] = [
    "",
    " ",
    "a",
    "A",
    "ab",
    "Ab b",
    " a\u{a0}",
    "\u{e9}",
    "\u{c9}t\u{e9}",
    "\u{1F600}a",
    "a\u{0}b",
    "%_'",
    "7",
    "-12",
    "2026-11-18",
];
const DAYS: [&str; 6] =
    ["0000-01-01", "0000-03-01", "1969-12-31", "2024-02-29", "2026-11-18", "9999-12-31"];
const INTS: [i64; 11] =
    [i64::MIN, i64::MIN + 1, -7, -2, -1, 0, 1, 2, 7, 9_007_199_254_740_993, i64::MAX];
const DOUBLES: [f64; 10] =
    [0.5, -0.5, 1.5, -2.5, 2.0, 1e300, -1e300, 9_007_199_254_740_992.0, f64::INFINITY, 0.1];
const DURATIONS: [i64; 8] =
    [0, 1, -1, 3_600_000_000_000, -86_400_000_000_000, 5_400_000_000_001, i64::MAX, i64::MIN + 1];
const PERIODS: [i64; 5] = [7, 30, 90, 180, 10_000];

/// A row of the sample set.
pub fn row(dice: &mut Dice, number: i64) -> Row {
    let key = Uuid::from_u128(
        u128::try_from(number).unwrap() * 0x0123_4567_89ab_cdef_1357_9bdf_0246_8ace
            % 0xffff_ffff_ffff_ffff_ffff,
    );
    let mut row = vec![Value::Guid(key), Value::Int(number)];
    let small = i64::from(dice.one(&[i32::MIN, -1, 0, 1, 5, i32::MAX]));
    let values = [
        Value::Bool(dice.chance(2)),
        Value::Int(dice.one(&INTS)),
        Value::Int(dice.one(&INTS)),
        Value::Int(small),
        Value::Text(dice.one(&TEXTS).to_owned()),
        Value::Text(dice.one(&TEXTS).to_owned()),
        Value::Date(date(dice.one(&DAYS))),
        Value::Date(date(dice.one(&DAYS))),
        Value::Guid(guid(dice)),
        Value::Duration(SignedDuration::from_nanos(dice.one(&DURATIONS))),
        Value::Duration(SignedDuration::from_nanos(dice.one(&DURATIONS))),
        Value::Period(Period::from_number(dice.one(&PERIODS)).unwrap()),
    ];
    row.extend(values.map(|value| if dice.chance(5) { Value::Null } else { value }));
    row
}

fn guid(dice: &mut Dice) -> Uuid {
    Uuid::from_u128(dice.one(&[0, 7, 0xabcd_0000_0000, u128::MAX]))
}

/// A value of this type, or a null.
fn value(dice: &mut Dice, ty: T) -> V {
    if dice.chance(12) {
        return V::Null;
    }
    match ty {
        T::Bool => V::Bool(dice.chance(2)),
        T::Int => V::Int(dice.one(&INTS)),
        T::Double => V::Double(dice.one(&DOUBLES)),
        T::Text if dice.chance(6) => V::Text(dice.one(&["7", "30", "ALL", "all", "D7"]).to_owned()),
        T::Text => V::Text(dice.one(&TEXTS).to_owned()),
        T::Date => V::Date(date(dice.one(&DAYS))),
        T::Time => {
            V::Time(dice.one(&["00:00:00", "12:34:56.789", "23:59:59.999999999"]).parse().unwrap())
        }
        T::Instant => {
            let texts =
                ["0000-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2026-11-24T12:34:56.789Z"];
            V::Instant(dice.one(&texts).parse::<Timestamp>().unwrap().as_microsecond())
        }
        T::Guid => V::Guid(guid(dice)),
        T::Duration => V::Duration(dice.one(&DURATIONS)),
    }
}

fn property(dice: &mut Dice, ty: T) -> Option<E> {
    Some(E::Property(match ty {
        T::Bool => 2,
        T::Int => dice.one(&[1, 3, 4, 5]),
        T::Text => dice.one(&[0, 6, 7, 13]),
        T::Date => dice.one(&[8, 9]),
        T::Guid => 10,
        T::Duration => dice.one(&[11, 12]),
        T::Double | T::Time | T::Instant => return None,
    }))
}

/// An expression of this type, at most so deep.
pub fn expression(dice: &mut Dice, ty: T, depth: usize) -> E {
    if depth == 0 || dice.chance(5) {
        let leaf = if dice.chance(3) { None } else { property(dice, ty) };
        return leaf.unwrap_or_else(|| match value(dice, ty) {
            // A null of no type would make another operator of arithmetic.
            V::Null => E::Cast(Box::new(E::Is(V::Null)), type_name(ty)),
            value => E::Is(value),
        });
    }
    let depth = depth - 1;
    if dice.chance(15) {
        let branch =
            |dice: &mut Dice| (expression(dice, T::Bool, depth), expression(dice, ty, depth));
        return E::Case((0..=dice.roll(2)).map(|_| branch(dice)).collect());
    }
    match ty {
        T::Bool => condition(dice, depth),
        T::Int => integer(dice, depth),
        T::Double => a_double(dice, depth),
        T::Text => text(dice, depth),
        T::Date => match dice.roll(3) {
            0 => of(dice, "date", &[T::Instant], depth),
            1 => E::Cast(Box::new(expression(dice, T::Text, 0)), "Edm.Date"),
            _ => shifted(dice, T::Date, depth),
        },
        T::Time => of(dice, "time", &[T::Instant], depth),
        T::Instant => shifted(dice, T::Instant, depth),
        T::Guid => expression(dice, T::Guid, 0),
        T::Duration => duration(dice, depth),
    }
}

fn operator(dice: &mut Dice, names: &[&'static str], one: T, other: T, depth: usize) -> E {
    let one = expression(dice, one, depth);
    E::Operator(dice.one(names), Box::new(one), Box::new(expression(dice, other, depth)))
}

fn of(dice: &mut Dice, name: &'static str, types: &[T], depth: usize) -> E {
    E::Function(name, types.iter().map(|ty| expression(dice, *ty, depth)).collect())
}

fn type_name(ty: T) -> &'static str {
    match ty {
        T::Bool => "Edm.Boolean",
        T::Int => "Edm.Int64",
        T::Double => "Edm.Double",
        T::Text => "Edm.String",
        T::Date => "Edm.Date",
        T::Time => "Edm.TimeOfDay",
        T::Instant => "Edm.DateTimeOffset",
        T::Guid => "Edm.Guid",
        T::Duration => "Edm.Duration",
    }
}

const COMPARISONS: [&str; 6] = ["eq", "ne", "gt", "ge", "lt", "le"];

fn condition(dice: &mut Dice, depth: usize) -> E {
    let several =
        |dice: &mut Dice| (0..2 + dice.roll(2)).map(|_| expression(dice, T::Bool, depth)).collect();
    match dice.roll(9) {
        0 => E::Not(Box::new(expression(dice, T::Bool, depth))),
        1 => E::And(several(dice)),
        2 => E::Or(several(dice)),
        3 => of(dice, "contains", &[T::Text, T::Text], depth),
        4 => {
            let name = dice.one(&["startswith", "endswith"]);
            of(dice, name, &[T::Text, T::Text], depth)
        }
        5 => is_in(dice, depth),
        6 => operator(dice, &COMPARISONS, T::Int, T::Double, depth),
        _ => {
            let ty = dice.one(&TYPES);
            match operator(dice, &COMPARISONS, ty, ty, depth) {
                E::Operator(name, one, _) if dice.chance(12) => {
                    E::Operator(name, one, Box::new(E::Is(V::Null)))
                }
                other => other,
            }
        }
    }
}

fn is_in(dice: &mut Dice, depth: usize) -> E {
    let ty = dice.one(&TYPES);
    let plain = !dice.chance(4);
    let one = expression(dice, ty, depth);
    let item = |dice: &mut Dice| {
        if plain { E::Is(value(dice, ty)) } else { expression(dice, ty, 1) }
    };
    let items = (0..dice.roll(4)).map(|_| item(dice)).collect();
    E::In(Box::new(one), items)
}

fn integer(dice: &mut Dice, depth: usize) -> E {
    match dice.roll(8) {
        0 => E::Minus(Box::new(expression(dice, T::Int, depth))),
        1 => of(dice, "length", &[T::Text], depth),
        2 => of(dice, "indexof", &[T::Text, T::Text], depth),
        3 => {
            let (name, ty) = dice.one(&[
                ("year", T::Date),
                ("month", T::Date),
                ("day", T::Date),
                ("year", T::Instant),
                ("day", T::Instant),
                ("hour", T::Instant),
                ("second", T::Instant),
                ("hour", T::Time),
                ("minute", T::Time),
                ("round", T::Int),
            ]);
            of(dice, name, &[ty], depth)
        }
        4 => {
            let (ty, name) = dice.one(&[
                (T::Double, "Edm.Int64"),
                (T::Text, "Edm.Int64"),
                (T::Int, "Edm.Int16"),
                (T::Int, "Edm.Byte"),
            ]);
            let depth = if ty == T::Text { 0 } else { depth };
            E::Cast(Box::new(expression(dice, ty, depth)), name)
        }
        _ => operator(dice, &["add", "sub", "mul", "div", "mod"], T::Int, T::Int, depth),
    }
}

fn a_double(dice: &mut Dice, depth: usize) -> E {
    let names = ["add", "sub", "mul", "div", "divby", "mod"];
    match dice.roll(7) {
        0 => E::Minus(Box::new(expression(dice, T::Double, depth))),
        1 => operator(dice, &["divby"], T::Int, T::Int, depth),
        2 => operator(dice, &names, T::Int, T::Double, depth),
        3 => operator(dice, &names, T::Double, T::Int, depth),
        4 => {
            let name = dice.one(&["round", "floor", "ceiling"]);
            of(dice, name, &[T::Double], depth)
        }
        5 => {
            let (name, ty) = dice.one(&[
                ("totalseconds", T::Duration),
                ("fractionalseconds", T::Time),
                ("fractionalseconds", T::Instant),
            ]);
            of(dice, name, &[ty], depth)
        }
        _ => operator(dice, &names, T::Double, T::Double, depth),
    }
}

fn text(dice: &mut Dice, depth: usize) -> E {
    match dice.roll(6) {
        0 => {
            let name = dice.one(&["tolower", "toupper", "trim"]);
            of(dice, name, &[T::Text], depth)
        }
        1 => of(dice, "concat", &[T::Text, T::Text], depth),
        2 => of(dice, "substring", &[T::Text, T::Int], depth),
        3 => of(dice, "substring", &[T::Text, T::Int, T::Int], depth),
        _ => {
            let ty = dice.one(&[T::Bool, T::Int, T::Double, T::Date, T::Guid]);
            E::Cast(Box::new(expression(dice, ty, depth)), "Edm.String")
        }
    }
}

fn shifted(dice: &mut Dice, ty: T, depth: usize) -> E {
    operator(dice, &["add", "sub"], ty, T::Duration, depth)
}

fn duration(dice: &mut Dice, depth: usize) -> E {
    match dice.roll(7) {
        0 => E::Minus(Box::new(expression(dice, T::Duration, depth))),
        1 => operator(dice, &["sub"], T::Date, T::Date, depth),
        2 => operator(dice, &["sub"], T::Instant, T::Instant, depth),
        3 => operator(dice, &["mul", "div", "divby"], T::Duration, T::Int, depth),
        4 => operator(dice, &["mul", "div", "divby"], T::Duration, T::Double, depth),
        5 => {
            let ty = dice.one(&[T::Int, T::Double]);
            operator(dice, &["mul"], ty, T::Duration, depth)
        }
        _ => operator(dice, &["add", "sub"], T::Duration, T::Duration, depth),
    }
}

pub const NAMES: [&str; 14] = [
    "id", "seq", "flag", "number", "other", "small", "text", "word", "day", "later", "guid",
    "length", "pause", "span",
];

/// The expression in the language of the protocol, everything in parentheses.
pub fn shown(e: &E) -> String {
    let list = |all: &[E], between: &str| all.iter().map(shown).collect::<Vec<_>>().join(between);
    match e {
        E::Is(value) => literal(value),
        E::Property(at) => NAMES[*at].to_owned(),
        E::Not(one) => format!("(not {})", shown(one)),
        E::Minus(one) => format!("-({})", shown(one)),
        E::And(all) => format!("({})", list(all, " and ")),
        E::Or(all) => format!("({})", list(all, " or ")),
        E::Operator(name, one, other) => format!("({} {name} {})", shown(one), shown(other)),
        E::In(one, all) => format!("({} in ({}))", shown(one), list(all, ",")),
        E::Function(name, all) => format!("{name}({})", list(all, ",")),
        E::Case(branches) => {
            let shown =
                |(condition, value): &(E, E)| format!("{} : {}", shown(condition), shown(value));
            format!("case({})", branches.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        E::Cast(one, ty) => format!("cast({},{ty})", shown(one)),
    }
}

fn literal(value: &V) -> String {
    match value {
        V::Null => "null".to_owned(),
        V::Bool(value) => value.to_string(),
        V::Int(number) => number.to_string(),
        V::Decimal(number) => number.to_string(),
        V::Double(number) if number.is_infinite() => "INF".to_owned(),
        V::Double(number) => format!("{number:?}"),
        V::Text(text) => format!("'{}'", text.replace('\'', "''")),
        V::Date(date) => date.to_string(),
        V::Time(time) => time.to_string(),
        V::Instant(instant) => Timestamp::from_microsecond(*instant).unwrap().to_string(),
        V::Guid(guid) => guid.to_string(),
        V::Duration(nanoseconds) => {
            format!("duration'{}'", SignedDuration::from_nanos(*nanoseconds))
        }
    }
}
