//! Random rows, random expressions of a wanted type, and their text.

use jiff::SignedDuration;
use rollcall_odata::{Period, Row, Value};
use uuid::Uuid;

use super::evaluate::{D, E, V, evaluate, microseconds, seen};
use crate::support::date;

/// The types of expressions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum T {
    Bool,
    Int,
    Decimal,
    Double,
    Text,
    Date,
    Time,
    Instant,
    Guid,
    Duration,
}

pub const TYPES: [T; 10] = [
    T::Bool,
    T::Int,
    T::Decimal,
    T::Double,
    T::Text,
    T::Date,
    T::Time,
    T::Instant,
    T::Guid,
    T::Duration,
];

const NUMBERS: [T; 3] = [T::Int, T::Decimal, T::Double];

/// A generator of numbers that is the same in every run: splitmix64.
pub struct Dice {
    pub seed: u64,
    /// The rows that there are, which expressions may look at.
    pub rows: Vec<Row>,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { seed, rows: Vec::new() }
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
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
const DOUBLES: [f64; 13] = [
    0.5,
    -0.5,
    1.5,
    -2.5,
    2.0,
    0.0,
    1e300,
    -1e300,
    9_007_199_254_740_992.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    0.1,
];
const DECIMALS: [&str; 12] = [
    "0.0",
    "1.0",
    "0.5",
    "-2.5",
    "0.1",
    "-0.3333333333333333333333333333",
    "0.0000000000000000000000000001",
    "9007199254740993.0",
    "9223372036854775808.0",
    "-9007199254740992.5",
    "99999999999999999999999999999999999999.9999999999999999999999999999",
    "-12345678901234567890.5",
];
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
    let (names, counts) = (items(dice, T::Text), items(dice, T::Int));
    let kept = |items: Vec<V>| Value::List(items.into_iter().map(item_value).collect());
    row.extend([names, counts].map(|all| if dice.chance(5) { Value::Null } else { kept(all) }));
    row
}

/// Few items of few values, some of them null.
fn items(dice: &mut Dice, ty: T) -> Vec<V> {
    let item = |dice: &mut Dice| match (dice.chance(6), ty) {
        (true, _) => V::Null,
        (_, T::Text) => V::Text(dice.one(&["a", "\"", "\u{e9}"]).to_owned()),
        _ => V::Int(dice.one(&[1, 2, 9_007_199_254_740_993])),
    };
    (0..dice.roll(4)).map(|_| item(dice)).collect()
}

fn item_value(item: V) -> Value {
    match item {
        V::Text(text) => Value::Text(text),
        V::Int(number) => Value::Int(number),
        _ => Value::Null,
    }
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
        T::Decimal => V::Decimal(D(dice.one(&DECIMALS).parse().unwrap())),
        T::Double => match dice.one(&DOUBLES) {
            number if number.is_nan() => V::NaN,
            number => V::Double(number),
        },
        T::Text if dice.chance(6) => V::Text(dice.one(&["7", "30", "ALL", "all", "D7"]).to_owned()),
        T::Text => V::Text(dice.one(&TEXTS).to_owned()),
        T::Date => V::Date(date(dice.one(&DAYS))),
        T::Time => {
            V::Time(dice.one(&["00:00:00", "12:34:56.789", "23:59:59.999999999"]).parse().unwrap())
        }
        T::Instant => {
            let texts = [
                "0000-01-01T00:00:00Z",
                "1969-12-31T23:59:59.999999Z",
                "2026-11-24T12:34:56.789Z",
                "9999-12-31T23:59:59.999999Z",
            ];
            V::Instant(microseconds(dice.one(&texts)))
        }
        T::Guid => V::Guid(guid(dice)),
        T::Duration => V::Duration(dice.one(&DURATIONS)),
    }
}

fn property(dice: &mut Dice, ty: T) -> Option<E> {
    let at = match ty {
        T::Bool => 2,
        T::Int => dice.one(&[1, 3, 4, 5]),
        T::Text => dice.one(&[0, 6, 7, 13]),
        T::Date => dice.one(&[8, 9]),
        T::Guid => 10,
        T::Duration => dice.one(&[11, 12]),
        T::Decimal | T::Double | T::Time | T::Instant => return None,
    };
    let there = !dice.rows.is_empty() && dice.chance(8);
    Some(if there { elsewhere(dice, at) } else { E::Property(at) })
}

