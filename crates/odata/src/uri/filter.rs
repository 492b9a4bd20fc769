//! The common expression of `$filter`, `$orderby` and `$compute`: a small tree
//! with byte positions that knows nothing of the model.
//!
//! ```text
//! or          = and *( "or" and )
//! and         = equality *( "and" equality )
//! equality    = relation *( ( "eq" / "ne" ) relation )
//! relation    = sum *( ( "gt" / "ge" / "lt" / "le" / "has" ) sum / "in" list )
//! sum         = product *( ( "add" / "sub" ) product )
//! product     = unary *( ( "mul" / "div" / "divby" / "mod" ) unary )
//! unary       = ( "not" / "-" ) unary / primary
//! primary     = "(" or ")" / literal / "@" alias / call / path / root / JSON array
//! call        = name "(" [ or *( "," or ) ] ")"
//! path        = name *( "/" name ) [ "/" ( "any" / "all" ) "(" [ name ":" or ] ")" ]
//! root        = "$root/" path of a resource, with keys in its parentheses
//! list        = "(" [ or *( "," or ) ] ")" / JSON array / "@" alias / path
//! ```
//!
//! Operators, keywords and the names of functions count in any letter case.

mod parse;
mod print;
#[cfg(test)]
mod tests;

use super::{Limits, Place, Syntax};
pub(crate) use parse::Parser;

/// A part of an expression.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands: the position of its first byte, of an operator's its own.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
}

/// Positions do not count: the same expression may be written with other blanks.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Node {}

/// What a part of an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A value as it was written.
    Literal(Literal),
    /// The names of a property path.
    Path(Vec<String>),
    /// What stands behind `$root/`: a path from the service root.
    Root(String),
    /// A parameter alias, without its `@`.
    Alias(String),
    /// `not` or `-` before an operand.
    Unary(Unary, Box<Node>),
    /// Two operands.
    Binary(Binary, Box<Node>, Box<Node>),
    /// Two or more operands of which all must hold.
    And(Vec<Node>),
    /// Two or more operands of which one must hold.
    Or(Vec<Node>),
    /// Whether a value is in a list, which is a `List`, `Alias` or `Path`.
    In(Box<Node>, Box<Node>),
    /// The values of a list.
    List(Vec<Node>),
    /// A JSON array of values that is no list after `in`.
    Array(Vec<Node>),
    /// A function: its name as it was written, and its arguments.
    Call(String, Vec<Node>),
    /// `case(condition:value,…)`.
    Case(Vec<(Node, Node)>),
    /// `path/any(x:…)` or `path/all(x:…)`.
    Lambda(Vec<String>, String, Option<(String, Box<Node>)>),
}

/// A value as it was written; whether it is one is for the plan to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A string without its quotes.
    Text(String),
    /// A GUID.
    Guid(String),
    /// What begins like a number: a number, a date, a time.
    Number(String),
    /// A string with a word before it: `duration'PT1H'`.
    Prefixed(String, String),
}

/// The operators before an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// `not`.
    Not,
    /// `-`.
    Negate,
}

macro_rules! operators {
    ($(#[$doc:meta])* $kind:ident { $($name:ident $text:literal $level:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $kind { $(#[doc = concat!("`", $text, "`.")] $name,)* }

        impl $kind {
            /// The operator as it is written.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How tightly it binds.
            fn level(self) -> u8 {
                match self { $(Self::$name => $level,)* }
            }

            /// The operator that is written so, in any letter case.
            fn named(word: &str) -> Option<Self> {
                $(if word.eq_ignore_ascii_case($text) {
                    return Some(Self::$name);
                })*
                None
            }
        }
    };
}

/// How tightly `or`, `and`, `in` and `not` bind, beside the levels of `Binary`.
const OR: u8 = 1;
const AND: u8 = 2;
const RELATION: u8 = 4;
const UNARY: u8 = 7;
const PRIMARY: u8 = 8;

operators! {
    /// The operators between two operands.
    Binary {
        Eq "eq" 3,
        Ne "ne" 3,
        Gt "gt" 4,
        Ge "ge" 4,
        Lt "lt" 4,
        Le "le" 4,
        Has "has" 4,
        Add "add" 5,
        Sub "sub" 5,
        Mul "mul" 6,
        Div "div" 6,
        DivBy "divby" 6,
        Mod "mod" 6,
    }
}

/// Reads an expression. `option` is what errors call it: `$filter`.
pub fn parse(option: &str, text: &str, limits: Limits) -> Result<Node, Syntax> {
    let mut parser = Parser::new(Place { option, text }, limits)?;
    let node = parser.expression()?;
    parser.end()?;
    Ok(node)
}
