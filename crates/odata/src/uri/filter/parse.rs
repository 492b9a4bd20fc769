//! The parser, with a cap on depth and on the number of nodes.

use serde_json::value::RawValue;

use super::{AND, Binary, Kind, Literal, Node, OR, RELATION, Unary};
use crate::uri::lexer::{Lexer, Token};
use crate::uri::{Limits, Place, Syntax, path};

/// Reads expressions, one after another, from one text.
pub(crate) struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token that comes next, and where it stands.
    next: (usize, Token),
    limits: Limits,
    nodes: usize,
    depth: usize,
}

/// What may stand after an operand.
#[derive(Debug, Clone, Copy)]
enum Operator {
    Or,
    And,
    In,
    Binary(Binary),
}

impl Operator {
    fn level(self) -> u8 {
        match self {
            Self::Or => OR,
            Self::And => AND,
            Self::In => RELATION,
            Self::Binary(operator) => operator.level(),
        }
    }
}

impl<'a> Parser<'a> {
    pub fn new(place: Place<'a>, limits: Limits) -> Result<Self, Syntax> {
        Self::within(place, 0, limits)
    }

    /// One that begins at this byte of its text.
    pub fn within(place: Place<'a>, at: usize, limits: Limits) -> Result<Self, Syntax> {
        let mut lexer = Lexer { place, at };
        let next = lexer.next()?;
        Ok(Self { lexer, next, limits, nodes: 0, depth: 0 })
    }