/// A property of one of the rows that there are, or of one that there is not.
fn elsewhere(dice: &mut Dice, at: usize) -> E {
    let row = dice.roll(dice.rows.len() + 1);
    let Some(row) = dice.rows.get(row) else {
        return E::Of(format!("samples(seq={row})"), at, V::Null);
    };
    let (V::Guid(key), V::Int(seq)) = (seen(&row[0]), seen(&row[1])) else { panic!() };
    let value = evaluate(&E::Property(at), row);
    let forms = [
        format!("samples('{key}')"),
        format!("Reports/samples/{key}"),
        format!("samples(seq={seq})"),
    ];
    E::Of(dice.one(&forms), at, value)
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
        T::Decimal => a_decimal(dice, depth),
        T::Double => a_double(dice, depth),
        T::Text => text(dice, depth),
        T::Date => match dice.roll(3) {
            0 => of(dice, "date", &[T::Instant], depth),
            1 => E::Cast(Box::new(expression(dice, T::Text, 0)), "Edm.Date"),
            _ => shifted(dice, T::Date, depth),
        },
        T::Time => of(dice, "time", &[T::Instant], depth),
        T::Instant if dice.chance(3) => E::Function("now", Vec::new()),
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
        T::Decimal => "Edm.Decimal",
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
    match dice.roll(11) {
        0 => E::Not(Box::new(expression(dice, T::Bool, depth))),
        1 => E::And(several(dice)),
        2 => E::Or(several(dice)),
        3 => of(dice, "contains", &[T::Text, T::Text], depth),
        4 => {
            let name = dice.one(&["startswith", "endswith"]);
            of(dice, name, &[T::Text, T::Text], depth)
        }
        5 => is_in(dice, depth),
        6 => {
            let (one, other) = (dice.one(&NUMBERS), dice.one(&NUMBERS));
            operator(dice, &COMPARISONS, one, other, depth)
        }
        7 => of_collections(dice),
        8 => matches_pattern(dice, depth),
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

fn of_collections(dice: &mut Dice) -> E {
    let (at, ty) = dice.one(&[(14, T::Text), (15, T::Int)]);
    let collection = |dice: &mut Dice| {
        if dice.chance(2) { E::Property(at) } else { E::Array(items(dice, ty)) }
    };
    let name = dice.one(&["hassubset", "hassubsequence"]);
    E::Function(name, vec![collection(dice), collection(dice)])
}

/// A pattern that is a text without marks of patterns, or none in any row.
fn matches_pattern(dice: &mut Dice, depth: usize) -> E {
    let pattern = expression(dice, T::Text, 0);
    let pattern = match pattern {
        E::Cast(..) => property(dice, T::Text).unwrap(),
        E::Property(_) if dice.chance(4) => {
            E::Function("concat", vec![pattern, E::Is(V::Text("(".to_owned()))])
        }
        other => other,
    };
    E::Function("matchesPattern", vec![expression(dice, T::Text, depth), pattern])
}

fn is_in(dice: &mut Dice, depth: usize) -> E {
    let ty = dice.one(&TYPES);
    let plain = !dice.chance(4);
    let one = expression(dice, ty, depth);
    let item = |dice: &mut Dice| {
        let other = NUMBERS.contains(&ty) && dice.chance(3);
        let ty = if other { dice.one(&NUMBERS) } else { ty };
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
                (T::Decimal, "Edm.Int64"),
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

const ARITHMETIC: [&str; 6] = ["add", "sub", "mul", "div", "divby", "mod"];

fn a_double(dice: &mut Dice, depth: usize) -> E {
    let other = dice.one(&NUMBERS);
    match dice.roll(6) {
        0 => E::Minus(Box::new(expression(dice, T::Double, depth))),
        1 => operator(dice, &ARITHMETIC, other, T::Double, depth),
        2 => {
            let name = dice.one(&["round", "floor", "ceiling"]);
            of(dice, name, &[T::Double], depth)
        }
        3 => {
            let name = dice.one(&["Edm.Double", "Edm.Single"]);
            E::Cast(Box::new(expression(dice, other, depth)), name)
        }
        _ => operator(dice, &ARITHMETIC, T::Double, other, depth),
    }
}

fn a_decimal(dice: &mut Dice, depth: usize) -> E {
    match dice.roll(8) {
        0 => E::Minus(Box::new(expression(dice, T::Decimal, depth))),
        1 => operator(dice, &["divby"], T::Int, T::Int, depth),
        2 => operator(dice, &ARITHMETIC, T::Int, T::Decimal, depth),
        3 => operator(dice, &ARITHMETIC, T::Decimal, T::Int, depth),
        4 => {
            let name = dice.one(&["round", "floor", "ceiling"]);
            of(dice, name, &[T::Decimal], depth)
        }
        5 => {
            let ty = dice.one(&[T::Int, T::Double, T::Text]);
            let depth = if ty == T::Text { 0 } else { depth };
            E::Cast(Box::new(expression(dice, ty, depth)), "Edm.Decimal")
        }
        6 => {
            let (name, ty) = dice.one(&[
                ("totalseconds", T::Duration),
                ("fractionalseconds", T::Time),
                ("fractionalseconds", T::Instant),
            ]);
            of(dice, name, &[ty], depth)
        }
        _ => operator(dice, &ARITHMETIC, T::Decimal, T::Decimal, depth),
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
            let ty = dice.one(&[T::Bool, T::Int, T::Decimal, T::Double, T::Date, T::Guid]);
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
        4 => {
            let ty = dice.one(&[T::Decimal, T::Double]);
            operator(dice, &["mul", "div", "divby"], T::Duration, ty, depth)
        }
        5 => {
            let ty = dice.one(&NUMBERS);
            operator(dice, &["mul"], ty, T::Duration, depth)
        }
        _ => operator(dice, &["add", "sub"], T::Duration, T::Duration, depth),
    }
}

pub const NAMES: [&str; 16] = [
    "id", "seq", "flag", "number", "other", "small", "text", "word", "day", "later", "guid",
    "length", "pause", "span", "names", "counts",
];
