//! `Edm.Decimal`: exact, with a place for each of a fixed number of digits.
//!
//! Sums and differences of decimals are decimals. A product or quotient with
//! more digits after the point than there is room for is rounded to the nearest
//! decimal, halves away from zero. What has more digits before the point than
//! there is room for is none.

use std::sync::LazyLock;

use num_bigint::{BigInt, Sign};

/// How many digits there may be before the point.
const WHOLE: u32 = 38;
/// How many digits there may be after the point.
const SCALE: u32 = 28;

/// One, in units of the last digit.
static ONE: LazyLock<BigInt> = LazyLock::new(|| BigInt::from(10).pow(SCALE));
/// The first number of units that is too large.
static BEYOND: LazyLock<BigInt> = LazyLock::new(|| BigInt::from(10).pow(WHOLE + SCALE));

/// A number of at most 38 digits before the point and 28 after it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(BigInt);

impl Decimal {
    /// How many bytes one has: enough for 66 digits and a sign.
    pub const BYTES: usize = 28;

    fn within(units: BigInt) -> Option<Self> {
        (units.magnitude() < BEYOND.magnitude()).then_some(Self(units))
    }

    /// The whole number, if it has no more digits than there is room for.
    pub fn whole(number: i128) -> Option<Self> {
        Self::within(BigInt::from(number) * &*ONE)
    }

    /// Digits, and a fraction or none; `None` also where a digit has no place.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
        let places = usize::try_from(SCALE).ok()?;
        let whole_digits = whole.trim_start_matches('0').len();
        let kept = fraction.trim_end_matches('0');
        let fits = whole_digits <= usize::try_from(WHOLE).ok()? && kept.len() <= places;
        if !digits(whole) || !digits(fraction) || !fits {
            return None;
        }
        let units: BigInt = format!("{whole}{kept:0<places$}").parse().ok()?;
        Self::within(if text.starts_with('-') { -units } else { units })
    }

    /// The decimal that is nearest to what the shortest text of a double says.
    pub fn nearest(number: f64) -> Option<Self> {
        let text = number.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
        let scale = u32::try_from(fraction.len()).ok()?;
        Self::within(divided(&(digits * &*ONE), &BigInt::from(10).pow(scale)))
    }

    /// The nearest double.
    pub fn to_double(&self) -> f64 {
        // What is written with digits alone reads as a double.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The sum.
    pub fn add(&self, other: &Self) -> Option<Self> {
        Self::within(&self.0 + &other.0)
    }

    /// The difference.
    pub fn sub(&self, other: &Self) -> Option<Self> {
        Self::within(&self.0 - &other.0)
    }

    /// The product.
    pub fn mul(&self, other: &Self) -> Option<Self> {
        Self::within(divided(&(&self.0 * &other.0), &ONE))
    }

    /// The quotient; none by zero.
    pub fn div(&self, by: &Self) -> Option<Self> {
        if by.is_zero() { None } else { Self::within(divided(&(&self.0 * &*ONE), &by.0)) }
    }

    /// The remainder, with the sign of the first; none by zero.
    pub fn rem(&self, by: &Self) -> Option<Self> {
        if by.is_zero() { None } else { Some(Self(&self.0 % &by.0)) }
    }

    /// The same with the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self(-&self.0)
    }

    /// The nearest whole number, halves away from zero.
    pub fn round(&self) -> Option<Self> {
        Self::within(divided(&self.0, &ONE) * &*ONE)
    }

    /// The next lower whole number.
    pub fn floor(&self) -> Option<Self> {
        let beyond = (&self.0 % &*ONE + &*ONE) % &*ONE;
        Self::within(&self.0 - beyond)
    }

    /// The next greater whole number.
    pub fn ceiling(&self) -> Option<Self> {
        self.negated().floor().map(|lower| lower.negated())
    }

    /// Without its fraction, where an integer can hold that.
    pub fn to_integer(&self) -> Option<i64> {
        i64::try_from(&self.0 / &*ONE).ok()
    }

    fn is_zero(&self) -> bool {
        self.0.sign() == Sign::NoSign
    }

    /// Bytes whose order is that of the numbers.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let (bytes, negative) = (self.0.to_signed_bytes_be(), self.0.sign() == Sign::Minus);
        let mut all = [if negative { 0xff } else { 0 }; Self::BYTES];
        let first = Self::BYTES.saturating_sub(bytes.len());
        all[first..].copy_from_slice(&bytes[bytes.len().saturating_sub(Self::BYTES)..]);
        all[0] ^= 0x80;
        all
    }

    /// The number that has these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut bytes: [u8; Self::BYTES] = bytes.try_into().ok()?;
        bytes[0] ^= 0x80;
        Self::within(BigInt::from_signed_bytes_be(&bytes))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(BigInt::from(number) * &*ONE)
    }
}

