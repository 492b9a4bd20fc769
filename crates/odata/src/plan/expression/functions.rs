//! The functions that a plan can ask of the store, and the names and
//! signatures under which clients know them.

use super::Ty::{self, Boolean, Date, Decimal, Double, Duration, Instant, Int, String, TimeOfDay};

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A function whose arguments have the one right type each. A number
        /// where a double is wanted may be any, and where a decimal is wanted an
        /// integer. All are null where an argument is null.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Function { $($(#[$doc])* $name,)* }

        impl Function {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

functions! {
    /// Whether the first string has the second in it.
    Contains,
    /// Whether the first string begins with the second.
    StartsWith,
    /// Whether the first string ends with the second.
    EndsWith,
    /// How many Unicode characters the string has.
    Length,
    /// The position of the second string in the first in characters, or -1.
    IndexOf,
    /// The characters from a position on; a negative one counts from the end.
    Substring,
    /// As `Substring`, at most so many characters.
    SubstringOf,
    /// Whether the pattern in the second string, a value, is found in the first.
    MatchesPattern,
    /// The same of a pattern that may differ from row to row; null where it is none.
    MatchesItsPattern,
    /// Whether the second collection is made of items of the first.
    HasSubset,
    /// The same, in their order.
    HasSubsequence,
    /// In lower case, by Unicode.
    ToLower,
    /// In upper case, by Unicode.
    ToUpper,
    /// Without white space at both ends, by Unicode.
    Trim,
    /// Both strings.
    Concat,
    /// A part of a date.
    DateYear,
    /// A part of a date.
    DateMonth,
    /// A part of a date.
    DateDay,
    /// A part of an instant, in UTC.
    InstantYear,
    /// A part of an instant, in UTC.
    InstantMonth,
    /// A part of an instant, in UTC.
    InstantDay,
    /// A part of an instant, in UTC.
    InstantHour,
    /// A part of an instant, in UTC.
    InstantMinute,
    /// A part of an instant, in UTC.
    InstantSecond,
    /// The fraction of an instant's second.
    InstantFraction,
    /// The day of an instant, in UTC.
    InstantDate,
    /// The time of an instant, in UTC.
    InstantTime,
    /// A part of a time of day.
    TimeHour,
    /// A part of a time of day.
    TimeMinute,
    /// A part of a time of day.
    TimeSecond,
    /// The fraction of a time of day's second.
    TimeFraction,
    /// A duration in seconds.
    TotalSeconds,
    /// To the nearest whole number, halves away from zero.
    Round,
    /// To the next lower whole number.
    Floor,
    /// To the next greater whole number.
    Ceiling,
    /// As `Round`.
    DecimalRound,
    /// As `Floor`.
    DecimalFloor,
    /// As `Ceiling`.
    DecimalCeiling,
    /// Of integers and of durations.
    IntAdd,
    /// Of integers and of durations.
    IntSub,
    /// Of integers, and of a duration and an integer.
    IntMul,
    /// Without the fraction; of integers, and of a duration by an integer.
    IntDiv,
    /// The remainder, with the sign of the first.
    IntMod,
    /// Of an integer and of a duration.
    IntNegate,
    /// Of numbers.
    DoubleAdd,
    /// Of numbers.
    DoubleSub,
    /// Of numbers.
    DoubleMul,
    /// Of numbers.
    DoubleDiv,
    /// The remainder, with the sign of the first.
    DoubleMod,
    /// Of a number.
    DoubleNegate,
    /// A day so much later; whatever is less than a day is left out in the end.
    DatePlus,
    /// A day so much earlier.
    DateMinus,
    /// The duration from the second day to the first.
    DateDifference,
    /// An instant so much later.
    InstantPlus,
    /// An instant so much earlier.
    InstantMinus,
    /// The duration from the second instant to the first.
    InstantDifference,
    /// A duration so many times.
    DurationTimes,
    /// A duration divided by a number.
    DurationOver,
    /// Of decimals and integers.
    DecimalAdd,
    /// Of decimals and integers.
    DecimalSub,
    /// Of decimals and integers.
    DecimalMul,
    /// Of decimals and integers.
    DecimalDiv,
    /// The remainder, with the sign of the first.
    DecimalMod,
    /// Of a decimal.
    DecimalNegate,
    /// An integer as a decimal.
    IntToDecimal,
    /// A double as the decimal that its text says.
    DoubleToDecimal,
    /// A decimal without its fraction, where an integer can hold it.
    DecimalToInt,
    /// An integer or decimal as a double.
    IntToDouble,
    /// A double with the precision of `Edm.Single`.
    ToSingle,
    /// A double, one that is no number as one that is none of the others.
    NaNApart,
    /// A double, null where it is no number.
    NaNAsNull,
    /// A double without its fraction.
    DoubleToInt,
    /// The integer, where it has 32 bits.
    ToInt32,
    /// The integer, where it has 16 bits.
    ToInt16,
    /// The integer, where it is 0 to 255.
    ToByte,
    /// The integer, where it is -128 to 127.
    ToSByte,
    /// A value as its text.
    BooleanToText,
    /// A value as its text.
    IntToText,
    /// A value as its text.
    DecimalToText,
    /// A value as its text.
    DoubleToText,
    /// A value as its text.
    DateToText,
    /// A value as its text.
    TimeToText,
    /// A value as its text.
    InstantToText,
    /// A value as its text.
    GuidToText,
    /// A value as its text.
    DurationToText,
    /// A value as its text.
    BinaryToText,
    /// A value from its text.
    TextToBoolean,
    /// A value from its text.
    TextToInt,
    /// A value from its text.
    TextToDecimal,
    /// A value from its text.
    TextToDouble,
    /// A value from its text.
    TextToDate,
    /// A value from its text.
    TextToTime,
    /// A value from its text.
    TextToInstant,
    /// A value from its text.
    TextToGuid,
    /// A value from its text.
    TextToDuration,
    /// A value from its text.
    TextToBinary,
}

/// A canonical function for arguments of these types.
pub(super) struct Signature {
    pub name: &'static str,
    pub arguments: &'static [Ty],
    pub function: Function,
    pub gives: Ty,
}

macro_rules! signatures {
    ($($name:literal ($($argument:ident),*) $function:ident $gives:ident,)*) => {
        /// The canonical functions; of several by one name the first that fits counts.
        pub(super) const SIGNATURES: &[Signature] = &[$(Signature {
            name: $name,
            arguments: &[$($argument),*],
            function: Function::$function,
            gives: $gives,
        },)*];
    };
}

signatures! {
    "contains" (String, String) Contains Boolean,
    "startswith" (String, String) StartsWith Boolean,
    "endswith" (String, String) EndsWith Boolean,
    "matchespattern" (String, String) MatchesPattern Boolean,
    "length" (String) Length Int,
    "indexof" (String, String) IndexOf Int,
    "substring" (String, Int) Substring String,
    "substring" (String, Int, Int) SubstringOf String,
    "tolower" (String) ToLower String,
    "toupper" (String) ToUpper String,
    "trim" (String) Trim String,
    "concat" (String, String) Concat String,
    "year" (Date) DateYear Int,
    "year" (Instant) InstantYear Int,
    "month" (Date) DateMonth Int,
    "month" (Instant) InstantMonth Int,
    "day" (Date) DateDay Int,
    "day" (Instant) InstantDay Int,
    "hour" (Instant) InstantHour Int,
    "hour" (TimeOfDay) TimeHour Int,
    "minute" (Instant) InstantMinute Int,
    "minute" (TimeOfDay) TimeMinute Int,
    "second" (Instant) InstantSecond Int,
    "second" (TimeOfDay) TimeSecond Int,
    "fractionalseconds" (Instant) InstantFraction Decimal,
    "fractionalseconds" (TimeOfDay) TimeFraction Decimal,
    "date" (Instant) InstantDate Date,
    "time" (Instant) InstantTime TimeOfDay,
    "totalseconds" (Duration) TotalSeconds Decimal,
    "round" (Decimal) DecimalRound Decimal,
    "round" (Double) Round Double,
    "floor" (Decimal) DecimalFloor Decimal,
    "floor" (Double) Floor Double,
    "ceiling" (Decimal) DecimalCeiling Decimal,
    "ceiling" (Double) Ceiling Double,
}

/// What the protocol has and no type here can use.
pub(super) const NOT_SERVED: &[&str] = &["geo.distance", "geo.intersects", "geo.length"];