    /// The text that is read.
    pub fn place(&self) -> Place<'a> {
        self.lexer.place
    }

    /// How large what is read may be.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A whole expression.
    pub fn expression(&mut self) -> Result<Node, Syntax> {
        self.deeper(|parser| parser.operation(OR))
    }

    /// Nothing may follow.
    pub fn end(&mut self) -> Result<(), Syntax> {
        match self.next.1 {
            Token::End => Ok(()),
            _ => Err(self.wrong("an operator or the end")),
        }
    }

    /// Takes this word, in any letter case, if it comes next.
    pub fn take_word(&mut self, word: &str) -> Result<bool, Syntax> {
        let found = matches!(&self.next.1, Token::Word(next) if next.eq_ignore_ascii_case(word));
        if found {
            self.step()?;
        }
        Ok(found)
    }

    /// Takes this mark if it comes next.
    pub fn take(&mut self, mark: char) -> Result<bool, Syntax> {
        let found = self.next.1 == Token::Mark(mark);
        if found {
            self.step()?;
        }
        Ok(found)
    }

    /// A name, and where it stands.
    pub fn name(&mut self, expected: &str) -> Result<(usize, String), Syntax> {
        match &self.next.1 {
            Token::Word(_) => match self.step()? {
                (at, Token::Word(word)) => Ok((at, word)),
                _ => Err(self.wrong(expected)),
            },
            _ => Err(self.wrong(expected)),
        }
    }

    /// Where the text goes on after a parenthesis that opens here, if one does.
    pub fn opens(&self) -> Option<usize> {
        (self.next.1 == Token::Mark('(')).then_some(self.next.0 + 1)
    }

    /// Goes on at this byte: what stands before it has been read by others.
    pub fn resume(&mut self, at: usize) -> Result<(), Syntax> {
        self.lexer.at = at;
        self.next = self.lexer.next()?;
        Ok(())
    }

    /// A number as it is written, and where it stands.
    pub fn number(&mut self, expected: &str) -> Result<(usize, String), Syntax> {
        match &self.next.1 {
            Token::Number(text) => {
                let text = text.clone();
                Ok((self.step()?.0, text))
            }
            _ => Err(self.wrong(expected)),
        }
    }

    /// Whether nothing comes next.
    pub fn is_at_end(&self) -> bool {
        self.next.1 == Token::End
    }

    /// The position of what comes next.
    pub fn position(&self) -> usize {
        self.next.0
    }

    /// What comes next is not what was expected.
    pub fn wrong(&self, expected: &str) -> Syntax {
        self.lexer.place.wrong(self.next.0, &self.next.1, expected)
    }

    /// Gives what comes next and reads on.
    fn step(&mut self) -> Result<(usize, Token), Syntax> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// This mark must come next.
    pub fn expect(&mut self, mark: char, expected: &str) -> Result<(), Syntax> {
        if self.take(mark)? { Ok(()) } else { Err(self.wrong(expected)) }
    }

    fn node(&mut self, at: usize, kind: Kind) -> Result<Node, Syntax> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(self.lexer.place.too_long(self.limits));
        }
        Ok(Node { at, kind })
    }

    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Node, Syntax>,
    ) -> Result<Node, Syntax> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(self.lexer.place.too_deep(self.limits));
        }
        let node = read(self);
        self.depth -= 1;
        node
    }

    /// Operands with operators of this level and tighter ones between them: as
    /// long as the next operator binds tightly enough, what has been read is
    /// its left operand. One call for all levels keeps the stack low.
    fn operation(&mut self, level: u8) -> Result<Node, Syntax> {
        let mut left = self.unary()?;
        let depth = self.depth;
        while let Some(operator) = self.operator().filter(|one| one.level() >= level) {
            left = match operator {
                Operator::Or => self.chain(left, OR, "or", Kind::Or)?,
                Operator::And => self.chain(left, AND, "and", Kind::And)?,
                Operator::In => self.is_in(left)?,
                Operator::Binary(operator) => self.binary(left, operator)?,
            };
            // Each operator to the right makes the tree deeper.
            self.depth += usize::from(!matches!(operator, Operator::Or | Operator::And));
            if self.depth > self.limits.depth {
                return Err(self.lexer.place.too_deep(self.limits));
            }
        }
        self.depth = depth;
        Ok(left)
    }

    /// The operator that comes next, if one does.
    fn operator(&self) -> Option<Operator> {
        let Token::Word(word) = &self.next.1 else { return None };
        let named = [("or", Operator::Or), ("and", Operator::And), ("in", Operator::In)];
        let named = named.into_iter().find(|(text, _)| word.eq_ignore_ascii_case(text));
        let named = named.map(|(_, operator)| operator);
        named.or_else(|| Binary::named(word).map(Operator::Binary))
    }

    /// `or` or `and`, of as many operands as there are.
    fn chain(
        &mut self,
        first: Node,
        level: u8,
        word: &str,
        make: fn(Vec<Node>) -> Kind,
    ) -> Result<Node, Syntax> {
        let at = self.position();
        let mut all = vec![first];
        while self.take_word(word)? {
            all.push(self.operation(level + 1)?);
        }
        self.node(at, make(all))
    }

    fn is_in(&mut self, left: Node) -> Result<Node, Syntax> {
        let (at, _) = self.step()?;
        let list = self.list()?;
        self.node(at, Kind::In(Box::new(left), Box::new(list)))
    }

    fn binary(&mut self, left: Node, operator: Binary) -> Result<Node, Syntax> {
        let (at, _) = self.step()?;
        let right = self.operation(operator.level() + 1)?;
        self.node(at, Kind::Binary(operator, Box::new(left), Box::new(right)))
    }

    fn unary(&mut self) -> Result<Node, Syntax> {
        let at = self.position();
        let operator = match &self.next.1 {
            Token::Mark('-') => Unary::Negate,
            Token::Word(word) if word.eq_ignore_ascii_case("not") => Unary::Not,
            _ => return self.primary(),
        };
        self.step()?;
        let operand = self.deeper(Self::unary)?;
        self.node(at, Kind::Unary(operator, Box::new(operand)))
    }

    fn primary(&mut self) -> Result<Node, Syntax> {
        let literal = match &self.next.1 {
            Token::Mark('(') => return self.parenthesis(),
            Token::Mark('[') => return self.array_alone(),
            Token::Mark('{') => return Err(self.object()),
            Token::Word(word) => match keyword(word) {
                Some(literal) => literal,
                None => return self.named(),
            },
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Guid(text) => Literal::Guid(text.clone()),
            Token::Number(text) => Literal::Number(text.clone()),
            Token::Prefixed(word, text) => Literal::Prefixed(word.clone(), text.clone()),
            Token::Alias(name) => {
                let name = name.clone();
                let (at, _) = self.step()?;
                return self.node(at, Kind::Alias(name));
            }
            Token::Mark(_) | Token::End => {
                return Err(self.wrong("a property, a literal, a function or '('"));
            }
        };
        let (at, _) = self.step()?;
        self.node(at, Kind::Literal(literal))
    }

    fn parenthesis(&mut self) -> Result<Node, Syntax> {
        self.step()?;
        let inside = self.expression()?;
        self.expect(')', "an operator or ')'")?;
        Ok(inside)
    }

    /// A path, a function or a lambda.
    fn named(&mut self) -> Result<Node, Syntax> {
        let (at, first) = self.name("a name")?;
        if self.take('(')? {
            return self.call(at, first);
        }
        if first.eq_ignore_ascii_case("$root") && self.next.1 == Token::Mark('/') {
            return self.root(at);
        }
        let mut path = vec![first];
        while self.take('/')? {
            let (_, name) = self.name("the name of a property after '/'")?;
            if self.take('(')? {
                return self.lambda(at, path, name);
            }
            path.push(name);
            if path.len() > self.limits.depth {
                return Err(self.lexer.place.too_deep(self.limits));
            }
        }
        self.node(at, Kind::Path(path))
    }

    /// A path from the service root, which is read as that of a request is.
    fn root(&mut self, at: usize) -> Result<Node, Syntax> {
        let start = self.position() + 1;
        let rest = &self.lexer.place.text[start..];
        let path = &rest[..path::length(rest)];
        self.resume(start + path.len())?;
        self.node(at, Kind::Root(path.to_owned()))
    }

    fn call(&mut self, at: usize, name: String) -> Result<Node, Syntax> {
        if name.eq_ignore_ascii_case("case") {
            return self.case(at);
        }
        let arguments = self.items(Self::expression)?;
        self.node(at, Kind::Call(name, arguments))
    }

    /// Expressions with commas between them, up to the closing parenthesis.
    fn items(
        &mut self,
        item: impl Fn(&mut Self) -> Result<Node, Syntax>,
    ) -> Result<Vec<Node>, Syntax> {
        let mut items = Vec::new();
        if self.take(')')? {
            return Ok(items);
        }
        loop {
            if items.len() == self.limits.list {
                return Err(self.lexer.place.too_many(self.limits));
            }
            items.push(item(self)?);
            if !self.take(',')? {
                self.expect(')', "',' or ')'")?;
                return Ok(items);
            }
        }
    }

    fn case(&mut self, at: usize) -> Result<Node, Syntax> {
        let mut branches = Vec::new();
        loop {
            let condition = self.expression()?;
            self.expect(':', "':' between a condition and its value")?;
            branches.push((condition, self.expression()?));
            if !self.take(',')? {
                self.expect(')', "',' or ')'")?;
                return self.node(at, Kind::Case(branches));
            }
        }
    }

    fn lambda(&mut self, at: usize, path: Vec<String>, name: String) -> Result<Node, Syntax> {
        if self.take(')')? {
            return self.node(at, Kind::Lambda(path, name, None));
        }
        let (_, variable) = self.name("the name of a variable")?;
        self.expect(':', "':' after the variable")?;
        let body = self.expression()?;
        self.expect(')', "an operator or ')'")?;
        self.node(at, Kind::Lambda(path, name, Some((variable, Box::new(body)))))
    }

    /// What stands after `in`.
    fn list(&mut self) -> Result<Node, Syntax> {
        let at = self.position();
        match &self.next.1 {
            Token::Mark('(') => {
                self.step()?;
                let items = self.items(|parser| {
                    let nodes = parser.nodes;
                    let item = parser.expression()?;
                    // Literals count by the limit on lists alone.
                    if matches!(item.kind, Kind::Literal(_)) {
                        parser.nodes = nodes;
                    }
                    Ok(item)
                })?;
                self.node(at, Kind::List(items))
            }
            Token::Mark('[') => self.array(),
            Token::Alias(_) | Token::Word(_) => self.primary(),
            _ => Err(self.wrong("a list in parentheses or a JSON array")),
        }
    }

    /// A JSON array. The reader of JSON has a cap on depth of its own.
    pub fn array(&mut self) -> Result<Node, Syntax> {
        let (at, place) = (self.position(), self.lexer.place);
        // Numbers keep their digits, which a double would round.
        let mut values =
            serde_json::Deserializer::from_str(&place.text[at..]).into_iter::<Vec<&RawValue>>();
        let Some(Ok(values_read)) = values.next() else {
            return Err(self.wrong("a JSON array"));
        };
        if values_read.len() > self.limits.list {
            return Err(place.too_many(self.limits));
        }
        let items = values_read.into_iter().map(|value| item(at, value)).collect::<Option<_>>();
        let items =
            items.ok_or_else(|| self.wrong("an array of strings, numbers, Booleans and nulls"))?;
        self.resume(at + values.byte_offset())?;
        self.node(at, Kind::List(items))
    }

    /// A JSON array where it is no list after `in`.
    fn array_alone(&mut self) -> Result<Node, Syntax> {
        let Node { at, kind } = self.array()?;
        let kind = if let Kind::List(items) = kind { Kind::Array(items) } else { kind };
        Ok(Node { at, kind })
    }

    /// A JSON object is a value of a complex type, which no expression takes.
    fn object(&self) -> Syntax {
        let place = self.lexer.place;
        let mut values = serde_json::Deserializer::from_str(&place.text[self.position()..])
            .into_iter::<serde_json::Value>();
        match values.next() {
            Some(Ok(_)) => place.wrong(
                self.position(),
                &"a JSON object",
                "a value: no property in an expression is of a type that objects have",
            ),
            _ => self.wrong("a JSON object"),
        }
    }

    /// Whether a JSON array comes next.
    pub fn is_array(&self) -> bool {
        self.next.1 == Token::Mark('[')
    }
}

fn item(at: usize, value: &RawValue) -> Option<Node> {
    let literal = match value.get() {
        "null" => Literal::Null,
        "true" => Literal::Boolean(true),
        "false" => Literal::Boolean(false),
        text if text.starts_with('"') => Literal::Text(serde_json::from_str(text).ok()?),
        text if text.starts_with(['[', '{']) => return None,
        number => Literal::Number(number.to_owned()),
    };
    Some(Node { at, kind: Kind::Literal(literal) })
}

fn keyword(word: &str) -> Option<Literal> {
    Some(match word {
        _ if word.eq_ignore_ascii_case("null") => Literal::Null,
        _ if word.eq_ignore_ascii_case("true") => Literal::Boolean(true),
        _ if word.eq_ignore_ascii_case("false") => Literal::Boolean(false),
        "INF" | "NaN" => Literal::Number(word.to_owned()),
        _ => return None,
    })
}