/// The quotient, rounded to the nearest, halves away from zero.
fn divided(number: &BigInt, by: &BigInt) -> BigInt {
    let (quotient, rest) = (number / by, number % by);
    if rest.magnitude() * 2_u8 < *by.magnitude() {
        quotient
    } else if number.sign() == by.sign() {
        quotient + 1
    } else {
        quotient - 1
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.0.magnitude().to_string();
        let (places, sign) = (SCALE as usize, if self.0.sign() == Sign::Minus { "-" } else { "" });
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

impl std::fmt::Debug for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: &str = "99999999999999999999999999999999999999.9999999999999999999999999999";

    fn of(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn bytes_have_the_order_of_the_numbers() {
        let least = format!("-{MOST}");
        let tiny = "0.0000000000000000000000000001";
        let numbers = [least.as_str(), "-9223372036854775809", "-1.5", "-1", "0", tiny, "1", MOST];
        let kept = numbers.map(|text| of(text).to_bytes());
        assert!(kept.is_sorted());
        let read = kept.map(|bytes| Decimal::from_bytes(&bytes).unwrap().to_string());
        assert_eq!(read, numbers.map(str::to_owned));
        assert_eq!(Decimal::from_bytes(&[0xff; Decimal::BYTES]), None);
        assert_eq!(Decimal::from_bytes(&[0; 16]), None);
    }

    #[test]
    fn texts_are_digits_that_have_a_place() {
        for (text, shown) in
            [("007.50", "7.5"), ("-0.0", "0"), ("1.00000000000000000000000000000", "1")]
        {
            assert_eq!(of(text).to_string(), shown);
        }
        let (long, small) = (format!("1{}", "0".repeat(38)), format!("0.{}1", "0".repeat(28)));
        for text in ["", "-", ".5", "5.", "1e2", "+1", "1_0", "--1", &long, &small, "NaN"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_has_no_place_is_rounded_or_none() {
        let third = of("1").div(&of("3")).unwrap();
        assert_eq!(third.to_string(), format!("0.{}", "3".repeat(28)));
        assert_eq!(of("-2").div(&of("3")).unwrap().to_string(), format!("-0.{}7", "6".repeat(27)));
        assert_eq!(of(MOST).add(&of("0.1")), None);
        assert_eq!(of(MOST).mul(&of("2")), None);
        assert_eq!((of("1").div(&of("0")), of("1").rem(&of("0.0"))), (None, None));
        assert_eq!(of(MOST).ceiling(), None);
        assert_eq!(of("-7.5").rem(&of("2")).unwrap().to_string(), "-1.5");
        let small = of("0.0000000000000000000000000001");
        assert_eq!(small.mul(&of("0.5")).unwrap(), small, "halves go away from zero");
        assert_eq!(small.mul(&of("0.4")).unwrap(), of("0"));
    }

    #[test]
    fn whole_numbers_around_one() {
        for (text, round, floor, ceiling, integer) in [
            ("-1.5", "-2", "-2", "-1", -1),
            ("2.5", "3", "2", "3", 2),
            ("-3", "-3", "-3", "-3", -3),
        ] {
            let (number, shown) = (of(text), |one: Option<Decimal>| one.unwrap().to_string());
            assert_eq!(shown(number.round()), round);
            assert_eq!(shown(number.floor()), floor);
            assert_eq!(shown(number.ceiling()), ceiling);
            assert_eq!(number.to_integer(), Some(integer));
        }
        assert_eq!(of("9223372036854775808").to_integer(), None);
    }

    #[test]
    fn doubles_and_back() {
        for (number, text) in [(0.1, "0.1"), (-1e20, "-100000000000000000000"), (1e-30, "0")] {
            assert_eq!(Decimal::nearest(number).unwrap().to_string(), text);
        }
        for number in [1e38, f64::NAN, f64::INFINITY] {
            assert_eq!(Decimal::nearest(number), None);
        }
        assert!((of("0.30000000000000004").to_double() - (0.1 + 0.2)).abs() < f64::MIN_POSITIVE);
    }
}
