//! The parser. Sequences that are nested count by the limit on depth, and
//! expressions share one limit on nodes.

use super::{
    Aggregate, Group, Kind, Limits, Method, NOT_SERVED, Property, SERVED, Syntax, Transformation,
};
use crate::error::Error;
use crate::uri::filter::Parser;
use crate::uri::{Place, clauses, search};

type Sequence = Vec<Transformation>;

/// What the option is called.
const APPLY: &str = "$apply";

pub(super) fn whole(text: &str, limits: Limits) -> Result<Sequence, Syntax> {
    let parser = Parser::new(Place { option: APPLY, text }, limits)?;
    let mut reader = Reader { parser, left: limits.transformations, depth: 0 };
    let sequence = reader.sequence()?;
    if reader.parser.is_at_end() {
        return Ok(sequence);
    }
    Err(reader.parser.wrong("'/' or the end"))
}

struct Reader<'a> {
    parser: Parser<'a>,
    /// How many more transformations there may be.
    left: usize,
    depth: usize,
}

impl Reader<'_> {
    fn sequence(&mut self) -> Result<Sequence, Syntax> {
        let limits = self.parser.limits();
        self.depth += 1;
        if self.depth > limits.depth {
            return Err(self.parser.place().too_deep(limits));
        }
        let mut all = Vec::new();
        loop {
            let left = self.left.checked_sub(1);
            self.left = left.ok_or_else(|| self.parser.place().too_many_steps(limits))?;
            all.push(self.transformation()?);
            if !self.parser.take('/')? {
                self.depth -= 1;
                return Ok(all);
            }
        }
    }

    fn transformation(&mut self) -> Result<Transformation, Syntax> {
        let at = self.parser.position();
        let expected = format!("one of {}", SERVED.join(", "));
        let (_, name) = self.parser.name(&expected)?;
        let name = name.to_ascii_lowercase();
        if NOT_SERVED.contains(&name.as_str()) {
            let what = format!("The transformation '{name}'");
            return Err(self.parser.place().not_served(at, &what));
        }
        if !SERVED.contains(&name.as_str()) {
            return Err(self.parser.place().wrong(at, &format!("'{name}'"), &expected));
        }
        if name == "identity" {
            return Ok(Transformation { at, kind: Kind::Identity });
        }
        if name == "search" {
            return Ok(Transformation { at, kind: self.search()? });
        }
        self.parser.expect('(', "'(' after the name of a transformation")?;
        let kind = self.inside(&name)?;
        self.parser.expect(')', "',' or ')'")?;
        Ok(Transformation { at, kind })
    }

    /// What stands in the parentheses.
    fn inside(&mut self, name: &str) -> Result<Kind, Syntax> {
        Ok(match name {
            "aggregate" => Kind::Aggregate(clauses::list(&mut self.parser, aggregate)?),
            "compute" => Kind::Compute(clauses::computed(&mut self.parser)?),
            "filter" => Kind::Filter(self.parser.expression()?),
            "orderby" => Kind::OrderBy(clauses::order_keys(&mut self.parser)?),
            "skip" => Kind::Skip(self.number()?),
            "top" => Kind::Top(self.number()?),
            "concat" => self.concat()?,
            _ => self.group_by()?,
        })
    }

    fn concat(&mut self) -> Result<Kind, Syntax> {
        let mut all = vec![self.sequence()?];
        self.parser.expect(',', "'/', or ',' and another sequence")?;
        loop {
            all.push(self.sequence()?);
            if !self.parser.take(',')? {
                return Ok(Kind::Concat(all));
            }
        }
    }

    fn group_by(&mut self) -> Result<Kind, Syntax> {
        self.parser.expect('(', "'(' before the properties to group by")?;
        let groups = clauses::list(&mut self.parser, group)?;
        self.parser.expect(')', "',' or ')'")?;
        let sequence = if self.parser.take(',')? { Some(self.sequence()?) } else { None };
        Ok(Kind::GroupBy(groups, sequence))
    }

    /// A search has a language of its own, up to the parenthesis that closes it.
    fn search(&mut self) -> Result<Kind, Syntax> {
        let parser = &mut self.parser;
        let from = parser.opens().ok_or_else(|| parser.wrong("'(' after 'search'"))?;
        let (found, end) = search::part(parser.place(), from, parser.limits())?;
        parser.resume(end)?;
        parser.expect(')', "a word or ')'")?;
        Ok(Kind::Search(found))
    }

    fn number(&mut self) -> Result<u64, Syntax> {
        let expected = "a whole number from 0";
        let (at, text) = self.parser.number(expected)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|_| digits)
            .ok_or_else(|| self.parser.place().wrong(at, &format!("'{text}'"), expected))
    }
}

fn aggregate(parser: &mut Parser<'_>) -> Result<Aggregate, Syntax> {
    let value = if parser.take_word("$count")? { None } else { Some(value(parser)?) };
    if parser.take_word("from")? {
        return Err(parser.place().not_served(parser.position(), "The keyword 'from'"));
    }
    if !parser.take_word("as")? {
        return Err(parser.wrong("'as' and a name"));
    }
    let (at, name) = parser.name("a name after 'as'")?;
    Ok(Aggregate { value, name, at })
}

fn value(parser: &mut Parser<'_>) -> Result<(crate::uri::filter::Node, Method), Syntax> {
    let expression = parser.expression()?;
    let names: Vec<&str> = Method::ALL.iter().map(|one| one.text()).collect();
    let expected = format!("one of {}", names.join(", "));
    if !parser.take_word("with")? {
        return Err(parser.wrong(&format!("an operator, or 'with' and {expected}")));
    }
    let (at, name) = parser.name(&expected)?;
    let method = Method::ALL.iter().find(|one| name.eq_ignore_ascii_case(one.text()));
    let method = method.ok_or_else(|| unknown(parser, at, &name, &expected))?;
    Ok((expression, *method))
}

fn unknown(parser: &Parser<'_>, at: usize, name: &str, expected: &str) -> Error {
    parser.place().wrong(at, &format!("'{name}'"), expected)
}

fn group(parser: &mut Parser<'_>) -> Result<Group, Syntax> {
    let first = property(parser)?;
    let is_rollup = matches!(&first.path[..], [one] if one.eq_ignore_ascii_case("rollup"));
    if !is_rollup || !parser.take('(')? {
        return Ok(Group::By(first));
    }
    let total = parser.take_word("$all")?;
    if total {
        parser.expect(',', "',' and a property")?;
    }
    let levels = clauses::list(parser, property)?;
    if !total && levels.len() < 2 {
        return Err(parser.wrong("',' and a property: there is no hierarchy with a name"));
    }
    parser.expect(')', "',' or ')'")?;
    Ok(Group::Rollup { total, levels })
}

fn property(parser: &mut Parser<'_>) -> Result<Property, Syntax> {
    let (at, name) = parser.name("the name of a property")?;
    let mut path = vec![name];
    while parser.take('/')? {
        path.push(parser.name("the name of a property after '/'")?.1);
    }
    Ok(Property { at, path })
}
