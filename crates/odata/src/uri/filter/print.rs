//! Expressions as text again: one blank around operators, and parentheses
//! where they are needed.

use std::fmt::{Display, Formatter, Result};

use super::{AND, Kind, Literal, Node, OR, PRIMARY, RELATION, UNARY, Unary};

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            Kind::Literal(literal) => literal.fmt(f),
            Kind::Path(names) => f.write_str(&names.join("/")),
            Kind::Root(path) => write!(f, "$root/{path}"),
            Kind::Alias(name) => write!(f, "@{name}"),
            Kind::Unary(operator, operand) => unary(f, *operator, operand),
            Kind::Binary(operator, left, right) => {
                within(f, left, operator.level())?;
                write!(f, " {} ", operator.text())?;
                within(f, right, operator.level() + 1)
            }
            Kind::And(all) => joined(f, all, " and ", |f, one| within(f, one, AND + 1)),
            Kind::Or(all) => joined(f, all, " or ", |f, one| within(f, one, OR + 1)),
            Kind::In(value, list) => {
                within(f, value, RELATION)?;
                write!(f, " in {list}")
            }
            Kind::List(items) => list(f, items),
            Kind::Array(items) => {
                f.write_str("[")?;
                joined(f, items, ",", json)?;
                f.write_str("]")
            }
            Kind::Call(name, arguments) => {
                f.write_str(name)?;
                list(f, arguments)
            }
            Kind::Case(branches) => {
                f.write_str("case(")?;
                joined(f, branches, ",", |f, (condition, value)| {
                    write!(f, "{condition} : {value}")
                })?;
                f.write_str(")")
            }
            Kind::Lambda(path, name, None) => write!(f, "{}/{name}()", path.join("/")),
            Kind::Lambda(path, name, Some((variable, body))) => {
                write!(f, "{}/{name}({variable}:{body})", path.join("/"))
            }
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => value.fmt(f),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Guid(text) | Self::Number(text) => f.write_str(text),
            Self::Prefixed(word, text) => write!(f, "{word}'{}'", text.replace('\'', "''")),
        }
    }
}

impl Node {
    fn level(&self) -> u8 {
        match &self.kind {
            Kind::Or(_) => OR,
            Kind::And(_) => AND,
            Kind::In(..) => RELATION,
            Kind::Binary(operator, ..) => operator.level(),
            Kind::Unary(..) => UNARY,
            _ => PRIMARY,
        }
    }
}

/// A part of an expression, in parentheses where it binds less tightly than this.
fn within(f: &mut Formatter<'_>, node: &Node, level: u8) -> Result {
    if node.level() < level { write!(f, "({node})") } else { node.fmt(f) }
}

/// A minus before a number would belong to the number.
fn unary(f: &mut Formatter<'_>, operator: Unary, operand: &Node) -> Result {
    match operator {
        Unary::Not => f.write_str("not ")?,
        Unary::Negate => f.write_str("-")?,
    }
    let literal = matches!(operand.kind, Kind::Literal(_));
    if operator == Unary::Negate && literal {
        return write!(f, "({operand})");
    }
    within(f, operand, UNARY)
}

fn list(f: &mut Formatter<'_>, items: &[Node]) -> Result {
    f.write_str("(")?;
    joined(f, items, ",", |f, item| item.fmt(f))?;
    f.write_str(")")
}

/// An item of a JSON array, where strings have double quotes.
fn json(f: &mut Formatter<'_>, item: &Node) -> Result {
    match &item.kind {
        Kind::Literal(Literal::Text(text)) => {
            f.write_str(&serde_json::Value::from(text.as_str()).to_string())
        }
        _ => item.fmt(f),
    }
}

fn joined<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    between: &str,
    print: impl Fn(&mut Formatter<'_>, &T) -> Result,
) -> Result {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            f.write_str(between)?;
        }
        print(f, item)?;
    }
    Ok(())
}
